"""The shared base of all models: tables of keys and codecs instead of a parser for each class."""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, TypeVar

from ._encode import timestamp
from .errors import ParseError
from .types import UNSET

T = TypeVar("T")


class Codec(ABC):
    """Reads and writes a JSON value that is not its own Python value; ``null`` is always ``None``."""

    def load(self, value: Any) -> Any:
        """From JSON to Python."""
        return None if value is None else self.read(value)

    def dump(self, value: Any) -> Any:
        """From Python to JSON."""
        return None if value is None else self.write(value)

    @abstractmethod
    def read(self, value: Any) -> Any:
        """From JSON to Python, where ``null`` is an error."""

    @abstractmethod
    def write(self, value: Any) -> Any:
        """From Python to JSON, where ``None`` is an error."""


class Model:
    """An object of an API description, without the keys that the description does not know.

    Every subclass is a frozen attrs class that keeps its attributes in ``__dict__``:
    filling that at once is several times as fast as calling ``__init__`` with sixty arguments.
    """

    _keys: ClassVar[Mapping[str, str]] = {}
    """The JSON key of every attribute."""
    _required: ClassVar[tuple[str, ...]] = ()
    _codecs: ClassVar[Mapping[str, Codec]] = {}
    """How to convert the attributes that are not plain JSON."""
    _secret: ClassVar[frozenset[str]] = frozenset()
    """What no repr may show."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read an instance from decoded JSON.

        Raises:
            ParseError: It is not an object, or lacks a required key.
        """
        if not isinstance(data, dict):
            raise ParseError(f"{cls.__name__}: expected a JSON object, got {type(data).__name__}")
        get = data.get
        values = {name: get(key, UNSET) for name, key in cls._keys.items()}
        for name in cls._required:
            if values[name] is UNSET:
                raise ParseError(f"{cls.__name__}: the answer lacks {cls._keys[name]!r}")
        for name, codec in cls._codecs.items():
            if values[name] is not UNSET:
                values[name] = codec.load(values[name])
        instance = object.__new__(cls)
        object.__setattr__(instance, "__dict__", values)
        return instance

    def to_dict(self) -> dict[str, Any]:
        """Write the instance as a value for JSON, without the attributes that are ``UNSET``."""
        values, codecs = self.__dict__, self._codecs
        return {
            key: codecs[name].dump(values[name]) if name in codecs else values[name]
            for name, key in self._keys.items()
            if values[name] is not UNSET
        }

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if type(self) is type(other) else NotImplemented

    def __repr__(self) -> str:
        shown = ((name, value) for name, value in self.__dict__.items() if value is not UNSET)
        return f"{type(self).__name__}({', '.join(f'{name}={self._show(name, value)}' for name, value in shown)})"

    def _show(self, name: str, value: object) -> str:
        if name in self._secret:
            return "***"
        if value is None or isinstance(value, str | int | float | datetime.date | Model):
            return repr(value)
        # Records are free-form lists and objects: their values do not belong in a repr.
        return f"<{type(value).__name__}>"


def expect(kind: type[T], value: Any) -> T:
    """The value, if it is of the kind that the description promises.

    Raises:
        ParseError: It is not.
    """
    if not isinstance(value, kind):
        raise ParseError(f"expected {_JSON_NAMES[kind]}, got {type(value).__name__}")
    return value


_JSON_NAMES: Mapping[type, str] = {
    dict: "a JSON object",
    list: "a JSON array",
    str: "a JSON string",
    int: "a JSON number",
    bool: "true or false",
}


class One(Codec):
    """A model, named by a function so that its module is imported only when a value is met."""

    def __init__(self, model: Callable[[], type[Model]]) -> None:
        self.model = model

    def read(self, value: Any) -> Any:
        """From JSON to Python."""
        return self.model().from_dict(value)

    def write(self, value: Any) -> Any:
        """From Python to JSON."""
        if not isinstance(value, Model):
            raise TypeError(f"expected an instance of {self.model().__name__}, got {type(value).__name__}")
        return value.to_dict()


class ListOf(Codec):
    """A list of values of one kind, none ``null`` unless the description says so."""

    def __init__(self, item: Codec, *, nullable: bool = False) -> None:
        self._load, self._dump = (item.load, item.dump) if nullable else (item.read, item.write)

    def read(self, value: Any) -> Any:
        """From JSON to Python."""
        return [self._load(item) for item in expect(list, value)]

    def write(self, value: Any) -> Any:
        """From Python to JSON."""
        return [self._dump(item) for item in value]


class MapOf(Codec):
    """An object with keys of its own and values of one kind, none ``null`` unless the description says so."""

    def __init__(self, item: Codec, *, nullable: bool = False) -> None:
        self._load, self._dump = (item.load, item.dump) if nullable else (item.read, item.write)

    def read(self, value: Any) -> Any:
        """From JSON to Python."""
        return {key: self._load(item) for key, item in expect(dict, value).items()}

    def write(self, value: Any) -> Any:
        """From Python to JSON."""
        return {key: self._dump(item) for key, item in value.items()}


class Moment(Codec):
    """A zone-aware datetime."""

    def read(self, value: Any) -> Any:
        """From JSON to Python."""
        return _parsed(datetime.datetime.fromisoformat, value)

    def write(self, value: Any) -> Any:
        """From Python to JSON."""
        return timestamp(value)


class Day(Codec):
    """A calendar date."""

    def read(self, value: Any) -> Any:
        """From JSON to Python."""
        return _parsed(datetime.date.fromisoformat, value)

    def write(self, value: Any) -> Any:
        """From Python to JSON."""
        return value.isoformat()


def _parsed(parse: Callable[[str], T], value: Any) -> T:
    try:
        return parse(value)
    except (TypeError, ValueError) as error:
        raise ParseError(f"expected a date or time in ISO 8601, got {value!r}") from error
