"""The ASGI application of the local org: which endpoint answers which path."""

import ipaddress
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from sfconnector.testing._apex_rest import ApexRest
from sfconnector.testing._async._endpoint import Async
from sfconnector.testing._faults import Fault
from sfconnector.testing._oauth import OAuth
from sfconnector.testing._rest import Rest
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._soap._endpoint import Soap
from sfconnector.testing._streaming._endpoint import CometD
from sfconnector.testing._wire import Wire

_ANY = ["HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Methods of Faults that may be called by name over HTTP.
_FAULTS = frozenset(
    {
        "answer",
        "broken_json",
        "cut",
        "delay",
        "error",
        "expire_after",
        "expire_tokens",
        "fail_report_runs",
        "html_error",
        "limit_exceeded",
        "lock_rows",
        "revoke_refresh_tokens",
        "rotate_refresh_tokens",
        "unavailable",
    }
)
# Those of them that take ids, and what the ids are called in JSON.
_POSITIONAL = {"lock_rows": "record_ids", "fail_report_runs": "report_ids"}

# What of BulkSteering may be set, and what may be called.
_BULK_SETTINGS = ("hard_delete_permitted", "jobs_page_size", "processing_time", "query_page_size")
_BULK_ORDERS = ("fail_job", "hold", "limit", "release")

# The same of StreamingSteering, and what may be looked at.
_STREAMING_SETTINGS = ("events_per_answer", "max_clients", "max_interval", "poll_timeout")
_STREAMING_ORDERS = (
    "add_channel",
    "busy",
    "clear",
    "halve",
    "kick",
    "kill",
    "limit",
    "lose",
    "publish",
    "revoke",
    "slow",
    "trim",
)
_STREAMING_FACTS = ("clients", "retained", "subscriptions")

# The same of ChangeDataCapture.
_CAPTURE_SETTINGS = ("full_header", "overflow_after")
_CAPTURE_ORDERS = ("gap", "overflow", "select")
_CAPTURE_FACTS = ("objects",)


def create_app(runtime: Runtime) -> ASGIApp:
    oauth = OAuth(runtime)
    rest = Rest(runtime)
    apex = ApexRest(runtime)
    bulk = Async(runtime)
    soap = Soap(runtime)
    cometd = CometD(runtime)
    control = Control(runtime)
    routes = [
        Route("/services/data", rest.versions, methods=_ANY),
        Route("/services/data/", rest.versions, methods=_ANY),
        Route("/services/data/{resource:path}", rest.resource, methods=_ANY),
        Route("/services/async/{path:path}", bulk.resource, methods=_ANY),
        # As clients ask that put the path behind an address that ends with a slash.
        Route("//services/async/{path:path}", bulk.resource, methods=_ANY),
        Route("/services/Soap/{path:path}", soap.resource, methods=_ANY),
        # As clients ask that put the path behind an address that ends with a slash.
        Route("//services/Soap/{path:path}", soap.resource, methods=_ANY),
        Route("/cometd", cometd.resource, methods=_ANY),
        Route("/cometd/{path:path}", cometd.resource, methods=_ANY),
        Route("/services/apexrest/{path:path}", apex.resource, methods=_ANY),
        Route("/services/oauth2/token", oauth.token, methods=_ANY),
        Route("/services/oauth2/revoke", oauth.revoke, methods=["GET", "POST"]),
        Route("/services/oauth2/introspect", oauth.introspect, methods=["POST"]),
        Route("/services/oauth2/userinfo", oauth.userinfo, methods=["GET", "POST"]),
        Route("/id/{organization}/{user}", oauth.identity, methods=["GET", "POST"]),
        Route("/__local_org__/faults", control.faults, methods=["GET", "POST", "DELETE"]),
        Route("/__local_org__/bulk", control.bulk, methods=["GET", "POST"]),
        Route("/__local_org__/streaming", control.streaming, methods=["GET", "POST"]),
        Route("/__local_org__/change_data_capture", control.change_data_capture, methods=["GET", "POST"]),
    ]
    return Wire(Router(routes, redirect_slashes=False), runtime.requests, runtime.faults)


class Control:
    """Faults, bulk jobs and streaming for tests in other languages, from this machine only.

    ``POST /__local_org__/faults`` with ``{"fault": "unavailable", "arguments": {"times": 2, "retry_after": 1}}`` calls
    the method of `Faults` of that name; ``GET`` lists the armed faults, ``DELETE`` disarms them all.

    ``POST /__local_org__/bulk`` with ``{"processing_time": 2, "hold": {"after_records": 200}}`` sets properties of
    `BulkSteering` and calls its methods with named arguments; it answers the properties, as ``GET`` does. So does
    ``/__local_org__/streaming`` with `StreamingSteering`, and ``/__local_org__/change_data_capture`` with
    `ChangeDataCapture`.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def faults(self, request: Request) -> Response:
        if not _is_local(request):
            return PlainTextResponse("Faults may be injected from the machine of the local org only.", 403)
        if request.method == "DELETE":
            self._runtime.faults.clear()
        elif request.method == "POST":
            try:
                self._arm(orjson.loads(await request.body()))
            except (TypeError, ValueError) as error:
                return _json({"error": str(error)}, 400)
        return _json({"armed": [_described(fault) for fault in self._runtime.faults.armed]})

    async def bulk(self, request: Request) -> Response:
        if not _is_local(request):
            return PlainTextResponse("Bulk jobs may be steered from the machine of the local org only.", 403)
        return await _steered(request, self._runtime.bulk.steering, "Bulk jobs", _BULK_SETTINGS, _BULK_ORDERS)

    async def streaming(self, request: Request) -> Response:
        if not _is_local(request):
            return PlainTextResponse("Streaming may be steered from the machine of the local org only.", 403)
        return await _steered(
            request, self._runtime.streaming, "Streaming", _STREAMING_SETTINGS, _STREAMING_ORDERS, _STREAMING_FACTS
        )

    async def change_data_capture(self, request: Request) -> Response:
        if not _is_local(request):
            return PlainTextResponse("Change data capture may be steered from the machine of the local org only.", 403)
        steering = self._runtime.store.change_data_capture
        settings, orders, facts = _CAPTURE_SETTINGS, _CAPTURE_ORDERS, _CAPTURE_FACTS
        return await _steered(request, steering, "Change data capture", settings, orders, facts)

    def _arm(self, wanted: Any) -> None:
        if not isinstance(wanted, dict) or wanted.get("fault") not in _FAULTS:
            raise ValueError(f'"fault" must be one of {", ".join(sorted(_FAULTS))}.')
        arguments = wanted.get("arguments", {})
        if not isinstance(arguments, dict):
            raise TypeError('"arguments" must be an object of named arguments.')
        positional = arguments.pop(_POSITIONAL.get(wanted["fault"], ""), [])
        getattr(self._runtime.faults, wanted["fault"])(*positional, **arguments)


async def _steered(
    request: Request,
    steering: object,
    subject: str,
    settings: tuple[str, ...],
    orders: tuple[str, ...],
    facts: tuple[str, ...] = (),
) -> Response:
    """Set properties and call methods of a steering by name, and answer how it stands."""
    if request.method == "POST":
        try:
            # In a thread of its own: what it calls may wait for the database.
            await run_in_threadpool(_steer, orjson.loads(await request.body()), steering, subject, settings, orders)
        except (TypeError, ValueError) as error:
            return _json({"error": str(error)}, 400)
    return _json(await run_in_threadpool(lambda: {name: getattr(steering, name) for name in (*settings, *facts)}))


def _steer(wanted: Any, steering: object, subject: str, settings: tuple[str, ...], orders: tuple[str, ...]) -> None:
    if not isinstance(wanted, dict) or not wanted.keys() <= {*settings, *orders}:
        raise ValueError(f"{subject} know {', '.join(sorted([*settings, *orders]))}.")
    for name, value in wanted.items():
        if name in settings:
            setattr(steering, name, value)
        elif isinstance(value, dict):
            getattr(steering, name)(**value)
        else:
            raise TypeError(f'"{name}" takes an object of named arguments.')


def _is_local(request: Request) -> bool:
    return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback


def _described(fault: Fault) -> dict[str, Any]:
    return {"method": fault.method, "path": fault.path, "times": fault.times, "hits": fault.hits}


def _json(data: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(data), status_code=status, media_type="application/json")
