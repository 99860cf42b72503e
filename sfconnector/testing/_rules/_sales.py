"""Persons, cases and opportunities: names, what a status or stage means, what a case takes from its contact.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunitycontactrole.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_case.htm
"""

from datetime import date

from sfconnector.testing._database import Database, quote
from sfconnector.testing._rules._change import Change, Columns, Row, Rules, integrity

# What Salesforce calls the same thing in ForecastCategory and in ForecastCategoryName.
_FORECAST_CODES = {"Best Case": "BestCase", "Commit": "Forecast", "Most Likely": "MostLikely"}
_ALIVE = '"Id" = ? AND "IsDeleted" = 0'
_FROM_CONTACT = {
    "ContactPhone": "Phone",
    "ContactMobile": "MobilePhone",
    "ContactEmail": "Email",
    "ContactFax": "Fax",
}


def _contact(change: Change) -> Columns:
    after = change.after
    bounced = after.get("EmailBouncedDate") is not None or after.get("EmailBouncedReason") is not None
    return {"IsEmailBounced": int(bounced)}


def _tell_cases(change: Change) -> None:
    if change.before and change.changed(*_FROM_CONTACT.values()):
        contact = change.after
        settings = ", ".join(f"{quote(column)} = ?" for column in _FROM_CONTACT)
        values = [contact[source] for source in _FROM_CONTACT.values()]
        change.database.write(f'UPDATE "Case" SET {settings} WHERE "ContactId" = ?', [*values, contact["Id"]])


def _case(change: Change) -> Columns:
    after = change.after
    contact = change.look_up("Contact", "Id", after.get("ContactId"))
    columns: Columns = {column: contact.get(source) for column, source in _FROM_CONTACT.items()}
    if after.get("AccountId") is None and change.changed("ContactId"):
        columns["AccountId"] = contact.get("AccountId")
    if change.changed("Status"):
        closed = change.look_up("CaseStatus", "ApiName", after.get("Status")).get("IsClosed", 0)
        columns["IsClosed"] = closed
        if closed != change.before.get("IsClosed", 0):
            columns["ClosedDate"] = change.now if closed else None
    return columns


def _opportunity(change: Change) -> Columns:
    after = change.after
    columns: Columns = {}
    if change.before.get("HasOpportunityLineItem"):
        if change.changed("Pricebook2Id"):
            raise integrity("field integrity exception: Pricebook2Id", "Pricebook2Id")
        # An amount that sums up products cannot be set; the attempt is no error.
        columns |= {name: change.before[name] for name in ("Amount", "TotalOpportunityQuantity")}
    if change.changed("StageName"):
        stage = change.look_up("OpportunityStage", "ApiName", after.get("StageName"))
        columns |= {"IsClosed": stage.get("IsClosed", 0), "IsWon": stage.get("IsWon", 0)}
        columns["LastStageChangeDate"] = change.now if change.before else None
        if "Probability" not in change.given:
            columns["Probability"] = stage.get("DefaultProbability", 0.0)
        if "ForecastCategoryName" not in change.given:
            columns["ForecastCategoryName"] = stage.get("ForecastCategoryName", "Pipeline")
    category = columns.get("ForecastCategoryName", after.get("ForecastCategoryName")) or "Pipeline"
    columns["ForecastCategory"] = _FORECAST_CODES.get(category, category)
    probability = columns.get("Probability", after.get("Probability"))
    amount = columns.get("Amount", after.get("Amount"))
    columns["ExpectedRevenue"] = None if amount is None else round(amount * (probability or 0.0) / 100, 2)
    return columns | _fiscal(change)


def _fiscal(change: Change) -> Columns:
    if not change.changed("CloseDate"):
        return {}
    organization = change.database.row('SELECT "FiscalYearStartMonth" AS start FROM "Organization"')
    start = (organization["start"] if organization else None) or 1
    closing = date.fromisoformat(change.after["CloseDate"])
    # Salesforce names a fiscal year after the calendar year in which it ends.
    year = closing.year + (start > 1 and closing.month >= start)
    quarter = (closing.month - start) % 12 // 3 + 1
    return {"FiscalYear": year, "FiscalQuarter": quarter, "Fiscal": f"{year} {quarter}"}


def _after_opportunity(change: Change) -> None:
    """Give a new opportunity its primary contact, and its lines the name of a renamed one."""
    opportunity = change.after
    if change.creates and opportunity.get("ContactId"):
        role = {"OpportunityId": opportunity["Id"], "ContactId": opportunity["ContactId"], "IsPrimary": 1}
        change.insert("OpportunityContactRole", role)
    if change.before and change.changed("Name"):
        change.database.touch("OpportunityLineItem", '"OpportunityId" = ?', [opportunity["Id"]])
        change.database.write(
            """UPDATE "OpportunityLineItem" SET "Name" = ? || ' ' || (
                   SELECT p."Name" FROM "Product2" p WHERE p."Id" = "OpportunityLineItem"."Product2Id")
               WHERE "OpportunityId" = ?""",
            [opportunity["Name"], opportunity["Id"]],
        )


def _sum_up_for_campaign(database: Database, opportunity: Row) -> None:
    campaign_id = opportunity.get("CampaignId")
    if campaign_id is not None:
        database.touch("Campaign", _ALIVE, [campaign_id])
        database.write(
            """UPDATE "Campaign" SET ("NumberOfOpportunities", "NumberOfWonOpportunities",
                                      "AmountAllOpportunities", "AmountWonOpportunities") = (
                   SELECT COUNT(*), COALESCE(SUM("IsWon"), 0), COALESCE(SUM("Amount"), 0),
                          COALESCE(SUM(CASE WHEN "IsWon" THEN "Amount" END), 0)
                   FROM "Opportunity" WHERE "CampaignId" = ?1 AND "IsDeleted" = 0)
               WHERE "Id" = ?1 AND "IsDeleted" = 0""",
            [campaign_id],
        )


def _after_role(change: Change) -> None:
    """An opportunity has one primary contact: the last that was made it."""
    role = change.after
    if role.get("IsPrimary") and change.changed("IsPrimary"):
        others = '"OpportunityId" = ? AND "Id" <> ?'
        change.database.touch("OpportunityContactRole", others, [role["OpportunityId"], role["Id"]])
        change.database.write(
            f'UPDATE "OpportunityContactRole" SET "IsPrimary" = 0 WHERE {others}', [role["OpportunityId"], role["Id"]]
        )


def _primary_contact(database: Database, role: Row) -> None:
    database.touch("Opportunity", _ALIVE, [role["OpportunityId"]])
    database.write(
        """UPDATE "Opportunity" SET "ContactId" = (
               SELECT "ContactId" FROM "OpportunityContactRole"
               WHERE "OpportunityId" = ?1 AND "IsPrimary" = 1 AND "IsDeleted" = 0)
           WHERE "Id" = ?1 AND "IsDeleted" = 0""",
        [role["OpportunityId"]],
    )


def _user(change: Change) -> Columns:
    columns: Columns = {"AccountId": change.look_up("Contact", "Id", change.after.get("ContactId")).get("AccountId")}
    if change.changed("ProfileId"):
        columns["UserType"] = change.look_up("Profile", "Id", change.after.get("ProfileId")).get("UserType")
    return columns


RULES = {
    "Contact": Rules(derive=_contact, follow=_tell_cases),
    "Case": Rules(derive=_case),
    "Opportunity": Rules(derive=_opportunity, follow=_after_opportunity, roll_up=_sum_up_for_campaign),
    "OpportunityContactRole": Rules(follow=_after_role, roll_up=_primary_contact),
    "User": Rules(derive=_user),
}
