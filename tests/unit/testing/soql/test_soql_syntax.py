"""What is SOQL and what is not, with the code, the place and the reason of every refusal."""

import pytest
from soql_org import Database

from sfconnector.testing._errors import OrgError
from sfconnector.testing._soql import parse

ACCEPTED = [
    "SELECT Id FROM Account",
    "select id from account",
    "  SELECT\n\tId ,\r\n Name FROM Account  ",
    "SELECT Id FROM Account a",
    "SELECT a.Id FROM Account AS a",
    "SELECT Account.Name, Account.Owner.Name FROM Account",
    "SELECT COUNT() FROM Contact c, c.Account a WHERE a.Name = 'MyriadPubs'",
    "SELECT Id FROM Group",
    "SELECT Id FROM Case WHERE Owner.Name = 'x'",
    "SELECT Id FROM Account LIMIT 0",
    "SELECT Id FROM Account LIMIT 10 OFFSET 2000",
    "SELECT Id FROM Account OFFSET 5",
    "SELECT Id FROM Account ORDER BY Name",
    "SELECT Id FROM Account ORDER BY Name ASC NULLS LAST, CreatedDate DESC NULLS FIRST, Owner.Name, Id",
    "SELECT Id FROM Account WHERE Name = 'x' AND Name != 'y' AND Name <> 'z'",
    "SELECT Id FROM Account WHERE Name = 'x' OR (Name = 'y' AND Industry = null)",
    "SELECT Id FROM Account WHERE (((Name = 'x')))",
    "SELECT Id FROM Account WHERE NOT Name = 'x'",
    "SELECT Id FROM Account WHERE NOT (Name = 'x' OR Name = 'y')",
    "SELECT Id FROM Account WHERE (NOT Name = 'x') AND (NOT Name = 'y')",
    "SELECT Id FROM Account WHERE Name IN ('a') AND Industry NOT IN ('b','c',null)",
    "SELECT Id FROM Account WHERE Name='a'AND Industry='b'",
    "SELECT Id FROM Account WHERE AnnualRevenue > 1 AND AnnualRevenue < .5",
    "SELECT Id FROM Account WHERE AnnualRevenue >= -2.50 AND AnnualRevenue <= +3",
    "SELECT Id FROM Account WHERE AnnualRevenue > USD5000 AND AnnualRevenue < EUR-500.5",
    "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00Z",
    "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00.123+02:00",
    "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00-0800",
    "SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS:30 OR CreatedDate = next_n_weeks : 2",
    "SELECT Id FROM Contact WHERE Birthdate = 2026-01-01 OR Birthdate IN (TODAY, 2026-02-03)",
    "SELECT Id FROM Widget__c WHERE Clock__c = 12:30:00.000Z OR Clock__c > 01:00",
    "SELECT Id FROM Widget__c WHERE Colours__c INCLUDES ('Red;Green','Blue') AND Colours__c EXCLUDES ('Blue')",
    "SELECT Id FROM Widget__c WHERE Check__c = TRUE OR Check__c != false",
    r"SELECT Id FROM Account WHERE Name = 'a\'b\"c\\d\n\N\r\t\b\f\u00e9'",
    r"SELECT Id FROM Account WHERE Name LIKE '50\%\_%_'",
    "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
    "SELECT Id, (SELECT Contact.Name FROM Account.Contacts WHERE Name != null ORDER BY Name LIMIT 2) FROM Account",
    "SELECT Id, (SELECT Id, (SELECT Id FROM Cases) FROM Contacts) FROM Account",
    "SELECT Id, (SELECT Id FROM Contacts OFFSET 1) FROM Account LIMIT 1",
    "SELECT TYPEOF What WHEN Account THEN Name, Industry WHEN Case THEN CaseNumber ELSE Name END FROM Task",
    "SELECT Id, TYPEOF Owner WHEN User THEN Username END FROM Task",
    "SELECT FIELDS(STANDARD) FROM Account",
    "SELECT FIELDS(ALL) FROM Account LIMIT 200",
    "SELECT FIELDS(custom), Id FROM Account WHERE Id IN ('001000000000001','001000000000002')",
    "SELECT FIELDS(ALL) FROM Account WHERE Id = '001000000000001' OR Id = '001000000000002'",
    "SELECT Id FROM Account USING SCOPE everything",
    "SELECT Id FROM Account USING SCOPE Mine WHERE Name != null",
    "SELECT Id FROM Account FOR VIEW",
    "SELECT Id FROM Account LIMIT 1 FOR REFERENCE",
    "SELECT Id FROM Account LIMIT 1 FOR UPDATE",
    "SELECT Id FROM Account FOR VIEW UPDATE VIEWSTAT FOR UPDATE",
    "SELECT Id FROM Account UPDATE TRACKING, VIEWSTAT",
    "SELECT toLabel(Industry) FROM Account",
    "SELECT COUNT(Id), COUNT_DISTINCT(Industry) d, AVG(AnnualRevenue), MAX(Name) FROM Account",
    "SELECT Industry i, COUNT(Id) FROM Account GROUP BY Industry HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC LIMIT 5",
    "SELECT Industry, OwnerId, GROUPING(Industry), COUNT(Id) FROM Account GROUP BY CUBE(Industry, OwnerId)",
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Name LIKE 'a%') AND Name != null",
    "SELECT Id FROM Contact WHERE AccountId NOT IN (SELECT Id FROM Account)",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(database: Database, text: str) -> None:
    assert database.query(text).total_size in (0, 1)  # an aggregate of nothing is one row


