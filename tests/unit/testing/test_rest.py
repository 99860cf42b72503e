"""The REST API over the wire: what every resource has in common, and each resource of single records and queries."""

import datetime
import gzip
import socket
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_api import Api

from sfconnector.testing import LocalOrg


@pytest.fixture
def tagged(local_org: LocalOrg, api: Api) -> Api:
    """An org whose accounts have an external id."""
    local_org.add_field("Account", "Ext__c", "string(80) external_id")
    return api


def errors(response: requests.Response) -> list[tuple[str, str]]:
    return [(item["errorCode"], item["message"]) for item in response.json()]


# What every resource has in common


def test_versions_want_no_token(local_org: LocalOrg) -> None:
    response = requests.get(f"{local_org.url}/services/data", timeout=30)
    versions = response.json()
    assert versions[0] == {"label": "Summer '14", "url": "/services/data/v31.0", "version": "31.0"}
    assert {"label": "Winter '22", "url": "/services/data/v53.0", "version": "53.0"} in versions
    assert versions[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}
    assert len(versions) == 38
    assert "Sforce-Limit-Info" not in response.headers
    assert requests.get(f"{local_org.url}/services/data/", timeout=30).json() == versions
    assert requests.post(f"{local_org.url}/services/data", timeout=30).status_code == 405


@pytest.mark.parametrize(("version", "status"), [("20.0", 410), ("30.0", 410), ("31.0", 200), ("68.0", 200)])
def test_retired_versions_are_gone(api: Api, version: str, status: int) -> None:
    response = api("GET", f"/services/data/v{version}/limits")
    assert response.status_code == status
    if status == 410:
        assert errors(response)[0][0] == "GONE"


@pytest.mark.parametrize(
    "path", ["v69.0/limits", "v99.0", "v6.0", "v60/limits", "60.0/limits", "v68.0/nowhere", "v68.0/sobjects/A/b/c/d"]
)
def test_what_is_not_there(api: Api, path: str) -> None:
    response = api("GET", f"/services/data/{path}")
    assert response.status_code == 404
    assert errors(response) == [("NOT_FOUND", "The requested resource does not exist")]


def test_methods_that_are_not_allowed_name_those_that_are(api: Api) -> None:
    response = api("PATCH", "sobjects/Account", json={})
    assert response.status_code == 405
    assert errors(response) == [("METHOD_NOT_ALLOWED", "HTTP Method 'PATCH' not allowed. Allowed are HEAD,GET,POST")]
    response = api("POST", f"sobjects/Account/{api.create('Account', Name='A')}", json={})
    assert errors(response)[0][1] == "HTTP Method 'POST' not allowed. Allowed are HEAD,GET,PATCH,DELETE"


def test_every_answer_tells_the_usage(local_org: LocalOrg, api: Api) -> None:
    used = [api("GET", path).headers["Sforce-Limit-Info"] for path in ("limits", "sobjects", "nowhere")]
    assert used == [f"api-usage={number}/100000" for number in (1, 2, 3)]
    limits = api("GET", "limits").json()
    assert limits["DailyApiRequests"] == {"Max": 100_000, "Remaining": 100_000 - 4}
    assert len(limits) > 50
    assert all({"Max", "Remaining"} <= limit.keys() for limit in limits.values())


def test_the_daily_limit_holds_for_a_day() -> None:
    with LocalOrg(daily_api_requests=2) as org:
        api = Api(org)
        assert [api("GET", "limits").status_code for _ in range(3)] == [200, 200, 403]
        response = api("GET", "limits")
        assert errors(response) == [("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")]
        assert response.headers["Sforce-Limit-Info"] == "api-usage=2/2"
        org.clock.advance(days=1)
        assert Api(org)("GET", "limits").status_code == 200


