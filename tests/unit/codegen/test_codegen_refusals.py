"""A spec that cannot be generated in full is refused, with a text that says what to change."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from codegen import _render
from codegen._errors import CodegenError
from codegen._project import Project
from codegen._spec import read_spec

SHOP = Path(__file__).with_name("shop.yaml")
GET = "/things/{thing_id}"
_MULTIPLYING = ["x-0: &0 [a, a]", *(f"x-{i}: &{i} [{', '.join([f'*{i - 1}'] * 10)}]" for i in range(1, 10))]


@pytest.fixture(scope="module")
def shop() -> dict[str, Any]:
    return dict(YAML(typ="safe").load(SHOP))


@pytest.fixture
def refused(project: Project, shop: dict[str, Any]) -> Callable[[Callable[[dict[str, Any]], object]], str]:
    """Change the spec, expect a refusal, and give back its text."""

    def refuse(change: Callable[[dict[str, Any]], object]) -> str:
        document = copy.deepcopy(shop)
        change(document)
        (project.specs / "shop.yaml").write_text(json.dumps(document), "utf-8")
        with pytest.raises(CodegenError) as caught:
            project.generate()
        assert not project.package.exists()
        return str(caught.value)

    return refuse


def operation(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][GET]["get"]
    return found


def schema(document: dict[str, Any], **properties: Any) -> None:
    document["components"]["schemas"]["Thing"]["properties"] |= properties


CASES = [
    (
        lambda spec: spec["paths"]["/things"]["get"].update(operationId="get_thing"),
        "Operation ID 'get_thing' for 'get' in '/things' is not unique",
    ),
    (
        lambda spec: schema(spec, parent={"$ref": "#/components/schemas/Nobody"}),
        "specs/shop.yaml: $ref #/components/schemas/Nobody leads nowhere",
    ),
    (
        lambda spec: schema(spec, parent={"$ref": "http://127.0.0.1:9/other.yaml#/Thing"}),
        "leaves the file; a spec is self-contained",
    ),
    (lambda spec: operation(spec).pop("externalDocs"), "get_thing: needs externalDocs with the https:// address"),
    (
        lambda spec: operation(spec)["externalDocs"].update(url="http://example.com"),
        "get_thing: needs externalDocs with the https:// address",
    ),
    (lambda spec: operation(spec).pop("operationId"), "GET /things/{thing_id}: needs an operationId in snake_case"),
    (lambda spec: operation(spec).update(operationId="getThing"), "getThing: needs an operationId in snake_case"),
    (lambda spec: operation(spec).update(operationId="import"), "import: Python or the generator reserves this"),
    (lambda spec: operation(spec).update(tags=["a", "b"]), "get_thing: needs exactly one tag"),
    (
        lambda spec: operation(spec)["responses"].update({"404": {"description": "Missing."}}),
        "get_thing: answer 404 is no success",
    ),
    (
        lambda spec: operation(spec)["responses"].update({"default": {"description": "Else."}}),
        "get_thing: answer default is no success",
    ),
    (lambda spec: operation(spec).update({"x-idempotent": "yes"}), "get_thing: x-idempotent is true or false"),
    (
        lambda spec: operation(spec)["responses"]["200"]["content"].update({"text/csv": {"schema": {}}}),
        "get_thing: answer 200 has 2 content types",
    ),
    (
        lambda spec: operation(spec)["responses"]["200"].update(content={"application/json": {}}),
        "get_thing: answer 200 has no schema for application/json",
    ),
    (
        lambda spec: operation(spec)["responses"]["200"].update(content={"application/pdf": {"schema": {}}}),
        "Unsupported content_type application/pdf",
    ),
    (
        lambda spec: operation(spec)["responses"].update(
            {"201": {"description": "Rows.", "content": {"text/csv": {"schema": {}}}}}
        ),
        "get_thing: answers JSON and something else",
    ),
    (
        lambda spec: operation(spec)["responses"].update(
            {"201": {"description": "Other.", "content": {"application/json": {"schema": {"type": "string"}}}}}
        ),
        "get_thing: success answers of different types: models.Thing and str",
    ),
    (
        lambda spec: operation(spec)["parameters"].append(
            {"name": "sid", "in": "cookie", "schema": {"type": "string"}}
        ),
        "get_thing: parameter sid is in cookie",
    ),
    (
        lambda spec: operation(spec)["parameters"].append(
            {"name": "deep", "in": "query", "style": "deepObject", "schema": {"type": "object"}}
        ),
        "get_thing: parameter deep has the style deepObject",
    ),
    (
        lambda spec: operation(spec)["parameters"].append({"name": "free", "in": "query", "schema": {}}),
        "get_thing: parameter free: an argument needs a type that can be written as text",
    ),
    (
        lambda spec: operation(spec)["parameters"].append(
            {"name": "build", "in": "query", "schema": {"type": "string"}}
        ),
        "get_thing: names that generated code cannot use, or not twice: build",
    ),
    (
        lambda spec: schema(spec, sObject={"type": "string"}, sobject={"type": "string"}, to_dict={"type": "string"}),
        "Thing: names that generated code cannot use, or not twice: sobject, to_dict",
    ),
    (
        lambda spec: schema(
            spec, parent={"oneOf": [{"$ref": "#/components/schemas/Limit"}, {"$ref": "#/components/schemas/Saved"}]}
        ),
        "Thing: parent: oneOf/anyOf of models.Limit | models.Saved: the first that parses would win",
    ),
    (
        lambda spec: schema(spec, parent={"anyOf": [{"$ref": "#/components/schemas/Limit"}, {"type": "string"}]}),
        "Thing: parent: oneOf/anyOf of models.Limit | str",
    ),
    (lambda spec: schema(spec, parent={"type": "string", "format": "uuid"}), "Thing: parent: uuid is not generated"),
    (
        lambda spec: spec["paths"]["/password"]["post"]["requestBody"].update(
            content={"multipart/form-data": {"schema": {"type": "object"}}}
        ),
        "set_password: a body of multipart/form-data needs named parts, and all of them required",
    ),
    (
        lambda spec: spec["paths"]["/password"]["post"]["requestBody"].update(
            content={"multipart/mixed": {"schema": {"type": "object"}}}
        ),
        "set_password: a body of multipart/mixed is not generated",
    ),
    (
        lambda spec: spec["paths"]["/password"]["post"]["requestBody"].update(
            required=True,
            content={
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["body"],
                        "properties": {"body": {"type": "string", "format": "uuid"}},
                    }
                }
            },
        ),
        "set_password: body: uuid is not generated",
    ),
    (
        lambda spec: spec["paths"]["/password"]["post"]["requestBody"]["content"].update(
            {"text/csv": {"schema": {"type": "string", "format": "binary"}}}
        ),
        "set_password: has 2 content types for its body; describe one, or bytes in each",
    ),
    (
        lambda spec: operation(spec)["responses"]["200"]["content"].update({"application/xml": {"schema": {}}}),
        "get_thing: answer 200 has 2 content types; describe one, or JSON and XML of one schema",
    ),
    (
        lambda spec: spec["paths"]["/password"]["post"]["requestBody"].update(
            content={"application/pdf": {"schema": {"type": "string", "format": "binary"}}}
        ),
        "Unsupported content type application/pdf",
    ),
    (
        lambda spec: spec["paths"]["/things"].update(servers=[{"url": "https://a/{tenant}"}]),
        "create_things: its server: the server's path has the unknown variables ['tenant']",
    ),
    (lambda spec: spec["servers"].append({"url": "/"}), "the spec: expected exactly one server, found 2"),
    (lambda spec: spec["info"].update(version="67.0"), "info.version is 67.0, but the server's version defaults to"),
    (lambda spec: spec.update(openapi="3.0.3"), "openapi is '3.0.3'; specs are written in OpenAPI 3.1"),
    (lambda spec: spec["info"].pop("title"), "info: 'title' is a required property"),
    (lambda spec: spec.pop("servers"), "get_limits: its server: expected exactly one server, found 0"),
    (lambda spec: spec.update(paths={}), "describes no operation"),
    (lambda spec: spec.pop("paths"), "describes no operation"),
    (
        lambda spec: (
            spec["info"].update(version='68.0"\nimport os'),
            spec["servers"][0]["variables"]["version"].update(default='68.0"\nimport os'),
        ),
        "specs/shop.yaml: info.version: '68.0\"\\nimport os' is no API version; write it like 68.0",
    ),
    *(
        (
            lambda spec, path=path: spec["paths"].update({path: spec["paths"].pop("/limits")}),
            f"{path!r} is no path",
        )
        for path in ("/limits{", "/li}mits", "/limits?a=1", "/limits#a", "/my limits", "/limits/ü", '/"limits"')
    ),
    (
        lambda spec: schema(spec, own={"$ref": "#/components/schemas/Thing/properties/own"}),
        "$ref #/components/schemas/Thing/properties/own leads nowhere",
    ),
    *(
        (
            lambda spec, name=name: spec["components"]["schemas"].update(
                {name: spec["components"]["schemas"]["Limit"]}
            ),
            f"{name}: the modules of models import another {name}",
        )
        for name in ("Any", "Unset", "Literal")
    ),
    (
        lambda spec: spec["components"]["schemas"].update(
            {"my_limit": spec["components"]["schemas"]["Limit"], "MyLimit": spec["components"]["schemas"]["Limit"]}
        ),
        'Attempted to generate duplicate models with name "MyLimit"',
    ),
]


@pytest.mark.parametrize(("change", "text"), CASES, ids=[text for _, text in CASES])
def test_a_faulty_spec_is_refused(refused, change, text):
    assert text in refused(change)


def test_every_fault_of_a_kind_is_told_at_once(refused):
    def change(spec: dict[str, Any]) -> None:
        del spec["paths"]["/things"]["get"]["externalDocs"]
        del spec["paths"]["/limits"]["get"]["externalDocs"]

    text = refused(change)
    assert [line.split(": ")[1] for line in text.splitlines()] == ["list_names", "get_limits"]


@pytest.mark.parametrize("text", ["a: [", "- a\n- b\n", "", "!!python/object/apply:os.getcwd []"])
def test_what_is_no_mapping_is_refused(text):
    with pytest.raises(CodegenError, match=r"^specs/shop\.yaml: "):
        read_spec("shop", text)


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        ("  /limits:\n", "  /things:\n", 'not YAML: .*found duplicate key "/things"'),
        ('"201": {description: Taken.}', "201: {description: Taken.}", "the key 201 is no text; put it in quotes"),
        ("description: Taken.", r'description: "\ud800"', "holds half of a surrogate pair"),
        ("components:\n", f"x-deep: {'[' * 2000}{']' * 2000}\ncomponents:\n", "nested too deeply"),
    ],
    ids=["twice", "number", "surrogate", "deep"],
)
def test_yaml_that_is_no_spec_is_refused(good, bad, reason):
    text = SHOP.read_text("utf-8")
    assert good in text
    with pytest.raises(CodegenError, match=rf"(?s)^specs/shop\.yaml: .*{reason}"):
        read_spec("shop", text.replace(good, bad))


@pytest.mark.parametrize("aliases", ["x-ring: &ring [*ring]", "\n".join(_MULTIPLYING)], ids=["ring", "multiplied"])
def test_aliases_that_never_end_are_refused(aliases):
    with pytest.raises(CodegenError, match="are there aliases of aliases, or one inside its own anchor"):
        read_spec("shop", f"{SHOP.read_text('utf-8')}\n{aliases}\n")


def test_a_name_that_is_no_module_is_refused(project):
    (project.specs / "shop.yaml").rename(project.specs / "my-shop.yaml")
    with pytest.raises(CodegenError, match=r"my-shop\.yaml: .*name can be that of a package"):
        project.generate()


def test_a_name_of_the_runtime_is_refused(project):
    (project.specs / "shop.yaml").rename(project.specs / "client.yaml")
    with pytest.raises(CodegenError, match=r"client\.yaml: the package has a module of its own called client"):
        project.generate()


def test_specs_of_different_versions_are_refused(project):
    text = (project.specs / "shop.yaml").read_text("utf-8")
    (project.specs / "other.yaml").write_text(text.replace("68.0", "67.0"), "utf-8")
    with pytest.raises(CodegenError, match=r"one API version, found: other 67\.0, shop 68\.0"):
        project.generate()


def test_a_folder_without_specs_is_refused(project):
    (project.specs / "shop.yaml").unlink()
    with pytest.raises(CodegenError, match=r"holds no \*\.yaml"):
        project.generate()


def test_a_dropped_operation_is_noticed(project, monkeypatch):
    parse = _render._parse

    def forgetful(spec):
        data = parse(spec)
        data.endpoint_collections_by_tag["org"].endpoints.pop()
        return data

    monkeypatch.setattr(_render, "_parse", forgetful)
    with pytest.raises(CodegenError, match="set_password: the generator dropped this operation"):
        project.generate()


@pytest.fixture
def template(tmp_path, monkeypatch):
    """Replace the enum template by another text."""

    def replace(text: str) -> None:
        folder = tmp_path / "codegen"
        for source in ("templates", "runtime"):
            (folder / source).mkdir(parents=True)
            for path in (_render.HERE / source).iterdir():
                if path.is_file():
                    (folder / source / path.name).write_bytes(path.read_bytes())
        (folder / "config.yaml").write_bytes((_render.HERE / "config.yaml").read_bytes())
        (folder / "templates" / "enum.py.jinja").write_text(text, "utf-8")
        monkeypatch.setattr(_render, "HERE", folder)

    return replace


def test_an_undefined_name_in_a_template_is_an_error(project, template):
    template("{{ enum.nmae }}")
    with pytest.raises(CodegenError, match=r"enum\.py\.jinja: .*nmae"):
        project.generate()


def test_the_repr_of_an_object_in_the_output_is_an_error(project, template):
    template("# <openapi_python_client.schema.untrusted_string.UntrustedString object at 0x7f00>\n")
    with pytest.raises(CodegenError, match=r"shop/models/.*\.py: the repr of an object, where a filter is missing"):
        project.generate()


def test_output_that_is_not_python_is_an_error(project, template):
    template("def def\n")
    with pytest.raises(CodegenError, match=r"(?s)^ruff: .*new_thing_kind\.py:1:5"):
        project.generate()
