"""Answers that Salesforce gave, through our client: nothing of them may be lost or changed."""

import json
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

import attrs
import pytest
from recordings import SCRUBBED, Exchange, Recordings
from replay import Replay
from sfconnector_generated.rest import models
from sfconnector_generated.rest.api.collections import create_records, update_records, upsert_records
from sfconnector_generated.rest.api.composite import send_composite
from sfconnector_generated.rest.api.org import get_record_counts
from sfconnector_generated.rest.api.sobjects import describe_global, describe_sobject, get_sobject_info

from sfconnector import Retry, Salesforce, auth, errors
from sfconnector._composite import CompositeRequest
from sfconnector.errors import ErrorDetail

Check = Callable[[Salesforce, Exchange], None]


def replayed(exchanges: Iterable[Exchange], check: Check) -> int:
    """Let a check make the request of each exchange; tell how many there were."""
    count = 0
    for version, group in groupby(sorted(exchanges, key=lambda each: each.version), lambda each: each.version):
        members = list(group)
        with Replay(members) as server:
            login = auth.AccessToken(server.url, "token")
            api_version = "68.0" if version == SCRUBBED else version
            with Salesforce(login, api_version=api_version, retry=Retry(attempts=1)) as sf:
                for exchange in members:
                    check(sf, exchange)
                    count += 1
    return count


def is_json(exchange: Exchange) -> bool:
    """Tell real bodies from those that a recorder filled with words."""
    return exchange.body.lstrip()[:1] in "[{"


