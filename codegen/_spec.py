"""A spec: validated, held against the rules of ``specs/README.md``, and asked for what the generator leaves out."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit

import attrs
from openapi_spec_validator import OpenAPIV31SpecValidator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from codegen._bump import check_version
from codegen._errors import CodegenError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# What RFC 3986 lets a path hold, and names in braces.
_PATH = re.compile(r"/(?:[\w.~!$&'()*+,;=:@%/-]|\{[^{}/]+\})*", re.ASCII)
# Ten times as many as the largest spec has.
_MOST_NODES = 200_000
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
_MULTIPART = "multipart/form-data"
_EITHER = {"application/json", "application/xml"}
# Not PUT: what it does twice depends on the resource.
_IDEMPOTENT = {"get", "head", "options", "delete"}


@attrs.frozen
class Operation:
    """What a template needs to know of an operation beyond what the generator's parser carries.

    Attributes:
        docs: The documentation page that the operation follows.
        server: The path of the effective server, with ``{version}`` left in.
        idempotent: Whether it may be sent twice.
        repeated: Names of the query parameters whose lists become one parameter for each item.
        streamed: Whether the answer is left to the caller, because JSON cannot hold it.
        xml: Whether the answer is JSON or XML, by what the resource is made of.
        body_types: The content types of the body, of which the caller chooses if there are several.
        parts: Content type of each part of a body in several parts, by name and in order.
        parameter_docs: Descriptions by (name, place); the generator keeps those of the schemas alone.
        body_doc: Description of the request body.
    """

    docs: str
    server: str
    idempotent: bool
    repeated: frozenset[str]
    streamed: bool
    xml: bool
    body_types: tuple[str, ...]
    parts: Mapping[str, str]
    parameter_docs: Mapping[tuple[str, str], str]
    body_doc: str


@attrs.frozen
class Spec:
    """One file of ``specs/``, without a fault.

    Attributes:
        name: The file's stem and the name of the subpackage.
        operations: By operationId.
    """

    name: str
    version: str
    document: dict[str, Any]
    operations: Mapping[str, Operation]

    @property
    def xml(self) -> bool:
        """Whether any answer may be XML, whose values are texts."""
        return any(operation.xml for operation in self.operations.values())


def read_spec(name: str, text: str) -> Spec:
    """Read and check a spec.

    Args:
        name: The file's stem.
        text: The YAML.

    Raises:
        CodegenError: With every fault of the first check that finds one.
    """
    where = f"specs/{name}.yaml"
    try:
        document = YAML(typ="safe").load(text)
        return _checked(name, where, document)
    except YAMLError as error:
        raise CodegenError(where, [f"not YAML: {error}"]) from error
    except RecursionError as error:
        raise CodegenError(where, ["nested too deeply"]) from error


def _checked(name: str, where: str, document: Any) -> Spec:
    if not name.isidentifier() or not isinstance(document, dict):
        raise CodegenError(where, ["expected a mapping, in a file whose name can be that of a package"])
    # In this order: the validator trips over oddities and would fetch foreign references, and the rules need a valid
    # document.
    for check in (_excesses, _oddities, _broken_references, _invalidities, _breaches):
        problems = list(dict.fromkeys(check(document)))
        if problems:
            raise CodegenError(where, problems)
    check_version(f"{where}: info.version", document["info"]["version"])
    operations = {
        operation["operationId"]: _operation(document, item, method, operation)
        for _, item, method, operation in _operations(document)
    }
    return Spec(name, document["info"]["version"], document, operations)


def _operation(document: dict[str, Any], item: dict[str, Any], method: str, operation: dict[str, Any]) -> Operation:
    parameters = _parameters(document, item, operation)
    body = _resolve(document, operation.get("requestBody", {}))
    kinds = _answer_kinds(document, operation)
    xml = kinds == _EITHER
    return Operation(
        docs=operation["externalDocs"]["url"],
        server=server_path(_servers(document, item, operation)[0]["url"]),
        idempotent=operation.get("x-idempotent", method in _IDEMPOTENT),
        repeated=frozenset(
            parameter["name"]
            for parameter in parameters
            if parameter["in"] == "query" and parameter.get("explode", True)
        ),
        streamed=not xml and any(not is_json(kind) for kind in kinds),
        xml=xml,
        body_types=tuple(body.get("content", ())),
        parts=_parts(document, body),
        parameter_docs={(each["name"], each["in"]): each.get("description", "") for each in parameters},
        body_doc=body.get("description", ""),
    )


def _parts(document: dict[str, Any], body: dict[str, Any]) -> Mapping[str, str]:
    media = body.get("content", {}).get(_MULTIPART, {})
    told = {name: each.get("contentType") for name, each in media.get("encoding", {}).items()}
    properties = _resolve(document, media.get("schema", {})).get("properties", {})
    # As OpenAPI has it: bytes are bytes, and everything else is JSON.
    return {
        name: told.get(name) or ("application/octet-stream" if _is_binary(document, schema) else "application/json")
        for name, schema in properties.items()
    }


def _is_binary(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    return bool(_resolve(document, schema).get("format") == "binary")


def server_path(url: str) -> str:
    """The path of a server's URL, variables included."""
    return urlsplit(url).path.rstrip("/")


