"""What generated operations put on the wire, seen by a server on a real socket."""

import datetime
import email
import io
from email.policy import HTTP
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

THING = b'{"id": "1"}'
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text not in {".", ".."})


def test_lists_are_joined_by_commas_or_repeated_as_the_spec_says(api, client, server):
    server.answer(200, THING)
    api.things.get_thing.sync("1", client=client, fields=["A", "B"], tag=["x", "y"])
    assert urlsplit(server.last.target).query == "fields=A,B&tag=x&tag=y"


def test_one_string_is_a_list_of_one(api):
    assert api.things.get_thing.build("1", fields="Name", tag="abc").params == (("fields", "Name"), ("tag", "abc"))


def test_booleans_are_lower_case_in_query_and_header(api, client, server):
    server.answer(200, THING)
    api.things.get_thing.sync("1", client=client, all=True, sforce_auto_assign=False)
    assert urlsplit(server.last.target).query == "all=true"
    assert server.last.headers["sforce-auto-assign"] == "false"


def test_path_segments_are_quoted(api, client, server):
    server.answer(200, THING)
    api.things.get_thing.sync("001/a b+ü%2F", client=client)
    assert server.last.target == "/services/apexrest/things/001%2Fa%20b%2B%C3%BC%252F"


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(segment=TEXTS, name=TEXTS)
def test_any_text_arrives_as_it_was_given(api, client, server, segment, name):
    server.answer(200, THING)
    api.things.get_thing.sync(segment, client=client, from_=name)
    arrived = urlsplit(server.last.target)
    assert [unquote(part) for part in arrived.path.split("/")[3:]] == ["things", segment]
    assert parse_qsl(arrived.query, keep_blank_values=True) == [("from", name)]


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_a_segment_that_would_change_the_path_is_refused(api, segment):
    with pytest.raises(ValueError, match=r"thing_id: .* cannot be a segment"):
        api.things.get_thing.build(segment)


def test_arguments_left_out_are_not_sent(api, client, server):
    server.answer(200, THING)
    api.things.get_thing.sync("1", client=client)
    assert server.last.target == "/services/apexrest/things/1"
    assert "sforce-auto-assign" not in server.last.headers


def test_times_carry_their_zone(api):
    since = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    request = api.things.get_thing.build("1", since=since, day=datetime.date(2026, 1, 2))
    assert (
        request.target("68.0") == "/services/apexrest/things/1?since=2026-01-02T03%3A04%3A05%2B00%3A00&day=2026-01-02"
    )


def test_a_naive_time_is_refused(api):
    with pytest.raises(ValueError, match="has no time zone"):
        api.things.get_thing.build("1", since=datetime.datetime(2026, 1, 2))


def test_an_empty_list_is_refused(api):
    with pytest.raises(ValueError, match="fields: the list is empty"):
        api.things.get_thing.build("1", fields=[])


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ü", "\x00"])
def test_a_header_that_http_cannot_carry_is_refused(api, value):
    with pytest.raises(ValueError, match=r"Content-Encoding: .*printable ASCII"):
        api.bulk_jobs.upload_batch.build("1", body=b"", content_encoding=value)


def test_an_argument_that_is_no_text_is_refused(api):
    with pytest.raises(TypeError, match="thing_id: cannot be sent as text: dict"):
        api.things.get_thing.build({"id": 1})


def test_names_are_those_of_the_spec_in_snake_case(api, client, server):
    server.answer(200, b"[]")
    api.things.list_names.sync(client=client, sobjects=["Account", "Lead"], level=3)
    assert urlsplit(server.last.target).query == "sObjects=Account,Lead&level=3"


def test_an_unknown_enum_value_passes_through(api, models, client, server):
    server.answer(200, THING)
    api.things.get_thing.sync("1", client=client, format="from-the-next-release")
    assert urlsplit(server.last.target).query == "format=from-the-next-release"
    server.answer(200, b"[]")
    api.things.create_things.sync(client=client, body=[models.NewThing(name="A", kind="from-the-next-release")])
    assert server.last.body == b'[{"name": "A", "kind": "from-the-next-release"}]'


def test_the_server_of_the_path_beats_that_of_the_spec(api):
    assert api.things.get_thing.build("1").server == "/services/apexrest"
    assert api.org.get_limits.build().server == "/services/data/v{version}"


def test_the_version_is_the_transports(api, client, server):
    client.api_version = "61.0"
    api.org.get_limits.sync(client=client)
    assert server.last.target == "/services/data/v61.0/limits"


def test_idempotent_as_the_method_or_the_spec_says(api):
    assert api.things.get_thing.build("1").idempotent
    assert api.things.delete_thing.build("1").idempotent
    assert api.things.upsert_thing.build("1", body={}).idempotent
    assert not api.things.create_things.build(body=[]).idempotent
    assert not api.bulk_jobs.upload_batch.build("1", body=b"").idempotent


