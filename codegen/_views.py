"""What the templates print: operations, models and enums with every text already made safe for Python source."""

import keyword
import re
import textwrap
from collections.abc import Iterator, Sequence

import attrs
from openapi_python_client.parser.bodies import Body as ParsedBody
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import LiteralEnumProperty, ModelProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.schema import Schema
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import in_double_quote_literal, safe_for_docstring

from codegen._shapes import Shape, Shapes, UnsupportedTypeError
from codegen._spec import Operation

# Names that the templates use themselves, inside functions and inside classes.
_TAKEN_BY_OPERATIONS = {
    *("build", "parse", "sync_detailed", "client", "body", "content_type", "parts"),
    *("deliver", "exchange", "models"),
}
_TAKEN_BY_MODELS = {"from_dict", "to_dict", "models"}
# Attributes that would hide what the annotations beside them mean.
_SHADOWING = {"self", "str", "int", "float", "bool", "list", "dict", "datetime"}
_RAW_BODY = "bytes | IO[bytes] | Iterable[bytes]"


@attrs.frozen
class Argument:
    """An argument of an operation.

    Attributes:
        name: In Python.
        declaration: As it stands in a signature.
        pair: The tuple of its name on the wire and the expression of its value, empty for a body.
    """

    name: str
    declaration: str
    doc: str
    pair: str = ""


@attrs.frozen
class Body:
    """The body of a request.

    Attributes:
        arguments: What it is made of.
        value: The expression of the JSON value, or of the bytes.
        content_type: The expression of their content type; empty for JSON.
        parts: The expression that puts bytes together before they and their type are named ``parts``.
    """

    arguments: list[Argument]
    value: str
    content_type: str = ""
    parts: str = ""


@attrs.frozen
class Answer:
    """A success answer.

    Attributes:
        annotation: What ``parse()`` returns.
        expression: How it comes from ``data``.
        empty: Whether the body may be missing.
        guarded: Whether the expression must not meet the ``None`` of a missing body.
        streamed: Whether the body is left to the caller.
        xml: Whether it may come as XML.
    """

    annotation: str
    expression: str = "data"
    empty: bool = False
    guarded: bool = False
    streamed: bool = False
    xml: bool = False


@attrs.frozen
class OperationView:
    """An operation as its template needs it."""

    name: str
    tag: str
    method: str
    server: str
    path: str
    summary: str
    description: str
    docs: str
    idempotent: bool
    path_arguments: list[Argument]
    query_arguments: list[Argument]
    header_arguments: list[Argument]
    body: Body | None
    answer: Answer

    @property
    def keyword_arguments(self) -> list[Argument]:
        """Everything that is given by name."""
        body = self.body.arguments if self.body else []
        return [*body, *self.query_arguments, *self.header_arguments]


@attrs.frozen
class Attribute:
    """An attribute of a model."""

    name: str
    key: str
    annotation: str
    required: bool
    codec: str | None
    secret: bool
    doc: str


@attrs.frozen
class ModelView:
    """A model as its template needs it."""

    name: str
    module: str
    doc: str
    attributes: list[Attribute]

    @property
    def required(self) -> list[Attribute]:
        """Those that are always there."""
        return [attribute for attribute in self.attributes if attribute.required]

    @property
    def converted(self) -> list[Attribute]:
        """Those that need a codec."""
        return [attribute for attribute in self.attributes if attribute.codec]

    @property
    def secret(self) -> list[Attribute]:
        """Those that no repr may show."""
        return [attribute for attribute in self.attributes if attribute.secret]


@attrs.frozen
class EnumView:
    """The known values of a string or number that may grow others."""

    name: str
    module: str
    doc: str
    values: str
    base: str


def prose(text: object, width: int = 116) -> str:
    """Text of a spec, wrapped and safe inside a docstring; blank lines and list items stay apart."""
    lines = safe_for_docstring(text).strip().splitlines()
    blocks = re.split(r"\n(?=\n|[-*] )", "\n".join(line.strip() for line in lines))
    wrap = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    wrapped = "\n".join(("\n" if block.startswith("\n") else "") + wrap.fill(block.strip()) for block in blocks)
    # A quote at the end would merge with those that close the docstring.
    return re.sub(r'(?<!\\)((?:\\\\)*)"$', r'\1\\"', wrapped)


def literal(text: UntrustedString | str) -> str:
    """Text of a spec as a Python string literal."""
    return f'"{in_double_quote_literal(text)}"'


