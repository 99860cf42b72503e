"""Several requests in one call: batches, composite requests, graphs and trees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import requests
from sfconnector_generated.client import Request
from sfconnector_generated.rest import models
from sfconnector_generated.rest.api.composite import send_batch, send_composite, send_graphs
from sfconnector_generated.types import UNSET

from sfconnector._call import read, send
from sfconnector._session import Seconds, Session
from sfconnector._subrequests import Subrequest, Subrequests, check_reference_id
from sfconnector._subresults import Subresults, result_of
from sfconnector.errors import InvalidResponseError

if TYPE_CHECKING:
    from sfconnector._tree import TreeRecord

# https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-composite-post.html
_SUBREQUESTS: Final = 25
_QUERIES: Final = 5
# https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-graph-limits.html
_GRAPHS, _NODES, _DEPTH, _KINDS, _GRAPH_ID_LENGTH = 75, 500, 15, 15, 39
_SOBJECTS: Final = "/sobjects/"
T = TypeVar("T")


class Composite:
    """Several requests in one call; made as :attr:`Salesforce.composite`.

    Which one: a *batch* saves round trips and nothing more; a *request* lets later subrequests use what
    earlier ones answered, and can be all or none; a *graph* does the same for up to 500 of them; a *tree*
    creates parents with their children.

    See Also:
        https://developer.salesforce.com/docs/platform/api-rest/guide/using-composite-resources.html
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def batch(self, requests: Iterable[Request] = (), *, halt_on_error: bool = False) -> Batch:
        """Begin a batch: up to 25 independent requests, carried out in order, none of them taken back.

        Args:
            requests: What generated operations have built, to begin with; the batch's verbs add more.
            halt_on_error: Whether the requests after one that fails are left undone.

        Raises:
            ValueError, TypeError: A request cannot be part of a batch, or there are too many.

        See Also:
            https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-batch.html

        Example:
            >>> batch = sf.composite.batch()
            >>> account = batch.get("Account", account_id, ["Name"])
            >>> batch.send()[account]["Name"]
            'Acme'
        """
        batch = Batch(self._session, halt_on_error=halt_on_error)
        for request in requests:
            batch.add(request)
        return batch

    def request(self, *, all_or_none: bool = False, collate: bool | None = None) -> CompositeRequest:
        """Begin a composite request: up to 25 requests, of which later ones may refer to earlier answers.

        Args:
            all_or_none: Whether one failure takes everything back.
            collate: Whether Salesforce may run unrelated subrequests together, in an order of its own;
                by default it may.

        See Also:
            https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-composite-post.html

        Example:
            >>> composite = sf.composite.request(all_or_none=True)
            >>> account = composite.create("Account", {"Name": "Acme"})
            >>> contact = composite.create("Contact", {"LastName": "Curie", "AccountId": account.id})
            >>> len(composite.send()[contact].id)
            18
        """
        return CompositeRequest(self._session, all_or_none=all_or_none, collate=collate)

    def graph(self) -> GraphRequest:
        """Begin a call of up to 75 graphs with 500 requests in all, each graph carried out entirely or not at all.

        See Also:
            https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-graph.html

        Example:
            >>> request = sf.composite.graph()
            >>> acme = request.graph("acme")
            >>> account = acme.create("Account", {"Name": "Acme"})
            >>> contact = acme.create("Contact", {"LastName": "Curie", "AccountId": account.id})
            >>> request.send().successful
            ('acme',)
        """
        return GraphRequest(self._session)

    def tree(
        self, sobject: str, records: Iterable[Mapping[str, Any]], *, timeout: Seconds = None
    ) -> tuple[TreeRecord, ...]:
        """Create up to 200 records with their children, all or none.

        Args:
            sobject: The object of the root records.
            records: The root records; a child relationship's name holds a list of the children, such as
                ``{"Name": "Acme", "Contacts": [{"LastName": "Curie"}]}``, up to five levels deep and of up to five
                objects. Which object the children are of is looked up in the description of their parent,
                unless they say it as ``{"attributes": {"type": "Contact"}, …}``.
            timeout: Seconds instead of the client's own.

        Returns:
            The records in the order of the input, each before its children, with their new ids.

        Raises:
            ValueError, TypeError: There are too many records, levels or objects, or a record is malformed.
            RecordError: A record failed, so none was created; the text says where in the input it stands.
            TransportError: No answer came; whether the records were created is not known.

        See Also:
            https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobject-tree.html

        Example:
            >>> tree = sf.composite.tree("Account", [{"Name": "Acme", "Contacts": [{"LastName": "Curie"}]}])
            >>> [created.sobject for created in tree]
            ['Account', 'Contact']
        """
        from sfconnector._tree import create_tree

        return create_tree(self._session, sobject, records, timeout=timeout)

    def __repr__(self) -> str:
        return "<Composite>"


