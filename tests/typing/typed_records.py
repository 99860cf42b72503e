"""What users' type checkers see of typed records; never run, only checked."""

import datetime
from typing import Any, Literal, assert_type

import attrs
from thing import Thing__c, Thing__c_Status__c

from sfconnector import UNSET, Query, RecordResults, Salesforce, SObject

sf = Salesforce.from_env()
things = sf.sobject(Thing__c)
assert_type(things, SObject[Thing__c])
assert_type(sf.query("FROM Thing__c", into=Thing__c), Query[Thing__c])

thing = things.get("a00000000000001AAA")
assert_type(thing.Id, str)
assert_type(thing.Name, str)
assert_type(thing.Code__c, str | None)
assert_type(thing.Total__c, float | None)
assert_type(thing.Count__c, int | None)
assert_type(thing.Yes__c, bool)
assert_type(thing.Status__c, Literal["Open"] | None)
assert_type(thing.Home__c, dict[str, Any] | None)
assert_type(thing.When__c, datetime.datetime | None)
assert_type(thing.Day__c, datetime.date | None)
assert_type(thing.Clock__c, datetime.time | None)
assert_type(thing.Any__c, Any)
assert_type(thing.Parent__c, str)
assert_type(thing.None_, str | None)

things.create(Thing__c(Name="x", Status__c="Open", Colour__c="mauve", Parent__c="001"))
things.create(Thing__c(Name="x", Colour__c="R"))
things.update(thing.Id, Thing__c(Total__c=None))
things.update(thing.Id, attrs.evolve(thing, Name="y"))
assert_type(things.upsert_many("Code__c", [thing]), RecordResults[Thing__c])
thing.Total__c = 5
thing.Status__c = None
offered: Thing__c_Status__c = "Open"
thing.Status__c = offered


@attrs.define(kw_only=True, repr=False)
class WithParent(Thing__c):
    Parent__r: Thing__c | None = UNSET


for each in sf.query("FROM Thing__c", into=WithParent):
    assert_type(each.Parent__r, Thing__c | None)

# What must not pass: each ignore is an error where the line is fine after all.
Thing__c("x")  # type: ignore[call-arg]  # by name only
Thing__c(Nmae="x")  # type: ignore[call-arg]  # a typo
Thing__c(Name=None)  # type: ignore[arg-type]  # required
Thing__c(Status__c="Opne")  # type: ignore[arg-type]  # not among the restricted values
thing.Count__c = 1.5  # type: ignore[assignment]  # not a whole number
thing.Colour__c = 5  # type: ignore[assignment]  # not a text
thing.Nmae = "x"  # type: ignore[attr-defined]  # a typo
