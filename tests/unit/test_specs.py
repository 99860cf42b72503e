"""The specs keep the rules of specs/README.md, and real answers fit them."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV31SpecValidator
from spec_reader import COMPOSED, SPECS, Spec

RECORDINGS = os.environ.get("SFCONNECTOR_RECORDINGS", "")
VERBS = {
    *(
        "abort",
        "add",
        "close",
        "create",
        "delete",
        "describe",
        "explain",
        "get",
        "invoke",
        "list",
        "query",
        "reset",
        "run",
    ),
    *("search", "send", "set", "submit", "suggest", "trigger", "update", "upload", "upsert"),
}
DOCUMENTATION = {"developer.salesforce.com", "help.salesforce.com"}

Rule = Callable[[Spec], Iterator[str]]


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


def is_valid(spec: Spec) -> Iterator[str]:
    document = spec.document
    if not document["openapi"].startswith("3.1."):
        yield f"openapi is {document['openapi']}"
    yield from (error.message for error in OpenAPIV31SpecValidator(document).iter_errors())


def is_self_contained(spec: Spec) -> Iterator[str]:
    used = Counter(_references(spec.document))
    yield from (f"{reference} leaves the file" for reference in used if not reference.startswith("#/"))
    kinds = {kind: each for kind, each in spec.document.get("components", {}).items() if kind != "securitySchemes"}
    defined = {f"#/components/{kind}/{name}" for kind, each in kinds.items() for name in each}
    yield from (f"{name} is not used" for name in sorted(defined - used.keys()))


def names_operations(spec: Spec) -> Iterator[str]:
    for name, count in Counter(operation.id for operation in spec.operations).items():
        if count > 1:
            yield f"{name} is there {count} times"
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or name.partition("_")[0] not in VERBS:
            yield f"{name} is not snake_case with a verb first"


def names_documentation(spec: Spec) -> Iterator[str]:
    for operation in spec.operations:
        address = urlsplit(operation.node.get("externalDocs", {}).get("url", ""))
        if (
            address.scheme != "https"
            or address.hostname not in DOCUMENTATION
            or not re.search(r"\.htm\b", address.geturl())
        ):
            yield f"{operation.id} names no page of the documentation"


def tags_operations(spec: Spec) -> Iterator[str]:
    tags = [operation.node.get("tags", []) for operation in spec.operations]
    yield from (f"{each} is not one tag" for each in tags if len(each) != 1)
    if {tag for each in tags for tag in each} != {tag["name"] for tag in spec.document["tags"]}:
        yield "the tags used are not the tags declared"


def describes_everything(spec: Spec) -> Iterator[str]:
    for operation in spec.operations:
        if not re.fullmatch(r"[A-Z][^\n]*[^.\n]\.", summary := operation.node.get("summary", "")) or ". " in summary:
            yield f"{operation.id} has no summary of one sentence"
        for part in [*operation.parameters, *([operation.body] if operation.body else [])]:
            if not part.get("description", "").endswith((".", ")")):
                yield f"{operation.id}: {part.get('name', 'the body')} has no description"
    for name, schema in spec.document.get("components", {}).get("schemas", {}).items():
        if not schema.get("description"):
            yield f"{name} has no description"


def answers_successes(spec: Spec) -> Iterator[str]:
    for operation in spec.operations:
        for status, answer in operation.answers.items():
            if not re.fullmatch(r"2\d\d|304", status):
                yield f"{operation.id} answers {status}"
            if "content" in answer and status in {"204", "304"}:
                yield f"{operation.id}: {status} has content"
            if "content" not in answer and status not in {"201", "204", "304"}:
                yield f"{operation.id}: {status} has no content"


def has_one_content_type(spec: Spec) -> Iterator[str]:
    for operation in spec.operations:
        kinds = {kind for answer in operation.answers.values() for kind in answer.get("content", ())}
        if len(kinds) > 1 and kinds != {"application/json", "application/xml"}:
            yield f"{operation.id} answers several content types"
        for body in [operation.body, *operation.answers.values()]:
            schemas = [each["schema"] for each in body.get("content", {}).values()]
            if any(schema != schemas[0] for schema in schemas):
                yield f"{operation.id} has several content types that say different things"
        bodies = list(operation.body.get("content", {}).values())
        if len(bodies) > 1 and bodies[0]["schema"].get("format") != "binary":
            yield f"{operation.id} takes several content types that are not bytes"


def answers_openly(spec: Spec) -> Iterator[str]:
    for name, schema in spec.schemas("answers"):
        yield from (f"{name} has {word}" for word in ("enum", "default", "const", "nullable") if word in schema)


def composes_null_only(spec: Spec) -> Iterator[str]:
    for kind in ("answers", "requests"):
        for name, schema in spec.schemas(kind):
            for word in COMPOSED & schema.keys():
                members = schema[word]
                if word != "oneOf" or len(members) != 2 or "$ref" not in members[0] or members[1] != {"type": "null"}:
                    yield f"{name} has {word} of more than a model and null"


def closes_models(spec: Spec) -> Iterator[str]:
    for name, schema in spec.document.get("components", {}).get("schemas", {}).items():
        properties = schema.get("properties", {})
        if properties and schema.get("additionalProperties") is not False:
            yield f"{name} is open"
        yield from (f"{name} requires the unknown {key}" for key in set(schema.get("required", ())) - properties.keys())


def joins_lists(spec: Spec) -> Iterator[str]:
    for operation in spec.operations:
        for each in operation.parameters:
            repeated = "repeated" in each.get("description", "")
            if each["schema"].get("type") == "array" and (each.get("style"), each.get("explode")) != ("form", repeated):
                yield f"{operation.id}: {each['name']} is not joined by commas"


def explains_idempotence(spec: Spec) -> Iterator[str]:
    for operation in spec.operations:
        explained = "dempotent" in operation.node.get("description", "")
        if "x-idempotent" in operation.node and not explained:
            yield f"{operation.id} does not say why it is idempotent, or not"


def has_distinct_paths(spec: Spec) -> Iterator[str]:
    shapes = Counter(re.sub(r"{[^}]*}", "{}", path) for path in spec.document["paths"])
    yield from (f"{shape} is there {count} times" for shape, count in shapes.items() if count > 1)


def names_version_once(spec: Spec) -> Iterator[str]:
    version = spec.document["info"]["version"]
    if spec.document["servers"][0]["variables"]["version"]["default"] != version:
        yield "info.version and the server's version differ"
    for key in ("version", "default"):
        if len(re.findall(rf'^ +{key}: "{re.escape(version)}"$', spec.text, re.MULTILINE)) != 1:
            yield f'no single line {key}: "{version}"'
    if spec.text.count(version) != 2:
        yield f"{version} is there {spec.text.count(version)} times"


RULES: list[Rule] = [
    is_valid,
    is_self_contained,
    names_operations,
    names_documentation,
    tags_operations,
    describes_everything,
    answers_successes,
    has_one_content_type,
    answers_openly,
    composes_null_only,
    closes_models,
    joins_lists,
    explains_idempotence,
    has_distinct_paths,
    names_version_once,
]


@pytest.fixture(scope="module", params=SPECS, ids=lambda path: path.stem)
def spec(request: pytest.FixtureRequest) -> Spec:
    return Spec(request.param.read_text(encoding="utf-8"))


@pytest.mark.parametrize("rule", RULES)
def test_spec_keeps_rule(spec: Spec, rule: Rule) -> None:
    assert list(rule(spec)) == []


def test_there_are_specs() -> None:
    assert "rest" in {path.stem for path in SPECS}


GOOD = """\
openapi: 3.1.0
info:
  title: Tea
  version: "68.0"
