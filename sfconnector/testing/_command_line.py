"""Starting the local org from the command line, for tests in any language."""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfconnector.testing._org import LocalOrg


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to bind; default: %(default)s")
    parser.add_argument("--port", type=int, default=0, help="port to bind; default: any free one")
    parser.add_argument("--database", metavar="FILE", help="SQLite file to keep the records in; default: memory")
    parser.add_argument(
        "--objects", metavar="YAML", action="append", default=[], help="custom objects and fields; may be repeated"
    )
    parser.add_argument("--tls-cert", metavar="PEM", help="certificate chain; the org then speaks https")
    parser.add_argument("--tls-key", metavar="PEM", help="private key of the certificate")
    parser.add_argument("--client-id", metavar="KEY", help="consumer key of the connected app; default: made up")
    parser.add_argument("--client-secret", metavar="SECRET", help="its consumer secret; default: made up")
    parser.add_argument("--password", metavar="TEXT", help="password of the user; default: made up")
    parser.add_argument("--security-token", metavar="TEXT", help="security token of the user; default: made up")
    parser.add_argument("--private-key", metavar="PEM", help="RSA key for the JWT bearer flow; default: made up")
    parser.add_argument(
        "--token-lifetime",
        type=float,
        default=7200.0,
        metavar="SECONDS",
        help="idle time after which an access token has expired; default: %(default)s",
    )
    parser.add_argument(
        "--daily-api-requests",
        type=int,
        default=100_000,
        metavar="NUMBER",
        help="requests that the org answers in 24 hours; default: %(default)s",
    )
    parser.add_argument(
        "--change-data-capture",
        metavar="OBJECT",
        nargs="*",
        help="objects whose changes become change events, none if none is named; default: all that support it",
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        from sfconnector.testing import LocalOrg

        private_key = Path(arguments.private_key).read_text() if arguments.private_key else None
        org = LocalOrg(
            arguments.database,
            host=arguments.host,
            port=arguments.port,
            ssl_certfile=arguments.tls_cert,
            ssl_keyfile=arguments.tls_key,
            objects=arguments.objects,
            client_id=arguments.client_id,
            client_secret=arguments.client_secret,
            password=arguments.password,
            security_token=arguments.security_token,
            private_key=private_key,
            token_lifetime=arguments.token_lifetime,
            daily_api_requests=arguments.daily_api_requests,
            change_data_capture=arguments.change_data_capture,
        ).start()
    except (ImportError, OSError, ValueError) as error:
        print(f"The local org could not be started: {error}", file=sys.stderr)  # noqa: T201  # a program's output
        return 1
    try:
        print(_json(org) if arguments.json else _text(org), flush=True)  # noqa: T201  # a program's output
        stop.wait()
    finally:
        org.stop()
    return 0


def _facts(org: "LocalOrg") -> dict[str, str]:
    return {
        "url": org.url,
        "client_id": org.client_id,
        "client_secret": org.client_secret,
        "username": org.username,
        "password": org.password,
        "security_token": org.security_token,
        "access_token": org.access_token(),
        "refresh_token": org.refresh_token(),
        "organization_id": org.organization_id,
        "user_id": org.user_id,
    }


def _json(org: "LocalOrg") -> str:
    return json.dumps(_facts(org) | {"private_key": org.private_key, "environ": org.environ()})


def _text(org: "LocalOrg") -> str:
    facts = _facts(org)
    width = max(map(len, facts))
    lines = [f"{name.replace('_', ' '):{width}}  {value}" for name, value in facts.items()]
    return "\n".join([f"A Salesforce org is listening at {org.url}. Ctrl+C stops it.", "", *lines])
