"""How generated operations read answers, given by a server on a real socket."""

import datetime
import importlib
import json
import pickle

import attrs
import pytest
import requests


@pytest.fixture
def errors(generated):
    return importlib.import_module(f"{generated.__name__}.errors")


def test_a_model_comes_back_without_the_keys_nobody_knows(api, models, client, server):
    server.answer(
        200,
        json.dumps(
            {
                "id": "1",
                "displayName": None,
                "class": "A",
                "createdDate": "2026-01-02T03:04:05.000+0000",
                "dueDate": "2026-02-03",
                "parent": {"id": "0"},
                "parts": [{"id": "2"}],
                "limits": {"Daily": {"Max": 5}},
                "record": {"Name": "Acme"},
                "addedNextRelease": True,
            }
        ).encode(),
    )
    thing = api.things.get_thing.sync("1", client=client)
    assert thing == models.Thing(
        id="1",
        display_name=None,
        class_="A",
        created_date=datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
        due_date=datetime.date(2026, 2, 3),
        parent=models.Thing(id="0"),
        parts=[models.Thing(id="2")],
        limits={"Daily": models.Limit(max=5)},
        record={"Name": "Acme"},
    )


def test_the_detailed_form_adds_status_and_headers(api, client, server):
    server.answer(201, b'{"id": "1", "success": true}')
    response = api.things.upsert_thing.sync_detailed("1", client=client, body={})
    assert (response.status_code, response.parsed.id) == (201, "1")
    assert response.headers["content-type"] == "application/json"
    assert response.raw.content == server.body
    assert "success" not in repr(response)


def test_one_type_or_none_where_an_answer_may_be_empty(api, client, server):
    server.answer(204)
    assert api.things.upsert_thing.sync("1", client=client, body={}) is None


def test_an_operation_without_answer_reads_none(api, client, server):
    server.answer(200, b"<html>done</html>", "text/html")
    assert api.things.delete_thing.sync("1", client=client) is None


def test_lists_and_maps_of_models(api, models, client, server):
    server.answer(200, b'[{"id": "1", "success": true}]')
    assert api.things.create_things.sync(client=client, body=[models.NewThing(name="A")]) == [
        models.Saved(id="1", success=True)
    ]
    assert json.loads(server.last.body) == [{"name": "A"}]
    server.answer(200, b'{"Daily": {"Max": 5, "Remaining": 4, "App": {"Max": 1}}}')
    assert api.org.get_limits.sync(client=client) == {"Daily": models.Limit(max=5, remaining=4)}


@pytest.mark.parametrize("status", [300, 302, 400, 404, 418, 500])
def test_anything_but_a_success_goes_through_the_one_hook(api, client, server, status):
    server.answer(status, b'[{"errorCode": "NOT_FOUND"}]')
    with pytest.raises(requests.HTTPError, match=f"GET /services/apexrest/things/1: {status}") as caught:
        api.things.get_thing.sync("1", client=client)
    assert caught.value.response.json() == [{"errorCode": "NOT_FOUND"}]


def test_the_hook_is_the_transports(generated, api, server):
    class Refused(Exception):
        pass

    def refuse(response: requests.Response) -> None:
        raise Refused(response.status_code)

    module = importlib.import_module(f"{generated.__name__}.client")
    with requests.Session() as session:
        transport = module.Client(server.url, session=session, check=refuse)
        server.answer(200, b"{}")
        for call in (api.org.get_limits.sync, api.org.get_limits.sync_detailed):
            with pytest.raises(Refused, match="200"):
                call(client=transport)
        with pytest.raises(Refused, match="200"):
            api.bulk_jobs.get_batch.sync("1", client=transport)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Thing: expected a JSON object, got NoneType"),
        (b"[]", "Thing: expected a JSON object, got list"),
        (b"{}", "Thing: the answer lacks 'id'"),
        (b'{"id": "1", "parts": {}}', "expected a JSON array, got dict"),
        (b'{"id": "1", "limits": []}', "expected a JSON object, got list"),
        (b'{"id": "1", "createdDate": "soon"}', "expected a date or time in ISO 8601, got 'soon'"),
        (b'{"id": "1", "dueDate": 7}', "expected a date or time in ISO 8601, got 7"),
    ],
)
def test_a_success_of_the_wrong_shape_is_an_error(api, client, server, errors, body, reason):
    server.answer(200, body)
    with pytest.raises(errors.ParseError, match=reason):
        api.things.get_thing.sync("1", client=client)


def test_a_plain_list_is_checked_too(api, client, server, errors):
    server.answer(200, b'["a"]')
    assert api.things.list_names.sync(client=client) == ["a"]
    server.answer(200, b"{}")
    with pytest.raises(errors.ParseError, match="expected a JSON array, got dict"):
        api.things.list_names.sync(client=client)


def test_csv_is_streamed_as_bytes(api, client, server):
    rows = "Name\nZürich\n".encode()
    server.answer(200, rows, "text/csv")
    with api.bulk_jobs.get_batch.sync("1", client=client) as response:
        assert not response._content_consumed
        assert b"".join(response.iter_content(3)) == rows


def test_bytes_are_streamed(api, client, server):
    server.answer(200, bytes(range(256)), "application/octet-stream")
    with api.bulk_jobs.get_blob.sync("1", client=client) as response:
        assert not response._content_consumed
        assert response.raw.read() == bytes(range(256))


def test_a_model_leaves_out_what_is_unset_and_sends_null(models):
    due = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    thing = models.NewThing(name="A", kind="not yet known", due=due, record={"x": None})
    assert thing.to_dict() == {
        "name": "A",
        "kind": "not yet known",
        "due": "2026-01-02T00:00:00+00:00",
        "record": {"x": None},
    }
    assert models.Thing(id="1", display_name=None).to_dict() == {"id": "1", "displayName": None}


def test_a_model_survives_the_round_trip(models):
    data = {"id": "1", "parent": {"id": "0", "dueDate": "2026-02-03"}, "parts": [None, {"id": "2"}], "limits": None}
    assert models.Thing.from_dict(data).to_dict() == data


def test_a_body_of_the_wrong_class_is_refused(api):
    with pytest.raises(TypeError, match="expected an instance of NewThing, got dict"):
        api.things.create_things.build(body=[{"name": "A"}])


def test_models_are_values(models):
    limit = models.Limit(max=1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        limit.max = 2
    assert limit == models.Limit(max=1)
    assert limit != models.Limit(max=2)
    assert limit != models.Saved(id="1", success=True)
    assert pickle.loads(pickle.dumps(limit)) == limit  # noqa: S301


def test_a_repr_shows_neither_secrets_nor_records(models):
    assert repr(models.NewPassword(password="hunter2")) == "NewPassword(password=***)"
    thing = models.Thing(id="1", record={"Name": "secret"}, parts=[models.Thing(id="secret")])
    assert repr(thing) == "Thing(id='1', parts=<list>, record=<dict>)"


def test_unset_is_false_and_says_its_name(generated):
    types = importlib.import_module(f"{generated.__name__}.types")
    assert not types.UNSET
    assert repr(types.UNSET) == "UNSET"