def test_headers_as_recorded(api: Api) -> None:
    headers = api("GET", "sobjects/Account/describe").headers
    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert headers["Vary"] == "Accept-Encoding"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-cache,must-revalidate,max-age=0,no-store,private"
    assert len(headers["X-SFDC-Request-Id"]) == 32


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_answers_are_compressed_for_those_who_ask(api: Api, coding: str) -> None:
    packed = api("GET", "sobjects", headers={"Accept-Encoding": coding}, stream=True)
    assert packed.headers["Content-Encoding"] == coding
    plain = api("GET", "sobjects", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-zlib.MAX_WBITS)),
    ],
)
def test_requests_may_be_compressed(api: Api, coding: str, pack: Any) -> None:
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    response = api("POST", "sobjects/Account", data=pack(b'{"Name": "Packed"}'), headers=headers)
    assert response.status_code == 201
    assert api("POST", "sobjects/Account", data=b"not packed", headers=headers).status_code == 400


def test_unknown_content_codings_are_refused(api: Api) -> None:
    headers = {"Content-Encoding": "br", "Content-Type": "application/json"}
    assert api("POST", "sobjects/Account", data=b"{}", headers=headers).status_code == 415


def test_chunked_requests_are_read(api: Api) -> None:
    chunks = iter([b'{"Name"', b': "In ', b'pieces"}'])
    response = api("POST", "sobjects/Account", data=chunks, headers={"Content-Type": "application/json"})
    assert api("GET", f"sobjects/Account/{response.json()['id']}").json()["Name"] == "In pieces"


def test_pretty_only_on_demand(api: Api) -> None:
    plain = api("GET", "limits").text
    pretty = api("GET", "limits", headers={"X-PrettyPrint": "1"}).text
    assert "\n" not in plain
    assert pretty.count("\n") > 100


def test_head_has_headers_only(api: Api) -> None:
    got, head = (api(method, "sobjects/Account/describe") for method in ("GET", "HEAD"))
    assert got.content
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


@pytest.mark.parametrize("length", [16_385 - 12, 40_000, 150_000])
def test_long_uris_get_a_page_of_html(api: Api, length: int) -> None:
    response = api("GET", "/services/da", params={"q": "a" * (length - 3)})
    assert response.status_code == 414
    assert response.text == "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>"
    assert response.headers["Content-Type"].startswith("text/html")


def test_long_headers_do_too(api: Api) -> None:
    response = api("GET", "limits", headers={"X-Long": "a" * 16_384})
    assert response.status_code == 431


