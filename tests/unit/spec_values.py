"""Values made from the schemas of the API descriptions: as they are on the wire, and as Python has them."""

import datetime
import re
from collections.abc import Iterator
from itertools import count
from types import ModuleType
from typing import Any, Literal

import attrs
from spec_reader import Node, resolve

Extent = Literal["all", "least", "nulls"]
"""Every key, only those that are required, or every key with null wherever it may be null."""

_NOTHING = object()


def squash(name: str) -> str:
    """A name without what differs between a description and Python: capitals, hyphens and underscores."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@attrs.frozen
class Values:
    """Makes values, each different from those before it, so that none can pass for another.

    Args:
        document: The description, for its references.
        models: The generated package with a class for each schema that has properties.
    """

    document: Node
    models: ModuleType
    _numbers: Iterator[int] = attrs.field(factory=lambda: count(1), init=False)

    def wire(self, schema: Node, extent: Extent = "all", within: frozenset[str] = frozenset()) -> Any:
        """A value for JSON that fits the schema; schemas that hold themselves end at their second mention."""
        if (reference := schema.get("$ref")) is not None:
            if reference in within:
                return _NOTHING
            return self.wire(resolve(self.document, schema), extent, within | {reference})
        kinds = self._kinds(schema)
        if "null" in kinds and extent == "nulls":
            return None
        if "oneOf" in schema:
            return self.wire(schema["oneOf"][0], extent, within)
        if "enum" in schema:
            return schema["enum"][-1]
        match kinds[0]:
            case "object" if "properties" in schema:
                chosen = schema.get("required", ()) if extent == "least" else schema["properties"]
                pairs = ((key, self.wire(schema["properties"][key], extent, within)) for key in chosen)
                return {key: value for key, value in pairs if value is not _NOTHING}
            case "object":
                value = self.wire(schema.get("additionalProperties") or {}, extent, within)
                return {f"key {next(self._numbers)}": value}
            case "array":
                items = [self.wire(schema["items"], extent, within) for _ in range(2)]
                return [item for item in items if item is not _NOTHING]
            case kind:
                return self._scalar(kind, schema)

    def _scalar(self, kind: str, schema: Node) -> Any:
        number = next(self._numbers)
        match kind, schema.get("format"):
            case "string", None | "password":
                return f"text {number} a/b?c#d%+é"
            case "string", "date-time":
                return f"2026-01-02T{number % 24:02}:{number % 60:02}:07+05:30"
            case "string", "date":
                return f"2026-01-{number % 28 + 1:02}"
            case "integer", _:
                return min(schema.get("minimum", 0) + number, schema.get("maximum", number + 1))
            case "number", _:
                return number + 0.5
            case "boolean", _:
                return bool(number % 2)
            case "any", _:
                return {"attributes": {"type": "Account"}, "Name": f"record {number} é", "Parent": None}
        raise AssertionError(f"no value is known for {schema}")

    def python(self, schema: Node, wire: Any) -> Any:
        """What a caller holds for the value on the wire: models, instants and days, and JSON where nothing is known."""
        if wire is None:
            return None
        if "oneOf" in schema:
            return self.python(schema["oneOf"][0], wire)
        name, schema = schema.get("$ref", "").rpartition("/")[2], resolve(self.document, schema)
        match self._kinds(schema)[0], schema.get("format"):
            case "object", _ if "properties" in schema:
                model = getattr(self.models, name)
                names = {squash(field.name): field.name for field in attrs.fields(model)}
                properties = schema["properties"]
                assert {squash(key) for key in properties} == names.keys(), f"{name} has other keys than described"
                return model(**{names[squash(key)]: self.python(properties[key], wire[key]) for key in wire})
            case "object", _:
                return {key: self.python(schema.get("additionalProperties") or {}, wire[key]) for key in wire}
            case "array", _:
                return [self.python(schema["items"], item) for item in wire]
            case "string", "date-time":
                return datetime.datetime.fromisoformat(wire)
            case "string", "date":
                return datetime.date.fromisoformat(wire)
        return wire

    def _kinds(self, schema: Node) -> list[str]:
        if "oneOf" in schema:
            return ["object", *(each["type"] for each in schema["oneOf"] if "type" in each)]
        kind = schema.get("type", "any")
        return [kind] if isinstance(kind, str) else sorted(kind, key="null".__eq__)