class Batch(Subrequests):
    """A batch that is being put together; see :meth:`Composite.batch`."""

    referable = False
    limit = _SUBREQUESTS

    def __init__(self, session: Session, *, halt_on_error: bool) -> None:
        super().__init__(session.api_version)
        self._session = session
        self._halt_on_error = halt_on_error

    def _check(self, subrequest: Subrequest[Any]) -> None:
        if subrequest.request.headers:
            raise ValueError(f"a batch carries no headers: {', '.join(subrequest.request.headers)} would be lost")

    def send(self, *, raise_on_failure: bool = True, timeout: Seconds = None) -> Subresults:
        """Send the batch.

        Args:
            raise_on_failure: Whether to raise where a request failed, once the answer is there; without it the
                result's ``failures`` tells.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError: There is nothing to send.
            RecordError: One of the requests failed; its ``failures`` holds the results of all that did.
            TransportError: No answer came; which of the requests were carried out is not known.
        """
        _check_filled(self)
        body = models.BatchRequest(
            batch_requests=[
                models.BatchSubrequest(
                    method=each.request.method,
                    url=each.url.removeprefix("/services/data/"),
                    rich_input=UNSET if each.body is None else each.body,
                )
                for each in self
            ],
            halt_on_error=self._halt_on_error,
        )
        response = _send(self._session, send_batch.build(body=body), self, timeout)
        answer = read(self._session, response, send_batch.parse)
        answers = _complete(response, answer.results)
        _check_number(response, len(self), len(answers))
        results = [
            result_of(each, _status(response, got.status_code), got.result)
            for each, got in zip(self, answers, strict=True)
        ]
        return _checked(Subresults(response, results), raise_on_failure=raise_on_failure)


class CompositeRequest(Subrequests):
    """A composite request that is being put together; see :meth:`Composite.request`."""

    limit = _SUBREQUESTS

    def __init__(self, session: Session, *, all_or_none: bool, collate: bool | None) -> None:
        super().__init__(session.api_version)
        self._session = session
        self._all_or_none, self._collate = all_or_none, collate

    def _check(self, subrequest: Subrequest[Any]) -> None:
        if _is_heavy(subrequest) and sum(map(_is_heavy, self)) >= _QUERIES:
            raise ValueError(f"at most {_QUERIES} subrequests may be queries or collections")

    def send(self, *, raise_on_failure: bool = True, timeout: Seconds = None) -> Subresults:
        """Send the request.

        Args:
            raise_on_failure: Whether to raise where a subrequest failed, once the answer is there; without it the
                result's ``failures`` tells.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError: There is nothing to send.
            RecordError: One of the subrequests failed; its ``failures`` holds the results of all that did.
            TransportError: No answer came; which of the subrequests were carried out is not known.
        """
        _check_filled(self)
        body = models.CompositeRequest(
            composite_request=_composite_subrequests(self),
            all_or_none=self._all_or_none,
            collate_subrequests=UNSET if self._collate is None else self._collate,
        )
        response = _send(self._session, send_composite.build(body=body), self, timeout)
        answer = read(self._session, response, send_composite.parse)
        results = _composite_results(response, self, answer, together=self._all_or_none)
        return _checked(results, raise_on_failure=raise_on_failure)


