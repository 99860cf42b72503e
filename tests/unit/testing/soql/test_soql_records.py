"""Records as the REST API renders them."""

from typing import Any

import pytest
from soql_org import STAMP, Database

from sfconnector.testing._errors import OrgError

BASE = "/services/data/v68.0/sobjects"


def attributes(type_: str, record_id: str, actual: str | None = None) -> dict[str, str]:
    return {"type": type_, "url": f"{BASE}/{actual or type_}/{record_id}"}


def test_values_by_type(database: Database) -> None:
    record_id = database.add(
        "Widget__c",
        Name="w",
        Number__c=2,
        Whole__c=3,
        Check__c=1,
        Day__c="2024-05-01",
        Moment__c="2024-05-01T12:00:00.000+0000",
        Clock__c="10:20:30.000Z",
        Colours__c="Red;Blue",
        Place__Latitude__s=1.5,
        Place__Longitude__s=2.5,
    )
    fields = (
        "Name, number__c, WHOLE__C, Check__c, Day__c, Moment__c, Clock__c, Colours__c, Text__c, Place__c, IsDeleted"
    )
    (record,) = database.query(f"SELECT {fields} FROM widget__C").records
    assert record == {
        "attributes": attributes("Widget__c", record_id),
        "Name": "w",
        "Number__c": 2.0,
        "Whole__c": 3,
        "Check__c": True,
        "Day__c": "2024-05-01",
        "Moment__c": "2024-05-01T12:00:00.000+0000",
        "Clock__c": "10:20:30.000Z",
        "Colours__c": "Red;Blue",
        "Text__c": None,
        "Place__c": {"latitude": 1.5, "longitude": 2.5},
        "IsDeleted": False,
    }
    assert [type(record[key]) for key in ("Number__c", "Whole__c", "Check__c")] == [float, int, bool]


def test_version_in_urls(database: Database) -> None:
    account = database.add("Account", Name="a")
    (record,) = database.query("SELECT Id FROM Account", version="61.0").records
    assert record["attributes"]["url"] == f"/services/data/v61.0/sobjects/Account/{account}"


def test_order_of_keys(database: Database) -> None:
    user = database.add("User", Name="u", Email="e")
    database.add("Account", Name="a", OwnerId=user)
    (record,) = database.query(
        "SELECT Owner.Email, Name, (SELECT Id FROM Contacts), Owner.Name, Id FROM Account"
    ).records
    assert list(record) == ["attributes", "Owner", "Name", "Contacts", "Id"]
    assert list(record["Owner"]) == ["attributes", "Email", "Name"]


def test_addresses(database: Database) -> None:
    database.add("Account", Name="1", BillingCity="Bonn", BillingPostalCode="53111", BillingLatitude=50.7)
    database.add("Account", Name="2")
    first, second = database.values("SELECT BillingAddress FROM Account ORDER BY Name")
    assert first == {
        "city": "Bonn",
        "country": None,
        "geocodeAccuracy": None,
        "latitude": 50.7,
        "longitude": None,
        "postalCode": "53111",
        "state": None,
        "street": None,
    }
    assert list(first) == sorted(first)
    assert second is None


def test_parents(database: Database) -> None:
    boss = database.add("User", Name="Boss")
    user = database.add("User", Name="Ann", ManagerId=boss)
    top = database.add("Account", Name="top", OwnerId=user)
    child = database.add("Account", Name="child", ParentId=top)
    contact = database.add("Contact", Name="c", AccountId=child)
    (record,) = database.query(
        "SELECT Name, account.parent.OWNER.manager.name, Account.Name, ReportsTo.Name FROM Contact"
    ).records
    manager = {"attributes": attributes("User", boss), "Name": "Boss"}
    owner = {"attributes": attributes("User", user), "Manager": manager}
    parent = {"attributes": attributes("Account", top), "Owner": owner}
    assert record == {
        "attributes": attributes("Contact", contact),
        "Name": "c",
        "Account": {"attributes": attributes("Account", child), "Parent": parent, "Name": "child"},
        "ReportsTo": None,
    }


