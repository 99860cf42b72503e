"""Values between JSON, as a request and an answer have them, and SQLite.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/primitive_data_types.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from sfconnector.testing._blobs import Blob
from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import Field

NUMBERS = frozenset({"double", "currency", "percent"})
INTEGERS = frozenset({"int", "long"})
COMPOUNDS = frozenset({"address", "location"})
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)
_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,3})?(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE
)
_TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?Z?", re.ASCII)
_WHITE_SPACE = "".join(map(chr, range(0x21)))
_Moment = TypeVar("_Moment", date, datetime)
_ADDRESS_PARTS = {
    "city": "City",
    "country": "Country",
    "geocodeAccuracy": "GeocodeAccuracy",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "postalCode": "PostalCode",
    "state": "State",
    "street": "Street",
}


class Misfit(Exception):
    """The JSON value is of no form that the field's type takes."""


def now_text(moment: datetime) -> str:
    """Write a moment as Salesforce does: in UTC, to the second, with the zeros of milliseconds."""
    return _moment_text(moment.replace(microsecond=0))


@lru_cache(maxsize=1_000)
def _moment_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def from_json(field: Field, value: Any) -> Any:
    """Turn a JSON value into what is stored; empty text becomes ``None``, a content that is there already stays.

    Raises:
        Misfit: The value's form is not that of the type.
    """
    if value is None or value == "":
        return None
    if type(value) is not str and isinstance(value, (Mapping, list)):
        raise Misfit
    kind = field.type
    if kind == "boolean":
        return _boolean(value)
    if kind in NUMBERS or kind in INTEGERS:
        return _number(value, whole=kind in INTEGERS)
    if kind == "base64" and isinstance(value, Blob):
        return value
    if kind in ("date", "datetime", "time", "base64") and not isinstance(value, str):
        raise Misfit
    match kind:
        case "date":
            return _date(value)
        case "datetime":
            return _datetime(value)
        case "time":
            return _time(value)
        case "base64":
            return _base64(value)
    return _text(value)


def to_json(field: Field, stored: Any) -> Any:
    """Turn a stored value into the JSON value of an answer."""
    if stored is None:
        return None
    if field.type == "boolean":
        return bool(stored)
    return float(stored) if field.type in NUMBERS else stored


def compound(field: Field, columns: Mapping[str, Any]) -> dict[str, Any] | None:
    """Build an address or a location from its parts; ``None`` where all of them are empty."""
    if field.type == "location":
        stem = field.name.removesuffix("__c")
        parts = {"latitude": columns.get(f"{stem}__Latitude__s"), "longitude": columns.get(f"{stem}__Longitude__s")}
    else:
        prefix = field.name.removesuffix("Address")
        parts = {key: columns.get(f"{prefix}{part}") for key, part in _ADDRESS_PARTS.items()}
    return None if all(value is None for value in parts.values()) else parts


def misfit_error(field: Field, values: Mapping[str, Any], name: str) -> OrgError:
    """Say in Salesforce's words which token could not be read, and where it stands in the JSON text."""
    token, text = _token(values[name])
    here = f"line:1, column:{_column(values, name)}]"
    subject = field.name if field.type in COMPOUNDS else field.type
    if token == "START_ARRAY":  # noqa: S105  # a token of JSON
        message = f"Cannot deserialize instance of {subject} from START_ARRAY value [{here}"
    else:
        message = (
            f"Cannot deserialize instance of {subject} from {token} value {text} "
            f"or request may be missing a required field at [{here}"
        )
    return OrgError(400, "JSON_PARSER_ERROR", message)


def _token(value: Any) -> tuple[str, str]:
    match value:
        case bool():
            return ("VALUE_TRUE", "true") if value else ("VALUE_FALSE", "false")
        case int():
            return "VALUE_NUMBER_INT", str(value)
        case float() | Decimal():
            return "VALUE_NUMBER_FLOAT", str(value)
        case list():
            return "START_ARRAY", "["
        case Mapping():
            return "START_OBJECT", "{"
    return "VALUE_STRING", str(value)


def _column(values: Mapping[str, Any], name: str) -> int:
    before = {key: values[key] for key in list(values)[: list(values).index(name) + 1]}
    return len(json.dumps(before, separators=(",", ":"), default=str, ensure_ascii=False)) - 1


def _boolean(value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    if value in ("true", "false"):
        return int(value == "true")
    raise Misfit


def _number(value: Any, *, whole: bool) -> int | float:
    text = str(value).strip()
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise Misfit
    number = Decimal(text)
    if whole and number != number.to_integral_value():
        raise Misfit
    result = int(number) if whole else float(number)
    if math.isinf(result):
        raise Misfit
    return result


def _date(text: str) -> str:
    if match := _DATE.fullmatch(text):
        return _checked(date, *map(int, match.groups())).isoformat()
    return _datetime(text)[:10]


def _datetime(text: str) -> str:
    match = _DATETIME.fullmatch(text)
    if match is None:
        raise Misfit
    *numbers, offset = match.groups()
    naive = _checked(datetime, *map(int, numbers))
    try:
        return now_text(naive.replace(tzinfo=_zone(offset)))
    except (OverflowError, ValueError):
        raise Misfit from None


def _zone(offset: str | None) -> timezone:
    if offset is None or offset in "Zz":
        return UTC
    span = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    return timezone(-span if offset[0] == "-" else span)


def _time(text: str) -> str:
    match = _TIME.fullmatch(text)
    if match is None:
        raise Misfit
    hour, minute, second, fraction = match.groups()
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        raise Misfit
    return f"{hour}:{minute}:{second or '00'}.{(fraction or '0').ljust(3, '0')}Z"


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Misfit from None
    return text


def _text(value: Any) -> str | None:
    """Leave out the white space around a text, as Salesforce does.

    https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_data_diff_event_fields_considerations.htm
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if text.isascii():
        return text.strip(_WHITE_SPACE) or None
    # Half of a surrogate pair is no character, and no database takes it.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.strip(_WHITE_SPACE) or None


def _checked(make: Callable[..., _Moment], *numbers: int) -> _Moment:
    try:
        return make(*numbers)
    except ValueError:
        raise Misfit from None
