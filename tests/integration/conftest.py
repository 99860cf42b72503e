"""An org to record from, or the cassettes of the last recording."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

import attrs
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from vcr.cassette import Cassette  # type: ignore[import-untyped]

from integration.scrub import HOST, TAG, TOKEN, Scrubber
from sfconnector import Salesforce, auth
from sfconnector.errors import NotFoundError
from sfconnector.testing import ApexRequest, ApexResponse, LocalOrg

Create = Callable[[str, Mapping[str, Any]], str]
AuthName = Literal["access_token", "client_credentials", "jwt_bearer", "password", "refresh_token", "soap_login"]
Environ = Callable[[AuthName], Mapping[str, str]]

_CASSETTES: Final = Path(__file__).parent / "cassettes"


@attrs.frozen
class Org:
    """The org of this run.

    Args:
        token: A session in it.
        tag: What makes the names of this run's records unique; eternal where nothing is recorded.
        environ: Environment variables for each way to log in, where the org is the local one.
    """

    token: auth.Token
    tag: str
    environ: Environ | None = None

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return self.token.instance_url


def _recorded(config: pytest.Config) -> str | None:
    """Name the org that is recorded, if one is."""
    mode = config.getoption("--record-mode")
    return None if mode in {None, "none"} else os.environ.get("SFCONNECTOR_ORG", "local")


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker."""
    config.addinivalue_line("markers", "local_org: needs a login, a field or a function of the local org.")
    config.addinivalue_line("markers", "replayed: is about the cassettes as they are, so not part of a recording.")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what makes no sense with the org at hand; what was recorded of it earlier stays."""
    recorded = _recorded(item.config)
    if item.get_closest_marker("replayed") and recorded is not None:
        pytest.skip("the cassettes are being recorded")
    if item.get_closest_marker("local_org") and recorded not in {None, "local"}:
        pytest.skip("only the local org has the login, the field or the function that this test needs")


@pytest.fixture(scope="session")
def org(request: pytest.FixtureRequest) -> Iterator[Org]:
    """The org that is recorded, or the one that the cassettes speak of."""
    name = _recorded(request.config)
    tag = f"t{secrets.token_hex(6)}"
    if name is None:
        yield Org(auth.Token(TOKEN, HOST), TAG)
    elif name == "local":
        with LocalOrg() as local:
            local.add_field("Account", "Ext__c", "string(80) external_id")
            local.add_apex("/echo/*", _echo)
            local.add_action("flow", "Double", _double, inputs={"number": "DOUBLE required"}, outputs=["doubled"])
            yield Org(auth.Token(local.access_token(), local.url), tag, local.environ)
    else:
        yield Org(auth.SfCli(name).login(_no_post), tag)


def _no_post(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("the Salesforce CLI is asked, not the token endpoint")


def _echo(request: ApexRequest) -> Any:
    if request.segments == ("refused",):
        return ApexResponse(status=409, body="Closed.", headers={"Content-Type": "text/plain"})
    return {"method": request.method, "segments": [*request.segments], "body": request.body.decode()}


def _double(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"doubled": 2 * values["number"]}


@pytest.fixture(scope="session")
def scrubber(org: Org, request: pytest.FixtureRequest) -> Iterator[Scrubber]:
    """Clean what is recorded; at the end make sure that nothing secret was written down."""
    scrubber = Scrubber(org.url, org.tag)
    yield scrubber
    if _recorded(request.config) is None:
        return
    for path in _CASSETTES.rglob("*.yaml"):
        text = path.read_text("utf-8")
        assert not any(secret in text for secret in scrubber.seen), f"{path} holds a secret of the recorded org"


@pytest.fixture
def vcr_config(scrubber: Scrubber) -> dict[str, Any]:
    """Match requests as they are written: clean, whichever port the org had."""
    return {
        "before_record_request": scrubber.request,
        "before_record_response": scrubber.response,
        "decode_compressed_response": True,
        "match_on": ["method", "uri", "body"],
    }


@pytest.fixture
def sf(org: Org, vcr: Cassette) -> Iterator[Salesforce]:
    """A client that is logged in."""
    with Salesforce(auth.AccessToken(org.url, org.token.access_token)) as client:
        yield client


@pytest.fixture
def tag(org: Org) -> str:
    """What to begin the names of records with."""
    return org.tag


@pytest.fixture
def create(sf: Salesforce) -> Iterator[Create]:
    """Create records that are deleted at the end."""
    created: list[tuple[str, str]] = []

    def create(sobject: str, record: Mapping[str, Any]) -> str:
        record_id = sf.sobject(sobject).create(record).id
        created.append((sobject, record_id))
        return record_id

    yield create
    for sobject, record_id in reversed(created):
        with suppress(NotFoundError):
            sf.sobject(sobject).delete(record_id)


@pytest.fixture
def environ(org: Org, tmp_path: Path) -> Environ:
    """Give the environment variables for a way to log in."""
    if org.environ is not None:
        return org.environ
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file = tmp_path / "key.pem"
    key_file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    names = ("ACCESS_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN", "USERNAME", "PASSWORD")
    variables = {f"SALESFORCE_{name}": TOKEN for name in names} | {
        "SALESFORCE_INSTANCE_URL": HOST,
        "SALESFORCE_LOGIN_URL": HOST,
        "SALESFORCE_PRIVATE_KEY_FILE": str(key_file),
    }
    return lambda way: variables | {"SALESFORCE_AUTH": way}
