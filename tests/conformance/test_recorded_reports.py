"""The local org's reports beside those that Salesforce ran: the same records, made anew, give the same answer.

The recorded org wrote pounds and British dates, and began its fiscal year in another month; ids differ as well.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from recordings import Recordings

from sfconnector.testing import LocalOrg

Answer = dict[str, Any]
Add = Callable[[str, dict[str, Any]], str]

ID = re.compile(r"[0-9A-Za-z]{18}")
KEY = re.compile(r"(T|\d+(_\d+){0,2})!(T|\d+(_\d+)?)")
FILES = ["tabular_basic", "summary_basic_single_group", "matrix_basic", "matrix_complex"]
# Column of the recorded reports to field.
CONTACT = {
    "SALUTATION": "Salutation",
    "FIRST_NAME": "FirstName",
    "LAST_NAME": "LastName",
    "TITLE": "Title",
    "ADDRESS2_STREET": "MailingStreet",
    "ADDRESS2_CITY": "MailingCity",
    "ADDRESS2_STATE": "MailingState",
    "ADDRESS2_ZIP": "MailingPostalCode",
    "ADDRESS2_COUNTRY": "MailingCountry",
    "PHONE1": "Phone",
    "PHONE3": "MobilePhone",
    "PHONE2": "Fax",
    "EMAIL": "Email",
}
ACCOUNT = {"ACCOUNT.NAME": "Name", "ADDRESS1_STATE": "BillingState", "RATING": "Rating", "INDUSTRY": "Industry"}
# The name of the recorded user, and what is counted from the day of recording.
OF_THE_DAY = {"USERS.NAME", "OWNER_FULL_NAME", "FULL_NAME", "CREATED_DATE", "FISCAL_QUARTER"}


@pytest.fixture(params=FILES)
def recorded(request: pytest.FixtureRequest, recordings: Recordings) -> Answer:
    answer: Answer = json.loads(recordings.body(f"{request.param}.json"))
    return answer


@pytest.fixture
def http(org: LocalOrg) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {org.access_token()}"
        yield session


@pytest.fixture
def add(org: LocalOrg, http: requests.Session) -> Add:
    """Makes a record once; one of the same values is the same."""
    made: dict[str, str] = {}

    def create(sobject: str, values: dict[str, Any]) -> str:
        known = json.dumps([sobject, values])
        if sobject != "Account" or known not in made:
            response = http.post(f"{org.url}/services/data/v68.0/sobjects/{sobject}", json=values, timeout=30)
            assert response.status_code == 201, response.text
            made[known] = response.json()["id"]
        return made[known]

    return create


def cells(recorded: Answer, row: Answer) -> dict[str, Any]:
    return dict(zip(recorded["reportMetadata"]["detailColumns"], row["dataCells"], strict=True))


def groups(groupings: Answer) -> dict[str, Answer]:
    """All groups by key."""
    pending, found = list(groupings["groupings"]), {}
    while pending:
        group = pending.pop(0)
        found[group["key"]] = group
        pending += group["groupings"]
    return found


def labelled(cell: Answer) -> Any:
    return None if cell["value"] is None else cell["label"].replace("<br>", "\n")


def make_contacts(recorded: Answer, add: Add) -> None:
    for row in recorded["factMap"]["T!T"]["rows"]:
        shown = cells(recorded, row)
        account = add("Account", {"Name": shown["ACCOUNT.NAME"]["label"]})
        add("Contact", {field: labelled(shown[name]) for name, field in CONTACT.items()} | {"AccountId": account})


def make_accounts(recorded: Answer, add: Add) -> None:
    types = groups(recorded["groupingsDown"])
    for key, fact in recorded["factMap"].items():
        for row in fact["rows"]:
            shown = cells(recorded, row)
            sales = shown["SALES"]["value"]
            values = {field: labelled(shown[name]) for name, field in ACCOUNT.items()}
            values |= {"Type": types[key.partition("!")[0]]["value"], "AnnualRevenue": sales and sales["amount"]}
            add("Account", values)


def make_deals(recorded: Answer, add: Add) -> None:
    down, across = groups(recorded["groupingsDown"]), groups(recorded["groupingsAcross"])
    for key, fact in recorded["factMap"].items():
        row_key, _, column_key = key.partition("!")
        for row in fact["rows"]:
            shown = cells(recorded, row)
            values = {
                "Name": shown["OPPORTUNITY_NAME"]["label"],
                "Amount": shown["AMOUNT"]["value"]["amount"],
                "StageName": shown["STAGE_NAME"]["value"],
                "Type": down[row_key.partition("_")[0]]["value"],
                "AccountId": add("Account", {"Name": down[row_key]["label"]}),
                "CloseDate": across[column_key]["value"],
            }
            add("Opportunity", values)


def query(org: LocalOrg, http: requests.Session, metadata: Answer, **params: str) -> Answer:
    """Run what was recorded: the same columns, groupings and summaries, on all records."""
    wanted = {key: metadata[key] for key in ("name", "reportType", "reportFormat", "reportFilters", "aggregates")}
    wanted |= {key: metadata[key] for key in ("detailColumns", "groupingsDown", "groupingsAcross")}
    wanted |= {"scope": "organization", "standardDateFilter": None}
    url = f"{org.url}/services/data/v68.0/analytics/reports/query"
    response = http.post(url, params=params, json={"reportMetadata": wanted}, timeout=30)
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    return answer


def comparable(answer: Answer) -> Answer:
    """The answer without ids, signs of currencies and what depends on the day."""
    columns = answer["reportMetadata"]["detailColumns"]

    def value(given: Any) -> Any:
        return "ID" if isinstance(given, str) and ID.fullmatch(given) else given

    def shown(entry: Answer) -> Answer:
        return {**entry, "label": entry["label"].replace("£", "$"), "value": value(entry["value"])}

    def row(given: Answer) -> list[Answer]:
        named = zip(columns, given["dataCells"], strict=True)
        return [shown(cell) for name, cell in named if name not in OF_THE_DAY]

    def fact(given: Answer) -> Answer:
        found: Answer = {"aggregates": [shown(each) for each in given["aggregates"]]}
        if "rows" in given:
            # Salesforce orders rows by what the report does not say.
            found["rows"] = sorted(map(row, given["rows"]), key=lambda cells: json.dumps(cells, sort_keys=True))
        return found

    def side(groupings: Answer) -> list[Answer]:
        return [shown(group) | {"groupings": side(group)} for group in groupings["groupings"]]

    return {
        "allData": answer["allData"],
        "hasDetailRows": answer["hasDetailRows"],
        "groupingsDown": side(answer["groupingsDown"]),
        "groupingsAcross": side(answer["groupingsAcross"]),
        "factMap": {key: fact(given) for key, given in answer["factMap"].items()},
        "groupingColumnInfo": answer["reportExtendedMetadata"]["groupingColumnInfo"],
        "aggregateColumnInfo": answer["reportExtendedMetadata"]["aggregateColumnInfo"],
        "detailColumnInfo": {
            name: {"dataType": info["dataType"], "label": info["label"]}
            for name, info in answer["reportExtendedMetadata"]["detailColumnInfo"].items()
        },
    }


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("tabular_basic", make_contacts),
        ("summary_basic_single_group", make_accounts),
        ("matrix_basic", make_deals),
    ],
)
def test_the_same_records_give_the_same_report(
    org: LocalOrg, http: requests.Session, add: Add, recordings: Recordings, name: str, make: Callable[..., None]
) -> None:
    # The sample data of a new org has an address that Salesforce takes from nobody else.
    recorded = json.loads(recordings.body(f"{name}.json").replace("@expressl&t", "@expresslandt"))
    make(recorded, add)
    assert comparable(query(org, http, recorded["reportMetadata"])) == comparable(recorded)


def test_summaries_of_a_matrix_come_without_rows(
    org: LocalOrg, http: requests.Session, add: Add, recordings: Recordings
) -> None:
    make_deals(json.loads(recordings.body("matrix_basic.json")), add)
    recorded = json.loads(recordings.body("matrix_complex.json"))
    answer = query(org, http, recorded["reportMetadata"], includeDetails="false")
    ours, theirs = comparable(answer), comparable(recorded)
    # The deals are the same, and so are the groups of rows and the totals of what they have in common.
    for key in ("allData", "hasDetailRows", "groupingsDown", "groupingColumnInfo", "aggregateColumnInfo"):
        assert ours[key] == theirs[key], key
    assert ours["detailColumnInfo"] == theirs["detailColumnInfo"]
    totals = [key for key in theirs["factMap"] if key.endswith("!T")]
    assert len(totals) == 15
    for key in totals:
        assert ours["factMap"][key]["aggregates"][1:] == theirs["factMap"][key]["aggregates"][1:], key


def shape(value: Any) -> Any:
    """Keys and kinds of values; a list is as its first entry, and a number is a number."""
    match value:
        case dict():
            return {key: shape(entry) for key, entry in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case bool() | None:
            return type(value).__name__
        case int() | float():
            return "number"
    return type(value).__name__


def test_the_answer_has_the_keys_and_kinds_of_the_recorded_one(
    org: LocalOrg, http: requests.Session, recorded: Answer
) -> None:
    assert all(KEY.fullmatch(key) for key in recorded["factMap"])
    make = {"ContactList": "Contact", "AccountList": "Account", "Opportunity": "Opportunity"}
    values = {"LastName": "x", "Name": "x", "StageName": "Closed Won", "CloseDate": "2026-01-31", "Amount": 5}
    sobject = make[recorded["reportMetadata"]["reportType"]["type"]]
    given = {"Contact": ["LastName"], "Account": ["Name"], "Opportunity": ["Name", "StageName", "CloseDate", "Amount"]}
    url = f"{org.url}/services/data/v68.0/sobjects/{sobject}"
    assert http.post(url, json={name: values[name] for name in given[sobject]}, timeout=30).status_code == 201
    details = "true" if recorded["hasDetailRows"] else "false"
    answer = query(org, http, recorded["reportMetadata"], includeDetails=details)
    assert all(KEY.fullmatch(key) for key in answer["factMap"])
    # Later versions have more to tell; what was told then is told still.
    assert answer.keys() >= recorded.keys()
    for key in ("attributes", "reportMetadata"):
        assert answer[key].keys() >= recorded[key].keys(), key
    assert answer["reportExtendedMetadata"].keys() == recorded["reportExtendedMetadata"].keys()
    assert shape(answer["factMap"]["T!T"]["aggregates"]) == shape(recorded["factMap"]["T!T"]["aggregates"])
    assert ("rows" in answer["factMap"]["T!T"]) is ("rows" in recorded["factMap"]["T!T"])
    for side in ("groupingsDown", "groupingsAcross"):
        ours, theirs = (list(groups(given[side]).values()) for given in (answer, recorded))
        assert bool(ours) is bool(theirs)
        assert all(group.keys() == {"groupings", "key", "label", "value"} for group in [*ours, *theirs])
        for entry in recorded["reportMetadata"][side]:
            assert entry.keys() <= answer["reportMetadata"][side][0].keys()
