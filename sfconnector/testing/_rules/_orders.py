"""Contracts and orders: what their statuses allow.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contract.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_order.htm
"""

from datetime import date, timedelta

from sfconnector.testing._database import Database
from sfconnector.testing._errors import OrgError
from sfconnector.testing._rules._change import Change, Columns, Row, Rules, integrity

_ACTIVATED = "Activated"
# Only while an order is a draft:
_OF_DRAFTS = ("AccountId", "ContractId", "Pricebook2Id")
_INVALID_CONTRACT_STATUS = "Choose a valid contract status and save your changes. Ask your admin for details."


def check_draft(order: Row) -> None:
    """Refuse to change what an activated order consists of."""
    if order.get("StatusCode") == _ACTIVATED:
        raise integrity("unable to modify activated order")


def _contract(change: Change) -> Columns:
    contract = change.after
    columns: Columns = {"EndDate": _end(contract.get("StartDate"), contract.get("ContractTerm"))}
    if change.changed("Status"):
        code = change.look_up("ContractStatus", "ApiName", contract["Status"]).get("StatusCode", "Draft")
        before = change.before.get("StatusCode")
        # A contract begins as a draft, and one in force does not become a draft again.
        if (change.creates and code == _ACTIVATED) or (before == _ACTIVATED and code != _ACTIVATED):
            raise OrgError(400, "FAILED_ACTIVATION", _INVALID_CONTRACT_STATUS, ["Status"])
        columns["StatusCode"] = code
        columns |= _activation(change, before, code)
    return columns


def _end(start: str | None, months: int | None) -> str | None:
    """The day before the one that is so many months after the start."""
    if start is None or months is None:
        return None
    begins = date.fromisoformat(start)
    years, month = divmod(begins.month - 1 + int(months), 12)
    first = date(begins.year + years, month + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    same_day = min(first + timedelta(days=begins.day - 1), following - timedelta(days=1))
    return (same_day - timedelta(days=1) if same_day.day == begins.day else same_day).isoformat()


def _order(change: Change) -> Columns:
    order = change.after
    if change.before and any(change.changed(name) for name in _OF_DRAFTS):
        check_draft(change.before)
    if not change.changed("Status"):
        return {}
    code = change.look_up("OrderStatus", "ApiName", order["Status"]).get("StatusCode", "Draft")
    if code == _ACTIVATED and not _has_products(change):
        raise OrgError(400, "FAILED_ACTIVATION", "An order must have at least one product.", ())
    return {"StatusCode": code, **_activation(change, change.before.get("StatusCode"), code)}


def _has_products(change: Change) -> bool:
    found = change.database.row(
        'SELECT 1 FROM "OrderItem" WHERE "OrderId" = ? AND "IsDeleted" = 0', [change.after["Id"]]
    )
    return found is not None


def _activation(change: Change, before: str | None, code: str) -> Columns:
    if code == before:
        return {}
    activated = code == _ACTIVATED
    return {
        "ActivatedDate": change.now if activated else None,
        "ActivatedById": change.user_id if activated else None,
    }


def _hold_order(_: Database, order: Row) -> None:
    check_draft(order)


RULES = {"Contract": Rules(derive=_contract), "Order": Rules(derive=_order, hold=_hold_order)}
