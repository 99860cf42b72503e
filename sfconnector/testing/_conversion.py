"""Conversion of leads into accounts, contacts and opportunities.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_convertlead.htm
https://help.salesforce.com/s/articleView?id=sales.lead_conversion_mapping.htm
https://help.salesforce.com/s/articleView?id=leads_notes.htm
"""

import calendar
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import attrs

from sfconnector.testing._context import RequestContext
from sfconnector.testing._database import Database, quote
from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import Schema, SObjectType
from sfconnector.testing._validation import Validator
from sfconnector.testing._writer import Writer

_ADDRESS: Final = (
    "Street",
    "City",
    "State",
    "PostalCode",
    "Country",
    "StateCode",
    "CountryCode",
    "Latitude",
    "Longitude",
    "GeocodeAccuracy",
)
_SAME_NAMES: Final = ("Phone", "Fax", "Website", "Industry", "Rating", "AnnualRevenue", "NumberOfEmployees")
# By the field that is filled, the lead's field from which it is; fields that an org does not have are left out.
_MAPPING: Final[Mapping[str, Mapping[str, str]]] = {
    "Account": {
        "Name": "Company",
        "AccountSource": "LeadSource",
        **{name: name for name in _SAME_NAMES},
        **{f"Billing{part}": part for part in _ADDRESS},
    },
    "Contact": {
        **{name: name for name in ("FirstName", "LastName", "Salutation", "Title", "Email", "Phone", "MobilePhone")},
        **{name: name for name in ("Fax", "Description", "LeadSource")},
        **{name: name for name in ("DoNotCall", "HasOptedOutOfEmail", "HasOptedOutOfFax")},
        **{f"Mailing{part}": part for part in _ADDRESS},
    },
    "Opportunity": {"LeadSource": "LeadSource"},
}
# The field itself takes more.
_LONGEST_OPPORTUNITY_NAME: Final = 80
_OWNED_BY_NO_USER: Final = (
    "Converted objects can only be owned by users.  If the lead is not owned by a user, you must specify a user for "
    "the Owner field."
)
_NOT_CONVERTED: Final = "One or more leads couldn't be converted. {}"


@attrs.frozen(kw_only=True)
class LeadConvert:
    """What is to become of one lead; the values of records count more than what the lead says."""

    lead_id: str
    converted_status: str
    account_id: str | None = None
    contact_id: str | None = None
    opportunity_id: str | None = None
    opportunity_name: str | None = None
    owner_id: str | None = None
    create_opportunity: bool = True
    overwrite_lead_source: bool = False
    bypass_account_dedupe_check: bool = False
    bypass_contact_dedupe_check: bool = False
    person_account: bool = False
    account_values: Mapping[str, Any] = attrs.field(factory=dict)
    contact_values: Mapping[str, Any] = attrs.field(factory=dict)
    opportunity_values: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Converted:
    """What one lead has become, and who owns that."""

    lead_id: str
    account_id: str
    contact_id: str
    opportunity_id: str | None
    owner_id: str


@attrs.frozen
class _Lead:
    row: Mapping[str, Any]
    owner_id: str
    status: str
    today: date