def operation_view(endpoint: Endpoint, path: str, operation: Operation, shapes: Shapes) -> OperationView:
    """Everything that the template of an operation prints.

    Args:
        path: The path as the spec has it.

    Raises:
        UnsupportedTypeError: A type of it cannot be generated.
    """
    arguments = {
        place: [_argument(prop, place, operation, shapes) for prop in props]
        for place, props in (
            ("path", endpoint.path_parameters),
            ("query", endpoint.query_parameters),
            ("header", endpoint.header_parameters),
        )
    }
    _refuse_clashes([each.name for group in arguments.values() for each in group], _TAKEN_BY_OPERATIONS)
    summary, description = endpoint.summary, endpoint.description
    return OperationView(
        name=endpoint.name,
        tag=endpoint.tags[0],
        method=endpoint.method.upper(),
        server=literal(operation.server),
        path=_path(path, arguments["path"], endpoint.path_parameters),
        summary=prose(summary or endpoint.name.replace("_", " ").capitalize() + "."),
        description=prose(description),
        docs=prose(operation.docs),
        idempotent=operation.idempotent,
        path_arguments=arguments["path"],
        query_arguments=arguments["query"],
        header_arguments=arguments["header"],
        body=_body(endpoint, operation, shapes),
        answer=_answer(endpoint, operation, shapes),
    )


def model_view(model: ModelProperty, shapes: Shapes) -> ModelView:
    """Everything that the template of a model prints.

    Raises:
        UnsupportedTypeError: A type of it cannot be generated.
    """
    secrets = _secrets(model.data)
    attributes = []
    for prop in [*(model.required_properties or ()), *(model.optional_properties or ())]:
        try:
            shape = shapes.of(prop)
        except UnsupportedTypeError as error:
            raise UnsupportedTypeError(f"{_raw(prop.name)}: {error}") from error
        name = _python_name(prop)
        attributes.append(
            Attribute(
                name=name,
                key=literal(prop.name),
                annotation=shape.annotation if prop.required else f"{shape.annotation} | Unset",
                required=prop.required,
                codec=shape.codec,
                secret=_raw(prop.name) in secrets,
                doc=_entry(name, _raw(prop.description)),
            )
        )
    _refuse_clashes([attribute.name for attribute in attributes], _TAKEN_BY_MODELS)
    name = model.class_info.name
    doc = prose(_raw(model.description) or f"{name}.")
    return ModelView(name, _one_word(model.class_info.module_name), doc, attributes)


def enum_view(enum: LiteralEnumProperty) -> EnumView:
    """Everything that the template of an enum prints."""
    # A set in the generator: its order depends on the hash seed.
    values = sorted(enum.values, key=lambda value: (str(type(value)), value))
    return EnumView(
        name=enum.class_info.name,
        module=_one_word(enum.class_info.module_name),
        doc=prose(_raw(enum.description) or f"Known values of {_raw(enum.name).rpartition('/')[2]}."),
        values=", ".join(literal(value) if isinstance(value, str) else str(value) for value in values),
        base=enum.value_type.__name__,
    )


def _refuse_clashes(names: Sequence[str], taken: set[str]) -> None:
    clashes = sorted(taken.intersection(names) | {name for name in names if names.count(name) > 1})
    if clashes:
        raise UnsupportedTypeError(f"names that generated code cannot use, or not twice: {', '.join(clashes)}")


def _argument(prop: PropertyProtocol, place: str, operation: Operation, shapes: Shapes) -> Argument:
    wire = _raw(prop.name)
    try:
        annotation = shapes.of_argument(prop)
    except UnsupportedTypeError as error:
        raise UnsupportedTypeError(f"parameter {wire}: {error}") from error
    name = _python_name(prop)
    repeated = place == "query" and wire in operation.repeated and "Sequence[" in annotation
    value = f"_encode.Repeated({name})" if repeated else name
    return Argument(
        name=name,
        declaration=f"{name}: {annotation}" if prop.required else f"{name}: {annotation} | None = None",
        doc=_entry(name, operation.parameter_docs[wire, place] or _raw(prop.description)),
        pair=f"({literal(wire)}, {value})",
    )


def _path(path: str, arguments: Sequence[Argument], parameters: Sequence[PropertyProtocol]) -> str:
    if not arguments:
        return literal(path)
    names = {_raw(prop.name): each.name for prop, each in zip(parameters, arguments, strict=True)}
    template = re.sub(r"{([^}]*)}", lambda match: f"{{{names[match[1]]}}}", path)
    return f"_encode.path({literal(template)}, {', '.join(f'{each.name}={each.name}' for each in arguments)})"


def _body(endpoint: Endpoint, operation: Operation, shapes: Shapes) -> Body | None:
    if not endpoint.bodies:
        return None
    body = endpoint.bodies[0]
    try:
        if isinstance(body.prop, FileProperty):
            return _raw_body(body.prop, operation)
        if isinstance(body.prop, ModelProperty) and operation.parts:
            return _multipart(shapes.models[body.prop.class_info.name], operation, shapes)
        return _json_body(body, operation, shapes)
    except UnsupportedTypeError as error:
        raise UnsupportedTypeError(f"body: {error}") from error


