"""Columns that follow from others: names of persons, what a stage or status means, what a case takes from its contact.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_case.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_task.htm
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import attrs

from sfconnector.testing._database import Database, quote
from sfconnector.testing._schema import SObjectType

Columns = dict[str, Any]
# What Salesforce calls the same thing in ForecastCategory and in ForecastCategoryName.
_FORECAST_CODES = {"Best Case": "BestCase", "Commit": "Forecast", "Most Likely": "MostLikely"}
_FROM_CONTACT = {
    "ContactPhone": "Phone",
    "ContactMobile": "MobilePhone",
    "ContactEmail": "Email",
    "ContactFax": "Fax",
}


@attrs.frozen
class Change:
    """A record that is being written: as it was (empty for a new one), what is set, and as it will be."""

    database: Database
    before: Mapping[str, Any]
    given: Mapping[str, Any]
    now: str

    @property
    def after(self) -> Columns:
        return {**self.before, **self.given}

    def changed(self, *names: str) -> bool:
        """Tell whether a column gets another value; for a new record each does."""
        return not self.before or any(self.before.get(name) != self.after.get(name) for name in names)

    def look_up(self, sobject: str, column: str, value: Any) -> Mapping[str, Any]:
        """Read the row with this value, or nothing."""
        if value is None:
            return {}
        row = self.database.row(f"SELECT * FROM {quote(sobject)} WHERE {quote(column)} = ?", [value])
        return {} if row is None else dict(row)


def derive(sobject: SObjectType, change: Change) -> Columns:
    """Compute the columns that follow from the change, without those which the object does not have."""
    columns: Columns = {}
    if {"LastName", "FirstName"} <= sobject.fields.keys():
        columns |= _person(change)
    if rule := _RULES.get(sobject.name):
        columns |= rule(change)
    if not change.before and "PhotoUrl" in sobject.fields:
        columns["PhotoUrl"] = f"/services/images/photo/{change.given['Id']}"
    return {name: value for name, value in columns.items() if name in sobject.fields}


def follow(sobject: SObjectType, change: Change) -> None:
    """Write what other records take from this one."""
    if sobject.name == "Contact" and change.before and change.changed(*_FROM_CONTACT.values()):
        contact = change.after
        settings = ", ".join(f"{quote(column)} = ?" for column in _FROM_CONTACT)
        values = [contact[source] for source in _FROM_CONTACT.values()]
        change.database.write(f'UPDATE "Case" SET {settings} WHERE "ContactId" = ?', [*values, contact["Id"]])


def _person(change: Change) -> Columns:
    names = (change.after.get("FirstName"), change.after.get("LastName"))
    return {"Name": " ".join(name for name in names if name)}


def _contact(change: Change) -> Columns:
    after = change.after
    bounced = after.get("EmailBouncedDate") is not None or after.get("EmailBouncedReason") is not None
    return {"IsEmailBounced": int(bounced)}


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


def _task(change: Change) -> Columns:
    after = change.after
    columns: Columns = {"AccountId": _account_of(change, after)}
    if change.changed("Status"):
        closed = change.look_up("TaskStatus", "ApiName", after.get("Status")).get("IsClosed", 0)
        columns["IsClosed"] = closed
        if closed != change.before.get("IsClosed", 0):
            columns["CompletedDateTime"] = change.now if closed else None
    if change.changed("Priority"):
        priority = change.look_up("TaskPriority", "ApiName", after.get("Priority"))
        columns["IsHighPriority"] = priority.get("IsHighPriority", 0)
    return columns


def _account_of(change: Change, task: Mapping[str, Any]) -> str | None:
    what = task.get("WhatId")
    if what is not None:
        if what.startswith("001"):
            return str(what)
        related = change.look_up("Opportunity" if what.startswith("006") else "Case", "Id", what)
        return related.get("AccountId")
    return change.look_up("Contact", "Id", task.get("WhoId")).get("AccountId")


def _opportunity(change: Change) -> Columns:
    after = change.after
    columns: Columns = {}
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
    amount = after.get("Amount")
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


def _user(change: Change) -> Columns:
    columns: Columns = {"AccountId": change.look_up("Contact", "Id", change.after.get("ContactId")).get("AccountId")}
    if change.changed("ProfileId"):
        columns["UserType"] = change.look_up("Profile", "Id", change.after.get("ProfileId")).get("UserType")
    return columns


_RULES: dict[str, Callable[[Change], Columns]] = {
    "Contact": _contact,
    "Case": _case,
    "Opportunity": _opportunity,
    "Task": _task,
    "User": _user,
}