class GraphRequest:
    """Graphs that are being put together; see :meth:`Composite.graph`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._graphs: dict[str, Graph] = {}

    def graph(self, graph_id: str | None = None) -> Graph:
        """Begin another graph, whose requests are independent of those of the others.

        Args:
            graph_id: Its name in the results: letters, digits and underscores, 39 at most.

        Raises:
            ValueError: The name is malformed or taken, or there are 75 graphs already.
        """
        if len(self._graphs) >= _GRAPHS:
            raise ValueError(f"a call takes {_GRAPHS} graphs at most: send these and begin another")
        name = f"graph{len(self._graphs) + 1}" if graph_id is None else graph_id
        check_reference_id("graph_id", name)
        if len(name) > _GRAPH_ID_LENGTH:
            raise ValueError(f"graph_id {name!r} has more than {_GRAPH_ID_LENGTH} characters")
        if name in self._graphs:
            raise ValueError(f"graph_id {name!r} is taken by another graph of this call")
        graph = self._graphs[name] = Graph(self, name, self._session.api_version)
        return graph

    def send(self, *, raise_on_failure: bool = True, timeout: Seconds = None) -> GraphResults:
        """Send the graphs.

        Args:
            raise_on_failure: Whether to raise where a graph failed, once the answer is there; without it the
                result's ``failures`` tells.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError: There is nothing to send, or a graph is empty.
            RecordError: A graph failed and was taken back; its ``failures`` holds the results of all requests that
                failed.
            TransportError: No answer came; which of the graphs were carried out is not known.
        """
        if not self._graphs:
            raise ValueError("there is nothing to send: begin a graph with graph()")
        for graph in self._graphs.values():
            _check_filled(graph)
        body = models.GraphRequest(
            graphs=[
                models.Graph(graph_id=graph.graph_id, composite_request=_composite_subrequests(graph))
                for graph in self._graphs.values()
            ]
        )
        nodes = [node for graph in self._graphs.values() for node in graph]
        response = _send(self._session, send_graphs.build(body=body), nodes, timeout)
        answer = read(self._session, response, send_graphs.parse)
        answered = {each.graph_id: each for each in _complete(response, answer.graphs)}
        if answered.keys() != self._graphs.keys():
            raise InvalidResponseError(response, "the answer is not about the graphs that were sent")
        results = {
            name: (
                answered[name].is_successful,
                _composite_results(response, graph, answered[name].graph_response, together=True),
            )
            for name, graph in self._graphs.items()
        }
        every = GraphResults(
            response,
            [result for _, subresults in results.values() for result in subresults],
            {name: subresults for name, (_, subresults) in results.items()},
            tuple(name for name, (successful, _) in results.items() if successful),
        )
        if raise_on_failure:
            every.check()
        return every

    def __repr__(self) -> str:
        return f"<GraphRequest of {len(self._graphs)} graphs>"


class Graph(Subrequests):
    """One graph of a call; see :meth:`GraphRequest.graph`."""

    limit = _NODES

    def __init__(self, request: GraphRequest, graph_id: str, version: str) -> None:
        super().__init__(version)
        self.graph_id = graph_id
        self._request = request

    def _check(self, subrequest: Subrequest[Any]) -> None:
        path = subrequest.request.path
        if not path.startswith(_SOBJECTS) or not 1 <= path.count("/") - 1 <= 3:
            raise ValueError(f"a graph holds requests for records only, and {path} is no record's path")
        if subrequest.depth > _DEPTH:
            raise ValueError(f"a graph is {_DEPTH} levels of references deep at most")
        nodes = [node for graph in self._request._graphs.values() for node in graph]
        if len(nodes) >= _NODES:
            raise ValueError(f"all graphs of a call have {_NODES} requests at most: send these and begin another")
        if len({*map(_kind, nodes), _kind(subrequest)}) > _KINDS:
            raise ValueError(f"all graphs of a call have {_KINDS} kinds of requests (method and object) at most")


class GraphResults(Subresults):
    """The answers to all requests of all graphs; each graph was carried out entirely or not at all.

    Attributes:
        graphs: The answers by graph.
        successful: The names of the graphs that were carried out.
    """

    def __init__(
        self,
        response: requests.Response,
        results: Sequence[Any],
        graphs: Mapping[str, Subresults],
        successful: tuple[str, ...],
    ) -> None:
        super().__init__(response, results)
        self.graphs, self.successful = graphs, successful


def _kind(subrequest: Subrequest[Any]) -> tuple[str, str]:
    return subrequest.request.method, subrequest.request.path.split("/")[2].lower()


def _is_heavy(subrequest: Subrequest[Any]) -> bool:
    return subrequest.request.path.startswith(("/query", "/composite/sobjects"))


def _check_filled(subrequests: Subrequests) -> None:
    if not len(subrequests):
        raise ValueError(f"there is nothing to send: {subrequests!r}")


def _composite_subrequests(subrequests: Subrequests) -> list[models.CompositeSubrequest]:
    return [
        models.CompositeSubrequest(
            method=each.request.method,
            url=each.url,
            reference_id=each.reference_id,
            body=UNSET if each.body is None else each.body,
            http_headers=dict(each.request.headers) or UNSET,
        )
        for each in subrequests
    ]


def _composite_results(
    response: requests.Response, subrequests: Subrequests, answer: models.CompositeResponse | None, *, together: bool
) -> Subresults:
    answers = _complete(response, None if answer is None else answer.composite_response)
    by_name = {each.reference_id: each for each in answers}
    _check_number(response, len(subrequests), len(by_name))
    if missing := [each.reference_id for each in subrequests if each.reference_id not in by_name]:
        raise InvalidResponseError(response, f"the answer lacks the results of {', '.join(missing)}")
    results = [
        result_of(each, _status(response, got.http_status_code), got.body, got.http_headers or None)
        for each in subrequests
        for got in [by_name[each.reference_id]]
    ]
    if together and not all(result.success for result in results):
        # A collection that was saved and then taken back still answers with its success.
        results = [attrs.evolve(result, taken_back=True) if result.success else result for result in results]
    return Subresults(response, results)


def _complete(response: requests.Response, answers: list[T] | None) -> list[T]:
    """Refuse a list that is null."""
    if answers is None:
        raise InvalidResponseError(response, "the answer has null where the results of requests belong")
    return answers


def _status(response: requests.Response, status: object) -> int:
    if not isinstance(status, int):
        raise InvalidResponseError(response, "the answer lacks the status of a request")
    return status


def _check_number(response: requests.Response, asked: int, answered: int) -> None:
    if asked != answered:
        raise InvalidResponseError(response, f"{asked} requests were sent and {answered} are answered")


def _send(
    session: Session, request: Request, subrequests: Iterable[Subrequest[Any]], timeout: Seconds
) -> requests.Response:
    repeatable = all(each.request.idempotent for each in subrequests)
    return send(session, attrs.evolve(request, idempotent=repeatable), timeout=timeout)


def _checked(results: Subresults, *, raise_on_failure: bool) -> Subresults:
    if raise_on_failure:
        results.check()
    return results