def test_five_parents(database: Database) -> None:
    parent = None
    for number in range(6):
        parent = database.add("Widget__c", Name=str(number), Parent__c=parent)
    path = ".".join(["Parent__r"] * 5)
    text = f"SELECT {path}.Name FROM Widget__c WHERE {path}.Name = '0'"
    (value,) = database.values(text)
    for _ in range(4):
        value = value["Parent__r"]
    assert value["Name"] == "0"


@pytest.fixture
def owners(database: Database) -> dict[str, str]:
    profile = database.add("Profile", Name="Standard")
    user = database.add("User", Name="Ann", Email="ann@example.com", IsActive=1, ProfileId=profile)
    queue = database.add("Group", Name="Support", Type="Queue")
    database.add("Case", CaseNumber="1", OwnerId=user)
    database.add("Case", CaseNumber="2", OwnerId=queue)
    return {"user": user, "queue": queue, "profile": profile}


def test_polymorphic_parents(database: Database, owners: dict[str, str]) -> None:
    fields = "Owner.Id, Owner.Name, Owner.Type, Owner.Email, Owner.IsActive, Owner.Profile.Name"
    text = f"SELECT {fields} FROM Case ORDER BY Owner.Name"
    first, second = database.values(text)
    assert first == {
        "attributes": attributes("Name", owners["user"], "User"),
        "Id": owners["user"],
        "Name": "Ann",
        "Type": "User",
        "Email": "ann@example.com",
        "IsActive": True,
        "Profile": {"attributes": attributes("Profile", owners["profile"]), "Name": "Standard"},
    }
    assert second == {
        "attributes": attributes("Name", owners["queue"], "Group"),
        "Id": owners["queue"],
        "Name": "Support",
        "Type": "Group",
        "Email": None,
        "IsActive": False,
        "Profile": None,
    }


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("Owner.Type = 'user'", ["1"]),
        ("Owner.Type IN ('Group', 'User')", ["1", "2"]),
        ("Owner.Type LIKE 'G%'", ["2"]),
        ("Owner.Name = 'support'", ["2"]),
        ("Owner.Profile.Name = 'standard'", ["1"]),
        ("Owner.Profile.Name = null", ["2"]),
        ("Owner.IsActive = false", ["2"]),
    ],
)
def test_polymorphic_conditions(database: Database, owners: dict[str, str], condition: str, found: list[str]) -> None:
    assert database.values(f"SELECT CaseNumber FROM Case WHERE {condition} ORDER BY CaseNumber") == found


def test_typeof(database: Database) -> None:
    user = database.add("User", Name="Ann")
    account = database.add("Account", Name="Acme", OwnerId=user, Industry="Media")
    case = database.add("Case", CaseNumber="0001")
    opportunity = database.add("Opportunity", Name="Deal")
    for subject, what in (("1", account), ("2", case), ("3", opportunity), ("4", None)):
        database.add("Task", Subject=subject, WhatId=what)
    head = "SELECT Subject, TYPEOF What WHEN Account THEN Name, Industry, Owner.Name WHEN opportunity THEN Name"
    records = database.query(f"{head} ELSE Id, Name END FROM Task ORDER BY Subject").records
    assert [record["What"] for record in records] == [
        {
            "attributes": attributes("Account", account),
            "Name": "Acme",
            "Industry": "Media",
            "Owner": {"attributes": attributes("User", user), "Name": "Ann"},
        },
        {"attributes": attributes("Case", case), "Id": case, "Name": "0001"},
        {"attributes": attributes("Opportunity", opportunity), "Name": "Deal"},
        None,
    ]
    without_else = database.query(f"{head} END FROM Task ORDER BY Subject").records
    assert [record["What"] is None for record in without_else] == [False, True, False, True]