REFUSED = [
    ("SELECT FROM Account", 8, "unexpected token: 'FROM'"),
    ("SELECT Id, FROM Account", 12, "unexpected token: 'FROM'"),
    ("SELECT Id Account", 18, "unexpected token: '<EOF>'"),
    ("SELECT Id FROM", 15, "unexpected token: '<EOF>'"),
    ("SELECT * FROM Account", 8, "unexpected token: '*'"),
    ("SELECT Id FROM $casecomment", 16, "unexpected token: '$'"),
    ("SELECT Id FROM Account WHERE", 29, "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Account WHERE Name", 34, "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Account WHERE Name = Industry", 37, "unexpected token: 'Industry'"),
    ("SELECT Id FROM Account WHERE Name == 'x'", 36, "unexpected token: '='"),
    ("SELECT Id FROM Account WHERE Name IS NULL", 35, "unexpected token: 'IS'"),
    ('SELECT Id FROM Account WHERE Name = "x"', 37, "unexpected token: '\"'"),
    ("SELECT Id FROM Account WHERE Name = 'O'Neil'", 40, "unexpected token: 'Neil'"),
    ("SELECT Id FROM Account WHERE Name = 'open", 37, "line 1:36 mismatched character '<EOF>' expecting '''"),
    ("SELECT Id FROM Account WHERE Name = 'a\nb'", 37, "line 1:36 mismatched character '<EOF>' expecting '''"),
    ("SELECT Id FROM Account WHERE Name IN ()", 39, "unexpected token: ')'"),
    ("SELECT Id FROM Account WHERE Name IN 'a'", 38, "unexpected token: '''"),
    ("SELECT Id FROM Account WHERE (Name = 'a'", 41, "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", 56, "unexpected token: 'OR'"),
    ("SELECT Id FROM Account WHERE Name = 'a' OR Name = 'b' AND Name = 'c'", 55, "unexpected token: 'AND'"),
    ("SELECT Id FROM Account WHERE NOT Name = 'a' AND Name = 'c'", 45, "unexpected token: 'AND'"),
    ("SELECT Id FROM Account WHERE Name = 'a' AND NOT Name = 'c'", 45, "unexpected token: 'NOT'"),
    ("SELECT Id FROM Account WHERE NOT NOT Name = 'a'", 34, "unexpected token: 'NOT'"),
    ("SELECT Id FROM Account WHERE Name = :name", 37, "Bind variables only allowed in Apex code"),
    ("SELECT Id FROM Account WHERE Name IN :names", 38, "Bind variables only allowed in Apex code"),
    ("SELECT Id FROM Account LIMIT :n", 30, "Bind variables only allowed in Apex code"),
    ("SELECT Id FROM Account LIMIT -1", 30, "unexpected token: '-1'"),
    ("SELECT Id FROM Account LIMIT 1.5", 30, "unexpected token: '1.5'"),
    ("SELECT Id FROM Account LIMIT 2147483648", 30, "unexpected token: '2147483648'"),
    ("SELECT Id FROM Account LIMIT 1 WHERE Name = 'a'", 32, "unexpected token: 'WHERE'"),
    ("SELECT Id FROM Account ORDER Name", 30, "unexpected token: 'Name'"),
    ("SELECT Id FROM Account ORDER BY Name NULLS", 38, "unexpected token: 'NULLS'"),
    ("SELECT Id FROM Account FOR VIEW FOR REFERENCE", 33, "unexpected token: 'FOR'"),
    ("SELECT Id FROM Account ALL ROWS", 24, "ALL ROWS not allowed in this context"),
    ("SELECT Id FROM Account LIMIT 5 ALL ROWS", 32, "ALL ROWS not allowed in this context"),
    ("SELECT Id FROM Account first", 24, "unexpected token: 'first'"),
    ("SELECT Id FROM Account;", 23, "unexpected token: ';'"),
    (
        "SELECT Id FROM Account WHERE CreatedDate > 2020-12-12t12:12:00-25:00",
        44,
        "Invalid datetime: 2020-12-12t12:12:00-25:00",
    ),
    (
        "SELECT Id FROM Account WHERE CreatedDate > 2020-52-12t12:12:00-05:00",
        44,
        "Invalid datetime: 2020-52-12t12:12:00-05:00",
    ),
    ("SELECT Id FROM Account WHERE CreatedDate > 2020-01-01T00:00:00", 44, "Invalid datetime: 2020-01-01T00:00:00"),
    ("SELECT Id FROM Account WHERE CreatedDate > 1699-12-31T00:00:00Z", 44, "Invalid datetime: 1699-12-31T00:00:00Z"),
    ("SELECT Id FROM Contact WHERE Birthdate = 2026-02-30", 42, "Invalid date: 2026-02-30"),
    ("SELECT Id FROM Widget__c WHERE Clock__c = 25:00:00Z", 43, "Invalid time: 25:00:00Z"),
    ("SELECT Id FROM Contact WHERE Birthdate = LAST_N_DAYS", 42, "unexpected token: 'LAST_N_DAYS'"),
    ("SELECT Id FROM Contact WHERE Birthdate = TODAY:1", 42, "unexpected token: 'TODAY'"),
    (
        r"SELECT Id FROM Account WHERE Name = 'a\xb'",
        37,
        r"Invalid string literal 'a\xb'. Illegal character sequence '\x' in string literal.",
    ),
    (
        r"SELECT Id FROM Account WHERE Name = 'a\_b'",
        37,
        r"Invalid string literal 'a\_b'. Illegal character sequence '\_' in string literal.",
    ),
    (r"SELECT Id FROM Account WHERE Name = '\ud800'", 37, "Invalid Unicode Character"),
    ("SELECT Id FROM Account WHERE Name LIKE null", 40, "unexpected token: 'null'"),
    ("SELECT Id FROM Account UPDATE Name", 31, "unexpected token: 'Name'"),
    ("SELECT Id FROM Account WHERE Name = 'a' HAVING COUNT(Id) > 1", 41, "unexpected token: 'HAVING'"),
    (
        "SELECT Id FROM Account WITH SECURITY_ENFORCED",
        29,
        "rule soqlWithIdentifierClause failed predicate: "
        "{this.helper.allowApexSyntax() && this.helper.hasApexContext()}?",
    ),
    ("SELECT Name n FROM Account", 13, "only aggregate expressions use field aliasing"),
    ("SELECT Id Name FROM Account", 11, "only aggregate expressions use field aliasing"),
]


