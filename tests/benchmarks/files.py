"""500 MB up and down: memory and CPU time, against the local org in a process of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks._measure import Must, Row
from tests.benchmarks._process import run_fresh, used
from tests.benchmarks._server import Server

_SIZE = 500 * 1024 * 1024
_ROUNDS = 2
_CHUNK = 1 << 18
_PATH = "/services/data/v68.0/sobjects/ContentVersion"
# What most clients do: the whole body is made before any of it is sent.
_RECORD = ("entity_content", (None, json.dumps({"PathOnClient": "large.bin"}), "application/json"))

Environ = Mapping[str, str]
Measured = Callable[[Environ, str, str], tuple[float, float]]


def measure(_: Server) -> list[Row]:
    """Measure each client in processes of their own."""
    with tempfile.TemporaryDirectory() as folder, _org() as environ:
        source, target = Path(folder) / "large.bin", Path(folder) / "copy.bin"
        with source.open("wb") as file:
            file.truncate(_SIZE)
        up = _compare({"sfconnector": _our_upload, "requests": _upload_by_requests}, environ, str(source))
        record_id = json.loads(source.with_suffix(".json").read_text())["id"]
        clients = {
            "sfconnector": _our_download,
            "requests": _download_by_requests,
            "simple-salesforce": _simple_download,
        }
        down = _compare(clients, environ, str(target), record_id)
    return [*_rows("500 MB up", up), *_rows("500 MB down", down)]


def _rows(name: str, measured: Mapping[str, list[tuple[float, float]]]) -> Iterator[Row]:
    memory = {client: [megabytes for megabytes, _ in rounds] for client, rounds in measured.items()}
    must = Must("≤ 10 MB", max(memory["sfconnector"]), 10)
    yield Row(f"{name}, memory", "MB over a small file", memory, must)
    yield Row(f"{name}, CPU", "s", {client: [seconds for _, seconds in rounds] for client, rounds in measured.items()})


def _compare(
    clients: Mapping[str, Measured], environ: Environ, path: str, record_id: str = ""
) -> dict[str, list[tuple[float, float]]]:
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in clients}
    for _ in range(_ROUNDS):
        for name, client in clients.items():
            samples[name].append(run_fresh(client, environ, path, record_id))
    return samples


def _our_upload(environ: Environ, path: str, _: str) -> tuple[float, float]:
    sf = _ours(environ)
    sf.files.upload(b"x", name="small.bin")
    stored: list[Any] = []
    measured = _measured(lambda: stored.append(sf.files.upload(path)))
    Path(path).with_suffix(".json").write_text(json.dumps({"id": stored[0].id}))
    return measured


def _our_download(environ: Environ, path: str, record_id: str) -> tuple[float, float]:
    sf = _ours(environ)
    sf.files.download(sf.files.upload(b"x", name="small.bin").id, path)
    return _measured(lambda: sf.files.download(record_id, path))


def _upload_by_requests(environ: Environ, path: str, _: str) -> tuple[float, float]:
    session = _session(environ)
    url = environ["SALESFORCE_INSTANCE_URL"] + _PATH

    def send(content: Any) -> None:
        files = [_RECORD, ("VersionData", ("large.bin", content, "application/octet-stream"))]
        session.post(url, files=files).raise_for_status()

    send(b"x")
    with Path(path).open("rb") as file:
        return _measured(lambda: send(file))


def _download_by_requests(environ: Environ, path: str, record_id: str) -> tuple[float, float]:
    session = _session(environ)
    url = f"{environ['SALESFORCE_INSTANCE_URL']}{_PATH}/{record_id}"
    session.get(url).raise_for_status()

    def fetch() -> None:
        with session.get(f"{url}/VersionData", stream=True) as response, Path(path).open("wb") as file:
            file.writelines(response.iter_content(_CHUNK))

    return _measured(fetch)


def _simple_download(environ: Environ, path: str, record_id: str) -> tuple[float, float]:
    from simple_salesforce.api import Salesforce

    from tests.benchmarks._clients import Downgrade

    session = _session(environ)
    session.mount("https://", Downgrade())
    instance = environ["SALESFORCE_INSTANCE_URL"].removeprefix("http://")
    token = environ["SALESFORCE_ACCESS_TOKEN"]
    client = Salesforce(instance=instance, session_id=token, session=session, version="68.0")
    client.ContentVersion.get(record_id)
    return _measured(lambda: Path(path).write_bytes(client.ContentVersion.get_base64(record_id, "VersionData")))


def _measured(call: Callable[[], object]) -> tuple[float, float]:
    """Give the megabytes by which the process grows, and the seconds of CPU time."""
    done = used(call)
    return done.megabytes, done.cpu


def _ours(environ: Environ) -> Any:
    from sfconnector import Salesforce

    return Salesforce.from_env(environ)


def _session(environ: Environ) -> Any:
    import requests

    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {environ['SALESFORCE_ACCESS_TOKEN']}"
    return session


@contextmanager
def _org() -> Iterator[Environ]:
    import requests

    command = [sys.executable, "-m", "sfconnector.testing", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            org = json.loads(process.stdout.readline())
            form = {"grant_type": "client_credentials", "client_id": org["client_id"]}
            form["client_secret"] = org["client_secret"]
            token = requests.post(f"{org['url']}/services/oauth2/token", data=form, timeout=30).json()["access_token"]
            yield {
                "SALESFORCE_AUTH": "access_token",
                "SALESFORCE_INSTANCE_URL": org["url"],
                "SALESFORCE_ACCESS_TOKEN": token,
            }
        finally:
            process.terminate()
