"""From checked specs to the text of every generated file, before formatting."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.properties import LiteralEnumProperty

from codegen._errors import CodegenError
from codegen._shapes import Shapes, UnsupportedTypeError
from codegen._spec import METHODS, Spec
from codegen._views import EnumView, ModelView, OperationView, enum_view, model_view, operation_view, prose
from codegen._wsdl import FILE, Wsdl, read_wsdl

HERE = Path(__file__).parent
_API_VERSION_FIELD = "{api_version}"
_SOAP = "soap"
# By the templates of models and enums.
_IMPORTED = {"Any", "Literal", "TypeAlias", "UNSET", "Unset"}


def render(specs: Sequence[Spec], wsdl: bytes | None = None) -> dict[str, str]:
    """The whole package: relative path → text.

    Args:
        specs: The descriptions in OpenAPI.
        wsdl: The partner WSDL, if there is one.

    Raises:
        CodegenError: A spec holds what cannot be generated in full.
    """
    versions = {spec.version for spec in specs}
    if len(versions) != 1:
        found = ", ".join(f"{spec.name} {spec.version}" for spec in specs)
        raise CodegenError("specs", [f"all specs follow one API version, found: {found or 'no spec at all'}"])
    version = versions.pop()
    files = _runtime(version)
    for spec in specs:
        if f"{spec.name}.py" in files or spec.name == _SOAP:
            raise CodegenError(f"specs/{spec.name}.yaml", [f"the package has a module of its own called {spec.name}"])
        files |= {f"{spec.name}/{path}": text for path, text in _subpackage(spec)}
    if wsdl is not None:
        files |= {f"{_SOAP}/{path}": text for path, text in _soap(read_wsdl(f"specs/{FILE}", wsdl, version))}
    leaks = [path for path, text in files.items() if re.search(r"<[\w.]+ object at 0x", text)]
    if leaks:
        raise CodegenError("templates", [f"{path}: the repr of an object, where a filter is missing" for path in leaks])
    return files


def _runtime(version: str) -> dict[str, str]:
    files = {"py.typed": ""}
    for source in sorted((HERE / "runtime").glob("*.py")):
        text = source.read_text("utf-8")
        header = f"# Copied by `python -m codegen` from codegen/runtime/{source.name}: change that, never this.\n"
        files[source.name] = header + text.replace(_API_VERSION_FIELD, version)
    return files


def _subpackage(spec: Spec) -> Iterator[tuple[str, str]]:
    pages = _Pages(f"{spec.name}.yaml")
    operations, models, enums = _views(spec)
    yield from pages.root(prose(spec.document["info"]["title"]))
    tags = dict.fromkeys(operation.tag for operation in operations)
    yield "api/__init__.py", pages.package("The operations, one subpackage for each tag.", 3, tags)
    for tag in tags:
        names = [operation.name for operation in operations if operation.tag == tag]
        yield f"api/{tag}/__init__.py", pages.package(f"The operations of ``{tag}``.", 4, names)
    for operation in operations:
        yield f"api/{operation.tag}/{operation.name}.py", pages.page("operation", operation=operation)
    yield from pages.models(models, enums)
    for enum in enums:
        yield f"models/{enum.module}.py", pages.page("enum", enum=enum)


def _soap(wsdl: Wsdl) -> Iterator[tuple[str, str]]:
    pages = _Pages(FILE)
    yield from pages.root("Salesforce SOAP API, partner edition")
    yield "api/__init__.py", pages.package("The operations.", 3, [call.name for call in wsdl.calls])
    for call in wsdl.calls:
        yield f"api/{call.name}.py", pages.page("soap_operation", operation=call)
    yield from pages.models(wsdl.models)


@attrs.frozen
class _Pages:
    """Fills in the templates for one description.

    Args:
        source: The name of its file.
    """

    source: str
    _environment: Environment = attrs.field(factory=lambda: _environment(), init=False)

    def page(self, template: str, **context: Any) -> str:
        """A page of a template."""
        name = f"{template}.py.jinja"
        try:
            return self._environment.get_template(name).render(spec=self.source, **context)
        except TemplateError as error:
            raise CodegenError(f"codegen/templates/{name}", [str(error)]) from error

    def package(self, doc: str, depth: int, names: Iterable[str], modules: Mapping[str, str] | None = None) -> str:
        """The door of a package whose members are modules, unless it is said which modules hold them."""
        members = modules or {name: name for name in names}
        return self.page("package", doc=doc, dots="." * depth, members=sorted(members.items()))

    def root(self, title: str) -> Iterator[tuple[str, str]]:
        """The door of the whole description."""
        yield "__init__.py", self.package(f"{title}.", 2, ["api", "models"])

    def models(self, models: Sequence[ModelView], enums: Sequence[EnumView] = ()) -> Iterator[tuple[str, str]]:
        """The models, and the door of their package."""
        modules = {model.name: model.module for model in models} | {enum.name: enum.module for enum in enums}
        yield "models/__init__.py", self.package("The types of bodies and answers.", 3, modules, modules)
        for model in models:
            yield f"models/{model.module}.py", self.page("model", model=model)


def _environment() -> Environment:
    return Environment(  # noqa: S701  # Python is rendered, not HTML; `_views` makes every text of a spec safe for that
        loader=FileSystemLoader(HERE / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _views(spec: Spec) -> tuple[list[OperationView], list[ModelView], list[EnumView]]:
    data = _parse(spec)
    shapes = Shapes({model.class_info.name: model for model in data.models}, spec.xml)
    problems: list[str] = []
    operations = list(_operation_views(spec, data, shapes, problems))
    models = []
    for model in data.models:
        # The parts of a body are arguments of their operation.
        if shapes.is_map(model) or model.is_multipart_body:
            continue
        try:
            models.append(model_view(model, shapes))
        except UnsupportedTypeError as error:
            problems.append(f"{model.class_info.name}: {error}")
    enums = [enum_view(enum) for enum in data.enums if isinstance(enum, LiteralEnumProperty)]
    names = [model.name for model in models] + [enum.name for enum in enums]
    problems += [f"{name}: the modules of models import another {name}" for name in names if name in _IMPORTED]
    missing = spec.operations.keys() - {operation.name for operation in operations}
    if not problems:
        problems += [f"{name}: the generator dropped this operation" for name in sorted(missing)]
    if problems:
        raise CodegenError(f"specs/{spec.name}.yaml", problems)
    return operations, models, enums


def _operation_views(spec: Spec, data: GeneratorData, shapes: Shapes, problems: list[str]) -> Iterator[OperationView]:
    paths = {
        item[method]["operationId"]: path
        for path, item in spec.document["paths"].items()
        for method in METHODS
        if method in item
    }
    for collection in data.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            if endpoint.name not in paths:
                problems.append(f"{endpoint.name.rstrip('_')}: Python or the generator reserves this operationId")
                continue
            try:
                yield operation_view(endpoint, paths[endpoint.name], spec.operations[endpoint.name], shapes)
            except UnsupportedTypeError as error:
                problems.append(f"{endpoint.name}: {error}")


def _parse(spec: Spec) -> GeneratorData:
    config = Config.from_sources(
        ConfigFile.load_from_path(HERE / "config.yaml"),
        meta_type=MetaType.NONE,
        document_source=spec.name,
        file_encoding="utf-8",
        overwrite=True,
        output_path=None,
    )
    data = GeneratorData.from_dict(spec.document, config=config)
    if isinstance(data, GeneratorError):
        raise CodegenError(f"specs/{spec.name}.yaml", [_told(data)])
    # The generator calls most of these warnings and goes on without the part in question.
    warnings = list(data.errors)
    for collection in data.endpoint_collections_by_tag.values():
        warnings += collection.parse_errors
    if warnings:
        raise CodegenError(f"specs/{spec.name}.yaml", [_told(warning) for warning in warnings])
    return data


def _told(error: GeneratorError) -> str:
    return " ".join(f"{error.header} {error.detail or ''}".split())
