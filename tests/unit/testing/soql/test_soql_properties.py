"""Properties that hold for any text and any condition."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from soql_org import Database, make_schema

from sfconnector.testing._errors import OrgError

# SQLite ends a text at NUL, and UTF-8 has no surrogates; Salesforce stores neither.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", '"': '\\"'}


def quote(text: str) -> str:
    return "'" + "".join(_ESCAPES.get(character, character) for character in text) + "'"


def key(text: str) -> str:
    """The documented rule: case does not count. Characters without a single upper-case form stay as they are."""
    return "".join(upper if len(upper := one.upper()) == 1 else one for one in text)


@settings(deadline=None)
@given(texts, texts)
def test_any_text_is_found_by_its_literal_and_by_nothing_else(stored: str, other: str) -> None:
    with closing(Database(make_schema())) as database:
        database.add("Account", Name=stored, Code__c=stored)
        for operator in ("=", "IN"):
            literal = quote(stored) if operator == "=" else f"({quote(stored)})"
            assert database.values(f"SELECT Name FROM Account WHERE Name {operator} {literal}") == [stored]
            assert database.values(f"SELECT Name FROM Account WHERE Code__c {operator} {literal}") == [stored]
        found = database.query(f"SELECT COUNT() FROM Account WHERE Name = {quote(other)}").total_size
        assert found == (key(stored) == key(other))


@settings(deadline=None)
@given(
    st.text(st.sampled_from("aAbéÉß%_\\*?[]'"), min_size=1, max_size=8),
    st.text(st.sampled_from("aAbéß%_\\*?["), max_size=8),
)
def test_like_means_what_the_reference_says(stored: str, pattern: str) -> None:
    with closing(Database(make_schema())) as database:
        database.add("Account", Name=stored, Code__c=stored)
        # In the pattern a drawn backslash escapes a wildcard that follows, and stands for itself elsewhere.
        tokens = re.findall(r"\\[%_]|.", pattern)
        literal = "'" + "".join("\\\\" if token == "\\" else token for token in tokens) + "'"
        expression = "".join(
            {"%": ".*", "_": "."}.get(token, re.escape(token[-1])) for token in (key(one) for one in tokens)
        )
        exact = "".join({"%": ".*", "_": "."}.get(token, re.escape(token[-1])) for token in tokens)
        found = database.query(f"SELECT COUNT() FROM Account WHERE Name LIKE {literal}").total_size
        assert found == bool(re.fullmatch(expression, key(stored), re.DOTALL))
        found = database.query(f"SELECT COUNT() FROM Account WHERE Code__c LIKE {literal}").total_size
        assert found == bool(re.fullmatch(exact, stored, re.DOTALL))


ROWS: list[dict[str, Any]] = [
    {"Text__c": text, "Whole__c": whole, "Check__c": check}
    for text in (None, "a", "b")
    for whole in (None, 1, 2)
    for check in (0, 1)
]
Condition = tuple[str, Callable[[dict[str, Any]], bool]]


def compare(field: str, operator: str, value: Any) -> Condition:
    if value is None or isinstance(value, bool):
        literal = str(value).lower().replace("none", "null")
    else:
        literal = str(value) if isinstance(value, int) else f"'{value}'"

    def holds(row: dict[str, Any]) -> bool:
        stored = bool(row[field]) if field == "Check__c" else row[field]
        wanted = bool(value) if field == "Check__c" else value
        if operator in ("=", "!="):
            return (stored == wanted) == (operator == "=")
        if stored is None or wanted is None:
            return False
        return {"<": stored < wanted, "<=": stored <= wanted, ">": stored > wanted, ">=": stored >= wanted}[operator]

    return f"{field} {operator} {literal}", holds


def among(field: str, negated: bool, values: list[Any]) -> Condition:
    literals = ["null" if value is None else f"'{value}'" for value in values]
    operator = "NOT IN" if negated else "IN"
    return f"{field} {operator} ({','.join(literals)})", lambda row: (row[field] in values) != negated


def negation(term: Condition) -> Condition:
    return f"NOT ({term[0]})", lambda row: not term[1](row)


def combine(operator: str, terms: list[Condition]) -> Condition:
    test = all if operator == "AND" else any
    return f" {operator} ".join(f"({text})" for text, _ in terms), lambda row: test(holds(row) for _, holds in terms)


leaves = st.one_of(
    st.builds(
        compare,
        st.just("Text__c"),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        st.sampled_from(["a", "b", None]),
    ),
    st.builds(
        compare, st.just("Whole__c"), st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.sampled_from([1, 2, None])
    ),
    st.builds(compare, st.just("Check__c"), st.sampled_from(["=", "!="]), st.sampled_from([True, False, None])),
    st.builds(
        among, st.just("Text__c"), st.booleans(), st.lists(st.sampled_from(["a", "b", None]), min_size=1, max_size=3)
    ),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(negation, inner),
        st.builds(combine, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=4)),
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def widgets() -> Iterator[Database]:
    with closing(Database(make_schema())) as database:
        for number, row in enumerate(ROWS):
            database.add("Widget__c", Name=f"{number:02}", **row)
        yield database


@settings(max_examples=300, deadline=None)
@given(condition=trees)
def test_conditions_have_two_values(widgets: Database, condition: Condition) -> None:
    text, holds = condition
    found = widgets.values(f"SELECT Name FROM Widget__c WHERE {text} ORDER BY Name")
    assert found == [f"{number:02}" for number, row in enumerate(ROWS) if holds(row)]


WORDS = re.findall(
    r"\S+|\n",
    "SELECT FROM WHERE AND OR NOT IN LIKE INCLUDES GROUP BY HAVING ORDER LIMIT OFFSET TYPEOF WHEN THEN ELSE END ASC "
    "DESC NULLS LAST FIELDS(ALL) FIELDS COUNT() COUNT toLabel ROLLUP WITH USING SCOPE FOR UPDATE ALL ROWS Account "
    "Contacts Task What Id Name Owner.Name BillingAddress Description Account.Parent.Name a ( ) , . = != < :x ' 'x' "
    "'001000000000001' 1 -2.5 null true TODAY LAST_N_DAYS:3 2026-01-01 2026-01-01T00:00:00Z 12:00 USD5 \\ \n é ;",
)
SKELETONS = ["{}", "SELECT {} FROM Account", "SELECT Id FROM Account WHERE {}", "SELECT Id, (SELECT {}) FROM Account"]


@settings(max_examples=500, deadline=None)
@given(skeleton=st.sampled_from(SKELETONS), words=st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join))
def test_every_text_is_answered_or_refused(widgets: Database, skeleton: str, words: str) -> None:
    with suppress(OrgError):
        result = widgets.query(skeleton.format(words))
        assert len(result.records) in (0, result.total_size)
