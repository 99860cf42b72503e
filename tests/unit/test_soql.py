import enum
import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfconnector import soql

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


def read_literal(source: str) -> tuple[str, str]:
    """Read one quoted literal as the SOQL Reference defines it; give its value and what stands behind it."""
    assert source[0] == "'"
    value, position = "", 1
    while source[position] != "'":
        if source[position] == "\\":
            position += 1
            value += UNESCAPED[source[position]]
        else:
            value += source[position]
        position += 1
    return value, source[position + 1 :]


@given(TEXT)
def test_no_text_leaves_its_literal(text: str) -> None:
    query = soql("SELECT Id FROM Account WHERE Name = {name} LIMIT 1", name=text)
    value, rest = read_literal(query.removeprefix("SELECT Id FROM Account WHERE Name = "))
    assert (value, rest) == (text, " LIMIT 1")


@given(st.lists(TEXT, min_size=1))
def test_every_text_of_a_list_stays_in_its_literal(texts: list[str]) -> None:
    rest = soql("{names}", names=texts)
    for text in texts:
        assert rest[0] in "(,"
        value, rest = read_literal(rest[1:])
        assert value == text
    assert rest == ")"


@pytest.mark.parametrize(
    ("form", "before", "after"), [("contains", "%", "%"), ("startswith", "", "%"), ("endswith", "%", "")]
)
@given(text=TEXT)
def test_a_pattern_matches_the_text_and_nothing_else(form: str, before: str, after: str, text: str) -> None:
    literal = soql(f"{{name:{form}}}", name=text)
    # \% and \_ are known to LIKE alone, so they are taken out before the literal is read.
    assert literal.startswith("'" + before)
    assert literal.endswith(after + "'")
    pattern = literal[1 + len(before) : len(literal) - 1 - len(after)]
    tokens = re.findall(r"\\.|.", pattern, re.DOTALL)
    assert "".join(tokens) == pattern
    assert not {"%", "_", "'"} & set(tokens)
    assert "".join(token[1] if token in (r"\%", r"\_") else read_literal(f"'{token}'")[0] for token in tokens) == text


class Rating(enum.StrEnum):
    HOT = "Hot"


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (42, "42"),
        (-7, "-7"),
        (1.5, "1.5"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (Decimal("12.340"), "12.340"),
        (Decimal("1E+3"), "1000"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 5, 1, 12, 30, 15, 123999, UTC), "2024-05-01T12:30:15.123Z"),
        (datetime(2024, 5, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2024-04-30T23:00:00.000Z"),
        (time(9, 30), "09:30:00.000Z"),
        ("O'Neil", r"'O\'Neil'"),
        ("a\\", r"'a\\'"),
        (Rating.HOT, "'Hot'"),
        (["a", 1, None], "('a',1,null)"),
        (("x",), "('x')"),
        ({"x"}, "('x')"),
    ],
)
def test_literals(value: object, literal: str) -> None:
    assert soql("{value}", value=value) == literal


@pytest.mark.parametrize("path", ["Name", "Owner.Name", "My__c", "Parent__r.Account.Name"])
def test_a_field_path_is_taken_as_it_is(path: str) -> None:
    assert soql("SELECT {f:field} FROM Account", f=path) == f"SELECT {path} FROM Account"


@pytest.mark.parametrize("path", ["", "Name FROM User", "a.b.", "1a", "Näme", "a'b", "a\n"])
def test_what_is_no_field_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no API name"):
        soql("{f:field}", f=path)


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("{a}", {}, "no value is given for the placeholder {a}"),
        ("Id", {"a": 1}, "no placeholder for the values: a"),
        ("'{a}'", {"a": "x"}, "stands between quotes"),
        ("Name = 'x\\'{a}'", {"a": "x"}, "stands between quotes"),
        ("{a} = 'x", {"a": 1}, "ends inside a quoted literal"),
        ("{a!r}", {"a": 1}, "a placeholder is a plain name"),
        ("{a.b}", {"a": 1}, "a placeholder is a plain name"),
        ("{}", {"a": 1}, "a placeholder is a plain name"),
        ("{a:like}", {"a": "x"}, "the forms are contains, startswith, endswith, field"),
        ("{a}", {"a": datetime(2024, 1, 1)}, "has no time zone"),
        ("{a}", {"a": float("nan")}, "no literal for nan"),
        ("{a}", {"a": Decimal("Infinity")}, "no literal for Infinity"),
        ("{a}", {"a": []}, "the list is empty"),
        ("{a}", {"a": "\ud800"}, "lone surrogate"),
        ("{a}", {"a": time(1, tzinfo=UTC)}, "has no zone"),
    ],
)
def test_what_has_no_literal_is_refused(template: str, values: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        soql(template, **values)


@pytest.mark.parametrize("value", [b"x", object(), {"a": 1}, [["a"]], 1j])
def test_a_type_that_soql_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        soql("{a}", a=value)


@pytest.mark.parametrize("form", ["contains", "field"])
def test_a_form_takes_text_only(form: str) -> None:
    with pytest.raises(TypeError, match=r"not (by|from) a.* int"):
        soql(f"{{a:{form}}}", a=1)


def test_doubled_braces_are_braces() -> None:
    assert soql("{{{a}}}", a=1) == "{1}"


def test_a_quote_in_the_template_may_hold_an_escaped_quote() -> None:
    assert soql(r"Name = 'O\'Neil' AND X = {a}", a=1) == r"Name = 'O\'Neil' AND X = 1"
