"""The objects that every org has, described in the YAML files beside this module."""

from functools import cache
from importlib.resources import files

from sfconnector.testing._definition import load_yaml, make_object
from sfconnector.testing._schema import Schema, SObjectType


@cache
def standard_objects() -> tuple[SObjectType, ...]:
    """Read the descriptions once in a process: what they give is never changed in place."""
    described = (
        load_yaml(entry.read_text("utf-8")) for entry in files(__package__).iterdir() if entry.name.endswith(".yaml")
    )
    return tuple(make_object(name, definition) for objects in described for name, definition in objects.items())


def standard_schema() -> Schema:
    """Return a schema of one's own, holding the standard objects."""
    return Schema(standard_objects())
