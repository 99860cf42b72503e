"""Campaigns, their members and the statuses of these.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmember.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmemberstatus.htm
"""

from sfconnector.testing._database import Database, quote
from sfconnector.testing._errors import OrgError
from sfconnector.testing._rules._change import Change, Columns, Row, Rules, missing

_SAME = (
    "Salutation",
    "Name",
    "FirstName",
    "LastName",
    "Title",
    "Email",
    "Phone",
    "Fax",
    "MobilePhone",
    "Description",
    "LeadSource",
)
_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")


def _add_statuses(change: Change) -> None:
    """A new campaign begins with the two statuses that every one has."""
    if change.creates:
        for order, label in enumerate(("Sent", "Responded"), start=1):
            status = {"CampaignId": change.after["Id"], "Label": label, "SortOrder": order}
            change.insert("CampaignMemberStatus", {**status, "IsDefault": order == 1, "HasResponded": order == 2})


def _member(change: Change) -> Columns:
    member = change.after
    columns: Columns = {}
    if change.creates:
        columns |= _identity(change, member)
    elif change.changed("ContactId"):
        columns |= _as_contact(change, member["ContactId"])
    elif change.changed("LeadId"):
        columns |= _as_lead(change, member["LeadId"])
    status = member.get("Status")
    if status is None:
        status = columns["Status"] = _default_status(change, member["CampaignId"])
    if change.changed("Status"):
        known = change.database.row(
            'SELECT "HasResponded" FROM "CampaignMemberStatus" '
            'WHERE "CampaignId" = ? AND "Label" = ? AND "IsDeleted" = 0',
            [member["CampaignId"], status],
        )
        responded = known["HasResponded"] if known else 0
        columns["HasResponded"] = responded
        if responded and not member.get("FirstRespondedDate"):
            columns["FirstRespondedDate"] = change.today.isoformat()
    return columns


def _identity(change: Change, member: Row) -> Columns:
    """Check who the member is; where both a lead and a contact are given, the contact counts."""
    contact_id = member.get("ContactId")
    lead_id = None if contact_id else member.get("LeadId")
    if contact_id is None and lead_id is None:
        raise missing("ContactId", "LeadId")
    key, person_id = ("ContactId", contact_id) if contact_id else ("LeadId", lead_id)
    others = change.database.row(
        f'SELECT 1 FROM "CampaignMember" WHERE "CampaignId" = ? AND {quote(key)} = ? AND "IsDeleted" = 0',
        [member["CampaignId"], person_id],
    )
    if others is not None:
        raise OrgError(400, "DUPLICATE_VALUE", "Already a campaign member.", ())
    if contact_id:
        return {"LeadId": None, **_as_contact(change, contact_id)}
    return {"LeadId": lead_id, **_as_lead(change, str(lead_id))}


def _as_contact(change: Change, contact_id: str) -> Columns:
    contact = change.look_up("Contact", "Id", contact_id)
    return {"LeadOrContactId": contact_id, "Type": "Contact", **_person(change, "Contact", contact)}


def _as_lead(change: Change, lead_id: str) -> Columns:
    lead = change.look_up("Lead", "Id", lead_id)
    return {"LeadOrContactId": lead_id, "Type": "Lead", **_person(change, "Lead", lead)}


def _default_status(change: Change, campaign_id: str) -> str | None:
    row = change.database.row(
        'SELECT "Label" FROM "CampaignMemberStatus" WHERE "CampaignId" = ? AND "IsDefault" = 1 AND "IsDeleted" = 0',
        [campaign_id],
    )
    return None if row is None else row["Label"]


def _person(change: Change, kind: str, person: Row) -> Columns:
    """What a member shows of its lead or contact."""
    prefix = "Mailing" if kind == "Contact" else ""
    company = person.get("Company")
    if kind == "Contact":
        company = change.look_up("Account", "Id", person.get("AccountId")).get("Name")
    return {
        **{name: person.get(name) for name in _SAME},
        **{name: person.get(f"{prefix}{name}") for name in _ADDRESS},
        "CompanyOrAccount": company,
        "LeadOrContactOwnerId": person.get("OwnerId"),
    }


def tell_members(kind: str, change: Change) -> None:
    """Show a changed lead or contact in the campaigns of which it is a member."""
    if change.creates:
        return
    person_id = change.before["Id"]
    key = quote(f"{kind}Id")
    if change.database.row(f'SELECT 1 FROM "CampaignMember" WHERE {key} = ?', [person_id]) is None:
        return
    # Read again: the name follows from what was given.
    columns = _person(change, kind, change.look_up(kind, "Id", person_id))
    settings = ", ".join(f"{quote(name)} = ?" for name in columns)
    change.database.write(f'UPDATE "CampaignMember" SET {settings} WHERE {key} = ?', [*columns.values(), person_id])
    if kind == "Lead" and change.changed("IsConverted"):
        for member in change.database.rows(f'SELECT "CampaignId" FROM "CampaignMember" WHERE {key} = ?', [person_id]):
            _count_members(change.database, dict(member))


def _count_members(database: Database, member: Row) -> None:
    database.touch("Campaign", '"Id" = ? AND "IsDeleted" = 0', [member["CampaignId"]])
    database.write(
        """UPDATE "Campaign" SET ("NumberOfLeads", "NumberOfConvertedLeads", "NumberOfContacts",
                                  "NumberOfResponses") = (
               SELECT COUNT(m."LeadId"), COALESCE(SUM(l."IsConverted"), 0), COUNT(m."ContactId"),
                      COALESCE(SUM(m."HasResponded"), 0)
               FROM "CampaignMember" m LEFT JOIN "Lead" l ON l."Id" = m."LeadId"
               WHERE m."CampaignId" = ?1 AND m."IsDeleted" = 0)
           WHERE "Id" = ?1 AND "IsDeleted" = 0""",
        [member["CampaignId"]],
    )


def _status(change: Change) -> Columns:
    if change.after.get("SortOrder") is not None:
        return {}
    row = change.database.row(
        'SELECT COALESCE(MAX("SortOrder"), 0) + 1 FROM "CampaignMemberStatus" WHERE "CampaignId" = ?',
        [change.after["CampaignId"]],
    )
    return {"SortOrder": row[0] if row else 1}


def _after_status(change: Change) -> None:
    """A campaign has one default status: the last that was made it."""
    status = change.after
    if status.get("IsDefault") and change.changed("IsDefault"):
        others = '"CampaignId" = ? AND "Id" <> ?'
        change.database.touch("CampaignMemberStatus", others, [status["CampaignId"], status["Id"]])
        change.database.write(
            f'UPDATE "CampaignMemberStatus" SET "IsDefault" = 0 WHERE {others}', [status["CampaignId"], status["Id"]]
        )


RULES = {
    "Campaign": Rules(follow=_add_statuses),
    "CampaignMember": Rules(derive=_member, roll_up=_count_members),
    "CampaignMemberStatus": Rules(derive=_status, follow=_after_status),
}
