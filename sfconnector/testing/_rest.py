"""The REST API under ``/services/data``: versions, authorisation, usage, and the way to each resource.

https://developer.salesforce.com/docs/platform/api-rest/guide/intro-rest.html
"""

import logging
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sfconnector.testing import (
    _multipart,
    _rest_actions,
    _rest_batch,
    _rest_blobs,
    _rest_collections,
    _rest_composite,
    _rest_describe,
    _rest_graph,
    _rest_ingest,
    _rest_layouts,
    _rest_passwords,
    _rest_query,
    _rest_query_jobs,
    _rest_quick_actions,
    _rest_records,
    _rest_report_runs,
    _rest_reports,
    _rest_search,
    _rest_suggestions,
    _rest_text_search,
    _rest_tree,
    _rest_uploads,
)
from sfconnector.testing._admission import admit
from sfconnector.testing._context import DuplicateRuleHeader, RequestContext, change_origin, client_of
from sfconnector.testing._errors import OrgError, method_not_allowed
from sfconnector.testing._http import (
    Answer,
    Call,
    Subrequest,
    body_pieces,
    error_answer,
    media_type_of,
    parse_query,
    query_string,
    read_body,
    render,
)
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._tokens import Session

_LOG = logging.getLogger("sfconnector.testing")
_ROOT = "/services/data/"
OLDEST, LATEST = 31, 68
_DUPLICATE_RULES_SINCE = 52.0
_OLDEST_EVER = 7
_RUNS_CALLABLES = ("/actions/custom/", "/composite/batch")

Handler = Callable[..., Answer]


@attrs.frozen
class Route:
    """A resource: its path below the version, ``None`` standing for a variable segment, and what each method does."""

    segments: tuple[str | None, ...]
    handlers: Mapping[str, Handler]

    def match(self, segments: Sequence[str]) -> list[str] | None:
        """The variable segments, if the path is this resource's."""
        if len(segments) != len(self.segments):
            return None
        variables = []
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern is None:
                variables.append(segment)
            elif pattern != segment:
                return None
        return variables


def _route(path: str, **handlers: Handler) -> Route:
    segments = tuple(None if segment.startswith("{") else segment for segment in path.split("/") if segment)
    if "GET" in handlers:
        handlers["HEAD"] = handlers["GET"]
    return Route(segments, handlers)


