"""Writes typed records: ``python -m sfconnector.models Account Contact``.

The command describes the objects that it is given, in the org that the environment names as it does for
:meth:`Salesforce.from_env`, or reads descriptions that were saved, and writes a Python module with an attrs class for
each. The classes are for ``sf.sobject(Account)`` and ``sf.query(…, into=Account)``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sfconnector_generated.errors import ParseError
from sfconnector_generated.rest.models import DescribeSObjectResult

from sfconnector._json import loads
from sfconnector._model_fields import class_of
from sfconnector._model_source import module_of
from sfconnector._names import check_name
from sfconnector.errors import SalesforceError

_USAGE, _FAILED = 2, 1


def source(described: Iterable[DescribeSObjectResult], *, decimals: bool = False) -> str:
    """Write a module with a class for each object; the same descriptions make the same text.

    Args:
        described: Descriptions of objects; a second one of the same object is passed over.
        decimals: Read currencies, percentages and other numbers as :class:`decimal.Decimal`, and not as floats.

    Raises:
        ValueError: There is no description, or one names an object or a field as Salesforce does not.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm

    Example:
        >>> from sfconnector import models
        >>> text = models.source([sf.sobject("Account").describe()])
        >>> "class Account(TypedRecord):" in text
        True
    """
    objects: dict[str, DescribeSObjectResult] = {}
    for each in described:
        objects.setdefault(each.name.lower(), each)
    if not objects:
        raise ValueError("there is no description to write a class for")
    return module_of([class_of(each, decimals=decimals) for each in objects.values()])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 2 where it was given what cannot be right, 1 where it failed."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        saved = [described for file in options.describe for described in _read(Path(file))]
        names = [check_name("the object", name) for name in options.sobjects]
        if not names and not saved:
            parser.error("name an object, or give a saved description with --describe")
        text = source(_described(names, saved), decimals=options.decimals)
    except ValueError as error:
        return _complain(error, _USAGE)
    except SalesforceError as error:
        return _complain(error, _FAILED)
    try:
        _write(text, options.output)
    except OSError as error:
        return _complain(f"{options.output or 'the output'} cannot be written: {error.strerror}", _FAILED)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sfconnector.models",
        description="Write typed records of Salesforce objects: a Python module with an attrs class for each.",
        epilog="The org is that of the environment: SALESFORCE_AUTH names the login, and the others its arguments.",
    )
    parser.add_argument("sobjects", nargs="*", metavar="OBJECT", help="API name of an object, such as Account")
    parser.add_argument(
        "--describe",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="a saved description, or a list of them; objects that it names need no org",
    )
    parser.add_argument("--output", metavar="FILE", help="where to write the module; standard output by default")
    parser.add_argument("--decimals", action="store_true", help="read numbers as Decimal and not as float")
    return parser


def _read(file: Path) -> list[DescribeSObjectResult]:
    try:
        data = loads(file.read_bytes())
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{file} is not JSON") from None
    # The Salesforce CLI wraps what it describes.
    found: Any = data["result"] if isinstance(data, dict) and "result" in data else data
    try:
        return [DescribeSObjectResult.from_dict(each) for each in (found if isinstance(found, list) else [found])]
    except ParseError as error:
        raise ValueError(f"{file} holds no description of an object: {error}") from None


def _described(names: Sequence[str], saved: Sequence[DescribeSObjectResult]) -> list[DescribeSObjectResult]:
    """Give the descriptions of what is named, or all that are saved where nothing is."""
    known = {each.name.lower(): each for each in reversed(saved)}
    if all(name.lower() in known for name in names):
        return [known[name.lower()] for name in names] or [*saved]
    from sfconnector._client import Salesforce

    with Salesforce.from_env() as sf:
        return [known.get(name.lower()) or sf.sobject(name).describe() for name in names]


def _write(text: str, output: str | None) -> None:
    # In bytes: the module is UTF-8 with plain line ends, whatever the terminal speaks.
    content = text.encode()
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        Path(output).write_bytes(content)


def _complain(reason: object, status: int) -> int:
    sys.stderr.write(f"sfconnector.models: {reason}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
