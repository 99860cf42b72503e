"""A package generated from a purpose-made spec, and a server that says what it is told to say."""

import importlib
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import attrs
import pytest

from codegen._project import Project

SHOP = Path(__file__).with_name("shop.yaml")
LORRY = Path(__file__).with_name("lorry.yaml")
WSDL = Path(__file__).parents[3] / "specs/partner.wsdl"


@attrs.frozen
class Received:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@attrs.define
class Server:
    """Answers every request alike and remembers what arrived."""

    url: str
    status: int = 200
    content_type: str = "application/json"
    body: bytes = b"{}"
    requests: list[Received] = attrs.field(factory=list)

    def answer(self, status: int, body: bytes = b"", content_type: str = "application/json") -> None:
        """Say what comes back from now on."""
        self.status, self.body, self.content_type = status, body, content_type

    @property
    def last(self) -> Received:
        """What arrived last."""
        return self.requests[-1]


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet; in two, the second waits for a delayed acknowledgement.
    wbufsize = -1
    script: Server

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.script.requests.append(Received(self.command, self.path, headers, self._read(headers)))
        self.send_response(self.script.status)
        if self.script.status not in {204, 304}:
            self.send_header("Content-Type", self.script.content_type)
            self.send_header("Content-Length", str(len(self.script.body)))
        self.end_headers()
        if self.script.status not in {204, 304}:
            self.wfile.write(self.script.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def _read(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def log_message(self, *_: object) -> None:
        """Keep the test output clean."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on a real socket."""
    script = Server("")
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("Scripted", (_Answering,), {"script": script}))
    http.daemon_threads = True
    script.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield script
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project that holds the spec and nothing generated yet."""
    (tmp_path / "specs").mkdir()
    shutil.copy(SHOP, tmp_path / "specs")
    return Project(tmp_path, "fresh_generated")


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package generated from ``shop.yaml``, ``lorry.yaml`` and the partner WSDL, under a name of its own."""
    root = tmp_path_factory.mktemp("shop")
    (root / "specs").mkdir()
    for spec in (SHOP, LORRY, WSDL):
        shutil.copy(spec, root / "specs")
    project = Project(root, "shop_generated")
    project.generate()
    sys.path.insert(0, str(project.package.parent))
    yield importlib.import_module("shop_generated")
    sys.path.remove(str(project.package.parent))


@pytest.fixture
def api(generated: ModuleType) -> ModuleType:
    """The operations of the shop."""
    return importlib.import_module(f"{generated.__name__}.shop.api")


@pytest.fixture
def models(generated: ModuleType) -> ModuleType:
    """The models of the shop."""
    return importlib.import_module(f"{generated.__name__}.shop.models")


@pytest.fixture
def lorry_api(generated: ModuleType) -> ModuleType:
    """The operations of the lorries."""
    return importlib.import_module(f"{generated.__name__}.lorry.api")


@pytest.fixture
def lorry_models(generated: ModuleType) -> ModuleType:
    """The models of the lorries."""
    return importlib.import_module(f"{generated.__name__}.lorry.models")


@pytest.fixture
def client(generated: ModuleType, server: Server) -> Iterator[object]:
    """The package's own small transport, pointed at the server."""
    module = importlib.import_module(f"{generated.__name__}.client")
    client = module.Client(server.url)
    yield client
    client.session.close()
