"""Typed records of Salesforce objects.

Written by ``python -m sfconnector.models``: change the org, write them anew, and
change nothing here.
"""

# ruff: noqa
# fmt: off

import datetime
from typing import Any, Literal

import attrs
from sfconnector import UNSET, CreateOnly, Picklist, ReadOnly, TypedRecord, UpdateOnly

Thing__c_Status__c = Literal["Open"]
Thing__c_Colour__c = Literal[
    "R",  # "Red"
    '"G"',
]


@attrs.define(kw_only=True, repr=False)
class Thing__c(TypedRecord):
    """Thing__c, whose ids begin with a00."""

    __sobject__ = "Thing__c"

    Id: ReadOnly[str] = UNSET
    """Id: id of 18 characters."""

    Name: str = UNSET
    """Thing Name: string of 80 characters, required.

    Say 'it' in \\ short.
    """

    Status__c: Picklist[Thing__c_Status__c] | None = UNSET
    """Status__c: restricted picklist."""

    Colour__c: Thing__c_Colour__c | str | None = UNSET
    """Colour__c: picklist."""

    Code__c: str | None = UNSET
    """Code__c: string of 9 characters, required, external id, unique regardless of case.
    """

    Total__c: float | None = UNSET
    """Total__c: currency of 18 digits, 2 of them after the point."""

    Sum__c: ReadOnly[float | None] = UNSET
    """Sum__c: double of 18 digits, 0 of them after the point, formula."""

    Count__c: int | None = UNSET
    """Count__c: int of 9 digits."""

    Yes__c: bool = UNSET
    """Yes__c: boolean."""

    Many__c: str | None = UNSET
    """Many__c: multi-select picklist, its values joined by semicolons, of a; b."""

    Home__c: ReadOnly[dict[str, Any] | None] = UNSET
    """Home__c: address."""

    Home__Street__s: str | None = UNSET
    """Home__Street__s: string of 255 characters, part of Home__c."""

    When__c: datetime.datetime | None = UNSET
    """When__c: datetime."""

    Day__c: datetime.date | None = UNSET
    """Day__c: date."""

    Clock__c: datetime.time | None = UNSET
    """Clock__c: time."""

    Any__c: Any = UNSET
    """Any__c: anyType."""

    Parent__c: CreateOnly[str] = UNSET
    """Parent__c: id of Account or Contact, required."""

    Later__c: UpdateOnly[str | None] = UNSET
    """Later__c: string of 3 characters, controlled by Status__c."""

    None_: str | None = attrs.field(
        default=UNSET,
        metadata={"api_name": "None"},
    )
    """None: string of 1 characters."""

    datetime_: str | None = attrs.field(
        default=UNSET,
        metadata={"api_name": "datetime"},
    )
    """datetime: string of 1 characters."""