servers:
  - url: https://{instance}/services/data/v{version}
    variables:
      instance: {default: example.my.salesforce.com}
      version:
        default: "68.0"
tags: [{name: tea}]
paths:
  /teas/{id}:
    get:
      operationId: get_tea
      tags: [tea]
      summary: Returns a tea.
      description: "Idempotent: it only reads."
      externalDocs: {url: "https://developer.salesforce.com/docs/tea.htm"}
      x-idempotent: true
      parameters:
        - {name: id, in: path, required: true, description: Id., schema: {type: string}}
        - name: fields
          in: query
          description: Names.
          style: form
          explode: false
          schema: {type: array, items: {type: string}}
      responses:
        "200": {description: The tea., content: {application/json: {schema: {$ref: "#/components/schemas/Tea"}}}}
        "304": {description: The same tea.}
    post:
      operationId: update_tea
      tags: [tea]
      summary: Changes a tea.
      externalDocs: {url: "https://developer.salesforce.com/docs/tea.htm"}
      parameters:
        - {name: id, in: path, required: true, description: Id., schema: {type: string}}
      requestBody: {description: The tea., content: {application/json: {schema: {}}}}
      responses:
        "204": {description: Done.}
components:
  schemas:
    Tea:
      type: object
      description: A tea.
      additionalProperties: false
      required: [name]
      properties:
        name: {type: string}
        parent: {oneOf: [{$ref: "#/components/schemas/Tea"}, {type: "null"}]}
