"""Leads, and their conversion by SOAP."""

from typing import Any

from local_api import Api
from soap_api import SoapApi
from soap_rows import query

STATUS = "Closed - Converted"


def lead(api: Api, **values: Any) -> str:
    return api.create("Lead", **{"LastName": "Curie", "Company": "Radium", **values})


def convert(soap: SoapApi, lead_id: str, *, headers: str = "", **members: Any) -> dict[str, Any]:
    """Convert one lead, with or without success."""
    wanted = {"convertedStatus": STATUS, "leadId": lead_id, **members}
    (result,) = soap("convertLead", headers, leadConverts=[wanted])
    return result


def converted(soap: SoapApi, lead_id: str, *, headers: str = "", **members: Any) -> dict[str, Any]:
    result = convert(soap, lead_id, headers=headers, **members)
    assert result["success"] == "true", result
    assert result["leadId"] == lead_id
    return result


def user(api: Api, username: str, **more: Any) -> str:
    (profile,) = query(api, "SELECT Id FROM Profile WHERE Name = 'Standard User'")
    values = {
        "Username": username,
        "Email": username,
        "LastName": "Owner",
        "Alias": "owner",
        "CommunityNickname": username.partition("@")[0],
        "ProfileId": profile["Id"],
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "IsActive": True,
        **more,
    }
    return api.create("User", **values)
