"""What a query selects, read from its text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfconnector._select import Called, Children, Select, Selected, TypeOf, parse


@pytest.mark.parametrize(
    ("soql", "expected"),
    [
        ("SELECT Id FROM Account", Select((Selected(("Id",)),), "Account", False)),
        (
            "select Id,Owner.Name from Account",
            Select((Selected(("Id",)), Selected(("Owner", "Name"))), "Account", False),
        ),
        ("SELECT Account.Id FROM Account", Select((Selected(("Id",)),), "Account", False)),
        (
            "SELECT c.Id, c.Account.Name FROM Contact c",
            Select((Selected(("Id",)), Selected(("Account", "Name"))), "Contact", False),
        ),
        (
            "SELECT c.Id, a.Name, o.Name FROM Contact AS c, c.Account AS a, a.Owner o WHERE a.Name = 'x'",
            Select(
                (Selected(("Id",)), Selected(("Account", "Name")), Selected(("Account", "Owner", "Name"))),
                "Contact",
                False,
            ),
        ),
        ("SELECT Id FROM Account USING SCOPE mine", Select((Selected(("Id",)),), "Account", False)),
        ("SELECT Id FROM Group LIMIT 1", Select((Selected(("Id",)),), "Group", False)),
        ("SELECT Name n FROM Lead GROUP BY Name", Select((Selected(("Name",), "n"),), "Lead", True)),
        ("SELECT Id FROM Order ORDER BY Group.Name", Select((Selected(("Id",)),), "Order", False)),
        (
            "SELECT Id FROM Lead WHERE Id IN (SELECT Id FROM Lead GROUP BY Id)",
            Select((Selected(("Id",)),), "Lead", False),
        ),
        ("SELECT Id FROM Lead WHERE Name = ' GROUP BY \\' FROM ('", Select((Selected(("Id",)),), "Lead", False)),
        ("SELECT COUNT() FROM Lead", Select((Called(("COUNT",), ()),), "Lead", True)),
        (
            "SELECT COUNT_DISTINCT(Name) many, MAX(convertCurrency(Amount)) FROM Opportunity",
            Select(
                (Called(("COUNT_DISTINCT",), ("Name",), "many"), Called(("MAX", "CONVERTCURRENCY"), ("Amount",))),
                "Opportunity",
                True,
            ),
        ),
        (
            "SELECT DISTANCE(Place__c, GEOLOCATION(1.5, -2), 'mi') far FROM Shop__c",
            Select((Called(("DISTANCE",), ("Place__c",), "far"),), "Shop__c", False),
        ),
        ("SELECT FIELDS(ALL) FROM Lead LIMIT 200", Select((Called(("FIELDS",), ("ALL",)),), "Lead", False)),
        ("SELECT toLabel(l.Status) FROM Lead l", Select((Called(("TOLABEL",), ("Status",)),), "Lead", False)),
        (
            "SELECT Name, (SELECT k.Name FROM a.Contacts k WHERE Name = ')' LIMIT 5) FROM Account a",
            Select(
                (Selected(("Name",)), Children("Contacts", Select((Selected(("Name",)),), "Contacts", False))),
                "Account",
                False,
            ),
        ),
        (
            "SELECT TYPEOF What WHEN Account THEN Phone, Name WHEN Case THEN Subject ELSE Name END, Id FROM Event",
            Select(
                (
                    TypeOf(
                        ("What",),
                        (
                            ("Account", (Selected(("Phone",)), Selected(("Name",)))),
                            ("Case", (Selected(("Subject",)),)),
                        ),
                        (Selected(("Name",)),),
                    ),
                    Selected(("Id",)),
                ),
                "Event",
                False,
            ),
        ),
    ],
)
def test_a_query_is_read(soql: str, expected: Select) -> None:
    assert parse(soql) == expected


@pytest.mark.parametrize(
    "soql",
    [
        "",
        "FIND {x}",
        "SELECT",
        "SELECT FROM Account",
        "SELECT Id",
        "SELECT Id FROM",
        "SELECT Id, FROM Account",
        "SELECT (SELECT Id FROM Contacts FROM Account",
        "SELECT COUNT( FROM Account",
        "SELECT TYPEOF What FROM Event",
        "SELECT 'secret' FROM Account",
        "SELECT Id 'secret' FROM Account",
        "SELECT Id FROM 'secret'",
    ],
)
def test_what_cannot_be_read_is_refused_without_being_quoted(soql: str) -> None:
    with pytest.raises(ValueError, match=r"the query cannot be read: .* is missing at its") as caught:
        parse(soql)
    assert "secret" not in str(caught.value)


names = st.from_regex(r"[A-Z][A-Za-z0-9]{0,8}(__c)?", fullmatch=True).filter(
    lambda name: name.upper() not in {"FROM", "TYPEOF", "AS"}
)
paths = st.lists(names, min_size=1, max_size=4).map(tuple)


@given(st.lists(paths, min_size=1, max_size=6), names, st.text())
def test_fields_are_read_whatever_the_literals_hold(fields: list[tuple[str, ...]], sobject: str, text: str) -> None:
    literal = text.replace("\\", "\\\\").replace("'", "\\'")
    selected = " ,\n".join(map(".".join, fields))
    soql = f"SELECT {selected} FROM {sobject} WHERE Name = '{literal}' LIMIT 5"
    expected = [path[1:] if len(path) > 1 and path[0].lower() == sobject.lower() else path for path in fields]
    assert parse(soql) == Select(tuple(map(Selected, expected)), sobject, False)