def test_only_json_is_spoken(api: Api) -> None:
    assert api("GET", "limits", headers={"Accept": "application/xml"}).status_code == 406
    assert api("GET", "limits", headers={"Accept": "application/xml, */*"}).status_code == 200
    response = api("POST", "sobjects/Account", data="<Name/>", headers={"Content-Type": "application/xml"})
    assert response.status_code == 415
    assert errors(response) == [
        ("UNSUPPORTED_MEDIA_TYPE", "MediaType of 'application/xml' is not supported by this resource")
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The HTTP entity body is required, but this request has no entity body."),
        (b"{", "Unexpected end-of-input at [line:1, column:2]"),
        (b'{"Name": x}', "Unexpected character ('x' (code 120)) at [line:1, column:10]"),
        (b'{\n"Name": NaN}', "Unexpected character ('N' (code 78)) at [line:2, column:9]"),
        (b'{"Name": ' + b"[" * 100_000, "Unexpected character ('[' (code 91)) at [line:1"),
        (b'\xff{"Name": "A"}', "Unexpected"),
        (b"[]", "Can not deserialize: unexpected array at [line:1, column:1]"),
        (b"7", "Can not deserialize: unexpected value at [line:1, column:1]"),
    ],
)
def test_broken_bodies(api: Api, body: bytes, message: str) -> None:
    response = api("POST", "sobjects/Account", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    [(code, text)] = errors(response)
    assert code == "JSON_PARSER_ERROR"
    assert text.startswith(message)


def test_a_method_may_travel_in_the_query(api: Api) -> None:
    record_id = api.create("Account", Name="Before")
    response = api("POST", f"sobjects/Account/{record_id}?_HttpMethod=PATCH", json={"Name": "After"})
    assert response.status_code == 204
    assert api("GET", f"sobjects/Account/{record_id}").json()["Name"] == "After"


def test_a_failure_of_the_org_is_a_500_that_names_itself(
    local_org: LocalOrg, api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(local_org._runtime.usage, "limits", fail)
    response = api("GET", "limits")
    assert response.status_code == 500
    [(code, message)] = errors(response)
    assert code == "UNKNOWN_EXCEPTION"
    assert "ErrorId" in message
    assert "ZeroDivisionError" in caplog.text


# Discovery


def test_resources_are_links_that_lead_somewhere(local_org: LocalOrg, api: Api) -> None:
    resources = api("GET", "/services/data/v60.0/").json()
    assert resources["sobjects"] == "/services/data/v60.0/sobjects"
    asking = {"compactLayouts", "parameterizedSearch", "query", "queryAll", "search"}
    links = [link for name, link in resources.items() if name not in {"identity", *asking}]
    assert {api("GET", link).status_code for link in links} == {200}
    assert {api("GET", resources[name]).status_code for name in asking} == {400}  # they want a parameter
    assert resources["identity"] == f"{local_org.url}/id/{local_org.organization_id}/{local_org.user_id}"


def test_describe_global(api: Api) -> None:
    answer = api("GET", "sobjects").json()
    assert (answer["encoding"], answer["maxBatchSize"]) == ("UTF-8", 200)
    by_name = {sobject["name"]: sobject for sobject in answer["sobjects"]}
    assert {"Account", "Contact", "Lead", "LeadStatus", "Opportunity", "Case", "Task", "User"} <= by_name.keys()
    assert api("GET", by_name["Account"]["urls"]["describe"]).json()["name"] == "Account"


def test_basic_information(api: Api) -> None:
    answer = api("GET", "sobjects/Account/").json()
    assert answer["objectDescribe"]["name"] == "Account"
    assert answer["recentItems"] == []


def test_describe_can_be_asked_for_changes_only(local_org: LocalOrg, api: Api) -> None:
    first = api("GET", "sobjects/Account/describe")
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    unchanged = api("GET", "sobjects/Account/describe", headers=since)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert api("GET", "sobjects", headers=since).status_code == 304
    local_org.clock.advance(minutes=1)
    local_org.add_field("Account", "New__c", "boolean")
    changed = api("GET", "sobjects/Account/describe", headers=since)
    assert changed.status_code == 200
    assert "New__c" in {field["name"] for field in changed.json()["fields"]}


def test_describing_what_is_not_there(api: Api) -> None:
    response = api("GET", "sobjects/Nothing__c/describe")
    assert response.status_code == 404
    assert errors(response) == [("NOT_FOUND", "The requested resource does not exist")]


def test_record_counts(api: Api) -> None:
    api.create("Account", Name="One")
    response = api("GET", "limits/recordCount", params={"sObjects": "Account,Contact,Nothing"})
    assert response.json() == {"sObjects": [{"count": 1, "name": "Account"}]}
    assert {"count": 1, "name": "Account"} in api("GET", "limits/recordCount").json()["sObjects"]


def test_recent_items_are_those_marked_by_a_query(local_org: LocalOrg, api: Api) -> None:
    local_org.clock.freeze()
    assert api("GET", "recent").json() == []
    ids = {name: api.create("Account", Name=name) for name in ("One", "Two", "Three")}
    api("GET", "query", params={"q": "SELECT Id FROM Account WHERE Name = 'One' FOR VIEW"})
    local_org.clock.advance(1)
    api("GET", "query", params={"q": "SELECT Name FROM Account WHERE Name = 'Two' FOR REFERENCE"})
    local_org.clock.advance(1)
    api("GET", "query", params={"q": "SELECT Username FROM User LIMIT 1 FOR VIEW"})
    items = api("GET", "recent").json()
    assert [item["attributes"]["type"] for item in items] == ["User", "Account", "Account"]
    assert items[1] == {
        "attributes": {"type": "Account", "url": f"{api.base}/sobjects/Account/{ids['Two']}"},
        "Id": ids["Two"],
        "Name": "Two",
    }
    assert api("GET", "recent", params={"limit": 2}).json() == items[:2]
    assert api("GET", "sobjects/Account").json()["recentItems"] == items[1:]
    viewed, referenced = (api("GET", f"sobjects/Account/{ids[name]}").json() for name in ("One", "Two"))
    assert viewed["LastViewedDate"] == viewed["LastReferencedDate"]
    assert referenced["LastViewedDate"] is None
    assert referenced["LastReferencedDate"] > viewed["LastReferencedDate"]
    assert viewed["SystemModstamp"] == viewed["CreatedDate"]
    api("DELETE", f"sobjects/Account/{ids['Two']}")
    assert ids["Two"] not in {item["Id"] for item in api("GET", "recent").json()}


@pytest.mark.parametrize("limit", ["0", "-1", "x", "", "1.5"])
def test_a_limit_of_recent_items_that_is_none(api: Api, limit: str) -> None:
    response = api("GET", "recent", params={"limit": limit})
    assert response.status_code == 400
    assert "limit" in response.json()[0]["message"]


@pytest.mark.parametrize(
    ("soql", "operation", "fields", "cardinality"),
    [
        ("SELECT Id FROM Account", "TableScan", [], 3),
        ("SELECT Id FROM Account WHERE Name = 'a'", "TableScan", [], 3),
        ("SELECT Id FROM Account WHERE Ext__c = 'b'", "Index", ["Ext__c"], 1),
        ("SELECT Id FROM Account WHERE Id = '001000000000000'", "Index", ["Id"], 0),
        ("SELECT COUNT() FROM Account", "TableScan", [], 3),
    ],
)
def test_explaining_a_query(tagged: Api, soql: str, operation: str, fields: list[str], cardinality: int) -> None:
    for name in "abc":
        tagged.create("Account", Name=name, Ext__c=name)
    for path in ("query", "query/"):
        answer = tagged("GET", path, params={"explain": soql}).json()
        best, *others = answer["plans"]
        assert (best["leadingOperationType"], best["fields"], best["cardinality"]) == (operation, fields, cardinality)
        assert (best["sobjectType"], best["sobjectCardinality"]) == ("Account", 3)
        assert [plan["leadingOperationType"] for plan in others] == (["TableScan"] if operation == "Index" else [])
        assert answer["sourceQuery"] == soql


def test_explaining_a_report(tagged: Api) -> None:
    report_id = tagged.org.add_report(
        "Tagged", "Account", columns=["Name"], filters=[("Ext__c", "equals", "b"), ("Name", "contains", "x")]
    )
    answer = tagged("GET", "query", params={"explain": report_id}).json()
    assert answer["plans"][0]["fields"] == ["Ext__c"]
    assert answer["sourceQuery"] == "SELECT Name, Id FROM Account WHERE (Ext__c = 'b') AND (Name LIKE '%x%')"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
        ("SELECT Nope FROM Account", "INVALID_FIELD"),
        ("00O000000000001", "INVALID_ID"),
    ],
)
def test_what_cannot_be_explained(api: Api, text: str, code: str) -> None:
    response = api("GET", "query", params={"explain": text})
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, code)


