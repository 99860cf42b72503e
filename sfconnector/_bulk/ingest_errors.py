"""Rows that failed, and why."""

from __future__ import annotations

import re
from typing import Any, Final

import attrs

from sfconnector._retry import TRANSIENT_CODES
from sfconnector.errors import ErrorDetail

_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_FIELDS: Final = re.compile(r"[\w., ]*")


@attrs.frozen
class FailedRow:
    """A row that Salesforce refused.

    Attributes:
        index: Its position in the source, counted from 0; ``None`` where Salesforce gave back other cells than were
            sent.
        row: The cells that were uploaded, by column; of Bulk API 1.0 in JSON, the values.
        error: Why.
        id: The id of the record, where there is one.
    """

    index: int | None
    row: dict[str, Any] = attrs.field(repr=False)
    error: ErrorDetail
    id: str = ""

    @property
    def errors(self) -> tuple[ErrorDetail, ...]:
        return (self.error,)

    @property
    def is_transient(self) -> bool:
        """Whether the reason passes, such as a lock, so that sending the row again may help."""
        return self.error.code in TRANSIENT_CODES


def parse_error(text: str) -> ErrorDetail:
    """Read what results have in ``sf__Error``.

    Example:
        >>> parse_error("REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --")
        ErrorDetail(code='REQUIRED_FIELD_MISSING', message='Required fields are missing: [Name]', fields=('Name',))
        >>> parse_error("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--")
        ErrorDetail(code='UNABLE_TO_LOCK_ROW', message='unable to obtain exclusive access to this record', fields=())
        >>> parse_error("no code at all")
        ErrorDetail(code='', message='no code at all', fields=())
    """
    code, _, rest = text.partition(":")
    if _CODE.fullmatch(code) is None:
        return ErrorDetail("", text)
    # "message:Field1,Field2 --", where the message may have colons too, and there may be no fields.
    message, colon, names = rest.removesuffix("--").rpartition(":")
    if colon and rest.endswith("--") and _FIELDS.fullmatch(names):
        return ErrorDetail(code, message, tuple(re.findall(r"[\w.]+", names)))
    return ErrorDetail(code, rest)