def is_json(content_type: str) -> bool:
    """Whether a content type is JSON or built on it."""
    essence = content_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str, dict[str, Any]]]:
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield path, item, method, item[method]


def _resolve(document: dict[str, Any], node: Any) -> Any:
    passed = set()
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        if node["$ref"] in passed:
            raise KeyError(node["$ref"])
        passed.add(node["$ref"])
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            target = target[int(key)] if isinstance(target, list) else target[key]
        node = target
    return node


def _servers(document: dict[str, Any], item: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    servers: list[dict[str, Any]] = operation.get("servers") or item.get("servers") or document.get("servers", [])
    return servers


def _parameters(document: dict[str, Any], item: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    nearest_first = [*operation.get("parameters", ()), *item.get("parameters", ())]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for parameter in (_resolve(document, node) for node in nearest_first):
        found.setdefault((parameter["name"], parameter["in"]), parameter)
    return list(found.values())


def _answer_kinds(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    return {
        kind for answer in operation["responses"].values() for kind in _resolve(document, answer).get("content", ())
    }


def _nodes(root: Any) -> Iterator[Any]:
    waiting = [root]
    while waiting:
        yield (node := waiting.pop())
        if isinstance(node, dict | list):
            waiting += reversed([*node, *node.values()] if isinstance(node, dict) else node)


def _excesses(document: dict[str, Any]) -> Iterator[str]:
    if any(True for _ in islice(_nodes(document), _MOST_NODES, None)):
        yield f"more than {_MOST_NODES:,} values; are there aliases of aliases, or one inside its own anchor?"


def _oddities(document: dict[str, Any]) -> Iterator[str]:
    paths = document.get("paths")
    if not isinstance(paths, dict) or not paths:
        yield "describes no operation"
    for path in paths if isinstance(paths, dict) else ():
        if isinstance(path, str) and not _PATH.fullmatch(path):
            yield f"{path!r} is no path; braces enclose names, and what has a meaning in URLs is %-encoded"
    for node in _nodes(document):
        if isinstance(node, dict):
            yield from (f"the key {key!r} is no text; put it in quotes" for key in node if not isinstance(key, str))
        elif isinstance(node, str) and _HALF_A_CHARACTER.search(node):
            yield f"{node!r} holds half of a surrogate pair, which is no character"


def _broken_references(document: dict[str, Any]) -> Iterator[str]:
    for node in _nodes(document):
        reference = node.get("$ref") if isinstance(node, dict) else None
        if not isinstance(reference, str):
            continue
        try:
            if not reference.startswith("#/"):
                yield f"$ref {reference} leaves the file; a spec is self-contained"
            else:
                _resolve(document, node)
        except (KeyError, IndexError, ValueError, TypeError):
            yield f"$ref {reference} leads nowhere"


def _invalidities(document: dict[str, Any]) -> Iterator[str]:
    if not str(document.get("openapi")).startswith("3.1."):
        yield f"openapi is {document.get('openapi')!r}; specs are written in OpenAPI 3.1"
        return
    try:
        found = list(OpenAPIV31SpecValidator(document).iter_errors())
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        yield f"so far from OpenAPI that the validator fails: {error!r}"
        return
    for each in found:
        place = "/".join(str(part) for part in each.absolute_path)
        yield f"{place or 'document'}: {each.message}"


def _breaches(document: dict[str, Any]) -> Iterator[str]:
    yield from _server_breaches("the spec", document.get("servers", []))
    version = document["info"]["version"]
    for server in document.get("servers", []):
        default = server.get("variables", {}).get("version", {}).get("default", version)
        if default != version:
            yield f"info.version is {version}, but the server's version defaults to {default}"
    for path, item, method, operation in _operations(document):
        where = operation.get("operationId") or f"{method.upper()} {path}"
        for problem in _operation_breaches(document, item, operation):
            yield f"{where}: {problem}"


def _server_breaches(where: str, servers: list[dict[str, Any]]) -> Iterator[str]:
    if len(servers) != 1:
        yield f"{where}: expected exactly one server, found {len(servers)}"
    for server in servers:
        unknown = set(re.findall(r"{([^}]*)}", server_path(server["url"]))) - {"version"}
        if unknown:
            yield f"{where}: the server's path has the unknown variables {sorted(unknown)}; only version is filled in"


def _operation_breaches(document: dict[str, Any], item: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    if "$ref" in item:
        yield "its path is a $ref; write the path item out"
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", operation.get("operationId", "")):
        yield "needs an operationId in snake_case, verb first"
    if len(operation.get("tags", ())) != 1:
        yield "needs exactly one tag: it names the subpackage"
    if not operation.get("externalDocs", {}).get("url", "").startswith("https://"):
        yield "needs externalDocs with the https:// address of the documentation page that it follows"
    if not isinstance(operation.get("x-idempotent", False), bool):
        yield "x-idempotent is true or false"
    yield from _server_breaches("its server", _servers(document, item, operation))
    yield from _body_breaches(document, _resolve(document, operation.get("requestBody", {})))
    yield from _answer_breaches(document, operation)
    for parameter in _parameters(document, item, operation):
        yield from _parameter_breaches(parameter)


def _body_breaches(document: dict[str, Any], body: dict[str, Any]) -> Iterator[str]:
    content = body.get("content", {})
    if len(content) > 1 and not all(_is_binary(document, each.get("schema", {})) for each in content.values()):
        yield f"has {len(content)} content types for its body; describe one, or bytes in each"
    for kind, media in content.items():
        if kind == _MULTIPART:
            schema = _resolve(document, media.get("schema", {}))
            names = schema.get("properties", {}).keys()
            if not names or set(schema.get("required", ())) != set(names) or not body.get("required"):
                yield f"a body of {kind} needs named parts, and all of them required"
        elif kind.startswith("multipart/") or kind == "application/x-www-form-urlencoded":
            yield f"a body of {kind} is not generated; write that call by hand"


def _answer_breaches(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    for status, node in operation["responses"].items():
        if not re.fullmatch(r"2(\d\d|XX)|304", status):
            yield f"answer {status} is no success: the transport judges those, specs list 2xx (and 304) only"
        content = _resolve(document, node).get("content", {})
        if len(content) > 1 and not _is_either(content):
            yield f"answer {status} has {len(content)} content types; describe one, or JSON and XML of one schema"
        yield from (f"answer {status} has no schema for {kind}" for kind in content if "schema" not in content[kind])
    kinds = _answer_kinds(document, operation)
    if len({is_json(kind) for kind in kinds}) > 1 and kinds != _EITHER:
        yield "answers JSON and something else; describe one"


def _is_either(content: Mapping[str, Any]) -> bool:
    """Whether the answer is JSON, or XML that says the same; the generator reads what comes first."""
    json, *xml = (each.get("schema") for each in content.values())
    return content.keys() == _EITHER and is_json(next(iter(content))) and xml == [json]


def _parameter_breaches(parameter: dict[str, Any]) -> Iterator[str]:
    place, style = parameter["in"], parameter.get("style")
    if place not in {"path", "query", "header"}:
        yield f"parameter {parameter['name']} is in {place}; only path, query and header are generated"
    if style not in {None, "form" if place == "query" else "simple"}:
        yield f"parameter {parameter['name']} has the style {style}, which is not generated"
    if "schema" not in parameter:
        yield f"parameter {parameter['name']} has no schema"
