"""What tests of SOAP calls have in common: records, results, and a client of a server."""

from typing import Any
from xml.etree.ElementTree import Element

from http_server import Server
from session_tools import quick
from soap_server import members

from sfconnector import Salesforce, auth

LEAD, ACCOUNT, CONTACT = "00Q000000000001AAA", "001000000000001AAA", "003000000000001AAA"
OPPORTUNITY, USER, TOKEN = "006000000000001AAA", "005000000000001AAA", "00D000000000001!secret&<"


def lead_id(number: int) -> str:
    return f"00Q{number:012}AAA"


def converted(lead: Element) -> dict[str, Any]:
    """The result of a lead that is converted."""
    number = members(lead)["leadId"][3:]
    ids = {"accountId": f"001{number}", "contactId": f"003{number}", "leadId": f"00Q{number}"}
    return {**ids, "opportunityId": None, "success": True}


def failure(code: str = "CANNOT_CONVERT", **more: Any) -> dict[str, Any]:
    """The result of a lead that is not converted."""
    error = {"fields": ["Company", "Ext__c"], "message": "a < b & c", "statusCode": code}
    return {"accountId": None, "contactId": None, "errors": [error], "leadId": None, "success": False, **more}


def client(server: Server, **options: Any) -> Salesforce:
    way = options.pop("auth", None) or auth.AccessToken(server.url, TOKEN)
    return Salesforce(way, **{"retry": quick(), **options})
