"""The local org's SOQL beside soql-parser-js, an independent parser: what is a query, and what it says.

soql-parser-js reads the words and knows neither an org's fields nor Salesforce's rules on them. Where the two verdicts
differ, ``ACCEPTED_HERE`` and ``REFUSED_HERE`` say why, with the page of the reference; they list all that differs, and
nothing that does not.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

import attrs
import node_client
import pytest
import requests
import soql_queries
import soql_shapes

from sfconnector.testing import LocalOrg
from sfconnector.testing._soql import parse

PARSER = "@jetstreamapp/soql-parser-js"
PAGES = "https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/"


@attrs.frozen
class Disagreement:
    """Why the verdicts on some queries differ: those listed, or all that are refused here with a text like this."""

    page: str
    reason: str
    queries: tuple[str, ...] = ()
    refusal: str = ""


ACCEPTED_HERE = [
    Disagreement(
        "sforce_api_calls_soql_select_groupby_rollup.htm",
        "subtotals group by what GROUP BY takes, date functions included",
        ("SELECT CALENDAR_YEAR(CloseDate), StageName, COUNT(Id) FROM Opportunity "
         "GROUP BY ROLLUP(CALENDAR_YEAR(CloseDate), StageName)",),
    ),
    Disagreement(
        "sforce_api_calls_soql_alias.htm",
        "FROM lists relationships with their aliases after the object",
        (
            "SELECT c.Id, a.Name FROM Contact c, c.Account a WHERE a.Name = 'MyriadPubs'",
            "SELECT COUNT() FROM Contact c, c.Account a WHERE a.Name = 'MyriadPubs'",
        ),
    ),
    Disagreement(
        "sforce_api_calls_soql_alias.htm",
        "FOR is not among the words that cannot be an alias",
        ("SELECT Id FROM Account FOR",),
    ),
    Disagreement(
        "sforce_api_calls_soql_select_offset.htm",
        "OFFSET needs neither ORDER BY nor LIMIT before it",
        ("SELECT Name, Id FROM Account WHERE Name = 'a' OFFSET 100",),
    ),
]  # fmt: skip

REFUSED_HERE = [
    Disagreement(
        "sforce_api_calls_soql_alias.htm",
        "of fields, only those of an aggregate query have aliases",
        refusal="only aggregate expressions use field aliasing",
    ),
    Disagreement("sforce_api_calls_soql_alias.htm", "an alias is one word", refusal=r"unexpected token: '\w+\.[\w.]+'"),
    Disagreement(
        "sforce_api_calls_soql_select_groupby.htm",
        "what is neither grouped nor aggregated has no one value",
        refusal="Field must be grouped or aggregated: ",
    ),
    Disagreement(
        "sforce_api_calls_soql_select_groupby_rollup.htm",
        "ROLLUP takes one to three fields, and stands alone",
        (
            "SELECT Name, COUNT(Id) FROM Account GROUP BY ROLLUP(Name), Industry",
            "SELECT Name, COUNT(Id) FROM Account GROUP BY ROLLUP()",
            "SELECT COUNT(Id) FROM Account GROUP BY ROLLUP(Name, Industry, Type, Rating)",
        ),
    ),
    Disagreement(
        "sforce_api_calls_soql_select_conditionexpression.htm",
        "AND, OR and NOT mix within parentheses only",
        (
            "SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
            "SELECT Id FROM Account WHERE NOT Name = 'a' AND Industry = 'b'",
            "SELECT Id FROM Account WHERE Name = 'a' AND NOT Industry = 'b'",
            "SELECT Id FROM Account WHERE NOT NOT Name = 'a'",
        ),
    ),
    Disagreement(
        "sforce_api_calls_soql_select_conditionexpression.htm",
        "one operator stands between two conditions, and none before the first",
        (
            "SELECT Id FROM Account WHERE Name = 'a' Name = 'b'",
            "SELECT Id FROM Account WHERE AND Name = 'a'",
        ),
    ),
    Disagreement(
        "sforce_api_calls_soql_select_comparisonoperators.htm",
        "the values of IN stand in parentheses",
        ("SELECT Id FROM Account WHERE Name IN 'a'",),
    ),
    Disagreement(
        "sforce_api_calls_soql_select_dateformats.htm",
        "there is no such day or hour",
        (
            "SELECT Id FROM Account WHERE CreatedDate = 2026-13-01T00:00:00Z",
            "SELECT Id FROM Account WHERE CreatedDate = 2026-01-01T25:00:00Z",
            "SELECT Id FROM Opportunity WHERE CloseDate = 2026-02-30",
        ),
    ),
    Disagreement(
        "sforce_api_calls_soql_select_quotedstringescapes.htm",
        "a backslash stands before few characters, and before a wildcard only in LIKE",
        (
            r"SELECT Id FROM Account WHERE Name = '\q'",
            r"SELECT Id FROM Account WHERE Name = 'a\%'",
        ),
    ),
    Disagreement(
        "sforce_api_calls_soql_select_date_functions.htm",
        "convertTimezone() stands within a date function",
        ("SELECT convertTimezone(CreatedDate) FROM Account",),
    ),
    Disagreement(
        "sforce_api_calls_soql_select_agg_functions.htm",
        "aggregate functions have one argument, and conditions on them stand in HAVING",
        (
            "SELECT COUNT(Id, Name) FROM Account",
            "SELECT COUNT(), Name FROM Account",
            "SELECT Id FROM Account WHERE COUNT(Id) > 1",
            "SELECT Id, (SELECT COUNT(Id) FROM Contacts) FROM Account",
        ),
    ),
    Disagreement(
        "sforce_api_calls_soql_select_format.htm",
        "FORMAT() stands in SELECT",
        ("SELECT Id FROM Account WHERE FORMAT(AnnualRevenue) = '1'",),
    ),
    Disagreement(
        "sforce_api_calls_soql_select_with_security_enforced.htm",
        "WITH SECURITY_ENFORCED and its kin are Apex's",
        refusal="rule soqlWithIdentifierClause failed predicate",
    ),
    Disagreement(
        "sforce_api_calls_soql_select_fields.htm",
        "all fields are selected of at most 200 records",
        ("SELECT FIELDS(ALL) FROM Account",),
    ),
    Disagreement(
        "sforce_api_calls_soql_select_comparisonoperators.htm",
        "a semi-join selects one field, unsorted, and is not one of several alternatives",
        refusal="(A s|S)emi join sub-select",
    ),
]


@attrs.frozen
class Verdict:
    """What an org says to a query; ``ours`` is false for what it calls malformed."""

    query: str
    ours: bool
    code: str
    message: str


@functools.cache
def parsed_by_node() -> dict[str, dict[str, Any]]:
    """What soql-parser-js makes of all queries, asked in one process."""
    queries = [*every_query()]
    return dict(zip(queries, node_client.run("soql", {"queries": queries}), strict=True))


def every_query() -> Iterator[str]:
    yield from dict.fromkeys(
        [*soql_queries.WRITTEN, *soql_queries.MALFORMED, *soql_queries.generated(), *soql_queries.spoiled()]
    )


@pytest.fixture(scope="module")
def theirs() -> dict[str, dict[str, Any]]:
    if reason := node_client.missing(PARSER):
        pytest.skip(reason)
    return parsed_by_node()


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    """What the local org says to all queries, asked as any client asks."""
    found = {}
    with LocalOrg() as org, requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {org.access_token()}"
        for query in every_query():
            answer = http.get(f"{org.url}/services/data/v68.0/query", params={"q": query}, timeout=30)
            error = {} if answer.status_code == 200 else answer.json()[0]
            code = error.get("errorCode", "")
            message = error.get("message", "").rpartition("\n")[2]
            found[query] = Verdict(query, code != "MALFORMED_QUERY", code, message)
    return found


def unexplained(found: list[Verdict], listed: list[Disagreement]) -> list[str]:
    """Disagreements that the table lacks or has twice, and entries of it that nothing bears out."""
    reasons = {verdict.query: [entry for entry in listed if _explains(entry, verdict)] for verdict in found}
    wrong = [query for query, entries in reasons.items() if len(entries) != 1]
    used = {id(entry) for entries in reasons.values() for entry in entries}
    stale = [entry.reason for entry in listed if id(entry) not in used]
    agreed = [query for entry in listed for query in entry.queries if query not in reasons]
    return [*wrong, *stale, *agreed]


def _explains(entry: Disagreement, verdict: Verdict) -> bool:
    if entry.refusal:
        return re.match(entry.refusal, verdict.message) is not None
    return verdict.query in entry.queries


def test_what_only_the_local_org_takes_for_a_query(
    theirs: dict[str, dict[str, Any]], verdicts: dict[str, Verdict]
) -> None:
    found = [one for query, one in verdicts.items() if one.ours and "parsed" not in theirs[query]]
    assert unexplained(found, ACCEPTED_HERE) == []


def test_what_only_soql_parser_js_takes_for_a_query(
    theirs: dict[str, dict[str, Any]], verdicts: dict[str, Verdict]
) -> None:
    found = [one for query, one in verdicts.items() if not one.ours and "parsed" in theirs[query]]
    assert unexplained(found, REFUSED_HERE) == []


def test_written_and_generated_queries_have_an_answer(verdicts: dict[str, Verdict]) -> None:
    """They say what Salesforce documents: the org answers each, and is never at a loss."""
    asked = [*soql_queries.WRITTEN, *soql_queries.generated()]
    assert len(asked) > 300
    assert [verdicts[query] for query in asked if verdicts[query].code] == []


def test_malformed_queries_have_none(verdicts: dict[str, Verdict]) -> None:
    assert [verdicts[query] for query in soql_queries.MALFORMED if verdicts[query].ours] == []


def test_mistakes_are_of_both_kinds(verdicts: dict[str, Verdict]) -> None:
    spoiled = [verdicts[query] for query in soql_queries.spoiled()]
    assert sum(one.ours for one in spoiled) >= 10
    assert sum(not one.ours for one in spoiled) >= 100


def test_both_read_the_same(theirs: dict[str, dict[str, Any]], verdicts: dict[str, Verdict]) -> None:
    compared = 0
    for query, answer in theirs.items():
        if "parsed" in answer and not verdicts[query].code:
            assert soql_shapes.of_theirs(answer["parsed"]) == soql_shapes.of_ours(parse(query)), query
            compared += 1
    assert compared > 300


def test_the_table_notices_what_it_does_not_list() -> None:
    """Its three ways to be wrong: a disagreement that is missing, one that is gone, and one explained twice."""
    verdict = Verdict("SELECT Id Name FROM Account", ours=False, code="MALFORMED_QUERY", message="an alias")
    by_text, by_query = Disagreement("", "text", refusal="an alias"), Disagreement("", "query", (verdict.query,))
    assert unexplained([verdict], [by_query]) == []
    assert unexplained([verdict], []) == [verdict.query]
    assert unexplained([], [by_query]) == ["query", verdict.query]
    assert unexplained([verdict], [by_text, by_query]) == [verdict.query]
