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
        (b'{"id": "1", "parts": [null]}', "Thing: expected a JSON object, got NoneType"),
        (b'{"id": "1", "limits": {"Daily": null}}', "Limit: expected a JSON object, got NoneType"),
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


def test_null_in_a_list_is_read_where_the_spec_has_it(models):
    data = {"id": "1", "holes": [None, {"id": "2"}]}
    thing = models.Thing.from_dict(data)
    assert thing.holes == [None, models.Thing(id="2")]
    assert thing.to_dict() == data


CARRIER = (
    b'<?xml version="1.0"?><info xmlns="urn:a" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id>1</id>'
    b'<count>7</count><share>0.5</share><open>true</open><note xsi:nil="true"/><since>2026-01-02T03:04:05.000Z</since>'
    b"<stop><place>B\xc3\xa9</place><minutes>5</minutes></stop><new>1</new></info>"
)


def test_json_and_xml_say_the_same(lorry_api, lorry_models, client, server):
    expected = lorry_models.Lorry(
        id="1",
        count=7,
        share=0.5,
        open=True,
        note=None,
        since=datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
        stop=[lorry_models.Stop(place="B\xe9", minutes=5)],
    )
    server.answer(200, CARRIER, "application/xml")
    assert lorry_api.lorries.get_lorry.sync("1", client=client) == expected
    told = {"id": "1", "count": 7, "share": 0.5, "open": True, "note": None, "since": "2026-01-02T03:04:05.000+0000"}
    server.answer(200, json.dumps({**told, "stop": [{"place": "B\xe9", "minutes": 5}]}).encode())
    assert lorry_api.lorries.get_lorry.sync("1", client=client) == expected


@pytest.mark.parametrize(
    ("body", "kind", "ids"),
    [
        (b"<ids/>", "application/xml", []),
        (b"<ids><id>1</id></ids>", "application/xml", ["1"]),
        (b'<ids xmlns="urn:a"><id>1</id><id>2</id><id/></ids>', "application/xml;charset=UTF-8", ["1", "2", ""]),
        (b"[]", "application/json", []),
        (b'["1"]', "application/json", ["1"]),
    ],
)
def test_a_list_is_a_list_however_many_there_are(lorry_api, client, server, body, kind, ids):
    server.answer(200, body, kind)
    assert lorry_api.lorries.list_lorries.sync(client=client) == ids


@pytest.mark.parametrize("stops", [0, 1, 2, 3])
def test_so_is_a_list_inside_a_model(lorry_api, lorry_models, client, server, stops):
    stop = b"<stop><place>A</place></stop>"
    server.answer(200, b"<l><id>1</id>" + (stop * stops or b"<stop/>") + b"</l>", "application/xml")
    lorry = lorry_api.lorries.get_lorry.sync("1", client=client)
    assert lorry.stop == [lorry_models.Stop(place="A")] * stops


def test_no_encoding_hides_a_document_type(errors):
    text = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE l [<!ENTITY a "aaa">]><l><id>&a;</id></l>'
    module = importlib.import_module(f"{errors.__name__.partition('.')[0]}._xml")
    with pytest.raises(errors.ParseError, match="without a document type"):
        module.decode(text.encode("utf-16"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<l><id>1</id>", "expected XML: no element found"),
        (b'<!DOCTYPE l [<!ENTITY a "aaa">]><l><id>&a;</id></l>', "expected XML without a document type"),
        (b"<l><id>1</id><count>many</count></l>", "expected int as text, got 'many'"),
        (b"<l><id>1</id><open>yes</open></l>", "expected bool as text, got 'yes'"),
        (b"<l><id>1</id><stop>A</stop></l>", "Stop: expected a JSON object, got str"),
        (b"<l/>", "Lorry: the answer lacks 'id'"),
        (b'{"id": "1", "stop": 3}', "expected a list, got int"),
        (b'{"id": "1", "stop": [null]}', "Stop: expected a JSON object, got NoneType"),
    ],
)
def test_xml_of_the_wrong_shape_is_an_error(lorry_api, client, server, errors, body, reason):
    server.answer(200, body, "application/xml" if body.startswith(b"<") else "application/json")
    with pytest.raises(errors.ParseError, match=reason):
        lorry_api.lorries.get_lorry.sync("1", client=client)


def test_the_page_of_a_proxy_is_the_transports_to_name(lorry_api, client, server):
    server.answer(200, b"<html>Log in</html>", "text/html")
    with pytest.raises(requests.JSONDecodeError):
        lorry_api.lorries.get_lorry.sync("1", client=client)


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
    data = {"id": "1", "parent": {"id": "0", "dueDate": "2026-02-03"}, "parts": [{"id": "2"}], "limits": None}
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