def _raw_body(prop: PropertyProtocol, operation: Operation) -> Body:
    optional = "" if prop.required else " | None = None"
    doc = _entry("body", operation.body_doc or "Bytes, sent as they are.")
    arguments = [Argument("body", f"body: {_RAW_BODY}{optional}", doc)]
    kinds = [literal(kind) for kind in operation.body_types]
    if len(kinds) == 1:
        return Body(arguments, "body", kinds[0])
    # Parameters, such as a charset, may follow any of them.
    declaration = f"content_type: Literal[{', '.join(kinds)}] | str"
    return Body(
        [*arguments, Argument("content_type", declaration, "content_type: What the bytes are.")], "body", "content_type"
    )


def _json_body(body: ParsedBody, operation: Operation, shapes: Shapes) -> Body:
    shape = shapes.of(body.prop)
    if body.body_type != "json":
        raise UnsupportedTypeError("what is not JSON needs the schema {type: string, format: binary}")
    declaration = f"body: {shape.annotation}{'' if body.prop.required else ' | Unset = UNSET'}"
    value = "body"
    if shape.codec:
        dumped = f"{shape.codec}.dump(body)"
        value = dumped if body.prop.required else f"body if body is UNSET else {dumped}"
    return Body([Argument("body", declaration, _entry("body", operation.body_doc or "The JSON to send."))], value)


def _multipart(model: ModelProperty, operation: Operation, shapes: Shapes) -> Body:
    found = {_raw(part.name): part for part in model.required_properties or ()}
    arguments, values = [], []
    for wire, kind in operation.parts.items():
        part = found[wire]
        name = _python_name(part)
        shape = Shape("bytes") if isinstance(part, FileProperty) else shapes.of(part)
        arguments.append(Argument(name, f"{name}: {shape.annotation}", _entry(name, _raw(part.description))))
        value = f"{shape.codec}.dump({name})" if shape.codec else name
        values.append(f"({literal(wire)}, {literal(kind)}, {value})")
    return Body(arguments, "parts.content", "parts.content_type", f"_multipart.join({', '.join(values)})")


def _answer(endpoint: Endpoint, operation: Operation, shapes: Shapes) -> Answer:
    if operation.streamed:
        return Answer("requests.Response", streamed=True)
    # A 304 answers a conditional request: whoever asks one sends what build() made and looks at the status.
    answers = [answer for answer in endpoint.responses if answer.status_code.pattern.startswith("2")]
    found = {shapes.of(answer.prop) for answer in answers if answer.source["return_type"] != "None"}
    if len(found) > 1:
        kinds = " and ".join(sorted(shape.annotation for shape in found))
        raise UnsupportedTypeError(f"success answers of different types: {kinds}")
    if not found:
        return Answer("None", "None", empty=True)
    shape = found.pop()
    empty = any(answer.source["return_type"] == "None" for answer in answers)
    annotation = f"{shape.annotation} | None" if empty and shape.annotation != "Any" else shape.annotation
    expression = _read(shape)
    return Answer(annotation, expression, empty, guarded=empty and expression != "data", xml=operation.xml)


def _read(shape: Shape) -> str:
    """The expression that reads ``data``, which must be there unless the spec allows ``null``."""
    if shape.annotation.endswith("| None"):
        return f"{shape.codec}.load(data)" if shape.codec else "data"
    if shape.annotation.startswith("models.") and shape.codec:
        return f"{shape.annotation}.from_dict(data)"
    kind = shape.annotation.partition("[")[0]
    if shape.codec and shape.codec.startswith("_xml."):
        return f"{shape.codec}.read({'_xml.unwrap(data)' if kind == 'list' else 'data'})"
    checked = f"_model.expect({kind}, data)" if kind in {"str", "int", "bool", "list", "dict"} else "data"
    return f"{shape.codec}.load({checked})" if shape.codec else checked


def _secrets(schema: Schema) -> set[str]:
    parts: Iterator[Schema] = (part for part in (schema, *schema.allOf) if isinstance(part, Schema))
    return {
        _raw(name)
        for part in parts
        for name, value in (part.properties or {}).items()
        if isinstance(value, Schema) and value.schema_format == "password"
    }


def _entry(name: str, text: str) -> str:
    """An entry below ``Args:`` or ``Attributes:``, or nothing where there is nothing to say."""
    return prose(f"{name}: {text}", width=104) if text else ""


def _python_name(prop: PropertyProtocol) -> str:
    """The generator's name, without the underscore that it gives to names like ``type`` and ``format``."""
    name = _one_word(prop.python_name)
    bare = name.removesuffix("_")
    return name if keyword.iskeyword(bare) or bare in _SHADOWING else bare


def _one_word(name: str) -> str:
    """Salesforce's sObject is one word, which the generator's snake case takes for two."""
    return re.sub(r"(?<![a-z])s_object", "sobject", name)


def _raw(text: UntrustedString | str | None) -> str:
    return text.get_untrusted_value() if isinstance(text, UntrustedString) else text or ""