# A fixed segment wins over a variable one: it comes first.
ROUTES = (
    _route("", GET=_rest_describe.resources),
    _route("jobs/ingest", GET=_rest_ingest.all_jobs, POST=_rest_ingest.create),
    _route("jobs/ingest/{id}", GET=_rest_ingest.get, PATCH=_rest_ingest.change, DELETE=_rest_ingest.delete),
    _route("jobs/ingest/{id}/batches", PUT=_rest_ingest.upload),
    _route("jobs/ingest/{id}/successfulResults", GET=_rest_ingest.successful),
    _route("jobs/ingest/{id}/failedResults", GET=_rest_ingest.failed),
    # Documented in lower case; many clients write it otherwise.
    _route("jobs/ingest/{id}/unprocessedrecords", GET=_rest_ingest.unprocessed),
    _route("jobs/ingest/{id}/unprocessedRecords", GET=_rest_ingest.unprocessed),
    _route("jobs/query", GET=_rest_query_jobs.all_jobs, POST=_rest_query_jobs.create),
    _route("jobs/query/{id}", GET=_rest_query_jobs.get, PATCH=_rest_query_jobs.change, DELETE=_rest_query_jobs.delete),
    _route("jobs/query/{id}/results", GET=_rest_query_jobs.results),
    # In the documentation's example the next ones are in lower case.
    *(_route(f"jobs/query/{{id}}/result{pages}", GET=_rest_query_jobs.result_pages) for pages in ("Pages", "pages")),
    _route("limits", GET=_rest_describe.limits),
    _route("limits/recordCount", GET=_rest_describe.record_count),
    _route("query", GET=_rest_query.query),
    _route("query/{locator}", GET=_rest_query.next_page),
    _route("queryAll", GET=_rest_query.query_all),
    _route("queryAll/{locator}", GET=_rest_query.next_page),
    _route("recent", GET=_rest_describe.recent),
    _route("sobjects", GET=_rest_describe.describe_global),
    _route("sobjects/{sobject}", GET=_rest_describe.info, POST=_rest_records.create),
    _route("sobjects/{sobject}/describe", GET=_rest_describe.describe),
    _route("sobjects/{sobject}/deleted", GET=_rest_records.deleted),
    _route("sobjects/{sobject}/updated", GET=_rest_records.updated),
    _route("sobjects/{sobject}/Id", POST=_rest_records.create),
    _route(
        "sobjects/User/{id}/password",
        GET=_rest_passwords.get,
        POST=_rest_passwords.set_password,
        DELETE=_rest_passwords.reset,
    ),
    _route("sobjects/Global/describe/layouts", GET=_rest_layouts.global_publisher),
    _route("sobjects/{sobject}/describe/layouts", GET=_rest_layouts.page),
    _route("sobjects/{sobject}/describe/layouts/{record_type}", GET=_rest_layouts.page_of_record_type),
    _route("sobjects/{sobject}/describe/namedLayouts/{name}", GET=_rest_layouts.named),
    _route("sobjects/{sobject}/describe/compactLayouts", GET=_rest_layouts.compact),
    _route("sobjects/{sobject}/describe/compactLayouts/{record_type}", GET=_rest_layouts.compact_of_record_type),
    _route("sobjects/{sobject}/describe/approvalLayouts", GET=_rest_layouts.approval),
    _route("sobjects/{sobject}/describe/approvalLayouts/{process}", GET=_rest_layouts.approval_of_process),
    _route("compactLayouts", GET=_rest_layouts.compact_of_objects),
    _route("sobjects/{sobject}/quickActions", GET=_rest_quick_actions.listed),
    *(
        route
        for place in ("quickActions", "sobjects/{sobject}/quickActions")
        for route in (
            _route(f"{place}/{{action}}", GET=_rest_quick_actions.describe, POST=_rest_quick_actions.perform),
            _route(f"{place}/{{action}}/describe", GET=_rest_quick_actions.describe),
            _route(f"{place}/{{action}}/defaultValues", GET=_rest_quick_actions.defaults),
            _route(f"{place}/{{action}}/defaultValues/{{id}}", GET=_rest_quick_actions.defaults_for_record),
        )
    ),
    _route("quickActions", GET=_rest_quick_actions.listed),
    _route("sobjects/{sobject}/{id}", GET=_rest_records.get, PATCH=_rest_records.update, DELETE=_rest_records.delete),
    _route(
        "sobjects/{sobject}/{field}/{value}",
        GET=_rest_blobs.get_or_by_external_id,
        PATCH=_rest_records.upsert,
        DELETE=_rest_records.delete_by_external_id,
    ),
    _route("actions", GET=_rest_actions.roots),
    _route("actions/standard", GET=_rest_actions.standard),
    _route("actions/standard/{action}", GET=_rest_actions.describe_standard, POST=_rest_actions.invoke_standard),
    _route("actions/custom", GET=_rest_actions.custom_types),
    _route("actions/custom/{type}", GET=_rest_actions.custom),
    _route("actions/custom/{type}/{action}", GET=_rest_actions.describe_custom, POST=_rest_actions.invoke_custom),
    _route(
        "actions/custom/{type}/{sobject}/{action}",
        GET=_rest_actions.describe_custom,
        POST=_rest_actions.invoke_custom,
    ),
    _route("search", GET=_rest_search.search),
    _route("search/layout", GET=_rest_search.layout),
    _route("search/scopeOrder", GET=_rest_search.scope),
    _route("search/suggestions", GET=_rest_suggestions.suggest),
    _route("parameterizedSearch", GET=_rest_text_search.by_parameters, POST=_rest_text_search.by_body),
    _route("analytics", GET=_rest_reports.resources),
    _route("analytics/reports", GET=_rest_reports.listed, POST=_rest_reports.create),
    _route("analytics/reports/query", POST=_rest_reports.query),
    _route(
        "analytics/reports/{id}",
        GET=_rest_reports.run,
        POST=_rest_reports.run_with_metadata,
        PATCH=_rest_reports.save,
        DELETE=_rest_reports.delete,
    ),
    _route("analytics/reports/{id}/describe", GET=_rest_reports.describe),
    _route("analytics/reports/{id}/instances", GET=_rest_report_runs.listed, POST=_rest_report_runs.start),
    _route(
        "analytics/reports/{id}/instances/{instance}",
        GET=_rest_report_runs.result,
        DELETE=_rest_report_runs.delete,
    ),
    _route("analytics/reportTypes", GET=_rest_reports.report_types),
    _route("analytics/reportTypes/{type}", GET=_rest_reports.report_type),
    _route("analytics/report-types", GET=_rest_reports.report_types),
    _route("analytics/report-types/{type}", GET=_rest_reports.report_type),
    _route("analytics/filteroperators", GET=_rest_reports.filter_operators),
    _route("composite", GET=_rest_composite.resources, POST=_rest_composite.composite),
    _route("composite/batch", POST=_rest_batch.batch),
    _route("composite/graph", POST=_rest_graph.graph),
    _route("composite/tree/{sobject}", POST=_rest_tree.create),
    _route(
        "composite/sobjects",
        POST=_rest_collections.create,
        PATCH=_rest_collections.update,
        DELETE=_rest_collections.delete,
    ),
    _route("composite/sobjects/{sobject}", GET=_rest_collections.get, POST=_rest_collections.get),
    _route("composite/sobjects/{sobject}/{field}", PATCH=_rest_collections.upsert),
)


