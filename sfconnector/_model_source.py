"""Typed records as the text of a Python module."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sfconnector._model_fields import MARKS, RESERVED, Attribute, Choice, Class, unlike

_WIDTH: Final = 88
_INDENT: Final = "    "
# Names of fields can be longer than any line, so that no formatter would leave all of them alone.
_HEAD: Final = '''"""Typed records of Salesforce objects.

Written by ``python -m sfconnector.models``: change the org, write them anew, and
change nothing here.
"""

# ruff: noqa
# fmt: off
'''


def module_of(classes: Sequence[Class]) -> str:
    """Write a module; the same classes make the same text.

    Args:
        classes: Its classes, in their order.
    """
    taken = {name for each in classes for name in (each.name, *(attribute.name for attribute in each.attributes))}
    taken |= RESERVED
    aliases: dict[tuple[str, str], str] = {}
    for each in classes:
        for attribute in each.attributes:
            if attribute.choices:
                alias = unlike(f"{each.name}_{attribute.name}", taken)
                aliases[each.name, attribute.name] = alias
                taken.add(alias)
    types = {
        (each.name, attribute.name): _annotation(attribute, aliases.get((each.name, attribute.name)))
        for each in classes
        for attribute in each.attributes
    }
    parts = [_imports(types.values(), literals=bool(aliases))]
    for each in classes:
        choices = [
            _alias(aliases[each.name, attribute.name], attribute.choices)
            for attribute in each.attributes
            if attribute.choices
        ]
        lines = _class(each, [types[each.name, attribute.name] for attribute in each.attributes])
        if choices:
            parts.append(("" if each is classes[0] else "\n") + "\n".join(choices))
        parts.append("\n" + "\n".join(lines))
    return "\n".join([_HEAD, "\n\n".join(parts)]) + "\n"


def _imports(types: Iterable[str], *, literals: bool) -> str:
    words = {word for each in types for word in re.findall(r"\w+", each)}
    lines = [f"import {module}" for module in ("datetime", "decimal") if module in words]
    typing = [*(["Any"] if "Any" in words else []), *(["Literal"] if literals else [])]
    if typing:
        lines.append(f"from typing import {', '.join(typing)}")
    if lines:
        lines.append("")
    names = sorted({"TypedRecord", *(words & {*MARKS})})
    return "\n".join([*lines, "import attrs", f"from sfconnector import {', '.join(['UNSET', *names])}"])


def _annotation(attribute: Attribute, alias: str | None) -> str:
    text = attribute.type
    if alias is not None:
        text = f"Picklist[{alias}]" if attribute.restricted else f"{alias} | str"
    if attribute.optional and text != "Any":
        text = f"{text} | None"
    return f"{attribute.mark}[{text}]" if attribute.mark else text


def _alias(name: str, choices: Sequence[Choice]) -> str:
    if len(choices) == 1 and len(line := f"{name} = Literal[{_quoted(choices[0].value)}]") <= _WIDTH:
        return line
    # One trailing comma would make a tuple of a single value.
    comma = "," if len(choices) > 1 else ""
    lines = (
        f"{_INDENT}{_quoted(choice.value)}{comma}"
        + (f'  # "{_printable(choice.label)}"' if choice.label != choice.value else "")
        for choice in choices
    )
    return "\n".join([f"{name} = Literal[", *lines, "]"])


def _class(each: Class, types: Iterable[str]) -> Iterator[str]:
    yield "@attrs.define(kw_only=True, repr=False)"
    yield f"class {each.name}(TypedRecord):"
    yield _docstring(each.summary, "")
    yield ""
    yield f'{_INDENT}__sobject__ = "{each.sobject}"'
    for attribute, kind in zip(each.attributes, types, strict=True):
        yield ""
        if attribute.name == attribute.api_name:
            yield f"{_INDENT}{attribute.name}: {kind} = UNSET"
        else:
            yield f"{_INDENT}{attribute.name}: {kind} = attrs.field("
            yield f"{_INDENT * 2}default=UNSET,"
            yield f'{_INDENT * 2}metadata={{"api_name": "{attribute.api_name}"}},'
            yield f"{_INDENT})"
        yield _docstring(attribute.summary, attribute.help_text)


def _docstring(summary: str, more: str) -> str:
    paragraphs = [
        "\n".join(textwrap.wrap(text, _WIDTH - len(_INDENT), break_long_words=False, break_on_hyphens=False))
        for text in map(_prose, (summary, more))
        if text
    ]
    text = "\n\n".join(paragraphs)
    if "\n" not in text and len(text) + len(_INDENT) + 6 <= _WIDTH:
        return f'{_INDENT}"""{text}"""'
    return textwrap.indent(f'"""{text}\n"""', _INDENT)


def _prose(text: str) -> str:
    """Make a text fit to stand in a docstring, whatever an administrator has written."""
    words = _printable(text).replace('"', "'")
    return words if not words or words[-1] in ".!?" else f"{words}."


def _printable(text: str) -> str:
    """Bring a text onto one line, and write down what has no sign as Python does."""
    return _escaped(" ".join(text.split()))


def _quoted(value: str) -> str:
    """Write a literal as ruff does: between double quotes unless these would have to be escaped more often."""
    quote = "'" if value.count('"') > value.count("'") else '"'
    return f"{quote}{_escaped(value, quote)}{quote}"


_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def _escaped(text: str, quote: str = "") -> str:
    written = (_NAMED.get(sign) or (sign if sign.isprintable() else _code(sign)) for sign in text)
    return "".join(f"\\{sign}" if quote and sign == quote else sign for sign in written)


def _code(sign: str) -> str:
    number = ord(sign)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