def test_a_locator_is_good_for_two_days(local_org: LocalOrg, many: Api) -> None:
    query = {"params": {"q": "SELECT Id FROM Account"}, "headers": {"Sforce-Query-Options": "batchSize=200"}}
    following = many("GET", "query", **query).json()["nextRecordsUrl"]
    local_org.clock.advance(days=1, hours=23)
    many.http.headers["Authorization"] = f"Bearer {local_org.access_token()}"
    assert many("GET", following).ok
    local_org.clock.advance(hours=1)
    assert errors(many("GET", following)) == [("INVALID_QUERY_LOCATOR", "invalid query locator")]


def test_of_a_repeated_parameter_the_first_counts(api: Api) -> None:
    response = api("GET", "query?q=SELECT+COUNT()+FROM+Account&q=nonsense")
    assert response.json()["totalSize"] == 0


def test_a_body_that_unpacks_to_no_end_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfconnector.testing._http._LARGEST_BODY", 1_000_000)
    response = api(
        "POST", "sobjects/Account", data=gzip.compress(b" " * 1_000_001), headers={"Content-Encoding": "gzip"}
    )
    assert (response.status_code, errors(response)[0][0]) == (413, "REQUEST_ENTITY_TOO_LARGE")


def test_a_client_that_leaves_amid_its_request_is_no_failure(
    local_org: LocalOrg, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = local_org.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            f"POST {api.base}/sobjects/Account HTTP/1.1\r\nHost: x\r\nAuthorization: "
            f'{api.http.headers["Authorization"]}\r\nContent-Length: 100\r\n\r\n{{"Name":'.encode()
        )
    while not any(request.status is None for request in local_org.requests):
        api("GET", "limits")
    assert not caplog.records


