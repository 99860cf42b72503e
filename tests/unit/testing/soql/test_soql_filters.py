"""WHERE: every operator, every type, and what becomes of nulls."""

from typing import Any

import pytest
from soql_org import Database

ROWS: list[dict[str, Any]] = [
    {"Name": "1", "Text__c": "Apple", "Number__c": 1.5, "Whole__c": 1, "Check__c": 1, "Colours__c": "Red;Green"},
    {"Name": "2", "Text__c": "apple", "Number__c": -2.0, "Whole__c": 2, "Check__c": 0, "Colours__c": "Blue"},
    {"Name": "3", "Text__c": "Pear", "Number__c": 0.1, "Whole__c": 0, "Check__c": 1, "Colours__c": "Red;Green;Blue"},
    {"Name": "4", "Check__c": 0},
]


@pytest.fixture
def widgets(database: Database) -> Database:
    for row in ROWS:
        database.add("Widget__c", **row)
    return database


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("Text__c = 'APPLE'", "12"),
        ("Text__c != 'apple'", "34"),
        ("Text__c <> 'apple'", "34"),
        ("Text__c < 'b'", "12"),
        ("Text__c >= 'apple'", "123"),
        ("Text__c = null", "4"),
        ("Text__c != NULL", "123"),
        ("Text__c = ''", "4"),
        ("Text__c != ''", "123"),
        ("Text__c > null", ""),
        ("Text__c IN ('pear', 'plum')", "3"),
        ("Text__c IN ('pear', null)", "34"),
        ("Text__c NOT IN ('pear')", "124"),
        ("Text__c NOT IN ('pear', null)", "12"),
        ("Text__c not  in ('apple','pear')", "4"),
        ("Text__c LIKE 'a%'", "12"),
        ("Text__c LIKE '%E'", "12"),
        ("Text__c LIKE '_e__'", "3"),
        ("Text__c LIKE '%'", "123"),
        ("Text__c LIKE ''", ""),
        ("NOT Text__c LIKE 'a%'", "34"),
        ("NOT Text__c = 'apple'", "34"),
        ("NOT Number__c > 0", "24"),
        ("NOT (Number__c > 0 AND Check__c = true)", "24"),
        ("NOT (Number__c > 0 OR Whole__c = 2)", "4"),
        ("NOT (NOT Number__c > 0)", "13"),
        ("Number__c = 1.5", "1"),
        ("Number__c = 0.1", "3"),
        ("Number__c != 1.5", "234"),
        ("Number__c < 0", "2"),
        ("Number__c <= -2", "2"),
        ("Number__c > -2.5", "123"),
        ("Number__c IN (1.50, -2)", "12"),
        ("Whole__c >= 1", "12"),
        ("Whole__c = 0", "3"),
        ("Whole__c = null", "4"),
        ("Check__c = true", "13"),
        ("Check__c != TRUE", "24"),
        ("Check__c = null", "24"),
        ("Check__c != null", "13"),
        ("Check__c IN (true)", "13"),
        ("Colours__c = 'Red;Green'", "1"),
        ("Colours__c != 'Red;Green'", "234"),
        ("Colours__c INCLUDES ('Red')", "13"),
        ("Colours__c INCLUDES ('red;blue', 'Blue')", "23"),
        ("Colours__c INCLUDES ('Re')", ""),
        ("Colours__c EXCLUDES ('Red')", "24"),
        ("Colours__c EXCLUDES ('Red;Blue')", "124"),
        ("Check__c = true AND (Number__c > 1 OR Text__c = 'pear')", "13"),
        ("text__C = 'pear' AND CHECK__c = true", "3"),
    ],
)
def test_conditions(widgets: Database, condition: str, found: str) -> None:
    assert "".join(widgets.values(f"SELECT Name FROM Widget__c WHERE {condition} ORDER BY Name")) == found


@pytest.mark.parametrize(
    ("literal", "matches"),
    [
        (r"'100\%'", ["100%"]),
        (r"'100%'", ["100%", "1000"]),
        (r"'a\_b'", ["a_b"]),
        (r"'a_b'", ["a_b", "axb"]),
        (r"'c:\\\\%'", []),
        (r"'c:\\%'", [r"c:\d"]),
        (r"'\u0063:%'", [r"c:\d"]),
        (r"'%\'%'", ["it's"]),
        ("'É%'", ["éclair"]),
        ("'STRASSE'", []),
        ("'STRA_E'", ["straße"]),
        ("'[%'", ["[x]"]),
    ],
)
def test_like(database: Database, literal: str, matches: list[str]) -> None:
    for text in ("100%", "1000", "a_b", "axb", r"c:\d", "it's", "éclair", "straße", "[x]"):
        database.add("Widget__c", Text__c=text)
    assert sorted(database.values(f"SELECT Text__c FROM Widget__c WHERE Text__c LIKE {literal}")) == sorted(matches)


