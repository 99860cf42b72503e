"""How a type of the spec is written in Python, and what converts it from and to JSON."""

from collections.abc import Mapping

import attrs
from openapi_python_client.parser.properties import (
    AnyProperty,
    EnumProperty,
    LiteralEnumProperty,
    ModelProperty,
)
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.date import DateProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty

_PLAIN: Mapping[type[PropertyProtocol], str] = {
    AnyProperty: "Any",
    BooleanProperty: "bool",
    FloatProperty: "float",
    IntProperty: "int",
    NoneProperty: "None",
    StringProperty: "str",
}


class UnsupportedTypeError(Exception):
    """A type that the templates cannot carry without guessing."""


@attrs.frozen
class Shape:
    """A type in generated code.

    Attributes:
        annotation: The Python type; ``models``, ``datetime`` and ``Any`` are names of the generated module.
        codec: The expression of its codec, or ``None`` where the JSON value is the Python value.
    """

    annotation: str
    codec: str | None = None


@attrs.frozen
class Shapes:
    """Gives the shape of any property of one spec.

    Args:
        models: The fully parsed models by class name; the copies inside other properties may lack their own.
        xml: Whether answers may be XML, whose numbers are texts and whose lists of one are no lists.
    """

    models: Mapping[str, ModelProperty]
    xml: bool = False

    def of(self, prop: PropertyProtocol) -> Shape:
        """The shape of a value in a body or an answer.

        Raises:
            UnsupportedTypeError: The templates cannot express it.
        """
        if type(prop) in _PLAIN:
            name = _PLAIN[type(prop)]
            return Shape(name, f"_xml.Scalar({name})" if self.xml and name in {"bool", "float", "int"} else None)
        if isinstance(prop, LiteralEnumProperty):
            return Shape(f"models.{prop.class_info.name}")
        if isinstance(prop, DateTimeProperty):
            return Shape("datetime.datetime", "_model.Moment()")
        if isinstance(prop, DateProperty):
            return Shape("datetime.date", "_model.Day()")
        if isinstance(prop, ListProperty):
            item = self.of(prop.inner_property)
            if self.xml:
                return Shape(f"list[{item.annotation}]", f"_xml.Items({item.codec or ''})")
            return _container("list[{}]", "_model.ListOf({})", item)
        if isinstance(prop, ModelProperty):
            return self._of_object(prop)
        if isinstance(prop, UnionProperty):
            return self._of_union(prop)
        raise UnsupportedTypeError(f"{type(prop).__name__.removesuffix('Property').lower()} is not generated")

    def of_argument(self, prop: PropertyProtocol) -> str:
        """The annotation of a path, query or header argument; ``None`` means that it is left out.

        Raises:
            UnsupportedTypeError: It cannot be written as text.
        """
        if isinstance(prop, UnionProperty):
            members = [member for member in prop.inner_properties if not isinstance(member, NoneProperty)]
            return " | ".join(dict.fromkeys(self.of_argument(member) for member in members))
        if isinstance(prop, ListProperty):
            return f"Sequence[{self.of_argument(prop.inner_property)}]"
        if isinstance(prop, AnyProperty | ModelProperty | FileProperty | EnumProperty):
            raise UnsupportedTypeError("an argument needs a type that can be written as text")
        return self.of(prop).annotation

    def is_map(self, model: ModelProperty) -> bool:
        """Whether an object has only keys of its own, so that it stays a plain dict."""
        full = self.models.get(model.class_info.name, model)
        return not (full.required_properties or full.optional_properties)

    def _of_object(self, prop: ModelProperty) -> Shape:
        if not self.is_map(prop):
            return Shape(f"models.{prop.class_info.name}", f"_model.One(lambda: models.{prop.class_info.name})")
        values = self.models.get(prop.class_info.name, prop).additional_properties
        return _container("dict[str, {}]", "_model.MapOf({})", self.of(values) if values else Shape("Any"))

    def _of_union(self, prop: UnionProperty) -> Shape:
        members = [self.of(member) for member in prop.inner_properties]
        names = dict.fromkeys(member.annotation for member in members)
        annotation = " | ".join(sorted(names, key="None".__eq__))
        converted = [member for member in members if member.codec]
        others = [member for member in members if not member.codec and member.annotation != "None"]
        if len(converted) > 1 or (converted and others):
            raise UnsupportedTypeError(
                f"oneOf/anyOf of {annotation}: the first that parses would win; "
                "describe one of them, or a free-form value ({}) that the caller reads"
            )
        return Shape(annotation, converted[0].codec if converted else None)


def _container(annotation: str, codec: str, item: Shape) -> Shape:
    nullable = ", nullable=True" if item.annotation.endswith("| None") else ""
    return Shape(annotation.format(item.annotation), codec.format(f"{item.codec}{nullable}") if item.codec else None)