# Records


def test_create_read_update_delete(api: Api) -> None:
    created = api("POST", "sobjects/Account/", json={"Name": "First"})
    record_id = created.json()["id"]
    assert created.json() == {"id": record_id, "success": True, "errors": []}
    assert created.headers["Location"] == f"/services/data/v68.0/sobjects/Account/{record_id}"
    record = api("GET", created.headers["Location"]).json()
    assert record["attributes"] == {"type": "Account", "url": created.headers["Location"]}
    assert record["Name"] == "First"
    updated = api("PATCH", f"sobjects/Account/{record_id}", json={"Name": "Second"})
    assert (updated.status_code, updated.content) == (204, b"")
    assert "Content-Type" not in updated.headers
    assert api("GET", f"sobjects/Account/{record_id[:15]}", params={"fields": "Name"}).json()["Name"] == "Second"
    assert api("DELETE", f"sobjects/Account/{record_id}").status_code == 204
    again = api("DELETE", f"sobjects/Account/{record_id}")
    assert again.status_code == 404
    assert again.json() == [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}]


def test_fields_choose_what_is_read(api: Api) -> None:
    record_id = api.create("Account", Name="Chosen", Industry="Energy")
    record = api("GET", f"sobjects/Account/{record_id}", params={"fields": "Name, Industry"}).json()
    assert record.keys() == {"attributes", "Name", "Industry", "Id"} or record.keys() == {
        "attributes",
        "Name",
        "Industry",
    }
    response = api("GET", f"sobjects/Account/{record_id}", params={"fields": "Nonsense"})
    assert response.status_code == 400
    assert errors(response)[0][0] == "INVALID_FIELD"


def test_a_record_may_be_posted_to_the_external_id_named_id(api: Api) -> None:
    assert api("POST", "sobjects/Account/Id", json={"Name": "By Id"}).status_code == 201