def test_a_case_sensitive_field(database: Database) -> None:
    for code in ("Ab", "ab", "A*", "A?b"):
        database.add("Account", Code__c=code)
    ask = "SELECT Code__c FROM Account WHERE Code__c {} ORDER BY Id"
    assert database.values(ask.format("= 'ab'")) == ["ab"]
    assert database.values(ask.format("LIKE 'A%'")) == ["Ab", "A*", "A?b"]
    assert database.values(ask.format("LIKE 'A?%'")) == ["A?b"]
    assert database.values(ask.format("LIKE 'A*'")) == ["A*"]
    assert database.values(ask.format("IN ('AB', 'Ab')")) == ["Ab"]


def test_ids_of_15_and_18_characters(database: Database) -> None:
    account = database.add("Account", Name="a")
    contact = database.add("Contact", AccountId=account)
    assert len(account) == 18
    for given in (account, account[:15]):
        assert database.values(f"SELECT Id FROM Account WHERE Id = '{given}'") == [account]
        assert database.values(f"SELECT Id FROM Contact WHERE AccountId IN ('{given}')") == [contact]
    assert database.query(f"SELECT Id FROM Account WHERE Id > '{account[:15]}'").total_size == 0


def test_a_missing_parent(database: Database) -> None:
    manager = database.add("User", Name="Boss", IsActive=1)
    parent = database.add("Account", Name="parent", OwnerId=manager)
    database.add("Contact", Name="with", AccountId=parent)
    database.add("Contact", Name="without")
    ask = "SELECT Name FROM Contact WHERE {} ORDER BY Name"
    assert database.values(ask.format("Account.Name = null")) == ["without"]
    assert database.values(ask.format("Account.Name != 'other'")) == ["with", "without"]
    assert database.values(ask.format("Account.Name != null")) == ["with"]
    assert database.values(ask.format("Account.Name NOT IN ('parent')")) == ["without"]
    assert database.values(ask.format("Name = 'without' OR Account.Name = 'parent'")) == ["with", "without"]
    assert database.values(ask.format("Account.Owner.IsActive = false")) == ["without"]
    assert database.values(ask.format("Account.Owner.IsActive = true")) == ["with"]
    assert database.values(ask.format("Account.Owner.IsActive = null")) == ["without"]


def test_deleted_records(database: Database) -> None:
    account = database.add("Account", Name="kept")
    database.add("Account", Name="gone", IsDeleted=1)
    database.add("Contact", Name="kept", AccountId=account)
    database.add("Contact", Name="gone", AccountId=account, IsDeleted=1)
    text = "SELECT Name, (SELECT Name FROM Contacts ORDER BY Name) FROM Account ORDER BY Name"
    assert [record["Name"] for record in database.query(text).records] == ["kept"]
    everything = database.query(text, include_deleted=True).records
    assert [record["Name"] for record in everything] == ["gone", "kept"]
    assert everything[1]["Contacts"]["totalSize"] == 2
    assert database.query("SELECT COUNT() FROM Account WHERE IsDeleted = true").total_size == 0
    assert database.query("SELECT COUNT() FROM Account WHERE IsDeleted = true", include_deleted=True).total_size == 1


def test_scope_mine(database: Database) -> None:
    me = database.add("User", Name="me")
    database.add("Account", Name="mine", OwnerId=me)
    database.add("Account", Name="other")
    assert database.values("SELECT Name FROM Account USING SCOPE mine", user_id=me) == ["mine"]
    assert database.query("SELECT COUNT() FROM Account USING SCOPE everything", user_id=me).total_size == 2


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        ("ORDER BY Text__c, Name", "4123"),
        ("ORDER BY Text__c DESC, Name", "4312"),
        ("ORDER BY Text__c NULLS LAST, Name DESC", "2134"),
        ("ORDER BY Text__c DESC NULLS LAST, Name", "3124"),
        ("ORDER BY Number__c", "4231"),
        ("ORDER BY Check__c DESC, Whole__c", "3142"),
        ("ORDER BY Name LIMIT 2", "12"),
        ("ORDER BY Name LIMIT 2 OFFSET 1", "23"),
        ("ORDER BY Name OFFSET 3", "4"),
        ("LIMIT 0", ""),
        ("", "1234"),
    ],
)
def test_order_and_window(widgets: Database, clause: str, found: str) -> None:
    assert "".join(widgets.values(f"SELECT Name FROM Widget__c {clause}")) == found


def test_order_of_picklists_and_parents(database: Database) -> None:
    for name, industry in (("x", "Energy"), ("y", "Media"), ("z", None), ("w", "Undefined")):
        account = database.add("Account", Name=name, Industry=industry)
        database.add("Contact", Name=f"of {name}", AccountId=account)
    database.add("Contact", Name="alone")
    assert database.values("SELECT Name FROM Account ORDER BY Industry") == ["z", "y", "x", "w"]
    assert database.values("SELECT Name FROM Contact ORDER BY Account.Name") == [
        "alone",
        "of w",
        "of x",
        "of y",
        "of z",
    ]
    # For a reference NULLS LAST has no effect.
    assert database.values("SELECT Name FROM Contact ORDER BY AccountId NULLS LAST")[0] == "alone"