def test_free_form_json_is_sent_as_it_is(api, client, server):
    server.answer(204)
    record = {"Name": "Ü", "Nothing": None}
    assert api.things.upsert_thing.build("1", body=record).json is record
    api.things.upsert_thing.sync("1", client=client, body=record)
    assert server.last.headers["content-type"] == "application/json"
    assert server.last.body == b'{"Name": "\\u00dc", "Nothing": null}'


def test_null_is_a_body_and_unset_is_none(api, client, server):
    server.answer(204)
    api.things.upsert_thing.sync("1", client=client, body=None)
    assert server.last.body == b"null"
    api.org.set_password.sync(client=client)
    assert server.last.body == b""
    assert "content-type" not in server.last.headers


@pytest.mark.parametrize(
    ("body", "framing"),
    [
        (b"Id\n1\n", ("content-length", "5")),
        (io.BytesIO(b"Id\n1\n"), ("content-length", "5")),
        (iter([b"Id\n", b"1\n"]), ("transfer-encoding", "chunked")),
    ],
    ids=["bytes", "file", "iterator"],
)
def test_csv_is_uploaded_untouched(api, client, server, body, framing):
    server.answer(201)
    assert api.bulk_jobs.upload_batch.sync("7", client=client, body=body, content_encoding="identity") is None
    name, value = framing
    assert server.last.method == "PUT"
    assert server.last.body == b"Id\n1\n"
    assert server.last.headers["content-type"] == "text/csv"
    assert server.last.headers["content-encoding"] == "identity"
    assert server.last.headers[name] == value


def test_a_file_on_disk_is_uploaded_with_its_length(api, client, server, tmp_path):
    server.answer(201)
    path = tmp_path / "rows.csv"
    path.write_bytes(b"Id\n1\n")
    with path.open("rb") as rows:
        api.bulk_jobs.upload_batch.sync("7", client=client, body=rows)
    assert server.last.headers["content-length"] == "5"
    assert server.last.body == b"Id\n1\n"


def test_a_request_shows_no_values(api):
    request = api.things.get_thing.build("1", from_="secret")
    assert "secret" not in repr(request)
    assert "secret" not in repr(api.things.upsert_thing.build("1", body={"Name": "secret"}))


@pytest.mark.parametrize("kind", ["text/csv", "application/json", "zip/csv", "text/csv; charset=UTF-8"])
def test_bytes_go_under_the_content_type_that_the_caller_chooses(lorry_api, client, server, kind):
    server.answer(201)
    lorry_api.lorries.load_lorry.sync("1", client=client, body=b"\x00[]", content_type=kind)
    assert (server.last.headers["content-type"], server.last.body) == (kind, b"\x00[]")


def test_a_content_type_to_choose_is_no_default(lorry_api):
    with pytest.raises(TypeError, match="content_type"):
        lorry_api.lorries.load_lorry.build("1", body=b"")


LOAD = b'--"\r\n\r\n\x00\xff\r\n--'


def test_a_body_in_several_parts(lorry_api, lorry_models, client, server):
    server.answer(201)
    lorry = lorry_models.Lorry(id="\xe9", count=3)
    lorry_api.lorries.create_lorry.sync(client=client, lorry=lorry, load=LOAD, photo=b"")
    kind = server.last.headers["content-type"]
    message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + server.last.body, policy=HTTP)
    parts = [
        (
            part["content-disposition"].params.get("name"),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]
    assert parts == [
        ("lorry", None, "application/json", b'{"id": "\\u00e9", "count": 3}'),
        ("load", "load", "text/csv", LOAD),
        ("photo", "photo", "application/octet-stream", b""),
    ]
    assert int(server.last.headers["content-length"]) == len(server.last.body)


def test_the_same_parts_make_the_same_body(lorry_api, lorry_models):
    lorry = lorry_models.Lorry(id="1")
    first, again = (lorry_api.lorries.create_lorry.build(lorry=lorry, load=LOAD, photo=b"") for _ in range(2))
    other = lorry_api.lorries.create_lorry.build(lorry=lorry, load=b"", photo=LOAD)
    assert (first.content, first.headers) == (again.content, again.headers)
    assert first.headers != other.headers


@pytest.mark.parametrize("load", ["text", io.BytesIO(b"file"), None])
def test_a_part_that_is_not_bytes_is_refused(lorry_api, lorry_models, load):
    with pytest.raises(TypeError, match=r"load: expected bytes, got \w+"):
        lorry_api.lorries.create_lorry.build(lorry=lorry_models.Lorry(id="1"), load=load, photo=b"")
