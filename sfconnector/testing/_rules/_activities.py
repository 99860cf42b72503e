"""Tasks and events: what a status means, whose account an activity belongs to, when an event begins and ends.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_task.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_event.htm
"""

from datetime import UTC, date, datetime, time, timedelta

from sfconnector.testing._rules._change import Change, Columns, Row, Rules, integrity, missing
from sfconnector.testing._values import now_text

_DAY = 1440
# https://help.salesforce.com/s/articleView?id=sf.activities_considerations_for_using_multiday_events.htm
_LONGEST = 14 * _DAY
# The objects of WhatId whose account is the activity's.
_OF_ACCOUNTS = {"006": "Opportunity", "500": "Case", "800": "Contract"}
_TIMES = ("StartDateTime", "EndDateTime", "ActivityDateTime", "ActivityDate", "DurationInMinutes", "IsAllDayEvent")


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


def _event(change: Change) -> Columns:
    account = {"AccountId": _account_of(change, change.after)}
    return account | _span(change) if change.changed(*_TIMES) else account


def _account_of(change: Change, activity: Row) -> str | None:
    what = activity.get("WhatId")
    if what is not None:
        if what.startswith("001"):
            return str(what)
        if what[:3] in _OF_ACCOUNTS:
            account: str | None = change.look_up(_OF_ACCOUNTS[what[:3]], "Id", what).get("AccountId")
            return account
    return change.look_up("Contact", "Id", activity.get("WhoId")).get("AccountId")


def _span(change: Change) -> Columns:
    """An event's beginning, end and duration, of which any two give the third."""
    whole_days = bool(change.after.get("IsAllDayEvent"))
    start, end = _start(change, whole_days), change.given.get("EndDateTime")
    given: int | None = change.given.get("DurationInMinutes")
    if given is None and end is None:
        # A new beginning alone moves the event.
        given = change.before.get("DurationInMinutes", _DAY if whole_days else None)
    if start is None or (given is None and end is None):
        raise missing("DurationInMinutes", "ActivityDateTime")
    # A whole day ends on the day on which it begins.
    rest = _DAY if whole_days else 0
    lasts = int((_moment(end, whole_days) - start) / timedelta(minutes=1)) + rest if end else int(given or 0)
    if given not in (None, lasts):
        raise integrity("Duration: EndDateTime is not StartDateTime plus DurationInMinutes", "DurationInMinutes")
    if not 0 <= lasts <= _LONGEST:
        raise integrity(f"Duration: Duration must be between 0 and {_LONGEST} minutes", "DurationInMinutes")
    ending = start + timedelta(minutes=max(lasts - rest, 0))
    zone = UTC if whole_days else change.zone
    return {
        "StartDateTime": now_text(start),
        "EndDateTime": now_text(ending),
        "DurationInMinutes": lasts,
        "ActivityDateTime": now_text(start),
        "ActivityDate": start.astimezone(zone).date().isoformat(),
        "EndDate": ending.astimezone(zone).date().isoformat(),
    }


def _start(change: Change, whole_days: bool) -> datetime | None:
    """The beginning by whichever field says it; those that say it must agree."""
    names = ("StartDateTime", "ActivityDateTime", *(("ActivityDate",) if whole_days else ()))
    said = {_moment(change.given[name], whole_days) for name in names if change.given.get(name) is not None}
    if len(said) > 1:
        raise integrity("Start Date Time: StartDateTime and ActivityDateTime must match", "StartDateTime")
    before = change.before.get("StartDateTime")
    return said.pop() if said else None if before is None else _moment(before, whole_days)


def _moment(text: object, whole_days: bool) -> datetime:
    if whole_days:
        return datetime.combine(date.fromisoformat(str(text)[:10]), time(), UTC)
    return datetime.fromisoformat(str(text))


RULES = {"Task": Rules(derive=_task), "Event": Rules(derive=_event)}