def test_children(database: Database) -> None:
    acme, other = database.add("Account", Name="Acme"), database.add("Account", Name="Other")
    contacts = [database.add("Contact", Name=name, AccountId=acme) for name in "bca"]
    case = database.add("Case", CaseNumber="1", ContactId=contacts[0], AccountId=acme)
    text = (
        "SELECT Name, (SELECT Name, Account.Name, (SELECT CaseNumber FROM cases) FROM contacts WHERE Name != 'c' "
        "ORDER BY Name), (SELECT Id FROM Widgets__r) FROM Account ORDER BY Name"
    )
    first, second = database.query(text).records
    parent = {"attributes": attributes("Account", acme), "Name": "Acme"}
    case_record = {"attributes": attributes("Case", case), "CaseNumber": "1"}
    assert first["Contacts"] == {
        "totalSize": 2,
        "done": True,
        "records": [
            {"attributes": attributes("Contact", contacts[2]), "Name": "a", "Account": parent, "Cases": None},
            {
                "attributes": attributes("Contact", contacts[0]),
                "Name": "b",
                "Account": parent,
                "Cases": {"totalSize": 1, "done": True, "records": [case_record]},
            },
        ],
    }
    assert first["Widgets__r"] is None
    assert second == {"attributes": attributes("Account", other), "Name": "Other", "Contacts": None, "Widgets__r": None}


def test_limit_and_offset_of_children_count_under_each_parent(database: Database) -> None:
    for name in ("A", "B"):
        account = database.add("Account", Name=name)
        for number in range(4):
            database.add("Contact", Name=f"{name}{number}", AccountId=account)
    text = "SELECT Name, (SELECT Name FROM Contacts ORDER BY Name DESC LIMIT 2) FROM Account ORDER BY Name"
    assert [[one["Name"] for one in record["Contacts"]["records"]] for record in database.query(text).records] == [
        ["A3", "A2"],
        ["B3", "B2"],
    ]
    children = "(SELECT Name FROM Contacts ORDER BY Name LIMIT 2 OFFSET 1)"
    text = f"SELECT Name, {children} FROM Account ORDER BY Name DESC LIMIT 1"
    (record,) = database.query(text).records
    assert [one["Name"] for one in record["Contacts"]["records"]] == ["B1", "B2"]


def test_groups_of_fields(database: Database) -> None:
    database.add("Account", Name="a", Code__c="x")
    (standard,) = database.query("SELECT FIELDS(STANDARD) FROM Account").records
    (custom,) = database.query("SELECT Id, FIELDS(CUSTOM) FROM Account LIMIT 1").records
    (everything,) = database.query("SELECT FIELDS(ALL) FROM Account LIMIT 1").records
    sobject = database.schema.get("Account")
    assert sobject is not None
    assert list(everything) == ["attributes", *sobject.fields]
    assert "Code__c" not in standard
    assert "BillingAddress" in standard
    assert list(custom) == ["attributes", "Id", "Code__c"]
    assert everything["CreatedDate"] == STAMP


def test_blobs_and_labels(database: Database) -> None:
    attachment = database.add("Attachment", Name="a", Body="aGk=")
    assert database.values("SELECT Body FROM Attachment") == [f"{BASE}/Attachment/{attachment}/Body"]
    database.add("Account", Name="1", Industry="Media")
    database.add("Account", Name="2", Industry="Other")
    database.add("Account", Name="3")
    found = database.values("SELECT toLabel(Industry) FROM Account ORDER BY Name")
    assert found == ["Media (label)", "Other", None]


def test_count(database: Database) -> None:
    for number in range(7):
        database.add("Account", Name=str(number))
    for text, expected in (
        ("SELECT COUNT() FROM Account", 7),
        ("select count() from account where name > '3'", 3),
        ("SELECT COUNT() FROM Account LIMIT 5", 5),
    ):
        result = database.query(text)
        assert (result.total_size, result.records) == (expected, [])


def aggregates(database: Database, text: str) -> list[dict[str, Any]]:
    records = database.query(text).records
    for record in records:
        assert record.pop("attributes") == {"type": "AggregateResult"}
    return records


@pytest.fixture
def deals(database: Database) -> Database:
    acme, beta = database.add("Account", Name="Acme"), database.add("Account", Name="Beta")
    for account, stage, amount, day in (
        (acme, "Closed Won", 10.0, "2026-01-01"),
        (acme, "Closed Won", 20.0, "2026-02-01"),
        (acme, "Prospecting", None, "2026-03-01"),
        (beta, "Closed Lost", 5.5, None),
    ):
        database.add(
            "Opportunity", Name=f"{stage} {amount}", AccountId=account, StageName=stage, Amount=amount, CloseDate=day
        )
    return database


