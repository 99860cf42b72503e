"""From the text of a cell to the value that is stored.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_prepare_csv.htm
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_date_format.htm
"""

from collections.abc import Callable
from typing import Any, Final

from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import Field
from sfconnector.testing._values import INTEGERS, NUMBERS, Misfit, from_json

NULL: Final = "#N/A"
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "y", "on", "1"), 1),
    **dict.fromkeys(("false", "no", "n", "off", "0"), 0),
}
_XSD: Final = {"base64": "base64Binary", "datetime": "dateTime"}


def reader(field: Field, column: int) -> Callable[[Any], Any]:
    """Make the function that reads the cells of a column; it raises `OrgError` for what the field does not take."""
    if field.type == "boolean":
        return lambda value: _boolean(field, column, value)

    def read(value: Any) -> Any:
        try:
            return from_json(field, value)
        except Misfit:
            raise unreadable(field, column, value) from None

    return read


def _boolean(field: Field, column: int, value: Any) -> int | None:
    if value is None:
        return None
    stored = _BOOLEANS.get(str(value).lower())
    if stored is None:
        raise unreadable(field, column, value)
    return stored


def unreadable(field: Field, column: int, value: Any) -> OrgError:
    """Refuse a cell in the words of a recorded ``failedResults``."""
    kind = field.type
    if kind in NUMBERS or kind in INTEGERS:
        kind = "double" if kind in NUMBERS else "int"
    message = (
        f"Failed to deserialize field at col {column}. Due to, '{value}' is not a valid value for the type "
        f"xsd:{_XSD.get(kind, kind)}"
    )
    return OrgError(400, "INVALID_FIELD", message, [field.name])
