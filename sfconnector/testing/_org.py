"""`LocalOrg`: a Salesforce org inside this process."""

import ipaddress
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from sfconnector.testing._app import create_app
from sfconnector.testing._bulk import BulkSteering, Engine
from sfconnector.testing._clock import Clock
from sfconnector.testing._contents import Contents
from sfconnector.testing._credentials import Credentials
from sfconnector.testing._faults import Faults
from sfconnector.testing._functions import Functions
from sfconnector.testing._oauth import SCOPE
from sfconnector.testing._outbox import Outbox
from sfconnector.testing._passwords import Passwords
from sfconnector.testing._people import People
from sfconnector.testing._requests import RequestLog
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._server import Server
from sfconnector.testing._soql import Cursors
from sfconnector.testing._store import Store
from sfconnector.testing._streaming._selection import ChangeDataCapture, read_selection
from sfconnector.testing._streaming._steering import StreamingSteering
from sfconnector.testing._tokens import Tokens
from sfconnector.testing._usage import Usage

_LONGEST_LIFETIME = 10 * 365 * 86_400.0

AuthName = Literal["access_token", "client_credentials", "jwt_bearer", "password", "refresh_token", "soap_login"]


class LocalOrg(Contents, Functions):
    """A Salesforce org in this process: its own server, users' log-in, objects, records and faults.

    It answers as Salesforce's documentation says Salesforce does, over HTTP, to any client in any language. It is
    started by ``with`` or `start`, and then listens. Several may run at once.

    Args:
        path: file of the SQLite database, kept from run to run; without it the org lives in memory.
        host: address to bind; anything but a loopback address lets other machines in.
        port: port to bind, 0 for any free one.
        ssl_certfile: PEM file of a certificate chain; with it the org speaks TLS.
        ssl_keyfile: PEM file of its private key.
        objects: YAML file, or several, with custom objects and fields.
        client_id: consumer key of the connected app; made up if not given, as are the next four.
        client_secret: consumer secret.
        password: password of the user.
        security_token: security token of the user, which a password log-in appends to the password.
        private_key: PEM text of an RSA key for the JWT bearer flow; its public half is registered.
        token_lifetime: seconds of idleness after which an access token has expired.
        daily_api_requests: REST requests that the org allows in 24 hours.
        change_data_capture: names of the objects whose changes become change events; all that support it, if not given.

    Raises:
        OSError: the address cannot be bound, or a file cannot be read.

    Example:
        >>> from sfconnector.testing import LocalOrg
        >>> with LocalOrg() as org:
        ...     org.url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_certfile: str | os.PathLike[str] | None = None,
        ssl_keyfile: str | os.PathLike[str] | None = None,
        objects: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        password: str | None = None,
        security_token: str | None = None,
        private_key: str | None = None,
        token_lifetime: float = 7200.0,
        daily_api_requests: int = 100_000,
        change_data_capture: Iterable[str] | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= port <= 65_535:
            raise ValueError(f"There is no port {port}; give one from 1 to 65535, or 0 for any free one.")
        if not 0 < token_lifetime <= _LONGEST_LIFETIME:
            raise ValueError(f"A token cannot live for {token_lifetime} seconds; give more than 0, ten years at most.")
        if daily_api_requests < 1:
            raise ValueError(f"An org that allows {daily_api_requests} requests a day cannot be used.")
        if ssl_keyfile is not None and ssl_certfile is None:
            raise ValueError("ssl_keyfile is of no use without ssl_certfile.")
        self._path = ":memory:" if path is None else os.fspath(path)
        self._host = host
        self._port = port
        self._ssl_certfile = None if ssl_certfile is None else os.fspath(ssl_certfile)
        self._ssl_keyfile = None if ssl_keyfile is None else os.fspath(ssl_keyfile)
        if objects is None or isinstance(objects, str | os.PathLike):
            objects = () if objects is None else (objects,)
        self._objects = tuple(os.fspath(file) for file in objects)
        given = {
            "client_id": client_id,
            "client_secret": client_secret,
            "password": password,
            "security_token": security_token,
            "private_key": private_key,
        }
        self._given = {name: value for name, value in given.items() if value is not None}
        self._token_lifetime = token_lifetime
        self._daily_api_requests = daily_api_requests
        self._captured = read_selection(change_data_capture)
        self._running: tuple[Runtime, Server] | None = None
        self._key_folder: tempfile.TemporaryDirectory[str] | None = None

    def start(self) -> Self:
        """Start listening; returns when requests are answered.

        Raises:
            RuntimeError: the org is running already.
        """
        if self._running is not None:
            raise RuntimeError(f"This local org is running already, at {self.url}.")
        clock = Clock()
        store = Store(path=self._path, clock=clock, change_data_capture=self._captured)
        try:
            for file in self._objects:
                store.load_objects(file)
            runtime = self._compose(store, clock)
            app = create_app(runtime)
            server = Server(app, self._host, self._port, self._ssl_certfile, self._ssl_keyfile)
            runtime.url = store.instance_url = _url(self._host, server.port, secure=self._ssl_certfile is not None)
            server.start()
        except BaseException:
            store.close()
            raise
        self._running = runtime, server
        return self

    def _compose(self, store: Store, clock: Clock) -> Runtime:
        credentials = Credentials(username=store.username, **self._given)
        usage = Usage(self._daily_api_requests, clock)
        tokens = Tokens(store.organization_id, store.admin_user_id, clock, self._token_lifetime)
        return Runtime(
            store=store,
            clock=clock,
            credentials=credentials,
            tokens=tokens,
            usage=usage,
            faults=Faults(tokens),
            cursors=Cursors(clock=clock),
            people=People(store),
            passwords=Passwords(credentials, store.admin_user_id, clock),
            bulk=Engine(clock, usage),
            streaming=StreamingSteering(store.events, tokens),
            apex=self._apex_classes,
            actions=self._invocable_actions,
        )

    def stop(self) -> None:
        """Stop listening and close the database; an org that is not running stays as it is."""
        if self._running is None:
            return
        runtime, server = self._running
        self._running = None
        server.stop()
        runtime.bulk.stop()
        runtime.store.close()
        if self._key_folder is not None:
            self._key_folder.cleanup()
            self._key_folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<LocalOrg {self.url if self._running else 'not running'}>"

    @property
    def _runtime(self) -> Runtime:
        if self._running is None:
            raise RuntimeError("This local org is not running: use it inside its with block, or call start() first.")
        return self._running[0]

    # How to reach it and log in.

    @property
    def url(self) -> str:
        """Both the instance URL and the log-in URL, such as ``http://127.0.0.1:40217``."""
        return self._runtime.url

    @property
    def client_id(self) -> str:
        """Consumer key of the connected app."""
        return self._runtime.credentials.client_id

    @property
    def client_secret(self) -> str:
        """Consumer secret of the connected app."""
        return self._runtime.credentials.client_secret

    @property
    def username(self) -> str:
        """User name of the administrator, as whom every log-in runs."""
        return self._runtime.credentials.username

    @property
    def password(self) -> str:
        """Password of `username`, without the security token; the one that was set last."""
        return self._runtime.credentials.password

    @property
    def security_token(self) -> str:
        """Security token of `username`; with each change of the password comes another."""
        return self._runtime.credentials.security_token

    @property
    def private_key(self) -> str:
        """PEM text of the RSA key with which a JWT assertion is signed."""
        return self._runtime.credentials.private_key

    @property
    def organization_id(self) -> str:
        """18-character id of the org."""
        return self._runtime.store.organization_id

    @property
    def user_id(self) -> str:
        """18-character id of the user behind `username`."""
        return self._runtime.store.admin_user_id

    def access_token(self) -> str:
        """Issue a fresh access token."""
        return self._runtime.tokens.issue(self.client_id, SCOPE).token

    def refresh_token(self) -> str:
        """Issue a fresh refresh token."""
        return self._runtime.tokens.issue_refresh(self.client_id, SCOPE)

    def environ(self, auth: AuthName = "client_credentials") -> dict[str, str]:
        """The environment variables that ``Salesforce.from_env()`` reads.

        Args:
            auth: the log-in they are to describe. For ``jwt_bearer`` the key is written to a temporary file that
                lasts until the org stops.

        Raises:
            ValueError: ``auth`` is not one of the six.
        """
        known = self._runtime.credentials
        client = {
            "SALESFORCE_LOGIN_URL": self.url,
            "SALESFORCE_CLIENT_ID": known.client_id,
            "SALESFORCE_CLIENT_SECRET": known.client_secret,
        }
        if auth == "access_token":
            chosen = {"SALESFORCE_INSTANCE_URL": self.url, "SALESFORCE_ACCESS_TOKEN": self.access_token()}
        elif auth == "client_credentials":
            chosen = client
        elif auth == "refresh_token":
            chosen = client | {"SALESFORCE_REFRESH_TOKEN": self.refresh_token()}
        elif auth in ("password", "soap_login"):
            # A login by SOAP needs no connected app.
            app = client if auth == "password" else {"SALESFORCE_LOGIN_URL": self.url}
            chosen = app | {
                "SALESFORCE_USERNAME": known.username,
                "SALESFORCE_PASSWORD": known.password,
                "SALESFORCE_SECURITY_TOKEN": known.security_token,
            }
        elif auth == "jwt_bearer":
            chosen = {
                "SALESFORCE_LOGIN_URL": self.url,
                "SALESFORCE_CLIENT_ID": known.client_id,
                "SALESFORCE_USERNAME": known.username,
                "SALESFORCE_PRIVATE_KEY_FILE": str(self._private_key_file()),
            }
        else:
            raise ValueError(f"There is no log-in named {auth!r}.")
        return {"SALESFORCE_AUTH": auth, **chosen}

    def _private_key_file(self) -> Path:
        if self._key_folder is None:
            self._key_folder = tempfile.TemporaryDirectory(prefix="local-org-")
        file = Path(self._key_folder.name) / "private_key.pem"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(self.private_key)
        return file

    # What a test steers and looks at.

    @property
    def outbox(self) -> Outbox:
        """E-mails, posts and notifications that the org has sent."""
        return self._runtime.outbox

    @property
    def faults(self) -> Faults:
        """Fault injection."""
        return self._runtime.faults

    @property
    def bulk(self) -> BulkSteering:
        """How bulk jobs run: when they begin, how long they take, which fail."""
        return self._runtime.bulk.steering

    @property
    def streaming(self) -> StreamingSteering:
        """How streaming behaves: channels, polls, retention, and what goes wrong."""
        return self._runtime.streaming

    @property
    def change_data_capture(self) -> ChangeDataCapture:
        """The objects whose changes become change events, and gap events."""
        return self._runtime.store.change_data_capture

    @property
    def clock(self) -> Clock:
        """The org's clock, which may be moved forward."""
        return self._runtime.clock

    @property
    def requests(self) -> RequestLog:
        """The requests that have arrived, oldest first, without anything secret."""
        return self._runtime.requests


def _url(host: str, port: int, *, secure: bool) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        shown = host
    else:
        bracketed = f"[{host}]" if address.version == 6 else host
        shown = "localhost" if address.is_unspecified else bracketed
    return f"{'https' if secure else 'http'}://{shown}:{port}"