def test_aggregate_functions(deals: Database) -> None:
    text = (
        "SELECT COUNT(Id), COUNT(Amount) amounts, COUNT_DISTINCT(StageName), SUM(Amount), AVG(Amount) average, "
        "MIN(CloseDate), MAX(StageName) FROM Opportunity"
    )
    assert aggregates(deals, text) == [
        {
            "expr0": 4,
            "amounts": 3,
            "expr1": 3,
            "expr2": 35.5,
            "average": 35.5 / 3,
            "expr3": "2026-01-01",
            "expr4": "Closed Lost",
        }
    ]
    assert aggregates(deals, "SELECT SUM(Amount), COUNT(Id) FROM Opportunity WHERE Name = 'x'") == [
        {"expr0": None, "expr1": 0}
    ]


def test_groups(deals: Database) -> None:
    text = (
        "SELECT StageName, Account.Name account, COUNT(Id) n, SUM(Amount) FROM Opportunity WHERE Amount != null "
        "GROUP BY StageName, Account.Name HAVING SUM(Amount) > 5.5 OR StageName LIKE '%lost' ORDER BY COUNT(Id) DESC"
    )
    assert aggregates(deals, text) == [
        {"StageName": "Closed Won", "account": "Acme", "n": 2, "expr0": 30.0},
        {"StageName": "Closed Lost", "account": "Beta", "n": 1, "expr0": 5.5},
    ]
    assert aggregates(deals, "SELECT Account.Name FROM Opportunity GROUP BY Account.Name LIMIT 1") == [{"Name": "Acme"}]


def test_rollup_and_cube(deals: Database) -> None:
    text = (
        "SELECT Account.Name a, StageName s, GROUPING(Account.Name) ga, GROUPING(StageName) gs, COUNT(Id) n "
        "FROM Opportunity GROUP BY {}(Account.Name, StageName)"
    )
    rollup = [tuple(row.values()) for row in aggregates(deals, text.format("ROLLUP"))]
    assert rollup == [
        ("Acme", "Closed Won", 0, 0, 2),
        ("Acme", "Prospecting", 0, 0, 1),
        ("Acme", None, 0, 1, 3),
        ("Beta", "Closed Lost", 0, 0, 1),
        ("Beta", None, 0, 1, 1),
        (None, None, 1, 1, 4),
    ]
    (total,) = aggregates(deals, "SELECT IsClosed FROM Opportunity GROUP BY ROLLUP(IsClosed)")[1:]
    assert total == {"IsClosed": None}
    cube = [tuple(row.values()) for row in aggregates(deals, text.format("CUBE"))]
    assert set(cube) - set(rollup) == {
        (None, "Closed Won", 1, 0, 2),
        (None, "Prospecting", 1, 0, 1),
        (None, "Closed Lost", 1, 0, 1),
    }
    assert len(cube) == 9


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT Name, COUNT(Id) FROM Account", "Field must be grouped or aggregated: Name"),
        ("SELECT Name, COUNT(Id) FROM Account GROUP BY Industry", "Field must be grouped or aggregated: Name"),
        (
            "SELECT Industry FROM Account GROUP BY Industry HAVING Name = 'x'",
            "Field must be grouped or aggregated: Name",
        ),
        (
            "SELECT Industry FROM Account GROUP BY Industry ORDER BY Name",
            "Ordered field must be grouped or aggregated: Name",
        ),
        ("SELECT COUNT(Id) n, SUM(AnnualRevenue) N FROM Account", "duplicate alias: N"),
        ("SELECT SUM(Name) FROM Account", "field Name does not support aggregate operator SUM"),
        ("SELECT MAX(IsDeleted) FROM Account", "field IsDeleted does not support aggregate operator MAX"),
        (
            "SELECT MAX(CreatedDate) FROM Account LIMIT 1",
            "Non-grouped query that uses overall aggregate functions cannot also use LIMIT",
        ),
        (
            "SELECT AnnualRevenue FROM Account GROUP BY AnnualRevenue",
            "field 'AnnualRevenue' can not be grouped in a query call",
        ),
        ("SELECT GROUPING(Industry) FROM Account GROUP BY Industry", "Field must be grouped or aggregated: Industry"),
        ("SELECT COUNT() FROM Account GROUP BY Name", "COUNT() cannot be used with GROUP BY, HAVING or ORDER BY"),
        (
            "SELECT COUNT(Id), (SELECT Id FROM Contacts) FROM Account",
            "an aggregate query selects fields and aggregate functions only",
        ),
        ("SELECT Name FROM Account GROUP BY ROLLUP(Name, Industry, OwnerId, ParentId)", "ROLLUP takes up to 3 fields"),
    ],
)
def test_aggregate_refusals(database: Database, text: str, reason: str) -> None:
    with pytest.raises(OrgError) as caught:
        database.query(text)
    assert caught.value.code == "MALFORMED_QUERY"
    assert caught.value.message.endswith(reason)


