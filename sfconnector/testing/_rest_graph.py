"""Composite graphs: requests for records, each graph of which is run entirely or not at all.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-graph.html
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from sfconnector.testing import _subrequests
from sfconnector.testing._composite_references import referenced
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._rest_composite import Result, Subrequest, read, refused, run
from sfconnector.testing._runtime import Runtime

_SINCE = 50.0
# https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-graph-limits.html
_GRAPHS, _NODES, _KINDS, _DEPTH, _FAILURES = 75, 500, 15, 15, 14
# "They must begin with an alphanumeric character, be less than 40 characters long, and can't contain a period."
_GRAPH_ID = re.compile(r"[A-Za-z0-9][^.]{0,38}")
_RECORD = re.compile(r"v(?P<version>\d+\.\d)/sobjects/(?P<sobject>[^/]+)(?P<record>(?:/[^/]+)*)/?")
# By the number of segments that follow the object: none, an id, an external id's field and value.
_METHODS = (
    frozenset({"POST"}),
    frozenset({"DELETE", "GET", "PATCH"}),
    frozenset({"DELETE", "GET", "PATCH", "POST"}),
)
# What stands in the place of an id, and is no record.
_NO_RECORDS = frozenset({"deleted", "describe", "listviews", "quickActions", "relevantItems", "updated"})


@attrs.frozen
class _Graph:
    id: str
    nodes: Sequence[Subrequest]


def graph(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-graph.html"""
    if float(call.version) < _SINCE:
        raise OrgError(404, "NOT_FOUND", "The requested resource does not exist")
    graphs = [_read(given, call) for given in _subrequests.objects(call.json_object(), "graphs")]
    _check(graphs)
    answers: list[dict[str, Any]] = []
    failures = 0
    for each in graphs:
        if failures > _FAILURES:
            results = _halted(each)
        else:
            results = run(runtime, call, each.nodes, all_or_none=True, refusal=_refusal)
        successful = not any(result.failed for result in results)
        failures += not successful
        answers.append(
            {
                "graphId": each.id,
                "graphResponse": {"compositeResponse": [result.rendered() for result in results]},
                "isSuccessful": successful,
            }
        )
    return Answer(body={"graphs": answers})


def _halted(unrun: _Graph) -> list[Result]:
    message = f"The graph was not processed since more than {_FAILURES} graphs of the request failed."
    return [refused(node.reference_id, OrgError(400, "PROCESSING_HALTED", message)) for node in unrun.nodes]


def _read(given: Mapping[str, Any], call: Call) -> _Graph:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-graph-introduction.html"""
    graph_id = _subrequests.text(given, "graphId")
    if not _GRAPH_ID.fullmatch(graph_id):
        raise _subrequests.malformed(
            f"Provided graphId ('{graph_id}') must start with a letter or a number, must be shorter than 40 characters "
            "and can't contain a period"
        )
    return _Graph(graph_id, read(given, call))


def _check(graphs: Sequence[_Graph]) -> None:
    """Refuse the whole request where it is too large."""
    _check_number("graphs in one payload", len(graphs), _GRAPHS)
    names: set[str] = set()
    for each in graphs:
        if each.id in names:
            raise _subrequests.malformed(f"Duplicate graphId found: {each.id}")
        names.add(each.id)
        _check_number("levels of a graph", _depth(each.nodes), _DEPTH)
    nodes = [node for each in graphs for node in each.nodes]
    _check_number("nodes in one payload", len(nodes), _NODES)
    _check_number("different nodes in one payload", len({_kind(node) for node in nodes}), _KINDS)


def _check_number(what: str, number: int, maximum: int) -> None:
    if number > maximum:
        raise OrgError(400, "LIMIT_EXCEEDED", f"The maximum number of {what} is {maximum}; the request has {number}.")


def _depth(nodes: Iterable[Subrequest]) -> int:
    """The longest chain of references; a node that refers to no other has depth 1."""
    depths: dict[str, int] = {}
    for node in nodes:
        parents = (depths.get(name, 0) for name in referenced([node.url, node.body]))
        depths[node.reference_id] = 1 + max(parents, default=0)
    return max(depths.values())


def _kind(node: Subrequest) -> tuple[str, str, str]:
    """Nodes are different by their method, their version and their object."""
    match = _RECORD.fullmatch(node.path)
    return (node.method, match["version"], match["sobject"].lower()) if match else (node.method, "", node.path)


def _refusal(node: Subrequest) -> OrgError | None:
    match = _RECORD.fullmatch(node.path)
    if match is None or float(match["version"]) < _SINCE:
        return _unsupported(node)
    segments = match["record"].split("/")[1:]
    if len(segments) >= len(_METHODS) or node.method not in _METHODS[len(segments)] or _NO_RECORDS & {*segments[:1]}:
        return _unsupported(node)
    return None


def _unsupported(node: Subrequest) -> OrgError:
    return OrgError(400, "INVALID_INPUT", f"{node.method} {node.path} is not supported in a composite graph")
