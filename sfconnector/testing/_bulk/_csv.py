"""CSV as both bulk APIs read and write it.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_prepare_csv.htm
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sfconnector.testing._errors import OrgError

DELIMITERS: Final = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS: Final = {"LF": "\n", "CRLF": "\r\n"}
# Beyond this the csv module of Python refuses a field, unless told otherwise for the whole process.
_CSV_LIMIT: Final = 131_072
# https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-bulkapi.html
LONGEST_FIELD: Final = 131_072
LONGEST_RECORD: Final = 400_000
MOST_FIELDS: Final = 5_000
# https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_prepare_csv.htm
LONGEST_HEADER: Final = 32_000


class Upload:
    """An uploaded file, read record by record; ``position`` is where the next one begins.

    Args:
        path: the file.
        delimiter: name of the column delimiter.
        line_ending: name of the line ending; ``None`` for either.

    Raises:
        OrgError: ``ClientInputError`` or ``InvalidBatch``: it cannot be read as what it is said to be.
    """

    def __init__(self, path: Path, delimiter: str, line_ending: str | None) -> None:
        self._delimiter = DELIMITERS[delimiter]
        self._line_ending = line_ending
        char = re.escape(self._delimiter)
        cell = rf'(?:"[^"]*+(?:""[^"]*+)*+"|[^"{char}]*+)'
        # Nothing is ever tried in a second way, so that no text takes longer than its length.
        self._quoted_well = re.compile(f"{cell}(?:{char}{cell})*+")
        self.position = 0
        self._file = path.open("rb")
        try:
            self.header_text = next(self._records(1), "")
            rows = self._parsed([self.header_text]) if self.header_text else []
            self.header: list[str] = [name.strip() for name in rows[0]] if rows else []
            if len(self.header) > MOST_FIELDS:
                raise _unreadable(f"Exceeded max number of columns per record : {MOST_FIELDS}")
            if len(self.header_text) > LONGEST_HEADER:
                # The wording is not documented.
                raise _unreadable(f"the header has more than {LONGEST_HEADER} characters")
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def read(self, number: int) -> list[list[str]]:
        """The next records, fewer than asked for at the end only."""
        rows = self._parsed(list(self._records(number)))
        if any(len(row) > len(self.header) for row in rows):
            # The wording is not documented.
            raise _unreadable("a row has more columns than the header")
        return rows

    def _records(self, number: int) -> Iterator[str]:
        """Texts of records without their line endings; one is whole when its quotes come in pairs."""
        while number > 0 and (line := self._file.readline()):
            while line.count(b'"') % 2:
                more = self._file.readline()
                if not more:
                    raise _unreadable("EOF reached before closing an opened quote")
                line += more
            self.position += len(line)
            text = self._without_ending(line)
            if text:
                number -= 1
                yield text

    def _without_ending(self, line: bytes) -> str:
        crlf = line.endswith(b"\r\n")
        if self._line_ending and line.endswith(b"\n") and crlf != (self._line_ending == "CRLF"):
            raise OrgError(
                400,
                "ClientInputError",
                f"LineEnding is invalid on user data. Current LineEnding setting is {self._line_ending}",
            )
        try:
            return line.removesuffix(b"\r\n" if crlf else b"\n").decode()
        except UnicodeDecodeError:
            raise _unreadable("the data is not UTF-8") from None

    def _parsed(self, texts: Sequence[str]) -> list[list[str]]:
        for text in texts:
            if '"' in text:
                self._check_quotes(text)
        if not any(len(text) > min(_CSV_LIMIT, LONGEST_FIELD) for text in texts):
            return list(csv.reader(texts, delimiter=self._delimiter, strict=True))
        rows = [self._split(text) for text in texts]
        for row in rows:
            check_lengths(row)
        return rows

    def _check_quotes(self, text: str) -> None:
        """https://github.com/forcedotcom/wsc/blob/master/src/main/java/com/sforce/async/CSVReader.java"""
        found = self._quoted_well.match(text)
        end = found.end() if found else 0
        if end < len(text):
            raise _unreadable(
                "Not expecting more text after end quote"
                if text[:end].endswith('"')
                else "Found unescaped quote. A value with quote should be within a quote"
            )

    def _split(self, text: str) -> list[str]:
        """As the csv module does, with no limit."""
        delimiter = re.escape(self._delimiter)
        cells = re.findall(rf'(?:^|{delimiter})(?:"((?:[^"]|"")*)"(?={delimiter}|$)|([^{delimiter}]*))', text)
        return [quoted.replace('""', '"') or plain for quoted, plain in cells]


def check_lengths(values: Iterable[Any]) -> None:
    """Refuse a record that is too long, or a value of it, in the words of Salesforce's own reader.

    https://github.com/forcedotcom/wsc/blob/master/src/main/java/com/sforce/async/CSVReader.java

    Raises:
        OrgError: ``ClientInputError``.
    """
    lengths = [len(value) for value in values if isinstance(value, str)]
    if lengths and max(lengths) > LONGEST_FIELD:
        raise OrgError(400, "ClientInputError", f"Exceeded max field size: {max(lengths)}")
    if sum(lengths) > LONGEST_RECORD:
        most = f"Max length for one record should be less than or equal to {LONGEST_RECORD}"
        message = f"Exceeded max length for one record: {sum(lengths)}. {most}"
        raise OrgError(400, "ClientInputError", message)


def _unreadable(reason: str) -> OrgError:
    return OrgError(400, "ClientInputError", f"Failed to parse CSV: {reason}")


class _Lines(list[str]):
    """Takes what a csv writer writes, record by record."""

    write = list.append


def lines(rows: Iterable[Iterable[Any]], delimiter: str = "COMMA", line_ending: str = "LF") -> list[bytes]:
    """Rows as CSV with every cell in quotes, as Salesforce writes it."""
    written = _Lines()
    csv.writer(
        written, delimiter=DELIMITERS[delimiter], lineterminator=LINE_ENDINGS[line_ending], quoting=csv.QUOTE_ALL
    ).writerows(rows)
    return [line.encode() for line in written]