def test_an_aggregate_answer_has_one_page(database: Database) -> None:
    for number in range(2001):
        database.add("Account", Name=f"{number:04}")
    assert database.query("SELECT Name, COUNT(Id) FROM Account GROUP BY Name LIMIT 2000").total_size == 2000
    with pytest.raises(OrgError, match="does not support queryMore") as caught:
        database.query("SELECT Name, COUNT(Id) FROM Account GROUP BY Name")
    assert caught.value.code == "EXCEEDED_ID_LIMIT"


def test_semi_joins(deals: Database) -> None:
    ask = "SELECT Name FROM Account WHERE {} ORDER BY Name"
    won = "(SELECT AccountId FROM Opportunity WHERE StageName = 'closed won')"
    deals.add("Opportunity", Name="without account", StageName="Closed Won")
    assert deals.values(ask.format(f"Id IN {won}")) == ["Acme"]
    assert deals.values(ask.format(f"Id NOT IN {won}")) == ["Beta"]
    assert deals.values(ask.format(f"Name LIKE 'b%' AND Id IN {won}")) == []
    names = deals.values(
        "SELECT Name FROM Opportunity WHERE AccountId NOT IN (SELECT Id FROM Account WHERE Name = 'Acme') ORDER BY Name"
    )
    assert names == ["Closed Lost 5.5", "without account"]
    owned = deals.values(
        "SELECT Name FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity WHERE Account.Name = 'beta')"
    )
    assert owned == ["Beta"]


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (
            "Id IN (SELECT AccountId FROM Contact) OR Name = 'x'",
            "Semi join sub-selects are not allowed with the 'OR' operator",
        ),
        (
            "NOT Id IN (SELECT AccountId FROM Contact)",
            "Semi join sub-selects are only allowed at the top level WHERE expressions",
        ),
        ("Id IN (SELECT ParentId FROM Account)", "The inner and outer selects should not be on the same object type"),
        ("Id IN (SELECT ReportsToId FROM Contact)", "should point to the same object type"),
        ("Name IN (SELECT Name FROM Contact)", "should point to the same object type"),
        ("Owner.Id IN (SELECT Id FROM User)", "cannot have more than one level of relationships"),
        (
            "Id IN (SELECT Account.Id FROM Contact)",
            "The inner select field 'Account.Id' cannot have more than one level",
        ),
        ("Id IN (SELECT WhatId FROM Task)", "Entity 'Task' is not supported for semi join inner selects"),
        (
            "Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT ContactId FROM Case))",
            "Nesting of semi join sub-selects is not supported",
        ),
        ("Id IN (SELECT AccountId FROM Contact LIMIT 1)", "has one field, FROM and WHERE, and nothing else"),
        (" AND ".join(["Id IN (SELECT AccountId FROM Contact)"] * 3), "Maximum 2 semi join sub-selects are allowed"),
    ],
)
def test_semi_join_refusals(database: Database, condition: str, reason: str) -> None:
    with pytest.raises(OrgError) as caught:
        database.query(f"SELECT Id FROM Account WHERE {condition}")
    assert caught.value.code == "MALFORMED_QUERY"
    assert reason in caught.value.message