def test_queries(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        data = exchange.data
        query = sf.query(exchange.params["q"])
        assert query.total_size == data["totalSize"], exchange.id
        assert list(query) == data["records"], exchange.id

    assert replayed(recordings.of("query", status=200), check) > 60


def test_refused_queries(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        with pytest.raises(errors.BadRequestError) as caught:
            list(sf.query(exchange.params["q"]))
        error = caught.value
        assert error.errors == tuple(ErrorDetail(each["errorCode"], each["message"]) for each in exchange.data)
        assert error.code == "INVALID_TYPE"
        assert "ERROR at Row:1:Column:" in str(error)
        # The message quotes the query, which may hold data.
        assert exchange.params["q"].strip() not in str(error)

    assert replayed(recordings.of("query", status=400), check) == 2


def test_descriptions_of_objects(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        described = sf.sobject(exchange.resource[1]).describe()
        data = exchange.data
        assert described.name == exchange.resource[1]
        assert [(field.name, field.type) for field in described.fields] == [
            (field["name"], field["type"]) for field in data["fields"]
        ], exchange.id
        assert described.to_dict() == data, exchange.id

    found = [each for each in recordings.of("describe.sobject", status=200) if is_json(each)]
    assert replayed(found, check) == 16


def test_descriptions_of_orgs(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        described = sf.describe()
        assert [each.name for each in described.sobjects] == [each["name"] for each in exchange.data["sobjects"]]
        assert described.to_dict() == exchange.data, exchange.id

    found = [each for each in recordings.of("describe.global", status=200) if is_json(each)]
    assert replayed(found, check) == 1


def test_a_success_that_is_not_json(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        with pytest.raises(errors.InvalidResponseError, match="JSON was expected"):
            sf.sobject("Account").describe() if exchange.category == "describe.sobject" else sf.describe()

    words = [each for each in recordings.of("describe.sobject", "describe.global", status=200) if not is_json(each)]
    assert replayed(words, check) == 3


def test_record_counts(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        counts = get_record_counts.sync(client=sf.api, sobjects=exchange.params["sObjects"].split(","))
        assert [(each.name, each.count) for each in counts.sobjects] == [
            (each["name"], each["count"]) for each in exchange.data["sObjects"]
        ], exchange.id

    assert replayed(recordings.of("limits.recordCount"), check) > 10


def test_created_records(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        saved = sf.sobject(exchange.resource[1]).create(json.loads(exchange.request_body))
        assert (saved.id, saved.success, saved.errors) == (exchange.data["id"], True, ())

    assert replayed(recordings.of("sobject.create"), check) == 5


def test_records_by_id(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        _, sobject, record_id = exchange.resource
        assert sf.sobject(sobject).get(record_id) == exchange.data, exchange.id

    assert replayed(recordings.of("sobject.get"), check) == 3


def test_composite_requests(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        answer = send_composite.sync(client=sf.api, body=models.CompositeRequest.from_dict(exchange.sent))
        assert answer.to_dict() == exchange.data, exchange.id
        assert [(each.reference_id, each.http_status_code) for each in answer.composite_response] == [
            (each["referenceId"], each["httpStatusCode"]) for each in exchange.data["compositeResponse"]
        ], exchange.id

    assert replayed(recordings.of("composite", status=200), check) == 10


def test_composite_requests_by_their_verbs(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        wanted = exchange.data["compositeResponse"]
        composite = sf.composite.request()
        for each in exchange.sent["compositeRequest"]:
            add(composite, each["url"], each["referenceId"])
        results = composite.send(raise_on_failure=False)
        assert [(result.subrequest.reference_id, result.status, result.body) for result in results] == [
            (each["referenceId"], each["httpStatusCode"], each["body"]) for each in wanted
        ], exchange.id
        for result in results:
            if result.success:
                assert result.status == 304 or results[result.subrequest] is not None
            else:
                [error] = result.body
                assert (result.errors[0].code, result.errors[0].message) == (error["errorCode"], error["message"])
                with pytest.raises(errors.RecordError, match=error["errorCode"]):
                    results[result.subrequest]

    def add(composite: CompositeRequest, url: str, name: str) -> None:
        path, _, query = url.partition("?q=")
        if query:
            composite.query(query, reference_id=name)
        elif path.endswith("/sobjects"):
            composite.add(describe_global.build(), reference_id=name)
        elif path.endswith("/describe"):
            composite.add(describe_sobject.build(path.split("/")[-2]), reference_id=name)
        else:
            composite.add(get_sobject_info.build(path.split("/")[-1]), reference_id=name)

    # Whoever edited one recording by hand left the answers to more requests than it has.
    whole = {
        each.id: each
        for each in recordings.of("composite", status=200)
        if len(each.sent["compositeRequest"]) == len(each.data["compositeResponse"])
    }
    # Spaces stood in recorded URLs as they were; what our client sends is asserted elsewhere.
    exchanges = [attrs.evolve(each, request_body="") for each in whole.values()]
    assert replayed(exchanges, lambda sf, each: check(sf, whole[each.id])) == 9


def test_a_failed_composite_request(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        body = models.CompositeRequest.from_dict(json.loads(exchange.request_body))
        with pytest.raises(errors.ServerError) as caught:
            send_composite.sync(client=sf.api, body=body)
        assert (caught.value.status, caught.value.errors) == (500, ())
        assert str(caught.value) == "POST /composite: 500 Internal Server Error"

    assert replayed(recordings.of("composite", status=500), check) == 1


def test_collections(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        body = models.RecordsRequest.from_dict(json.loads(exchange.request_body))
        saved: list[Any]
        if exchange.method == "POST":
            saved = create_records.sync(client=sf.api, body=body)
        elif len(exchange.resource) == 2:
            saved = update_records.sync(client=sf.api, body=body)
        else:
            saved = upsert_records.sync(*exchange.resource[2:], client=sf.api, body=body)
        assert [each.to_dict() for each in saved] == exchange.data, exchange.id
        assert len(saved) == len(body.records), exchange.id

    assert replayed(recordings.of("composite.collections"), check) > 20


def test_collections_as_many_records(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        body = json.loads(exchange.request_body)
        records, all_or_none = body["records"], body["allOrNone"]
        if exchange.method == "POST":
            results = sf.create_many(records, all_or_none=all_or_none)
        elif len(exchange.resource) == 2:
            results = sf.update_many(records, all_or_none=all_or_none)
        else:
            name, field = exchange.resource[2:]
            results = sf.sobject(name).upsert_many(field, records, all_or_none=all_or_none)
        new = exchange.method == "POST"
        for result, record, answer in zip(results, records, exchange.data, strict=True):
            assert (result.id, result.success) == (answer["id"], answer["success"]), exchange.id
            assert (result.record, result.created) == (record, answer.get("created", new)), exchange.id

    # An upsert by an Id that is null creates; of that kind upsert_many takes none, since it could not be repeated.
    collections = recordings.of("composite.collections")
    repeatable = [each for each in collections if each.resource[-1] != "Id" or '"Id": null' not in each.request_body]
    assert replayed(repeatable, check) > 15


def test_resources_without_an_operation(recordings: Recordings) -> None:
    def check(sf: Salesforce, exchange: Exchange) -> None:
        path = "/".join(["/services/data", f"v{sf.api_version}", *exchange.resource])
        body = {"json": json.loads(exchange.request_body)} if exchange.request_body else {}
        response = sf.request(exchange.method, path, params=exchange.params, **body)
        assert (response.status_code, response.json()) == (exchange.status, exchange.data), exchange.id

    assert replayed(recordings.of("tooling", "other"), check) == 20


def test_usage_is_read_from_any_answer_that_tells_it(recordings: Recordings) -> None:
    def limit_info(exchange: Exchange) -> str:
        return next((value for name, value in exchange.headers.items() if name.lower() == "sforce-limit-info"), "")

    def check(sf: Salesforce, exchange: Exchange) -> None:
        list(sf.query(exchange.params["q"]))
        assert sf.usage is not None
        assert f"api-usage={sf.usage.api_used}/{sf.usage.api_limit}" == limit_info(exchange)

    telling = [each for each in recordings.of("query", status=200) if limit_info(each)]
    assert replayed(telling, check) > 5


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("resources/account_desc.json", models.DescribeSObjectResult),
        ("resources/sobjects.json", models.DescribeGlobalResult),
        ("resources/account.json", models.SObjectInfo),
        ("resources/account2.json", models.SObjectInfo),
        ("resources/userDetails.json", models.UserInfo),
        ("write/user-info.json", models.UserInfo),
        ("matrix_basic.json", models.ReportResult),
        ("matrix_complex.json", models.ReportResult),
        ("summary_basic_single_group.json", models.ReportResult),
        ("tabular_basic.json", models.ReportResult),
        ("test/create-ok.json", models.SaveResult),
        ("test/success-with-errors.json", models.SaveResult),
        ("test/read-list-contacts.json", models.QueryResult),
        ("test/read-list-leads.json", models.QueryResult),
        ("test/read-opportunity-with-account.json", models.QueryResult),
        ("test/read-opportunity-with-contacts.json", models.QueryResult),
        ("metadata/write/permission-set.json", models.QueryResult),
        ("camel:composite_response_example_failure.json", models.CompositeResponse),
        ("metadata/read/accounts-sampled.json", models.CompositeResponse),
    ],
)
def test_models_hold_whole_bodies(recordings: Recordings, name: str, model: Any) -> None:
    data = json.loads(recordings.body(name))
    assert model.from_dict(data).to_dict() == data


def test_described_objects_inside_composite_answers(recordings: Recordings) -> None:
    for name in ("accounts-sampled", "custom-object-with-custom-fields", "organization-sampled"):
        for answer in json.loads(recordings.body(f"metadata/read/{name}.json"))["compositeResponse"]:
            described = models.DescribeSObjectResult.from_dict(answer["body"])
            assert described.to_dict() == answer["body"], name


def test_versions(recordings: Recordings) -> None:
    data = json.loads(recordings.body("resources/versions.json"))
    assert [models.Version.from_dict(entry).to_dict() for entry in data] == data
