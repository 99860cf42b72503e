"""SOSL with values."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfconnector import sosl

RESERVED = "?&|!{}[]()^~*:\\\"'+-"


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ("FIND {x}", {"x": "Acme"}, "FIND {Acme}"),
        ("find{x}", {"x": "Acme Inc"}, "find{Acme Inc}"),
        ("FIND {x} IN NAME FIELDS", {"x": "O'Neil (UK)"}, r"FIND {O\'Neil \(UK\)} IN NAME FIELDS"),
        ("FIND {x}", {"x": RESERVED}, "FIND {" + "".join(f"\\{each}" for each in RESERVED) + "}"),
        ("FIND {x}", {"x": "salt AND pepper or"}, 'FIND {salt "AND" pepper "or"}'),
        ("FIND {x}", {"x": "Andorra  oregano"}, "FIND {Andorra  oregano}"),
        ("FIND {x:phrase}", {"x": 'say "and" \\'}, r'FIND {"say \"and\" \\"}'),
        ("FIND {x:startswith}", {"x": "Acme*Ind "}, r"FIND {Acme\*Ind*}"),
        ("FIND {x:startswith}", {"x": "rock and or"}, 'FIND {rock "and" or*}'),
        ("FIND {x}", {"x": ["Acme Inc", "Globex"]}, 'FIND {("Acme Inc" OR "Globex")}'),
        ("FIND {x:phrase}", {"x": ("A+",)}, r'FIND {("A\+")}'),
        ("FIND {{{a} AND NOT {b}}}", {"a": "x y", "b": "z}"}, r"FIND {x y AND NOT z\}}"),
        ('FIND {{"{a} {b}" OR {c:startswith}}}', {"a": "and", "b": '"', "c": "d"}, r'FIND {"and \"" OR d*}'),
        (r"FIND {{a\}}\\{b}}}", {"b": "x"}, r"FIND {a\}\\x}"),
        ("FIND {{Acme*}} RETURNING {o:field}", {"o": "Account"}, "FIND {Acme*} RETURNING Account"),
        (
            "FIND {x} RETURNING Account(Id, Name WHERE Name = {x} AND CreatedDate > {since} LIMIT {n})",
            {"x": "O'Neil", "since": datetime(2026, 1, 2, tzinfo=UTC), "n": 5},
            r"FIND {O\'Neil} RETURNING Account(Id, Name WHERE Name = 'O\'Neil' AND "
            "CreatedDate > 2026-01-02T00:00:00.000Z LIMIT 5)",
        ),
        ("FIND {x} RETURNING Account(Id WHERE Name LIKE {y:contains})", {"x": "a", "y": "%"}, None),
        ("FIND {x} RETURNING Account(Id WHERE Name = '{{ }}' AND Type IN {y})", {"x": "a", "y": ["b"]}, None),
    ],
)
def test_each_place_has_its_own_form(template: str, values: dict[str, Any], expected: str | None) -> None:
    filled = sosl(template, **values)
    if expected is None:
        expected = {
            "contains": r"FIND {a} RETURNING Account(Id WHERE Name LIKE '%\%%')",
            "{{": "FIND {a} RETURNING Account(Id WHERE Name = '{ }' AND Type IN ('b'))",
        }["contains" if "contains" in template else "{{"]
    assert filled == expected


@pytest.mark.parametrize(
    ("template", "values", "reason"),
    [
        ("", {}, "missing"),
        ("FIND", {}, "missing"),
        ("FIND 'Acme'", {}, "missing"),
        ("FIND {{Acme", {}, "no end"),
        ("FIND {Acme}", {}, "no value is given for the placeholder {Acme}"),
        ("FIND {x}", {"x": "a", "y": "b"}, "no placeholder for the values: y"),
        ("SELECT {x}", {"x": "a"}, "begins with FIND"),
        ("IN {{x}}", {}, "begins with FIND"),
        ("FIND {x}", {"x": ""}, "blank"),
        ("FIND {x}", {"x": " \n"}, "blank"),
        ("FIND {x:phrase}", {"x": " "}, "blank"),
        ("FIND {{ }}", {}, "blank"),
        ("FIND {x}", {"x": []}, "the list is empty"),
        ("FIND {x}", {"x": ["a", ""]}, "blank"),
        ("FIND {x}", {"x": "\ud800"}, "lone surrogate"),
        ("FIND {x:contains}", {"x": "a"}, "the forms of a text to search for"),
        ("FIND {x:startswith}", {"x": ["a"]}, "a list is searched for as phrases"),
        ('FIND {{"{x:phrase}"}}', {"x": "a"}, "no forms"),
        ("FIND {{\\{x}}}", {"x": "}"}, "a backslash stands before"),
        ("FIND {x!r}", {"x": "a"}, "a placeholder is a plain name"),
        ("FIND {x} RETURNING A(Id WHERE B = '{y}')", {"x": "a", "y": "b"}, "between quotes"),
        ("FIND {x} RETURNING A(Id WHERE B = '", {"x": "a"}, "ends inside a quoted literal"),
        ("FIND {x} RETURNING A(Id WHERE B = {y:phrase})", {"x": "a", "y": "b"}, "the forms are"),
        ("FIND {x}", {"x": "a" * 10_001}, "10,001 characters"),
        ("FIND {{{x} AND {y}}}", {"x": "a" * 4_000, "y": "b"}, "reads AND as OR"),
    ],
)
def test_what_has_no_place_is_refused(template: str, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        sosl(template, **values)


@pytest.mark.parametrize("value", [None, 7, b"x", ["a", 1], {"a": "b"}])
def test_only_texts_are_searched_for(value: Any) -> None:
    with pytest.raises(TypeError, match="what is searched for is a text"):
        sosl("FIND {x}", x=value)


def test_a_long_list_is_searched_for() -> None:
    assert len(sosl("FIND {x}", x=["a" * 90] * 100)) > 9_000


class Reader:
    """Reads the braces of a SOSL text as the documentation tells: escapes, phrases, words and operators."""

    def __init__(self, text: str) -> None:
        assert text.startswith("FIND {")
        self.items: list[tuple[str, str]] = []
        self.rest = text[len("FIND {") :]

    def read(self) -> list[tuple[str, str]]:
        kind, item = "", ""
        while self.rest:
            character, self.rest = self.rest[0], self.rest[1:]
            if character == "\\":
                item, kind = item + self.rest[0], kind or "word"
                self.rest = self.rest[1:]
            elif character == '"':
                if kind == "phrase":
                    self.items.append((kind, item))
                    kind, item = "", ""
                else:
                    assert not kind
                    kind = "phrase"
            elif kind == "phrase":
                item += character
            elif character in RESERVED or character.isspace():
                if kind:
                    self.items.append(("operator" if item.lower() in {"and", "or"} else kind, item))
                    kind, item = "", ""
                if character == "}":
                    return self.items
                if not character.isspace():
                    self.items.append(("reserved", character))
            else:
                item, kind = item + character, kind or "word"
        raise AssertionError("the braces have no end")


TEXTS = st.text(st.characters(exclude_categories=["Cs"])).filter(str.strip)
TRICKY = (
    st.lists(st.sampled_from(["and", "OR", "not", " ", *RESERVED, "a", "'", "\\", "}", '"', "WHERE", "\n"]), min_size=1)
    .map("".join)
    .filter(str.strip)
)


@given(TEXTS | TRICKY)
def test_no_text_leaves_its_place(text: str) -> None:
    reader = Reader(sosl("FIND {x} IN ALL FIELDS", x=text))
    items = reader.read()
    assert reader.rest == " IN ALL FIELDS"
    assert {kind for kind, _ in items} <= {"word", "phrase"}
    assert [item for _, item in items] == text.split()


@given(TEXTS | TRICKY)
def test_no_phrase_leaves_its_place(text: str) -> None:
    reader = Reader(sosl("FIND {x:phrase} IN ALL FIELDS", x=text))
    assert reader.read() == [("phrase", text)]
    assert reader.rest == " IN ALL FIELDS"
    reader = Reader(sosl('FIND {{"{x}"}} IN ALL FIELDS', x=text))
    assert reader.read() == [("phrase", text)]


@given(st.lists(TEXTS | TRICKY, min_size=1, max_size=5))
def test_a_list_is_that_many_phrases(texts: list[str]) -> None:
    items = Reader(sosl("FIND {x}", x=texts)).read()
    assert [item for kind, item in items if kind == "phrase"] == texts
    assert [item for kind, item in items if kind != "phrase"] == ["(", *["OR"] * (len(texts) - 1), ")"]


@given(TEXTS | TRICKY, TEXTS | TRICKY)
def test_a_literal_behind_the_text_is_one_of_soql(text: str, value: str) -> None:
    filled = sosl("FIND {x} RETURNING Account(Id WHERE Name = {y})", x=text, y=value)
    reader = Reader(filled)
    reader.read()
    match = re.fullmatch(r" RETURNING Account\(Id WHERE Name = '((?:[^'\\]|\\.)*)'\)", reader.rest, re.DOTALL)
    assert match is not None
    plain = re.sub(
        r"\\(.)", lambda each: {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}.get(each[1], each[1]), match[1]
    )
    assert plain == value