@attrs.frozen
class Conversion:
    """Converts the leads of one org; the caller holds the transaction."""

    schema: Schema
    database: Database
    validator: Validator
    writer: Writer
    clock: Callable[[], datetime]

    def convert(self, wanted: LeadConvert, context: RequestContext) -> Converted:
        """Convert one lead.

        Raises:
            OrgError: The lead is converted already, the status is none of converted leads, records do not fit
                together, or one of them is refused.
        """
        lead = self._lead(wanted, context)
        _check_combination(wanted)
        # The lead is no duplicate of what it becomes.
        context.saved.add(lead.row["Id"])
        bypass = attrs.evolve(context, skips_duplicate_rules=True)
        account_id = self._account(wanted, lead, bypass if wanted.bypass_account_dedupe_check else context)
        contact_id = self._contact(wanted, lead, account_id, bypass if wanted.bypass_contact_dedupe_check else context)
        opportunity_id = None
        if wanted.create_opportunity:
            opportunity_id = self._opportunity(wanted, lead, account_id, context)
        self._close(lead, (account_id, contact_id, opportunity_id), context)
        if opportunity_id is not None:
            self._give_role(opportunity_id, contact_id)
        self._move_activities(wanted, lead, contact_id, opportunity_id or account_id, context)
        self._move_notes(lead, contact_id)
        self._move_members(lead, contact_id, context)
        return Converted(
            lead_id=lead.row["Id"],
            account_id=account_id,
            contact_id=contact_id,
            opportunity_id=opportunity_id,
            owner_id=lead.owner_id,
        )

    def _lead(self, wanted: LeadConvert, context: RequestContext) -> _Lead:
        row = self.writer.existing(self._sobject("Lead"), wanted.lead_id)
        if row["IsConverted"]:
            raise OrgError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", ())
        status = self.database.row(
            'SELECT "ApiName" FROM "LeadStatus" WHERE ?1 IN ("ApiName", "MasterLabel") AND "IsConverted" = 1',
            [wanted.converted_status],
        )
        if status is None:
            message = f"invalid convertedStatus: {wanted.converted_status}"
            raise OrgError(400, "INVALID_STATUS", message, ["Status"])
        owner_id = row["OwnerId"] if wanted.owner_id is None else wanted.owner_id
        if not owner_id.startswith("005"):
            raise OrgError(400, "UNKNOWN_EXCEPTION", _OWNED_BY_NO_USER, ())
        owner_id = self.validator.check_reference(self._sobject("Account"), "OwnerId", owner_id)
        zone = self.database.row('SELECT "TimeZoneSidKey" FROM "User" WHERE "Id" = ?', [context.user_id])
        today = self.clock().astimezone(ZoneInfo((zone and zone[0]) or "GMT")).date()
        return _Lead(row, owner_id, status["ApiName"], today)

    def _account(self, wanted: LeadConvert, lead: _Lead, context: RequestContext) -> str:
        account = self._sobject("Account")
        given = self.validator.read(account, wanted.account_values)
        if wanted.account_id is None:
            return self.writer.create(
                account, {**self._mapped(account, lead), "OwnerId": lead.owner_id, **given}, context
            )
        row = self.writer.existing(account, wanted.account_id)
        self._fill(account, row, self._mapped(account, lead), given, context)
        return str(row["Id"])

    def _contact(self, wanted: LeadConvert, lead: _Lead, account_id: str, context: RequestContext) -> str:
        contact = self._sobject("Contact")
        given = self.validator.read(contact, wanted.contact_values)
        mapped = self._mapped(contact, lead)
        if wanted.contact_id is None:
            own = {"AccountId": account_id, "OwnerId": lead.owner_id}
            return self.writer.create(contact, {**mapped, **own, **given}, context)
        row = self.writer.existing(contact, wanted.contact_id)
        if row["AccountId"] != account_id:
            raise OrgError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
        if wanted.overwrite_lead_source:
            given = {"LeadSource": lead.row["LeadSource"], **given}
        # What a person has asked for stays as it is.
        wishes = {name for name in mapped if contact.fields[name].type == "boolean"}
        self._fill(contact, row, {k: v for k, v in mapped.items() if k not in wishes}, given, context)
        return str(row["Id"])

    def _opportunity(self, wanted: LeadConvert, lead: _Lead, account_id: str, context: RequestContext) -> str:
        opportunity = self._sobject("Opportunity")
        given = self.validator.read(opportunity, wanted.opportunity_values)
        mapped = {**self._mapped(opportunity, lead), "AccountId": account_id, "CampaignId": self._campaign(lead)}
        if wanted.opportunity_id is None:
            own = {
                "Name": self._opportunity_name(opportunity, wanted, context) or lead.row["Company"],
                "StageName": self._first_stage(),
                "CloseDate": end_of_quarter(lead.today, self._year_start()).isoformat(),
                "OwnerId": lead.owner_id,
            }
            return self.writer.create(opportunity, {**mapped, **own, **given}, context)
        row = self.writer.existing(opportunity, wanted.opportunity_id)
        if row["AccountId"] not in (None, account_id):
            raise OrgError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
        self._fill(opportunity, row, mapped, given, context)
        return str(row["Id"])

    def _opportunity_name(self, opportunity: SObjectType, wanted: LeadConvert, context: RequestContext) -> str | None:
        if wanted.opportunity_name is None:
            return None
        field = attrs.evolve(opportunity.fields["Name"], length=_LONGEST_OPPORTUNITY_NAME)
        return str(self.validator.check_value(field, wanted.opportunity_name, context))

    def _mapped(self, sobject: SObjectType, lead: _Lead) -> dict[str, Any]:
        return {
            name: lead.row[source]
            for name, source in _MAPPING[sobject.name].items()
            if name in sobject.fields and lead.row.get(source) is not None
        }

    def _fill(
        self,
        sobject: SObjectType,
        row: dict[str, Any],
        mapped: Mapping[str, Any],
        given: Mapping[str, Any],
        context: RequestContext,
    ) -> None:
        """Fill the empty fields of a record that was there before, and set those that are given."""
        columns = {name: value for name, value in mapped.items() if row.get(name) is None and value is not None}
        columns |= given
        if columns:
            self.writer.update(sobject, row, columns, context)

    def _campaign(self, lead: _Lead) -> str | None:
        row = self.database.row(
            'SELECT "CampaignId" FROM "CampaignMember" WHERE "LeadId" = ? AND "IsDeleted" = 0 '
            'ORDER BY "CreatedDate" DESC, "Id" DESC LIMIT 1',
            [lead.row["Id"]],
        )
        return None if row is None else row[0]

    def _first_stage(self) -> str | None:
        row = self.database.row(
            'SELECT "ApiName" FROM "OpportunityStage" WHERE "IsActive" = 1 AND "IsClosed" = 0 '
            'ORDER BY "SortOrder" LIMIT 1'
        )
        return None if row is None else row[0]

    def _year_start(self) -> int:
        row = self.database.row('SELECT "FiscalYearStartMonth" FROM "Organization"')
        return (row[0] if row else None) or 1

    def _give_role(self, opportunity_id: str, contact_id: str) -> None:
        roles = self.database.rows(
            'SELECT "ContactId", "IsPrimary" FROM "OpportunityContactRole" '
            'WHERE "OpportunityId" = ? AND "IsDeleted" = 0',
            [opportunity_id],
        )
        if all(role["ContactId"] != contact_id for role in roles):
            primary = int(not any(role["IsPrimary"] for role in roles))
            role = {"OpportunityId": opportunity_id, "ContactId": contact_id, "IsPrimary": primary}
            self.writer.insert("OpportunityContactRole", role)

    def _close(self, lead: _Lead, became: tuple[str, str, str | None], context: RequestContext) -> None:
        account_id, contact_id, opportunity_id = became
        columns = {
            "IsConverted": 1,
            "ConvertedDate": lead.today.isoformat(),
            "ConvertedAccountId": account_id,
            "ConvertedContactId": contact_id,
            "ConvertedOpportunityId": opportunity_id,
            "Status": lead.status,
        }
        self.writer.write(self._sobject("Lead"), dict(lead.row), columns, context)

    def _move_activities(
        self, wanted: LeadConvert, lead: _Lead, contact_id: str, what_id: str, context: RequestContext
    ) -> None:
        """Attach the lead's activities to what it has become.

        https://help.salesforce.com/s/articleView?id=000385227&type=1
        """
        for name in ("Task", "Event"):
            sobject = self._sobject(name)
            for row in self._of_lead(name, "WhoId", lead):
                columns = {"WhoId": contact_id, "WhatId": row["WhatId"] or what_id}
                if wanted.owner_id is not None and row["OwnerId"] == context.user_id and not row.get("IsClosed"):
                    columns["OwnerId"] = lead.owner_id
                self.writer.write(sobject, row, columns, context)

    def _move_notes(self, lead: _Lead, contact_id: str) -> None:
        for name in ("Note", "Attachment"):
            for row in self._of_lead(name, "ParentId", lead):
                self.database.update(name, row["Id"], {"ParentId": contact_id})

    def _move_members(self, lead: _Lead, contact_id: str, context: RequestContext) -> None:
        """Make the contact a member of the lead's campaigns, unless it is one already."""
        for row in self._of_lead("CampaignMember", "LeadId", lead):
            there = self.database.row(
                'SELECT 1 FROM "CampaignMember" WHERE "CampaignId" = ? AND "ContactId" = ? AND "IsDeleted" = 0',
                [row["CampaignId"], contact_id],
            )
            if there is None:
                self.writer.write(self._sobject("CampaignMember"), row, {"ContactId": contact_id}, context)

    def _of_lead(self, name: str, field: str, lead: _Lead) -> list[dict[str, Any]]:
        rows = self.database.rows(
            f'SELECT * FROM {quote(name)} WHERE {quote(field)} = ? AND "IsDeleted" = 0 ORDER BY "Id"', [lead.row["Id"]]
        )
        return [dict(row) for row in rows]

    def _sobject(self, name: str) -> SObjectType:
        sobject = self.schema.get(name)
        assert sobject is not None  # noqa: S101  # every org has it
        return sobject


def end_of_quarter(today: date, start: int) -> date:
    """Find the last day of the fiscal quarter in a fiscal year that begins with this month."""
    years, month = divmod(today.month - 1 + 2 - (today.month - start) % 3, 12)
    year = today.year + years
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def _check_combination(wanted: LeadConvert) -> None:
    """Refuse arguments of which the guide says that they exclude or need each other."""
    if wanted.person_account:
        raise OrgError(400, "INVALID_PERSON_ACCOUNT_OPERATION", "Person accounts are not enabled in this org", ())
    if not wanted.create_opportunity and not (wanted.opportunity_name is None and wanted.opportunity_id is None):
        reason = "If doNotCreateOpportunity is true, opportunityName and opportunityId must be null."
    elif wanted.opportunity_name is not None and wanted.opportunity_id is not None:
        reason = "If opportunityId is specified, opportunityName must be null."
    elif wanted.overwrite_lead_source and wanted.contact_id is None:
        reason = "If overwriteLeadSource is true, contactId must be specified."
    elif wanted.contact_id is not None and wanted.account_id is None:
        reason = "If contactId is specified, accountId must be specified."
    else:
        return
    raise OrgError(400, "INVALID_FIELD", _NOT_CONVERTED.format(reason), ["Id"])
