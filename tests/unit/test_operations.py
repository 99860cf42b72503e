"""Every operation of every description, on a real socket: what it sends and how it reads what comes back.

What is expected is made from the descriptions alone, so an operation that is added there is tested here.
"""

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import HTTP
from types import ModuleType
from typing import Any, get_args
from urllib.parse import parse_qsl, quote
from xml.etree import ElementTree

import attrs
import pytest
from http_server import Reply, Seen, Server
from sfconnector_generated import API_VERSION
from sfconnector_generated.client import Client, Transport
from spec_reader import SPECS, Node, Operation, Spec
from spec_values import Extent, Values, squash

from sfconnector import Salesforce, auth

MULTIPART = "multipart/form-data"
RAW = b"Id,Name\n1,\xc3\xa9\n\x00\xff"
"""A body that is no JSON."""


@attrs.frozen
class Case:
    """An operation of the description ``api``, which has a generated package of that name."""

    api: str
    operation: Operation

    @property
    def module(self) -> ModuleType:
        (tag,) = self.operation.node["tags"]
        return importlib.import_module(f"sfconnector_generated.{self.api}.api.{tag}.{self.operation.id}")

    @property
    def values(self) -> Values:
        return Values(self.operation.document, importlib.import_module(f"sfconnector_generated.{self.api}.models"))


SPEC_OF = {path.stem: Spec(path.read_text(encoding="utf-8")) for path in SPECS}
CASES = [Case(api, operation) for api, spec in SPEC_OF.items() for operation in spec.operations]
of_every_operation = pytest.mark.parametrize("case", [pytest.param(c, id=f"{c.api}-{c.operation.id}") for c in CASES])


@contextmanager
def plainly(server: Server) -> Iterator[Transport]:
    yield Client(server.url)


@contextmanager
def through_the_client(server: Server) -> Iterator[Transport]:
    with Salesforce(auth.AccessToken(server.url, "x")) as sf:
        yield sf.api


over_every_transport = pytest.mark.parametrize("connect", [plainly, through_the_client])
Connect = Callable[[Server], Any]


@attrs.define
class Call:
    """The arguments of a call, and what they must become."""

    arguments: dict[str, Any] = attrs.field(factory=dict)
    path: str = ""
    query: list[tuple[str, str]] = attrs.field(factory=list)
    headers: dict[str, str] = attrs.field(factory=dict)
    body: Any = b""

    @classmethod
    def of(cls, case: Case, *, optional: bool) -> "Call":
        """Make a value for every argument, or for those only that are required."""
        operation, values, call = case.operation, case.values, cls()
        template = operation.server.replace("{version}", API_VERSION) + operation.path
        for each in operation.parameters:
            if each.get("required") or optional:
                wire = values.wire(each["schema"])
                call.arguments[each["name"]] = values.python(each["schema"], wire)
                match each["in"]:
                    case "path":
                        template = template.replace(f"{{{each['name']}}}", quote(written(wire), safe=""))
                    case "query":
                        call.query += queried(each, wire)
                    case "header":
                        # HTTP carries ASCII only.
                        call.arguments[each["name"]] = sent = written(wire).replace("é", "e")
                        call.headers[each["name"].lower()] = sent
                    case place:
                        raise AssertionError(f"{operation.id}: parameters in a {place} are not tested")
        if operation.body and (operation.body.get("required") or optional):
            call._fill(operation, values)
        return attrs.evolve(call, path=template)

    def _fill(self, operation: Operation, values: Values) -> None:
        kinds = operation.body["content"]
        kind, schema = [(kind, each["schema"]) for kind, each in kinds.items()][-1]
        self.headers["content-type"] = kind
        if kind == MULTIPART:
            self.body = {name: value(values, part) for name, part in schema["properties"].items()}
            self.arguments |= {
                name: values.python(schema["properties"][name], each) for name, each in self.body.items()
            }
            return
        self.body = value(values, schema)
        self.arguments["body"] = values.python(schema, self.body)
        if len(kinds) > 1:
            self.arguments["content_type"] = kind

    def named_as_in(self, function: Callable[..., Any]) -> dict[str, Any]:
        """The arguments by the names that the function gives them."""
        names = {squash(name): name for name in inspect.signature(function).parameters}
        return {names[squash(name)]: value for name, value in self.arguments.items()}


def value(values: Values, schema: Node) -> Any:
    """A value for the wire: bytes, or one for JSON."""
    return RAW if schema.get("format") == "binary" else values.wire(schema)


def written(wire: Any) -> str:
    """A scalar as it stands in URLs and headers."""
    return str(wire).lower() if isinstance(wire, bool) else str(wire)


def queried(parameter: Node, wire: Any) -> list[tuple[str, str]]:
    """The pairs that a parameter adds to the query."""
    assert parameter.get("style", "form") == "form"
    items = [written(item) for item in wire] if isinstance(wire, list) else [written(wire)]
    return [(parameter["name"], each) for each in (items if parameter.get("explode", True) else [",".join(items)])]


def is_json(kind: str) -> bool:
    return kind == "application/json"


def successes(operation: Operation) -> list[tuple[int, str, Node | None]]:
    """Status, content type and schema of every success; one without a body has neither."""
    found: list[tuple[int, str, Node | None]] = []
    for status, answer in operation.answers.items():
        if status.startswith("2"):
            kinds = answer.get("content") or {"": {"schema": None}}
            found += [(int(status), kind, each["schema"]) for kind, each in kinds.items()]
    return found


