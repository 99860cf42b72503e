"""SOSL over the wire: what is found, what is answered of it, and what is refused."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_api import Api

from sfconnector.testing import LocalOrg

RESERVED = frozenset("?&|!{}[]()^~*:\\\"'+-")


def search(api: Api, sosl: str) -> list[dict[str, Any]]:
    response = api("GET", "search", params={"q": sosl})
    assert response.status_code == 200, response.text
    records: list[dict[str, Any]] = response.json()["searchRecords"]
    return records


def names(api: Api, text: str, rest: str = "RETURNING Account(Name)") -> list[str]:
    return [record["Name"] for record in search(api, f"FIND {{{text}}} {rest}")]


def refused(api: Api, sosl: str) -> tuple[int, str, str]:
    response = api("GET", "search", params={"q": sosl})
    [error] = response.json()
    return response.status_code, error["errorCode"], error["message"]


@pytest.fixture
def acme(api: Api) -> Api:
    account = api.create("Account", Name="Acme Chemicals", Phone="(415) 901-7000", Description="Dyes, since 1863")
    api.create("Contact", FirstName="Marie", LastName="Curie", Email="marie@acme.example", AccountId=account)
    api.create("Lead", LastName="Smith", Company="Acme Ltd", Phone="+49 30 901820")
    api.create("Account", Name="Radium Works", Website="www.acme.example")
    return api


def test_without_returning_the_ids_of_all_objects_are_found(acme: Api) -> None:
    found = search(acme, "FIND {acme}")
    assert [record["attributes"]["type"] for record in found] == ["Account", "Account", "Contact", "Lead"]
    first = found[0]
    assert first == {
        "attributes": {"type": "Account", "url": f"{acme.base}/sobjects/Account/{first['Id']}"},
        "Id": first["Id"],
    }


def test_returning_decides_objects_and_fields(acme: Api) -> None:
    sosl = "find {ACME} returning Lead, Contact(LastName, Account.Name), Account(Name, Phone ORDER BY Name DESC)"
    lead, contact, *accounts = search(acme, sosl)
    assert set(lead) == {"attributes", "Id"}
    assert contact["LastName"] == "Curie"
    assert contact["Account"]["Name"] == "Acme Chemicals"
    assert "Id" not in contact
    assert [(record["Name"], record["Phone"]) for record in accounts] == [
        ("Radium Works", None),
        ("Acme Chemicals", "(415) 901-7000"),
    ]


def test_where_order_limit_and_offset_are_those_of_soql(api: Api) -> None:
    for number in range(6):
        api.create("Account", Name=f"Acme {number}", AnnualRevenue=number * 10, Industry="Energy")
    sosl = (
        "FIND {acme} RETURNING Account(Name, toLabel(Industry) "
        "WHERE AnnualRevenue > 0 AND (Name != 'Acme 3' OR Id = null) ORDER BY Name DESC NULLS LAST LIMIT 2 OFFSET 1)"
    )
    assert [record["Name"] for record in search(api, sosl)] == ["Acme 4", "Acme 2"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("chemicals", ["Acme Chemicals"]),
        ("CHEM*", ["Acme Chemicals"]),
        ("chem", []),
        ("ch*ls", ["Acme Chemicals"]),
        ("ac?e", ["Acme Chemicals", "Acme Ltd"]),
        ("acm?", ["Acme Chemicals", "Acme Ltd"]),
        ("acme?", []),
        ("*acme*", ["Acme Chemicals", "Acme Ltd"]),
        ("chemicals acme", ["Acme Chemicals"]),
        ("acme AND ltd", ["Acme Ltd"]),
        ("acme and not ltd", ["Acme Chemicals"]),
        ("ltd OR chemicals", ["Acme Chemicals", "Acme Ltd"]),
        ("smith OR acme ltd", ["Acme Ltd", "John Smith & Sons"]),
        ("acme AND (ltd OR smith)", ["Acme Ltd"]),
        ("(acme AND ltd) OR smith", ["Acme Ltd", "John Smith & Sons"]),
        ("acme AND NOT ltd AND chemicals", ["Acme Chemicals", "Acme Ltd"]),
        ('"john smith"', ["John Smith & Sons"]),
        ('"smith john"', []),
        ("smith john", ["John Smith & Sons"]),
        ('"smith \\& sons"', ["John Smith & Sons"]),
        ('"smith \\+ sons"', []),
        ('"smith sons"', ["John Smith & Sons"]),
        ("smith\\&sons", ["John Smith & Sons"]),
        ('"joh* smith"', ["John Smith & Sons"]),
        ("O\\'Neil", ["O'Neil (Pty)"]),
        ("neil", ["O'Neil (Pty)"]),
        ('"and"', ["Salt and Pepper"]),
        ("salt pepper", ["Salt and Pepper"]),
        ("android", []),
        ("zürich", ["ZÜRICH Re"]),
        ("not salt", []),
    ],
)
def test_words_phrases_wildcards_and_operators(api: Api, text: str, found: list[str]) -> None:
    for name in ("Acme Chemicals", "Acme Ltd", "John Smith & Sons", "O'Neil (Pty)", "Salt and Pepper", "ZÜRICH Re"):
        api.create("Account", Name=name)
    assert names(api, text, "RETURNING Account(Name ORDER BY Name)") == found


def test_words_may_stand_in_different_fields(acme: Api) -> None:
    assert names(acme, "acme dyes") == ["Acme Chemicals"]
    assert names(acme, '"acme dyes"') == []


@pytest.mark.parametrize(
    ("text", "group", "found"),
    [
        ("acme", "ALL", ["Account", "Account", "Contact", "Lead"]),
        ("acme", "NAME", ["Account", "Account", "Contact", "Lead"]),
        ("marie", "NAME", ["Contact"]),
        ("dyes", "ALL", ["Account"]),
        ("dyes", "NAME", []),
        ("marie@acme.example", "EMAIL", ["Contact"]),
        ("curie", "EMAIL", []),
        ("4159017000", "PHONE", ["Account"]),
        ("415-901-7000".replace("-", "\\-"), "PHONE", ["Account"]),
        ("9017000", "PHONE", ["Account"]),
        ("901*", "PHONE", ["Account", "Lead"]),
        ("4159017000", "NAME", []),
        ("dyes", "SIDEBAR", []),
        ("marie@acme.example OR 4159017000 OR smith", "SIDEBAR", ["Account", "Contact", "Lead"]),
    ],
)
def test_search_groups(acme: Api, text: str, group: str, found: list[str]) -> None:
    if text == "9017000":
        # Part of a number is no word of it; the punctuation parts 901 from 7000.
        found = []
    records = search(acme, f"FIND {{{text}}} IN {group} FIELDS")
    assert [record["attributes"]["type"] for record in records] == found


def test_a_limit_is_shared_out_evenly(api: Api) -> None:
    for number in range(19):
        api.create("Account", Name=f"Test {number}")
    for number in range(35):
        api.create("Contact", LastName=f"Test {number}")

    def counts(rest: str) -> tuple[int, int]:
        types = [record["attributes"]["type"] for record in search(api, f"FIND {{test}} RETURNING {rest}")]
        return types.count("Account"), types.count("Contact")

    assert counts("Account(Id), Contact LIMIT 20") == (10, 10)
    assert counts("Account(Id LIMIT 4), Contact LIMIT 20") == (4, 16)
    assert counts("Account(Id LIMIT 0), Contact LIMIT 50") == (0, 35)
    assert counts("Account, Contact LIMIT 3") in ((1, 2), (2, 1))
    assert counts("Account, Contact LIMIT 0") == (0, 0)
    assert counts("Account, Contact LIMIT 5000") == (19, 35)


def test_at_most_2_000_records_are_found(local_org: LocalOrg) -> None:
    api = Api(local_org)
    for start in range(0, 2_200, 200):
        records = [{"attributes": {"type": "Account"}, "Name": f"Many {start + n}"} for n in range(200)]
        assert api("POST", "composite/sobjects", json={"records": records}).status_code == 200
    assert len(search(api, "FIND {many} RETURNING Account(Name)")) == 2_000
    assert len(search(api, "FIND {many} RETURNING Account(Name ORDER BY Name OFFSET 2000)")) == 200
    api.http.close()


def test_deleted_records_and_private_objects_are_not_found(acme: Api) -> None:
    [record] = search(acme, "FIND {chemicals} RETURNING Account")
    acme("DELETE", f"sobjects/Account/{record['Id']}")
    assert search(acme, "FIND {chemicals}") == []


def test_custom_objects_and_products(api: Api) -> None:
    api.org.add_object("Invoice__c", {"Number__c": "string(20)", "Amount__c": "currency(16, 2)", "Kind__c": "picklist"})
    api.create("Invoice__c", Name="A-42", Number__c="Acme", Amount__c=4711)
    api.create("Product2", Name="Acme Dye")
    assert [record["attributes"]["type"] for record in search(api, "FIND {acme}")] == ["Invoice__c"]
    assert search(api, "FIND {4711}") == []
    sosl = "FIND {acme} IN EMAIL FIELDS RETURNING Product2(Name), Invoice__c"
    assert [record["attributes"]["type"] for record in search(api, sosl)] == ["Product2"]


def test_products_of_a_price_book(api: Api) -> None:
    book = api("GET", "query", params={"q": "SELECT Id FROM Pricebook2"}).json()["records"][0]["Id"]
    priced, _ = api.create("Product2", Name="Dye red"), api.create("Product2", Name="Dye blue")
    api.create("PricebookEntry", Pricebook2Id=book, Product2Id=priced, UnitPrice=1, IsActive=True)
    assert names(api, "dye", f"RETURNING Product2(Name) WITH PricebookId = '{book}'") == ["Dye red"]


def test_labels_are_told_when_asked_for(acme: Api) -> None:
    response = acme("GET", "search", params={"q": "FIND {acme} RETURNING Account(Id, Name) WITH METADATA='LABELS'"})
    assert response.json()["metadata"] == {
        "entityMetadata": [
            {
                "entityName": "Account",
                "fieldMetadata": [{"label": "Account ID", "name": "Id"}, {"label": "Account Name", "name": "Name"}],
            }
        ]
    }
    assert search(acme, "FIND {acme} WITH SPELL_CORRECTION = false LIMIT 1") != []


def test_before_version_37_the_list_is_the_answer(acme: Api) -> None:
    old = Api(acme.org, "36.0")
    records = old("GET", "search/", params={"q": "FIND {chemicals}"}).json()
    assert [record["attributes"]["type"] for record in records] == ["Account", "Contact"]
    old.http.close()


@pytest.mark.parametrize(
    ("sosl", "message"),
    [
        ("", "SOSL statements cannot be empty or null"),
        (
            "FIND {name} IN ALL TYPE RETURNING Account(name)",
            "\nFIND {name} IN ALL TYPE RETURNING Account(name)\n                   ^\n"
            "ERROR at Row:1:Column:20\nMalformed search token: TYPE",
        ),
        (
            "FIND {John|jane_gray@uoa.edu} RETURNING Contact",
            "\nFIND {John|jane_gray@uoa.edu} RETURNING Contact\n         ^\n"
            "ERROR at Row:1:Column:10\nline 1:10 mismatched character '|' expecting '}'",
        ),
        (
            "FIND {O'Neil}",
            "\nFIND {O'Neil}\n      ^\nERROR at Row:1:Column:7\nline 1:7 mismatched character ''' expecting '}'",
        ),
        (
            "FIND {acme",
            "\nFIND {acme\n         ^\nERROR at Row:1:Column:10\nline 1:10 mismatched character '<EOF>' expecting '}'",
        ),
        (
            "FIND {a{b}",
            "\nFIND {a{b}\n      ^\nERROR at Row:1:Column:7\nline 1:7 mismatched character '{' expecting '}'",
        ),
        ("FIND acme", "\nFIND acme\n     ^\nERROR at Row:1:Column:6\nunexpected token: 'acme'"),
        ("FIND {acme AND}", "\nFIND {acme AND}\n              ^\nERROR at Row:1:Column:15\nunexpected token: '}'"),
        ("FIND {(acme}", "\nFIND {(acme}\n           ^\nERROR at Row:1:Column:12\nunexpected token: '}'"),
        ('FIND {"John Smith}', "\nFIND {\"John Smith}\n      ^\nERROR at Row:1:Column:7\nunexpected token: '\"'"),
        ('FIND {"a&b"}', "\nFIND {\"a&b\"}\n        ^\nERROR at Row:1:Column:9\nunexpected token: '&'"),
        (
            "FIND {acme} IN Accounts",
            "\nFIND {acme} IN Accounts\n                       ^\nERROR at Row:1:Column:24\nunexpected token: '<EOF>'",
        ),
        ("FIND {acme} RETURNING Account(WHERE Id = null)", "unexpected token: 'WHERE'"),
        ("FIND {acme} RETURNING Account()", "unexpected token: ')'"),
        ("FIND {acme} RETURNING Account(Name", "unexpected token: '<EOF>'"),
        ("FIND {acme} RETURNING Account(Id), account", "account can be named only once in RETURNING"),
        (
            "FIND {acme} RETURNING Account(Id OFFSET 1), Contact",
            "OFFSET can be used only when a single object is returned",
        ),
        ("FIND {acme} RETURNING Account(Id, (SELECT Id FROM Contacts))", "a search returns fields only"),
        ("FIND {acme} LIMIT -1", "unexpected token: '-1'"),
        ("FIND {acme} LIMIT 1 LIMIT 2", "unexpected token: 'LIMIT'"),
        ("FIND {acme} WITH NONSENSE = 1", "unexpected token: 'NONSENSE'"),
        ("FIND {acme} WITH METADATA = 'ALL'", "unexpected token: ''ALL''"),
        (
            f"FIND {{acme}} RETURNING Account({'Id, ' * 30_000}Id)",
            "SOSL statements cannot be longer than 100000 characters.",
        ),
    ],
)
def test_a_malformed_search_is_refused(api: Api, sosl: str, message: str) -> None:
    response = api("GET", "search", params={"q": sosl}) if len(sosl) < 10_000 else None
    if response is None:
        # Longer than a URL may be; the parser is asked directly.
        from sfconnector.testing._errors import OrgError
        from sfconnector.testing._sosl import parse

        with pytest.raises(OrgError, match=message):
            parse(sosl)
        return
    [error] = response.json()
    assert (response.status_code, error["errorCode"]) == (400, "MALFORMED_SEARCH")
    assert error["message"] == message or error["message"].endswith(f"\n{message}")


@pytest.mark.parametrize("text", ["a", " ", "", "*", "a*", "?", '"x"', "\\&"])
def test_a_search_term_has_two_characters(api: Api, text: str) -> None:
    status, code, message = refused(api, f"FIND {{{text}}} RETURNING Account")
    assert (status, code) == (400, "INVALID_SEARCH")
    assert message == f"search term must be longer than one character: {text.strip()}"


@pytest.mark.parametrize(
    ("returning", "code"),
    [("FooBar", "INVALID_TYPE"), ("RecordType", "INVALID_TYPE"), ("Contact(fooBar)", "INVALID_FIELD")],
)
def test_what_is_not_there_cannot_be_returned(api: Api, returning: str, code: str) -> None:
    status, found, message = refused(api, f"FIND {{acme}} RETURNING {returning}")
    assert (status, found) == (400, code)
    assert f"FIND {{acme}} RETURNING {returning}" in message


@pytest.mark.parametrize(
    "sosl",
    [
        "FIND {acme} WITH SNIPPET(target_length=120)",
        "FIND {acme} WITH HIGHLIGHT",
        "FIND {acme} WITH DIVISION = 'Global'",
        "FIND {acme} WITH DATA CATEGORY Location__c AT America__c",
        "FIND {acme} WITH NETWORK = '0DB000000000001'",
        "FIND {acme} RETURNING Account(Id, Name USING ListView=Recent)",
        "FIND {acme} UPDATE TRACKING, VIEWSTAT",
        "FIND {東京}",
        "FIND {กรุงเทพ}",
    ],
)
def test_what_the_org_cannot_do_is_said_so(api: Api, sosl: str) -> None:
    status, code, _ = refused(api, sosl)
    assert (status, code) == (501, "FUNCTIONALITY_NOT_ENABLED")


def test_a_very_long_search_loses_its_operators(api: Api) -> None:
    for name in ("Acme", "Other"):
        api.create("Account", Name=name)
    filler = " ".join(["zzz"] * 1_000)
    assert names(api, "acme AND other") == []
    assert sorted(names(api, f"acme AND other AND ({filler})")) == ["Acme", "Other"]


def escape(text: str) -> str:
    return "".join(f"\\{char}" if char in RESERVED else char for char in text)


# Letters that need a dictionary to be told apart are refused; white space at the ends is not kept.
pieces = st.one_of(
    st.sampled_from([*sorted(RESERVED), "AND", "OR", "AND NOT", " ", ",", "."]),
    st.characters(codec="utf-8", max_codepoint=0x0DFF, exclude_categories=["C", "Z"]),
)
texts = (
    st.lists(pieces, min_size=2, max_size=30)
    .map("".join)
    .filter(lambda text: sum(not char.isspace() for char in text) > 1)
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts)
def test_a_text_with_its_reserved_characters_escaped_finds_itself(api: Api, text: str) -> None:
    account = api.create("Account", Name=f"{text} Ltd")
    sosl = f"FIND {{\"{escape(text)}\"}} IN NAME FIELDS RETURNING Account(Id WHERE Id = '{account}')"
    response = api("GET", "search", params={"q": sosl})
    assert response.status_code == 200, response.text
    assert [record["Id"] for record in response.json()["searchRecords"]] == [account]
    api("DELETE", f"sobjects/Account/{account}")