def refusal(database: Database, text: str) -> OrgError:
    with pytest.raises(OrgError) as caught:
        database.query(text)
    return caught.value


@pytest.mark.parametrize(("text", "column", "reason"), REFUSED)
def test_malformed(database: Database, text: str, column: int, reason: str) -> None:
    error = refusal(database, text)
    assert (error.status, error.code) == (400, "MALFORMED_QUERY")
    assert error.message.endswith(f"^\nERROR at Row:1:Column:{column}\n{reason}")


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_empty(text: str) -> None:
    with pytest.raises(OrgError) as caught:
        parse(text)
    assert (caught.value.code, caught.value.message) == ("MALFORMED_QUERY", "SOQL statements cannot be empty or null")


def test_longest_statement() -> None:
    head = "SELECT Id FROM Account WHERE Name IN ('a'"
    fits = head + ",'a'" * ((100_000 - len(head) - 1) // 4) + ")"
    assert len(fits) > 99_990
    parse(fits)
    with pytest.raises(OrgError, match="cannot be longer than 100000 characters"):
        parse(fits + " " * 100)


def test_longest_string_of_a_filter(database: Database) -> None:
    database.query(f"SELECT Id FROM Account WHERE Name LIKE '{'%_' * 2000}'")
    assert refusal(database, f"SELECT Id FROM Account WHERE Name = '{'a' * 4001}'").code == "MALFORMED_QUERY"


def unknown_object(name: str) -> str:
    return (
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
        "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
    )


@pytest.mark.parametrize(
    ("text", "excerpt", "spaces", "place", "reason"),
    [
        # The first three were answered by Salesforce in just these words.
        ("SELECT Xyzzy FROM Xyzzy ", "SELECT Xyzzy FROM Xyzzy", 18, "Row:1:Column:19", unknown_object("Xyzzy")),
        (
            "SELECT Id, FirstName, LastName FROM XYZZY ",
            "SELECT Id, FirstName, LastName FROM XYZZY",
            36,
            "Row:1:Column:37",
            unknown_object("XYZZY"),
        ),
        (
            "SELECT Id,Name,BillingCity,IsDeleted FROM Accout",
            "Name,BillingCity,IsDeleted FROM Accout",
            32,
            "Row:1:Column:43",
            unknown_object("Accout"),
        ),
        (
            "SELECT Id\n  FROM Account\n  WHERE Nmae = 'x'\n  LIMIT 5",
            "  WHERE Nmae = 'x'",
            8,
            "Row:3:Column:9",
            "No such column 'Nmae' on entity 'Account'. If you are attempting to use a custom field, be sure to append "
            "the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
            "appropriate names.",
        ),
    ],
)
def test_whole_message(database: Database, text: str, excerpt: str, spaces: int, place: str, reason: str) -> None:
    assert refusal(database, text).message == f"\n{excerpt}\n{' ' * spaces}^\nERROR at {place}\n{reason}"


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("SELECT Foo FROM Account", "INVALID_FIELD", "No such column 'Foo' on entity 'Account'."),
        ("SELECT Owner.Foo FROM Account", "INVALID_FIELD", "No such column 'Foo' on entity 'User'."),
        ("SELECT Owner FROM Account", "INVALID_FIELD", "No such column 'Owner' on entity 'Account'."),
        ("SELECT Owner.ManagerId FROM Case", "INVALID_FIELD", "No such column 'ManagerId' on entity 'Name'."),
        ("SELECT Foo.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Foo' in field path."),
        (
            "SELECT OwnerId.Name FROM Account",
            "INVALID_FIELD",
            "Didn't understand relationship 'OwnerId' in field path.",
        ),
        (
            "SELECT Owner.Manager.Name FROM Case",
            "INVALID_FIELD",
            "Didn't understand relationship 'Manager' in field path.",
        ),
        (
            "SELECT Id, (SELECT Id FROM Foo) FROM Account",
            "INVALID_TYPE",
            "Didn't understand relationship 'Foo' in FROM part of query call.",
        ),
        ("SELECT Id FROM Hidden", "INVALID_TYPE_FOR_OPERATION", "entity type Hidden does not support query"),
        ("SELECT Id, id FROM Account", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Owner.Name, OWNER.NAME FROM Account", "INVALID_FIELD", "duplicate field selected: Owner.Name"),
        ("SELECT Id, FIELDS(ALL) FROM Account LIMIT 200", "INVALID_FIELD", "duplicate field selected: Id"),
        (
            "SELECT FIELDS(ALL) FROM Account",
            "MALFORMED_QUERY",
            "The SOQL FIELDS function must have a LIMIT of at most 200",
        ),
        (
            "SELECT FIELDS(CUSTOM) FROM Account LIMIT 201",
            "MALFORMED_QUERY",
            "The SOQL FIELDS function must have a LIMIT of at most 200",
        ),
        (
            "SELECT FIELDS(CUSTOM) FROM User LIMIT 1",
            "MALFORMED_QUERY",
            "'FIELDS(...)' expansion function must result in at least one field being selected.",
        ),
        ("SELECT FIELDS(SOME) FROM User LIMIT 1", "MALFORMED_QUERY", "unexpected token: 'FIELDS(SOME)'"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        (
            "SELECT Id FROM Account WHERE Description = 'x'",
            "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Account WHERE Description LIKE 'x'",
            "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Account ORDER BY Description",
            "MALFORMED_QUERY",
            "field 'Description' can not be sorted in a query call",
        ),
        (
            "SELECT Id FROM Widget__c ORDER BY Colours__c",
            "MALFORMED_QUERY",
            "field 'Colours__c' can not be sorted in a query call",
        ),
        (
            "SELECT Id FROM Account WHERE BillingAddress = 'x'",
            "INVALID_FIELD",
            "Address fields can only be filtered using Distance expressions",
        ),
        ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        (
            "SELECT Id FROM Account WHERE OwnerId IN ('005000000000001','x')",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: x",
        ),
        (
            "SELECT Id FROM Account WHERE OwnerId LIKE '005%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on id field",
        ),
        (
            "SELECT Id FROM Widget__c WHERE Check__c > false",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on boolean field",
        ),
        (
            "SELECT Id FROM Widget__c WHERE Number__c LIKE '1%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on double field",
        ),
        (
            "SELECT Id FROM Widget__c WHERE Text__c INCLUDES ('a')",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on string field",
        ),
        (
            "SELECT Id FROM Profile USING SCOPE mine",
            "INVALID_QUERY_SCOPE",
            "The scope 'mine' is not supported for Profile.",
        ),
        ("SELECT Id FROM Contact, Account", "MALFORMED_QUERY", "The driving object is Contact."),
        (
            "SELECT Id, (SELECT Id FROM Contacts OFFSET 1) FROM Account",
            "MALFORMED_QUERY",
            "OFFSET in a subquery needs LIMIT 1",
        ),
        (
            "SELECT Id, (SELECT COUNT() FROM Contacts) FROM Account",
            "MALFORMED_QUERY",
            "only root queries support aggregate expressions",
        ),
        (
            "SELECT Id, (SELECT Id FROM Contacts), (SELECT Name FROM contacts) FROM Account",
            "INVALID_FIELD",
            "duplicate field selected: Contacts",
        ),
        (
            "SELECT TYPEOF Account WHEN Account THEN Id END FROM Contact",
            "INVALID_FIELD",
            "TYPEOF needs a polymorphic relationship",
        ),
        (
            "SELECT TYPEOF What WHEN User THEN Id END FROM Task",
            "INVALID_TYPE",
            "does not refer to objects of the type 'User'",
        ),
        (
            "SELECT What.Name, TYPEOF What WHEN Case THEN Id END FROM Task",
            "INVALID_FIELD",
            "duplicate field selected: What",
        ),
        (
            "SELECT Id FROM Account ORDER BY Name FOR UPDATE",
            "MALFORMED_QUERY",
            "ORDER BY is not allowed in a query with FOR UPDATE",
        ),
        (
            "SELECT Parent__r.Parent__r.Parent__r.Parent__r.Parent__r.Parent__r.Name FROM Widget__c",
            "INVALID_FIELD",
            "goes over 6 relationships, and no more than 5 are allowed",
        ),
    ],
)
def test_refused(database: Database, text: str, code: str, reason: str) -> None:
    error = refusal(database, text)
    assert (error.status, error.code) == (400, code)
    assert reason in error.message


@pytest.mark.parametrize(
    ("condition", "type_name", "quotes"),
    [
        ("AnnualRevenue = '1'", "double", "should not be"),
        ("NumberOfEmployees IN (1, 'x')", "int", "should not be"),
        ("NumberOfEmployees = TRUE", "int", "should not be"),
        ("IsDeleted = 'true'", "boolean", "should not be"),
        ("CreatedDate > '2020-01-01'", "dateTime", "should not be"),
        ("CreatedDate > 2020-01-01", "dateTime", "should not be"),
        ("Name = 5", "string", "should be"),
        ("Industry != TODAY", "string", "should be"),
        ("Id = 5", "id", "should be"),
    ],
)
def test_wrong_type(database: Database, condition: str, type_name: str, quotes: str) -> None:
    error = refusal(database, f"SELECT Id FROM Account WHERE {condition}")
    field = condition.split()[0]
    assert error.code == "INVALID_FIELD"
    assert error.message.endswith(
        f"\nERROR at Row:1:Column:30\nvalue of filter criterion for field '{field}' must be of type {type_name} "
        f"and {quotes} enclosed in quotes"
    )


def test_a_date_field_takes_no_datetime(database: Database) -> None:
    error = refusal(database, "SELECT Id FROM Contact WHERE Birthdate = 2020-01-01T00:00:00Z")
    assert "'Birthdate' must be of type date and should not be enclosed in quotes" in error.message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT Id FROM Account USING SCOPE team",
        "SELECT Id FROM Account WITH DATA CATEGORY Geography__c ABOVE usa__c AND Product__c AT (a__c, b__c)",
        "SELECT Id FROM Account WITH UserId = '005D0000001AamR'",
    ],
)
def test_what_the_local_org_cannot_do_is_said(database: Database, text: str) -> None:
    error = refusal(database, text)
    assert (error.status, error.code) == (501, "FUNCTIONALITY_NOT_ENABLED")
    assert error.message.startswith("The local org does not support ")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT Id FROM Account WHERE " + "(" * 20_000 + "Name = 'a'" + ")" * 20_000,
        "SELECT Id FROM Account WHERE " + " OR ".join(["Name = 'a'"] * 6_000),
        "SELECT Id FROM Account WHERE Id IN (" + ",".join(["'001000000000001'"] * 5_000) + ")",
    ],
)
def test_long_conditions(database: Database, text: str) -> None:
    assert database.query(text).total_size == 0


def test_conditions_nested_too_deep(database: Database) -> None:
    text = "SELECT Id FROM Account WHERE " + "NOT (" * 10_000 + "Name = 'a'" + ")" * 10_000
    assert refusal(database, text).code == "QUERY_TOO_COMPLICATED"


def test_levels_of_children_depend_on_the_version(database: Database) -> None:
    text = "SELECT Id, (SELECT Id, (SELECT Id FROM Parts__r) FROM Parts__r) FROM Widget__c"
    assert database.query(text, version="58.0").total_size == 0
    with pytest.raises(OrgError, match="no more than 2 levels"):
        database.query(text, version="57.0")
    six = "SELECT Id FROM Widget__c"
    for _ in range(5):
        six = f"SELECT Id, ({six.replace('Widget__c', 'Parts__r')}) FROM Widget__c"
    with pytest.raises(OrgError, match="no more than 5 levels"):
        database.query(six)