def reply(case: Case, status: int, kind: str, schema: Node | None, extent: Extent) -> tuple[Reply, Any]:
    """An answer, and what the operation must make of it."""
    if schema is None:
        return Reply(status, b""), None
    if schema.get("format") == "binary":
        return Reply(status, RAW, {"Content-Type": kind}), RAW
    wire = case.values.wire(schema, extent)
    answer = Reply.of(wire, status) if is_json(kind) else Reply(status, xml("root", wire), {"Content-Type": kind})
    return answer, case.values.python(schema, wire)


def xml(name: str, wire: Any) -> bytes:
    """A value as an XML document; how the API names the items of a list at its root is of no matter."""
    root = ElementTree.Element(f"{{urn:any}}{name}")
    fill(root, {"item": wire} if isinstance(wire, list) else wire)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def fill(element: ElementTree.Element, wire: Any) -> None:
    if wire is None:
        element.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")
    elif isinstance(wire, dict):
        for key, each in wire.items():
            for item in each if isinstance(each, list) else [each]:
                fill(ElementTree.SubElement(element, f"{{urn:any}}{key}"), item)
    else:
        element.text = written(wire)


def made(case: Case, call: Call, client: Transport) -> tuple[int, Any]:
    """Make the call: the status and the value that come back."""
    if hasattr(case.module, "sync_detailed"):
        response = case.module.sync_detailed(client=client, **call.named_as_in(case.module.sync_detailed))
        return response.status_code, response.parsed
    # What is streamed has one form only: the answer itself.
    with case.module.sync(client=client, **call.named_as_in(case.module.sync)) as response:
        return response.status_code, response.content


def sent(case: Case, call: Call, connect: Connect) -> Seen:
    """Make the call: what arrives."""
    with Server([first_answer(case)]) as server, connect(server) as client:
        made(case, call, client)
    (seen,) = server.seen
    return seen


def first_answer(case: Case) -> Reply:
    return reply(case, *successes(case.operation)[0], "least")[0]


@pytest.mark.parametrize("api", SPEC_OF)
def test_every_operation_is_there_and_no_other(api: str) -> None:
    package = importlib.import_module(f"sfconnector_generated.{api}.api")
    modules = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    described = {case.module.__name__ for case in CASES if case.api == api}
    assert {each.name for each in modules if not each.ispkg} == described


@of_every_operation
@over_every_transport
def test_everything_is_sent_as_described(case: Case, connect: Connect) -> None:
    call = Call.of(case, optional=True)
    seen = sent(case, call, connect)
    path, _, query = seen.target.partition("?")
    assert (seen.method, path) == (case.operation.method.upper(), call.path)
    assert sorted(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))) == sorted(call.query)
    assert {name: kind(seen, name) for name in call.headers} == call.headers
    assert_body(seen, call)


@of_every_operation
@over_every_transport
def test_what_is_left_out_is_not_sent(case: Case, connect: Connect) -> None:
    call = Call.of(case, optional=False)
    seen = sent(case, call, connect)
    path, _, query = seen.target.partition("?")
    assert (seen.method, path) == (case.operation.method.upper(), call.path)
    assert sorted(parse_qsl(query, keep_blank_values=True)) == sorted(call.query)
    possible = {each["name"].lower() for each in case.operation.parameters if each["in"] == "header"}
    assert (possible | {"content-type"}) & seen.headers.keys() == call.headers.keys()
    assert_body(seen, call)


def kind(seen: Seen, name: str) -> str | None:
    """A header as it arrived, but for the boundary that a body in several parts makes up."""
    arrived = seen.headers.get(name)
    return MULTIPART if arrived is not None and arrived.startswith(f"{MULTIPART}; boundary=") else arrived


def assert_body(seen: Seen, call: Call) -> None:
    if isinstance(call.body, bytes):
        assert seen.body == call.body
    elif call.headers["content-type"] == MULTIPART:
        head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
        parts = list(message_from_bytes(head + seen.body, policy=HTTP).iter_parts())
        names = [part.get_param("name", header="content-disposition") for part in parts]
        bodies = [(part.get_content_type(), part.get_payload(decode=True)) for part in parts]
        read = [json.loads(body) if is_json(kind) else body for kind, body in bodies]
        assert dict(zip(names, read, strict=True)) == call.body
    else:
        assert json.loads(seen.body) == call.body


@of_every_operation
@over_every_transport
def test_every_success_is_read(case: Case, connect: Connect) -> None:
    call, extents = Call.of(case, optional=False), get_args(Extent)
    answers = [reply(case, *each, extent) for each in successes(case.operation) for extent in extents]
    with Server(answer for answer, _ in answers) as server, connect(server) as client:
        for answer, expected in answers:
            assert made(case, call, client) == (answer.status, expected)
    assert len(server.seen) == len(answers) >= len(extents)


@of_every_operation
def test_a_request_can_be_built_without_being_sent(case: Case) -> None:
    operation, call = case.operation, Call.of(case, optional=True)
    request = case.module.build(**call.named_as_in(case.module.build))
    seen = sent(case, call, plainly)
    assert (request.operation, request.method) == (operation.id, seen.method)
    assert request.target(API_VERSION) == seen.target
    assert request.idempotent is operation.node.get("x-idempotent", operation.method in {"get", "delete"})


@of_every_operation
def test_arguments_are_those_of_the_description(case: Case) -> None:
    described = {squash(each["name"]): bool(each.get("required")) for each in case.operation.parameters}
    if case.operation.body:
        kinds = case.operation.body["content"]
        parts = kinds[MULTIPART]["schema"]["properties"] if MULTIPART in kinds else ["body"]
        names = [*parts, "contenttype"] if len(kinds) > 1 else parts
        described |= dict.fromkeys(names, bool(case.operation.body.get("required")))
    parameters = inspect.signature(case.module.build).parameters.values()
    assert {squash(each.name): each.default is each.empty for each in parameters} == described
