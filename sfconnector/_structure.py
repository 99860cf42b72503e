"""Instances from records, by cattrs; imported on the first use of a record class only."""

import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import cattrs
from cattrs.gen import make_dict_structure_fn, override

from sfconnector._records import attributes_of, is_record_class, nested_classes
from sfconnector._typed import Offered, TypedRecord

T = TypeVar("T")


@cache
def decoder(record_class: type[T]) -> Callable[[Mapping[str, Any]], T]:
    """Give the function that makes instances of a class, and says which field does not fit."""
    fast, explaining = _converter(detailed=False), _converter(detailed=True)
    structure = fast.get_structure_hook(record_class)

    def decode(record: Mapping[str, Any]) -> T:
        try:
            return structure(record, record_class)  # type: ignore[no-any-return]  # cattrs types its hooks as Any
        except Exception as error:
            raise _misfit(explaining, record, record_class) from error

    return decode


def _misfit(explaining: cattrs.Converter, record: Mapping[str, Any], record_class: type) -> ValueError:
    try:
        explaining.structure(record, record_class)
    except Exception as error:
        # transform_error names paths and types and no values, which may be personal data.
        reasons = "; ".join(cattrs.transform_error(error))
        return ValueError(f"a record does not fit {record_class.__name__}: {reasons}")
    return ValueError(f"a record does not fit {record_class.__name__}")


def _converter(*, detailed: bool) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=detailed)

    def by_api_name(record_class: Any) -> Any:
        hints = typing.get_type_hints(record_class, include_extras=True)
        forgiving = issubclass(record_class, TypedRecord)
        names: dict[str, Any] = {
            attribute: override(rename=name, struct_hook=_or_null(converter, hints[attribute]) if forgiving else None)
            for attribute, name, _ in attributes_of(record_class)
        }
        return make_dict_structure_fn(record_class, converter, **names)

    def children(result: Any, hint: Any) -> list[Any]:
        child = typing.get_args(hint)[0]
        return [] if result is None else [converter.structure(record, child) for record in result["records"]]

    converter.register_structure_hook_factory(is_record_class, by_api_name)
    converter.register_structure_hook_func(_is_child_list, children)
    converter.register_structure_hook_func(_is_offered, lambda value, _: _text(value, None))
    converter.register_structure_hook_func(_is_open_choice, _choice)
    for kind, parse in _PARSERS.items():
        converter.register_structure_hook(kind, parse)
    return converter


def _or_null(converter: cattrs.Converter, hint: Any) -> Callable[[Any, Any], Any] | None:
    """Let a null through where an org's description says that there is none.

    Salesforce has records without what they require, such as groups of its own without a name. A class that follows a
    description must not refuse them, unlike one whose author has chosen its types.
    """
    if hint is Any or type(None) in typing.get_args(hint) or _is_child_list(hint):
        return None
    structure = converter.get_structure_hook(hint)
    return lambda value, kind: None if value is None else structure(value, kind)


def _is_child_list(hint: Any) -> bool:
    return typing.get_origin(hint) is list and nested_classes(hint)[1] is not None


def _is_offered(hint: Any) -> bool:
    return any(isinstance(mark, Offered) for mark in getattr(hint, "__metadata__", ()))


def _is_open_choice(hint: Any) -> bool:
    """Tell a type such as ``Literal["Hot", "Cold"] | str | None``, which says no more than ``str | None`` does."""
    if typing.get_origin(hint) not in {typing.Union, types.UnionType}:
        return False
    kinds = {typing.get_origin(part) or part for part in typing.get_args(hint)}
    return {str, typing.Literal} <= kinds <= {str, typing.Literal, type(None)}


def _choice(value: Any, hint: Any) -> str | None:
    return None if value is None and type(None) in typing.get_args(hint) else _text(value, None)


def _only(kind: type) -> Callable[[Any, Any], Any]:
    def parse(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"a {kind.__name__} was expected")
        return value

    return parse


def _int(value: Any, _: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise TypeError("an integer was expected")


def _float(value: Any, _: Any) -> float:
    if type(value) in (int, float):
        return float(value)
    raise TypeError("a number was expected")


def _decimal(value: Any, _: Any) -> Decimal:
    if type(value) in (int, float):
        return Decimal(repr(value))
    raise TypeError("a number was expected")


_text = _only(str)

_PARSERS: dict[type, Callable[[Any, Any], Any]] = {
    str: _text,
    bool: _only(bool),
    int: _int,
    float: _float,
    Decimal: _decimal,
    datetime: lambda value, _: datetime.fromisoformat(value),
    date: lambda value, _: date.fromisoformat(value),
    # Salesforce writes a zone-less time of day with a Z.
    time: lambda value, _: time.fromisoformat(value).replace(tzinfo=None),
}
