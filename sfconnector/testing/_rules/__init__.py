"""What Salesforce's objects do besides holding values: what follows from a change, what it sums up, what it forbids.

Each module is a part of the Object Reference:
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_list.htm
"""

import re
from collections.abc import Iterable

from sfconnector.testing._database import Database
from sfconnector.testing._rules import _activities, _campaigns, _files, _orders, _products, _sales
from sfconnector.testing._rules._change import Change, Columns, Row, Rules
from sfconnector.testing._schema import SObjectType

__all__ = ["Change", "derive", "follow", "hold", "roll_up"]

_RULES = {
    **_sales.RULES,
    **_activities.RULES,
    **_campaigns.RULES,
    **_products.RULES,
    **_orders.RULES,
    **_files.RULES,
}
_NONE = Rules()


def derive(sobject: SObjectType, change: Change) -> Columns:
    """Compute the columns that follow from the change, without those which the object does not have.

    Raises:
        OrgError: The object's rules forbid the change.
    """
    columns: Columns = {}
    if {"LastName", "FirstName"} <= sobject.fields.keys() and sobject.fields["LastName"].createable:
        columns |= _person(change)
    if rule := _RULES.get(sobject.name, _NONE).derive:
        columns |= rule(change)
    if change.creates and "PhotoUrl" in sobject.fields:
        columns["PhotoUrl"] = f"/services/images/photo/{change.given['Id']}"
    if change.creates and sobject.name == "Document":
        columns |= _document(change)
    return {name: value for name, value in columns.items() if name in sobject.fields}


def follow(sobject: SObjectType, change: Change) -> None:
    """Write what other records take from one that was created or changed."""
    if rule := _RULES.get(sobject.name, _NONE).follow:
        rule(change)
    if sobject.name in ("Contact", "Lead"):
        _campaigns.tell_members(sobject.name, change)


def roll_up(sobject: SObjectType, database: Database, rows: Iterable[Row]) -> None:
    """Compute again what the parents of rows that were written, deleted or brought back sum up."""
    if rule := _RULES.get(sobject.name, _NONE).roll_up:
        for row in rows:
            rule(database, row)


def hold(sobject: SObjectType, database: Database, row: Row, *, alone: bool) -> None:
    """Refuse the deletion of a row that the object's rules keep; ``alone`` where it does not go with its parent.

    Raises:
        OrgError: They do.
    """
    rules = _RULES.get(sobject.name, _NONE)
    for rule in (rules.hold, rules.hold_alone if alone else None):
        if rule is not None:
            rule(database, row)


def _person(change: Change) -> Columns:
    names = (change.after.get("FirstName"), change.after.get("LastName"))
    return {"Name": " ".join(name for name in names if name)}


def _document(change: Change) -> Columns:
    """https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_document.htm"""
    given = change.given
    return {
        "AuthorId": given.get("AuthorId") or change.user_id,
        "DeveloperName": given.get("DeveloperName") or re.sub(r"\W+", "_", given["Name"], flags=re.ASCII).strip("_"),
    }