"""

BREACHES: list[tuple[Rule, str, str]] = [
    (is_valid, "openapi: 3.1.0", "openapi: 3.0.3"),
    (is_valid, "in: path", "in: pot"),
    (is_self_contained, "#/components/schemas/Tea", "other.yaml#/Tea"),
    (is_self_contained, "  schemas:\n", "  schemas:\n    Pot: {type: object, description: A pot.}\n"),
    (names_operations, "operationId: get_tea", "operationId: tea_get"),
    (names_operations, "operationId: get_tea", "operationId: getTea"),
    (names_operations, "operationId: get_tea", "operationId: update_tea"),
    (
        names_documentation,
        "https://developer.salesforce.com/docs/tea.htm",
        "http://developer.salesforce.com/docs/tea.htm",
    ),
    (names_documentation, "developer.salesforce.com/docs", "developer.example.com/docs"),
    (tags_operations, "tags: [tea]", "tags: [tea, pot]"),
    (tags_operations, "tags: [{name: tea}]", "tags: [{name: tea}, {name: pot}]"),
    (describes_everything, "summary: Returns a tea.", "summary: Returns a tea. Or two."),
    (describes_everything, "          description: Names.\n", ""),
    (describes_everything, "requestBody: {description: The tea., ", "requestBody: {"),
    (describes_everything, "      description: A tea.\n", ""),
    (answers_successes, '"304": {', '"404": {'),
    (
        answers_successes,
        '"204": {description: Done.}',
        '"204": {description: Done., content: {application/json: {schema: {}}}}',
    ),
    (answers_successes, '"204": {description: Done.}', '"200": {description: Done.}'),
    (
        has_one_content_type,
        "{application/json: {schema: {}}}",
        "{application/json: {schema: {}}, text/csv: {schema: {}}}",
    ),
    (
        has_one_content_type,
        "{application/json: {schema: {}}}",
        "{application/json: {schema: {}}, text/csv: {schema: {type: string, format: binary}}}",
    ),
    (
        has_one_content_type,
        '{application/json: {schema: {$ref: "#/components/schemas/Tea"}}}',
        '{application/json: {schema: {$ref: "#/components/schemas/Tea"}}, application/xml: {schema: {}}}',
    ),
    (
        has_one_content_type,
        '{application/json: {schema: {$ref: "#/components/schemas/Tea"}}}',
        '{application/json: &tea {schema: {$ref: "#/components/schemas/Tea"}}, text/csv: *tea}',
    ),
    (answers_openly, "name: {type: string}", "name: {type: string, enum: [Assam]}"),
    (answers_openly, "name: {type: string}", "name: {type: string, default: Assam}"),
    (
        composes_null_only,
        'oneOf: [{$ref: "#/components/schemas/Tea"}, {type: "null"}]',
        "oneOf: [{type: string}, {type: integer}]",
    ),
    (composes_null_only, "oneOf", "anyOf"),
    (closes_models, "      additionalProperties: false\n", ""),
    (closes_models, "required: [name]", "required: [taste]"),
    (joins_lists, "explode: false", "explode: true"),
    (joins_lists, "description: Names.", "description: Names, the parameter repeated."),
    (explains_idempotence, '"Idempotent: it only reads."', "It only reads."),
    (has_distinct_paths, "components:\n", "  /teas/{name}: {}\ncomponents:\n"),
    (names_version_once, 'default: "68.0"', 'default: "67.0"'),
    (names_version_once, "title: Tea", "title: Tea 68.0"),
    (names_version_once, 'version: "68.0"', "version: '68.0'"),
]


@pytest.mark.parametrize("rule", RULES)
def test_rule_accepts_good_spec(rule: Rule) -> None:
    assert list(rule(Spec(GOOD))) == []


@pytest.mark.parametrize(("rule", "good", "bad"), BREACHES)
def test_rule_finds_breach(rule: Rule, good: str, bad: str) -> None:
    assert good in GOOD
    assert list(rule(Spec(GOOD.replace(good, bad)))) != []


def test_every_rule_has_a_breach() -> None:
    assert {rule for rule, _, _ in BREACHES} == set(RULES)


# What real orgs answered, by the recordings' category or the end of their id.
ANSWERS = {
    "composite": "CompositeResponse",
    "composite.collections": "SaveResult",
    "describe.global": "DescribeGlobalResult",
    "describe.sobject": "DescribeSObjectResult",
    "limits.recordCount": "RecordCounts",
    "query": "QueryResult",
    "sobject.create": "SaveResult",
    "create-ok.json": "SaveResult",
    "limits.json": "Limits",
    "matrix_basic.json": "ReportResult",
    "matrix_complex.json": "ReportResult",
    "partial-but-allOrNone.json": "SaveResult",
    "summary_basic_single_group.json": "ReportResult",
    "tabular_basic.json": "ReportResult",
    "userDetails.json": "UserInfo",
    "versions.json": "Version",
}


def _recorded() -> Iterator[tuple[str, str]]:
    for path in sorted(Path(RECORDINGS).glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            recording = json.loads(line)
            if recording["response"]["status"] in {200, 201} and recording["response"]["body"]:
                yield recording["category"], recording["response"]["body"]
    for body in json.loads((Path(RECORDINGS) / "bodies.json").read_text(encoding="utf-8")):
        if body["kind"] == "response":
            yield body["id"].rpartition("/")[2], body["body"]


@pytest.mark.skipif(not Path(RECORDINGS, "bodies.json").is_file(), reason="SFCONNECTOR_RECORDINGS names no recordings")
def test_recorded_answers_have_the_shapes_described() -> None:
    components = Spec((SPECS[0].parent / "rest.yaml").read_text(encoding="utf-8")).document["components"]
    # Readers skip unknown keys, so these are no fault here either.
    schemas = {name: {**schema, "additionalProperties": True} for name, schema in components["schemas"].items()}
    seen = set()
    for kind, text in _recorded():
        # One recording was edited by hand into what is no JSON.
        if kind in ANSWERS and text.lstrip().startswith(("{", "[")):
            seen.add(kind)
            answer = json.loads(text)
            root = {"$ref": f"#/components/schemas/{ANSWERS[kind]}", "components": {"schemas": schemas}}
            for each in answer if isinstance(answer, list) else [answer]:
                problems = [error.message for error in Draft202012Validator(root).iter_errors(each)]
                assert problems == [], f"{kind}: {problems[:3]}"
    assert seen == ANSWERS.keys()
