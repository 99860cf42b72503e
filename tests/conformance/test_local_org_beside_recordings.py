"""The local org's answers beside those that Salesforce gave: same keys, same kinds of values, same refusals."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from recordings import SCRUBBED, Exchange, Recordings

from sfconnector.testing import LocalOrg

TOKEN_PATH = "/services/oauth2/token"
# What depends on the way to the server rather than on the answer: TLS, the connection, the length of the body.
OF_THE_WAY = {
    "strict-transport-security",
    "connection",
    "transfer-encoding",
    "content-length",
    "content-encoding",
    "vary",
    "response-headers",
}


class Api:
    """A plain HTTP session that is logged in: no client of ours is in the way."""

    def __init__(self, org: LocalOrg, version: str = "68.0") -> None:
        self.base = f"{org.url}/services/data/v{version}/"
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {org.access_token()}"

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.http.request(method, self.base + path, timeout=30, **options)

    def query(self, soql: str) -> requests.Response:
        return self("GET", "query", params={"q": soql})

    def create(self, sobject: str, **values: Any) -> str:
        response = self("POST", f"sobjects/{sobject}", json=values)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])


@pytest.fixture
def api(org: LocalOrg) -> Iterator[Api]:
    api = Api(org)
    yield api
    api.http.close()


def kinds(value: Any) -> Any:
    """The keys and kinds of values: what stays of JSON when its contents go."""
    if isinstance(value, dict):
        return {key: kinds(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [kinds(value[0])] if value else []
    return type(value).__name__


def headers(given: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in given.items() if name.lower() not in OF_THE_WAY}


def steady(given: Any) -> dict[str, str]:
    """Headers whose values are the same at every answer."""
    changing = {"date", "sforce-limit-info", "etag", "last-modified", "server", "x-sfdc-request-id"}
    return {name: value for name, value in headers(given).items() if name not in changing}


def recorded_token(recordings: Recordings, status: int) -> Exchange:
    return recordings.of("oauth.token", status=status)[0]


def test_a_token_answer(org: LocalOrg, recordings: Recordings) -> None:
    recorded = recorded_token(recordings, 200)
    form = {
        "grant_type": "refresh_token",
        "refresh_token": org.refresh_token(),
        "client_id": org.client_id,
        "client_secret": org.client_secret,
    }

    response = requests.post(org.url + TOKEN_PATH, data=form, timeout=30)

    assert response.status_code == recorded.status
    assert kinds(response.json()) == kinds(recorded.data)
    ours, theirs = response.json(), recorded.data
    for name in ("scope", "token_type"):
        assert ours[name] == theirs[name]
    for name in ("id", "issued_at"):
        # The same text but for hosts, ids and digits.
        pattern = r"https?://[^/]+|[\w]{18}|\d+"
        assert re.sub(pattern, "*", ours[name]) == re.sub(pattern, "*", theirs[name])
    assert steady(response.headers) == steady(recorded.headers)


def test_a_refused_token(org: LocalOrg, recordings: Recordings) -> None:
    recorded = recorded_token(recordings, 400)
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "x", "client_secret": "x"}

    response = requests.post(org.url + TOKEN_PATH, data=form, timeout=30)

    assert (response.status_code, response.json()) == (recorded.status, recorded.data)
    assert steady(response.headers) == steady(recorded.headers)


def test_an_expired_session(org: LocalOrg, api: Api, recordings: Recordings) -> None:
    org.faults.expire_tokens()

    for recorded in recordings.of("describe.sobject", status=401):
        response = api("GET", "/".join(recorded.resource))
        assert (response.status_code, response.json()) == (recorded.status, recorded.data)
        assert steady(response.headers) == steady(recorded.headers)


def test_headers_of_answers(api: Api, recordings: Recordings) -> None:
    telling = [each for each in recordings.of("query", "describe.sobject", status=200) if "date" in each.headers]
    for recorded in telling:
        described = recorded.category == "describe.sobject"
        response = api("GET", "sobjects/Account/describe") if described else api.query("SELECT Id FROM Account")
        ours, theirs = headers(response.headers), headers(recorded.headers)
        assert theirs.keys() <= ours.keys(), recorded.id
        assert steady(response.headers) == steady(recorded.headers), recorded.id
        for name in ("etag", "last-modified", "sforce-limit-info"):
            shapes = [re.sub(r"[A-Z][a-z]{2}\b|[0-9a-f]{8}|\d+", "*", each.get(name, "")) for each in (ours, theirs)]
            assert shapes[0] == shapes[1], recorded.id


def test_every_recorded_query_runs(org: LocalOrg, api: Api, recordings: Recordings) -> None:
    for described in recordings.of("describe.sobject", status=200):
        # Account was recorded in several orgs; ours has the fields that were asked for.
        if described.body.startswith("{") and described.resource[1] != "Account":
            org.load_describe(described.data)
    known = {each["name"].lower() for each in api("GET", "sobjects").json()["sobjects"]}
    ran = set()
    for recorded in recordings.of("query", status=200):
        soql = recorded.params["q"]
        root = re.findall(r"\bFROM\s+(\w+)", soql, re.IGNORECASE)[-1]
        if soql in ran or root.lower() not in known:
            continue
        response = api.query(soql)
        assert response.status_code == 200, f"{recorded.id}: {soql}: {response.text}"
        assert list(response.json()) == list(recorded.data), recorded.id
        ran.add(soql)
    assert len(ran) > 40


def test_records_look_as_they_were_recorded(api: Api, recordings: Recordings) -> None:
    api.create("Account", Name="Acme", AccountNumber="420", Phone="1", Description="text")
    seen = 0
    for recorded in recordings.of("query", status=200):
        soql, records = recorded.params["q"], recorded.data["records"]
        asks = re.search(r"FROM Account\b|FROM User\b", soql, re.IGNORECASE)
        if not asks or not records or "Field__c" in soql or "WHERE" in soql.upper() or "OFFSET" in soql.upper():
            continue
        response = api.query(soql)
        if response.status_code == 400 and response.json()[0]["errorCode"] == "INVALID_FIELD":
            continue  # some orgs had fields that come with features
        ours, theirs = response.json()["records"][0], records[0]
        assert list(ours) == list(theirs), recorded.id
        assert ours["attributes"].keys() == theirs["attributes"].keys(), recorded.id
        for name, value in theirs.items():
            if value is not None and ours[name] is not None:
                assert kinds(ours[name]) == kinds(value), f"{recorded.id}: {name}"
        seen += 1
    assert seen > 8


def test_refused_queries_word_for_word(api: Api, recordings: Recordings) -> None:
    for recorded in recordings.of("query", status=400):
        response = api.query(recorded.params["q"])
        assert (response.status_code, response.json()) == (400, recorded.data), recorded.id
    cut = api.query("SELECT Id,Name,BillingCity,IsDeleted FROM Accout")
    assert cut.json() == json.loads(recordings.body("test/unknown-object.json"))


def test_refused_records_word_for_word(api: Api, recordings: Recordings) -> None:
    def body(name: str) -> Any:
        return json.loads(recordings.body(name))

    assert api("POST", "sobjects/Account", json={"AccountNumer": "1"}).json() == body("test/unknown-field.json")
    read_only = api("POST", "sobjects/Account", json={"Name": "x", "MasterRecordId": "001000000000000AAA"})
    assert read_only.json() == body("test/invalid-field-upsert.json")
    gone = api.create("Account", Name="x")
    assert api("DELETE", f"sobjects/Account/{gone}").status_code == 204
    again = api("DELETE", f"sobjects/Account/{gone}")
    assert (again.status_code, again.json()) == (404, body("crm/delete/not-found.json"))


def test_collections_word_for_word(api: Api, recordings: Recordings) -> None:
    def contacts(method: str, *records: dict[str, Any], all_or_none: bool = False) -> Any:
        typed = [{"attributes": {"type": "Contact"}, **record} for record in records]
        return api(method, "composite/sobjects", json={"allOrNone": all_or_none, "records": typed}).json()

    def body(name: str) -> Any:
        return json.loads(recordings.body(f"test/batch/{name}.json"))

    assert contacts("POST") == body("create/contacts/err-bad-request")
    rolled_back = contacts("POST", {"FirstName": "Siena"}, {"LastName": "Blevins"}, all_or_none=True)
    assert rolled_back == body("create/contacts/partial-but-allOrNone")
    saved = contacts("POST", {"LastName": "Dyer"}, {"LastName": "Blevins"})
    assert kinds(saved) == kinds(body("create/contacts/success"))
    ids = [each["id"] for each in saved]
    assert contacts("PATCH", {"LastName": "x"}, {"LastName": "y"}) == body("update/contacts/err-each-no-ids")
    unknown = [{"id": ids[0], "LastName": "x"}, {"id": ids[1], "unknownField_LastName": "y"}]
    assert contacts("PATCH", *unknown, all_or_none=True) == body("update/contacts/partial-but-allOrNone")
    updated = contacts("PATCH", *({"id": each, "LastName": "z"} for each in ids))
    assert kinds(updated) == kinds(body("update/contacts/success"))


def test_collections_by_external_id(api: Api, recordings: Recordings) -> None:
    upserts = [each for each in recordings.of("composite.collections") if len(each.resource) > 2]
    for recorded in upserts:
        if recorded.resource[2:] != ["Contact", "Email"]:
            continue
        sent = json.loads(recorded.request_body)
        response = api("PATCH", "composite/sobjects/Contact/Email", json=sent)
        assert response.status_code == recorded.status, recorded.id
        assert len(response.json()) == len(recorded.data), recorded.id
        assert kinds(response.json()) == kinds(recorded.data), recorded.id


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_composite_requests(api: Api, recordings: Recordings) -> None:
    # One was edited by hand, and is no JSON any more.
    recorded_ones = [each for each in recordings.of("composite", status=200) if is_json(each.request_body)]
    assert len(recorded_ones) == 9
    # First those that found no account.
    for recorded in sorted(recorded_ones, key=lambda each: "Smith Corp." in each.body):
        if "Smith Corp." in recorded.body:
            api.create("Account", Name="Smith Corp.")
        sent = recorded.request_body.replace(f"v{SCRUBBED}", "v68.0").replace("Sep 2020", "Sep 2100")
        response = api("POST", "composite", data=sent, headers={"Content-Type": "application/json"})
        ours, theirs = response.json()["compositeResponse"], recorded.data["compositeResponse"]
        assert response.status_code == recorded.status, recorded.id
        assert [each["referenceId"] for each in ours] == [each["referenceId"] for each in theirs], recorded.id
        for our, their in zip(ours, theirs, strict=True):
            assert our.keys() == their.keys(), recorded.id
            assert our["httpStatusCode"] == their["httpStatusCode"], recorded.id
            assert kinds(our["httpHeaders"]) == kinds(their["httpHeaders"]), recorded.id
            if their["httpStatusCode"] >= 400:
                assert our["body"] == their["body"], recorded.id
            elif "records" in (their["body"] or {}):
                assert kinds(our["body"]) == kinds(their["body"]), recorded.id
            else:
                # The fields of a description were cut away from most.
                assert (our["body"] or {}).get("name") == (their["body"] or {}).get("name"), recorded.id


def test_a_composite_rollback_word_for_word(api: Api, recordings: Recordings) -> None:
    theirs = json.loads(recordings.body("camel:composite_response_example_failure.json"))["compositeResponse"][0]
    accounts = [
        {"referenceId": name, "method": "POST", "url": "/services/data/v68.0/sobjects/Account", "body": body}
        for name, body in ((theirs["referenceId"], {"Name": "A"}), ("second", {}))
    ]
    ours = api("POST", "composite", json={"allOrNone": True, "compositeRequest": accounts}).json()
    assert ours["compositeResponse"][0] == theirs


def test_created_records(api: Api, recordings: Recordings) -> None:
    for recorded in recordings.of("sobject.create"):
        response = api(
            "POST",
            "/".join(recorded.resource) + "/",
            data=recorded.request_body.encode(),
            headers={"Content-Type": "application/json"},
        )
        assert response.status_code == recorded.status
        assert kinds(response.json()) == kinds(recorded.data)
        assert list(response.json()) == list(recorded.data)


def test_record_counts(api: Api, recordings: Recordings) -> None:
    api.create("Account", Name="x")
    for recorded in recordings.of("limits.recordCount"):
        response = api("GET", "limits/recordCount", params=recorded.params)
        assert response.status_code == recorded.status
        if recorded.params["sObjects"].lower() == "xyzzy":
            assert response.json() == recorded.data
        elif recorded.data["sObjects"] and recorded.params["sObjects"] in ("Account", "User"):
            assert kinds(response.json()) == kinds(recorded.data)


def test_the_organization(org: LocalOrg, api: Api, recordings: Recordings) -> None:
    ours = api("GET", f"sobjects/Organization/{org.organization_id}").json()
    for recorded in recordings.of("sobject.get"):
        theirs = recorded.data
        assert ours.keys() <= theirs.keys()
        for name in ours.keys() & theirs.keys():
            if ours[name] is not None and theirs[name] is not None:
                assert kinds(ours[name]) == kinds(theirs[name]), name


def test_who_is_logged_in(org: LocalOrg, api: Api, recordings: Recordings) -> None:
    ours = api.http.get(f"{org.url}/services/oauth2/userinfo", timeout=30).json()
    theirs = json.loads(recordings.body("resources/userDetails.json"))
    # A later release added this key.
    assert ours.keys() - {"is_app_installed"} == theirs.keys()
    assert {name: kinds(ours[name]) for name in theirs if name not in ("address", "urls")} == {
        name: kinds(value) for name, value in theirs.items() if name not in ("address", "urls")
    }
    assert theirs["urls"].keys() <= ours["urls"].keys()
    assert (ours["zoneinfo"], ours["utcOffset"]) == (theirs["zoneinfo"], theirs["utcOffset"])


def test_basic_information_of_an_object(api: Api, recordings: Recordings) -> None:
    theirs = json.loads(recordings.body("resources/account.json"))
    assert kinds(api("GET", "sobjects/Account").json()["objectDescribe"]) == kinds(theirs["objectDescribe"])


def test_limits_and_versions(org: LocalOrg, api: Api, recordings: Recordings) -> None:
    theirs = json.loads(recordings.body("resources/limits.json"))
    ours = api("GET", "limits").json()
    # The limit on Bulk requests a day of 2016 is one on batches now.
    assert theirs.keys() - ours.keys() == {"DailyBulkApiRequests"}
    for name in ours.keys() & theirs.keys():
        # Some are told for each connected app, too.
        assert kinds(ours[name]).items() <= kinds(theirs[name]).items(), name
    versions = requests.get(f"{org.url}/services/data", timeout=30).json()
    assert kinds(versions) == kinds(json.loads(recordings.body("resources/versions.json")))