def test_refusals_of_the_store_arrive_as_they_are(api: Api) -> None:
    response = api("POST", "sobjects/Contact", json={"FirstName": "Marie"})
    assert response.status_code == 400
    [item] = response.json()
    assert item["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert item["fields"] == ["LastName"]


@pytest.mark.parametrize("version", ["45.0", "46.0", "68.0"])
def test_upsert_tells_what_it_did_since_46(tagged: Api, version: str) -> None:
    path = f"/services/data/v{version}/sobjects/Account/Ext__c/A-1"
    created = tagged("PATCH", path, json={"Name": "One"})
    assert created.status_code == 201
    assert created.headers["Location"].endswith(created.json()["id"])
    updated = tagged("PATCH", path, json={"Name": "Two"})
    if version == "45.0":
        assert "created" not in created.json()
        assert (updated.status_code, updated.content) == (204, b"")
    else:
        assert created.json()["created"] is True
        assert updated.status_code == 200
        assert updated.json() == {"id": created.json()["id"], "success": True, "errors": [], "created": False}


def test_upsert_that_must_not_create(tagged: Api) -> None:
    path = "sobjects/Account/Ext__c/A-1?updateOnly=true"
    assert tagged("PATCH", path, json={"Name": "One"}).status_code == 404
    tagged.create("Account", Name="One", Ext__c="A-1")
    assert tagged("PATCH", path, json={"Name": "Two"}).status_code == 200


def test_several_matches_are_listed(tagged: Api) -> None:
    ids = [tagged.create("Account", Name=name, Ext__c="same") for name in ("One", "Two")]
    for method in ("GET", "PATCH"):
        response = tagged(method, "sobjects/Account/Ext__c/same", json={} if method == "PATCH" else None)
        assert response.status_code == 300
        assert sorted(response.json()) == sorted(f"/services/data/v68.0/sobjects/Account/{one}" for one in ids)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    # A path has no segments named . or ..: every client resolves them before it sends.
    value=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=60).filter(
        lambda value: value not in (".", "..")
    )
)
def test_any_external_id_survives_the_path(tagged: Api, value: str) -> None:
    path = f"sobjects/Account/Ext__c/{quote(value, safe='')}"
    saved = tagged("PATCH", path, json={"Name": "Found"})
    assert saved.status_code in (200, 201), saved.text
    assert tagged("GET", path).json()["Ext__c"] == value
    assert tagged("DELETE", path).status_code == 204
    assert tagged("GET", path).status_code == 404


def test_reading_only_what_has_changed(local_org: LocalOrg, api: Api) -> None:
    path = f"sobjects/Contact/{api.create('Contact', LastName='Curie')}"
    modified = api("GET", path).headers["Last-Modified"]
    assert api("GET", path, headers={"If-Modified-Since": modified}).status_code == 304
    assert api("GET", path, headers={"If-Unmodified-Since": modified}).status_code == 200
    local_org.clock.advance(minutes=1)
    assert api("PATCH", path, json={"LastName": "Sklodowska"}).status_code == 204
    assert api("GET", path, headers={"If-Modified-Since": modified}).json()["LastName"] == "Sklodowska"
    assert api("GET", path, headers={"If-Unmodified-Since": modified}).status_code == 412
    assert api("GET", path, headers={"If-Modified-Since": "yesterday"}).status_code == 200


def test_writing_only_what_has_not_changed(local_org: LocalOrg, api: Api) -> None:
    path = f"sobjects/Contact/{api.create('Contact', LastName='Curie')}"
    modified = api("GET", path).headers["Last-Modified"]
    unchanged = {"If-Unmodified-Since": modified}
    assert api("PATCH", path, json={"FirstName": "Marie"}, headers=unchanged).status_code == 204
    local_org.clock.advance(minutes=1)
    assert api("PATCH", path, json={"FirstName": "Maria"}).status_code == 204
    refused = api("PATCH", path, json={"FirstName": "Lost"}, headers=unchanged)
    assert refused.status_code == 412
    assert api("GET", path).json()["FirstName"] == "Maria"
    nonsense = api("PATCH", path, json={}, headers={"If-Unmodified-Since": "yesterday"})
    assert nonsense.status_code == 400


