"""The forms of CSV that Salesforce knows.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_prepare_csv.htm
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import attrs

ColumnDelimiter: TypeAlias = Literal["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"]
"""What stands between two cells, by Salesforce's names."""

LineEnding: TypeAlias = Literal["LF", "CRLF"]
"""What ends a record, by Salesforce's names."""

DELIMITERS: Final[dict[str, str]] = {
    "BACKQUOTE": "`",
    "CARET": "^",
    "COMMA": ",",
    "PIPE": "|",
    "SEMICOLON": ";",
    "TAB": "\t",
}
_TERMINATORS: Final = {"LF": "\n", "CRLF": "\r\n"}


@attrs.frozen
class Dialect:
    """One of the forms of CSV.

    Args:
        column_delimiter: What stands between two cells.
        line_ending: What ends a record; ``None`` stands for that of the file where there is one, and else for LF.

    Raises:
        ValueError: Salesforce knows no such delimiter or line ending.
    """

    column_delimiter: ColumnDelimiter = "COMMA"
    line_ending: LineEnding | None = None

    def __attrs_post_init__(self) -> None:
        # A list is no key of a dict, and should be told so as kindly as a wrong name.
        if self.column_delimiter not in get_args(ColumnDelimiter):
            raise ValueError(f"column_delimiter is one of {', '.join(DELIMITERS)}, not {self.column_delimiter!r}")
        if self.line_ending is not None and self.line_ending not in get_args(LineEnding):
            raise ValueError(f"line_ending is LF or CRLF, not {self.line_ending!r}")

    @property
    def delimiter(self) -> str:
        """The character between two cells."""
        return DELIMITERS[self.column_delimiter]

    @property
    def terminator(self) -> str:
        """The characters at the end of a record that is written."""
        return _TERMINATORS[self.line_ending or "LF"]