def versions() -> list[dict[str, str]]:
    """The body of ``GET /services/data``."""
    return [
        {"label": _label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(OLDEST, LATEST + 1)
    ]


def _label(number: int) -> str:
    seasons = number - OLDEST  # 31.0 is Summer '14; there are three releases a year
    return f"{('Summer', 'Winter', 'Spring')[seasons % 3]} '{14 + (seasons + 2) // 3}"


class Rest:
    """The endpoint of everything below ``/services/data``."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def versions(self, request: Request) -> Response:
        """The only resource that wants no token and counts as no API request."""
        if request.method not in ("GET", "HEAD"):
            return render(request, error_answer(method_not_allowed(request.method, ("HEAD", "GET"))))
        return render(request, Answer(body=versions()))

    async def resource(self, request: Request) -> Response:
        async def answered(session: Session) -> Answer:
            if _rest_uploads.is_upload(request):
                async with _rest_uploads.received(request, self._runtime.bulk) as upload:
                    return await self._answer_aside(request, b"", session, upload=upload)
            if media_type_of(request.headers) == _multipart.MEDIA_TYPE:
                return await self._answer_form(request, session)
            return await self._answer_aside(request, await read_body(request), session)

        return await admit(self._runtime, request, answered)

    async def _answer_form(self, request: Request, session: Session) -> Answer:
        """Answer a request whose body has several parts."""
        limit = _rest_blobs.largest(request.scope["raw_path"].decode("latin-1"))
        if int(request.headers.get("content-length", "0")) > limit + _multipart.LARGEST_TEXT:
            raise _multipart.files_too_large(limit)
        reader = _multipart.Reader(request.headers["content-type"], self._runtime.store.blobs, limit)
        try:
            async for piece in body_pieces(request):
                reader.feed(piece)
            return await self._answer_aside(request, b"", session, reader.close())
        finally:
            reader.discard()

    async def _answer_aside(
        self,
        request: Request,
        content: bytes,
        session: Session,
        form: _multipart.Form | None = None,
        upload: Path | None = None,
    ) -> Answer:
        """Answer in a worker thread where a function of a test's author may be called."""
        path = request.url.path.rstrip("/")
        if any(part in path for part in _RUNS_CALLABLES) or path.endswith("/composite"):
            # It may take its time, and may well call this org.
            return await run_in_threadpool(self._answer, request, content, session, form, upload)
        # Not in a worker thread: the store has one lock, and two hand-overs cost as much as a small call.
        return self._answer(request, content, session, form, upload)

    def _answer(
        self,
        request: Request,
        content: bytes,
        session: Session,
        form: _multipart.Form | None = None,
        upload: Path | None = None,
    ) -> Answer:
        headers = dict(request.headers)
        _check_acceptable(headers.get("accept", "*/*"))
        path = request.scope["raw_path"].decode("latin-1")
        wanted = Subrequest(
            method=request.method,
            url=f"{path.removeprefix(_ROOT)}?{query_string(request)}",
            headers=headers,
            content=content,
            form=form,
            upload=upload,
        )
        return self._send(session.user_id, wanted)

    def _send(self, user_id: str, wanted: Subrequest) -> Answer:
        path, _, query = wanted.url.partition("?")
        version, _, rest = path.partition("/")
        number = _version(version)
        params = parse_query(query)
        method = wanted.method
        if method == "POST":
            method = params.get("_HttpMethod", method).upper()
        call = Call(
            method=method,
            path=_ROOT + path,
            version=number,
            params=params,
            headers=wanted.headers,
            content=wanted.content,
            form=wanted.form,
            upload=wanted.upload,
            context=_context(user_id, number, wanted.headers),
            send=self._subrequest,
        )
        return self.dispatch(call, rest)

    def _subrequest(self, call: Call, wanted: Subrequest) -> Answer:
        try:
            return self._send(call.context.user_id, wanted)
        except OrgError as error:
            return error_answer(error)

    def dispatch(self, call: Call, path: str) -> Answer:
        """Let the resource at ``path`` (below the version, percent-encoded) answer; refusals are answers, too."""
        segments = [unquote(segment) for segment in path.removesuffix("/").split("/")] if path.strip("/") else []
        allowed: set[str] = set()
        try:
            if segments[:1] == ["jobs"]:
                _check_jobs_available(segments, call.version)
            for route in ROUTES:
                variables = route.match(segments)
                if variables is None:
                    continue
                handler = route.handlers.get(call.method)
                if handler is not None:
                    return handler(self._runtime, call, *variables)
                allowed |= route.handlers.keys()
                break
            if allowed:
                raise method_not_allowed(call.method, allowed)
            raise OrgError(404, "NOT_FOUND", "The requested resource does not exist")
        except OrgError as error:
            return error_answer(error, call.version)
        except Exception:
            error_id = f"{secrets.randbelow(10**9):09d}-{secrets.randbelow(10**5)}"
            _LOG.exception("The local org failed on %s %s (ErrorId %s)", call.method, call.path, error_id)
            message = (
                "An unexpected error occurred. Please include this ErrorId if you contact support: "
                f"{error_id} (the log of sfconnector.testing tells more)"
            )
            return error_answer(OrgError(500, "UNKNOWN_EXCEPTION", message))


def _check_jobs_available(segments: Sequence[str], version: str) -> None:
    """Bulk API 2.0 came with a version, and its queries with a later one.

    https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
    """
    since = _rest_query_jobs.SINCE if segments[1:2] == ["query"] else _rest_ingest.SINCE
    if float(version) < since:
        raise OrgError(404, "NOT_FOUND", "The requested resource does not exist")


def _check_acceptable(accept: str) -> None:
    """JSON is all that is spoken here; a client that insists on XML learns so."""
    if "xml" in accept and "json" not in accept and "*" not in accept:
        raise OrgError(406, "NOT_ACCEPTABLE", f"The local org answers JSON only; the request accepts {accept}.")


def _version(segment: str) -> str:
    """``68.0`` of ``v68.0``.

    https://developer.salesforce.com/docs/platform/api-rest/guide/api-rest-eol.html

    Raises:
        OrgError: 410 for a retired version, 404 for one that never was.
    """
    match = re.fullmatch(r"v([1-9]\d?)\.0", segment)
    number = int(match[1]) if match else 0
    if _OLDEST_EVER <= number < OLDEST:
        raise OrgError(410, "GONE", f"API version {number}.0 is retired; the oldest one still served is {OLDEST}.0")
    if not OLDEST <= number <= LATEST:
        raise OrgError(404, "NOT_FOUND", "The requested resource does not exist")
    return f"{number}.0"


def _context(user_id: str, version: str, headers: Mapping[str, str]) -> RequestContext:
    """What the request headers ask for.

    https://developer.salesforce.com/docs/platform/api-rest/guide/headers.html
    """
    auto_assign = headers.get("sforce-auto-assign", "true")
    return RequestContext(
        user_id=user_id,
        version=version,
        auto_assign={"true": True, "false": False}.get(auto_assign.lower(), auto_assign),
        duplicate_rule=_duplicate_rule(version, headers.get("sforce-duplicate-rule-header", "")),
        origin=change_origin("rest", version, client_of(headers.get("sforce-call-options"))),
    )


def _duplicate_rule(version: str, header: str) -> DuplicateRuleHeader:
    """Read the header, whose options are separated by semicolons in the guide, and by commas in its translations."""
    if float(version) < _DUPLICATE_RULES_SINCE:
        return DuplicateRuleHeader()
    options = set(re.split(r"[;,\s]+", header.lower()))
    return DuplicateRuleHeader(
        allow_save="allowsave=true" in options,
        include_record_details="includerecorddetails=true" in options,
        run_as_current_user="runascurrentuser=true" in options,
    )
