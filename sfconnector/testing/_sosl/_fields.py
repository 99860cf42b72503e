"""Which fields a search looks into.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_in.htm
https://help.salesforce.com/s/articleView?id=sf.search_fields_crm.htm
"""

from collections.abc import Iterator
from typing import Final

import attrs

from sfconnector.testing._database import is_stored, quote
from sfconnector.testing._schema import Field, Schema, SObjectType

_TEXT: Final = frozenset({"combobox", "email", "phone", "string", "textarea", "url"})
# Besides the name field, for IN NAME FIELDS; those that an org does not have are left out.
_NAMES: Final = {
    "Account": ("Website", "Site", "NameLocal"),
    "Asset": ("SerialNumber",),
    "Case": ("SuppliedName", "SuppliedCompany", "Subject"),
    "Contact": ("AssistantName", "FirstNameLocal", "LastNameLocal"),
    "Event": ("Subject",),
    "Lead": ("Company", "CompanyLocal", "FirstNameLocal", "LastNameLocal"),
    "Note": ("Title",),
    "PermissionSet": ("Label",),
    "Report": ("Description",),
    "Task": ("Subject",),
    "User": ("CommunityNickname",),
}
# Found only when they are named in RETURNING, and then in all their fields whatever IN says.
EXPLICIT: Final = frozenset({"ContentDocument", "ContentNote", "ContentVersion", "Document", "Product2"})
# Where terms without an operator are alternatives.
ANY_NEIGHBOUR: Final = frozenset({"Document"})


@attrs.frozen
class Searched:
    """A text that is looked into: its SQL, and whether it is a telephone number."""

    sql: str
    phone: bool = False


def searched(schema: Schema, sobject: SObjectType, group: str) -> list[Searched]:
    """The texts of an object that a search group looks into.

    Besides those of SOSL there is the group ``OWN_NAME``: the one name field of each object.
    """
    if sobject.name in EXPLICIT and group != "OWN_NAME":
        group = "ALL"
    found = [Searched(quote(field.name), field.type == "phone") for field in _fields(sobject, group)]
    if sobject.name == "Contact" and group in ("ALL", "NAME", "SIDEBAR") and schema.get("Account"):
        found.append(Searched('(SELECT "Name" FROM "Account" WHERE "Account"."Id" = "Contact"."AccountId")'))
    return found


def _fields(sobject: SObjectType, group: str) -> Iterator[Field]:
    for field in sobject.fields.values():
        if field.type in _TEXT and not field.calculated and is_stored(field) and not field.name.endswith("PhotoUrl"):
            name = field.name_field or field.name in _NAMES.get(sobject.name, ())
            # The sidebar looks for the name, the address and the number of somebody.
            sidebar = name or field.type in ("email", "phone")
            groups = {
                "OWN_NAME": field.name_field,
                "NAME": name,
                "EMAIL": field.type == "email",
                "PHONE": field.type == "phone",
                "SIDEBAR": sidebar,
            }
            if groups.get(group, True):
                yield field


def searchable(schema: Schema) -> list[SObjectType]:
    """The objects that are searched where none is named."""
    return [sobject for sobject in schema if sobject.searchable and sobject.queryable and sobject.name not in EXPLICIT]