def test_accounts_have_entity_tags(api: Api) -> None:
    path = f"sobjects/Account/{api.create('Account', Name='Tagged')}"
    tag = api("GET", path, headers={"Accept-Encoding": "identity"}).headers["ETag"]
    packed = api("GET", path, headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    assert packed == f'{tag[:-1]}--gzip"'
    assert api("GET", path, headers={"If-None-Match": f'"other", {tag}'}).status_code == 304
    assert api("GET", path, headers={"If-Match": '"other"'}).status_code == 412
    assert api("PATCH", path, json={"Name": "New"}, headers={"If-Match": packed}).status_code == 204
    assert api("PATCH", path, json={"Name": "Newer"}, headers={"If-Match": tag}).status_code == 412


def test_deleted_and_updated(local_org: LocalOrg, api: Api) -> None:
    kept, gone = (api.create("Account", Name=name) for name in ("Kept", "Gone"))
    api("DELETE", f"sobjects/Account/{gone}")
    now = local_org.clock()
    window = {
        "start": (now - datetime.timedelta(hours=1)).isoformat(timespec="seconds"),
        "end": (now + datetime.timedelta(minutes=2)).isoformat(timespec="seconds"),
    }
    assert kept in api("GET", "sobjects/Account/updated", params=window).json()["ids"]
    deleted = api("GET", "sobjects/Account/deleted", params=window).json()
    assert [entry["id"] for entry in deleted["deletedRecords"]] == [gone]
    for start in ("yesterday", "2026-01-01T00:00:00", "9999-12-31T23:59:59-14:00"):
        assert api("GET", "sobjects/Account/deleted", params={**window, "start": start}).status_code == 400


# Queries


@pytest.fixture
def many(api: Api) -> Iterator[Api]:
    for start in range(0, 600, 200):
        records = [{"attributes": {"type": "Account"}, "Name": f"A{number:04}"} for number in range(start, start + 200)]
        assert all(item["success"] for item in api("POST", "composite/sobjects", json={"records": records}).json())
    return api


def test_a_query(api: Api) -> None:
    record_id = api.create("Account", Name="O'Neil & Söhne")
    for path in ("query", "query/"):
        answer = api("GET", path, params={"q": "SELECT Id, Name FROM Account WHERE Name LIKE 'O\\'Neil%'"}).json()
        assert (answer["totalSize"], answer["done"]) == (1, True)
        assert answer["records"] == [
            {
                "attributes": {"type": "Account", "url": f"/services/data/v68.0/sobjects/Account/{record_id}"},
                "Id": record_id,
                "Name": "O'Neil & Söhne",
            }
        ]


@pytest.mark.parametrize(("asked", "size"), [("batchSize=200", 200), ("batchSize=250", 250), ("batchSize=1", 200)])
def test_pages_of_a_query(many: Api, asked: str, size: int) -> None:
    page = many(
        "GET", "query", params={"q": "SELECT Name FROM Account ORDER BY Name"}, headers={"Sforce-Query-Options": asked}
    ).json()
    sizes, names = [], []
    while True:
        assert page["totalSize"] == 600
        sizes.append(len(page["records"]))
        names += [record["Name"] for record in page["records"]]
        if page["done"]:
            break
        page = many("GET", page["nextRecordsUrl"]).json()
    assert "nextRecordsUrl" not in page
    assert set(sizes[:-1]) == {size}
    assert names == [f"A{number:04}" for number in range(600)]


def test_a_locator_that_never_was(api: Api) -> None:
    response = api("GET", "query/0r8000000000000AAA-2000")
    assert response.status_code == 400
    assert errors(response)[0][0] == "INVALID_QUERY_LOCATOR"


def test_query_all_sees_what_is_deleted(api: Api) -> None:
    record_id = api.create("Account", Name="Gone")
    api("DELETE", f"sobjects/Account/{record_id}")
    soql = {"q": "SELECT Id FROM Account WHERE Name = 'Gone'"}
    assert api("GET", "query", params=soql).json()["totalSize"] == 0
    assert api("GET", "queryAll", params=soql).json()["totalSize"] == 1


@pytest.mark.parametrize("soql", ["", "SELECT", "SELECT Id FROM", "DROP TABLE Account"])
def test_a_query_that_is_none(api: Api, soql: str) -> None:
    response = api("GET", "query", params={"q": soql})
    assert response.status_code == 400
    assert errors(response)[0][0] == "MALFORMED_QUERY"


def test_a_query_of_an_object_that_is_not_there(api: Api) -> None:
    response = api("GET", "query", params={"q": "SELECT Xyzzy FROM Xyzzy"})
    [item] = response.json()
    assert (response.status_code, item["errorCode"]) == (400, "INVALID_TYPE")
    assert item["message"] == (
        "\nSELECT Xyzzy FROM Xyzzy\n                  ^\nERROR at Row:1:Column:19\n"
        "sObject type 'Xyzzy' is not supported. If you are attempting to use a custom object, be sure to append the "
        "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
    )
