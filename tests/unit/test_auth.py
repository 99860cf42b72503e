"""The ways to log in: what they refuse, what they send, and what they keep to themselves."""

import json
import logging
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import attrs
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from http_server import Answer, Cut, Reply, Seen, Server
from session_tools import get, quick

from sfconnector import auth
from sfconnector._session import Session
from sfconnector.errors import AuthenticationError, SessionExpiredError, TransportError

ORG = "https://acme.my.salesforce.com"
SECRET = "s3cr3t-v4lue"
TOKEN = "00D000000000001!AQ.token"


def pem(key: Any, encryption: KeySerializationEncryption | None = None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def key(rsa_key: rsa.RSAPrivateKey) -> str:
    return pem(rsa_key)


class Org:
    """An org with a token endpoint, and a handler that a test can replace."""

    def __init__(self) -> None:
        self.token_answers: list[Answer] = []
        self.forms: list[dict[str, str]] = []
        self.targets: list[str] = []
        self.data_answer = lambda seen: Reply.of({"token": seen.headers["authorization"]})
        self.server = Server(self.answer)
        self.url = self.server.url

    def answer(self, seen: Seen) -> Answer:
        if not seen.target.startswith("/services/oauth2/token"):
            return self.data_answer(seen)
        self.targets.append(seen.target)
        self.forms.append(
            {name: values[0] for name, values in parse_qs(seen.body.decode(), strict_parsing=True).items()}
        )
        assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
        if self.token_answers:
            return self.token_answers.pop(0)
        return self.grant()

    def grant(self, **more: str) -> Reply:
        return Reply.of(
            {"access_token": TOKEN, "instance_url": self.url, "token_type": "Bearer", "issued_at": "1", **more}
        )

    def login(self, way: auth.Auth, **options: Any) -> Any:
        session = Session(way, **{"retry": quick(), **options})
        try:
            return session.decode(session.send(get()))
        finally:
            session.close()


@pytest.fixture
def org() -> Iterator[Org]:
    org = Org()
    with org.server:
        yield org


def password(*arguments: str) -> auth.Password:
    with pytest.warns(DeprecationWarning, match="retiring"):
        return auth.Password(*arguments)


# What each flow sends


def test_client_credentials(org: Org) -> None:
    answer = org.login(auth.ClientCredentials(org.url, "id", "a&b=c ü%"))
    assert answer == {"token": f"Bearer {TOKEN}"}
    assert org.forms == [{"grant_type": "client_credentials", "client_id": "id", "client_secret": "a&b=c ü%"}]
    assert org.targets == ["/services/oauth2/token"]


def test_jwt_bearer_signs_for_the_login_url(org: Org, key: str, rsa_key: rsa.RSAPrivateKey) -> None:
    org.login(auth.JwtBearer(org.url, "id", "ci@acme.com", key))
    form = org.forms[0]
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = jwt.decode(form["assertion"], rsa_key.public_key(), ["RS256"], audience=org.url)
    assert (claims["iss"], claims["sub"]) == ("id", "ci@acme.com")


@pytest.mark.parametrize(
    ("login_url", "audience"),
    [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("https://acme--dev.my.salesforce.com", "https://test.salesforce.com"),
        ("https://acme-dev-ed.develop.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme.my.site.com/partners", "https://acme.my.site.com/partners"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_the_audience_follows_from_the_login_url(login_url: str, audience: str, key: str) -> None:
    assert auth.JwtBearer(login_url, "id", "ci@acme.com", key).audience == audience
    assert auth.JwtBearer(login_url, "id", "ci@acme.com", key, audience="https://x").audience == "https://x"


def test_the_key_may_be_in_a_file(tmp_path: Path, key: str) -> None:
    path = tmp_path / "server.key"
    path.write_text(key)
    assert auth.JwtBearer(ORG, "id", "u", str(path)) == auth.JwtBearer(ORG, "id", "u", path)  # type: ignore[arg-type]


def test_unusable_keys_are_refused_before_anything_is_sent(
    tmp_path: Path, key: str, rsa_key: rsa.RSAPrivateKey
) -> None:
    binary = tmp_path / "key.der"
    binary.write_bytes(b"\xff\x00")
    body = "".join(key.splitlines()[1:-1])
    cases = {
        str(tmp_path / "absent.key"): "no readable file",
        str(tmp_path): "no readable file",
        str(binary): "no readable file",
        "": "neither a PEM text nor the path",
        body: "no readable file of that name",
        "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----": "no private key in PEM form",
        pem(rsa_key, BestAvailableEncryption(b"x")): "encrypted",
        pem(ec.generate_private_key(ec.SECP256R1())): "no RSA key",
    }
    for value, text in cases.items():
        with pytest.raises(ValueError, match=text) as caught:
            auth.JwtBearer(ORG, "id", "u", value)
        assert body[:40] not in str(caught.value)
    with pytest.raises(ValueError, match="neither"):
        auth.JwtBearer(ORG, "id", "u", None)  # type: ignore[arg-type]


def test_the_extra_for_jwt_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.serialization", None)
    with pytest.raises(ValueError, match=r"sfconnector\[jwt\]"):
        auth.JwtBearer(ORG, "id", "u", key)


def test_refresh_token_of_a_public_client_has_no_secret(org: Org) -> None:
    org.login(auth.RefreshToken(org.url, "id", "R1"))
    assert org.forms == [{"grant_type": "refresh_token", "client_id": "id", "refresh_token": "R1"}]


def test_a_rotated_refresh_token_is_kept_and_told(org: Org) -> None:
    told: list[str] = []
    way = auth.RefreshToken(org.url, "id", "R1", "secret", told.append)
    org.token_answers = [org.grant(refresh_token="R2"), org.grant(refresh_token="R2"), org.grant()]
    for _ in range(3):
        org.login(way)
    assert [form["refresh_token"] for form in org.forms] == ["R1", "R2", "R2"]
    assert org.forms[0]["client_secret"] == "secret"
    assert told == ["R2"]


def test_a_failing_callback_costs_neither_the_login_nor_the_rotation(
    org: Org, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(token: str) -> None:
        raise OSError("disk full")

    way = auth.RefreshToken(org.url, "id", "R1", on_rotate=fail)
    org.token_answers = [org.grant(refresh_token="R2")]
    assert org.login(way) == {"token": f"Bearer {TOKEN}"}
    org.login(way)
    assert org.forms[1]["refresh_token"] == "R2"
    assert "on_rotate failed" in caplog.text
    assert "R2" not in caplog.text


def test_password_sends_the_security_token_with_it_and_warns(org: Org) -> None:
    org.login(password(org.url, "id", "secret", "u@acme.com", "pw", "TOK"))
    form = org.forms[0]
    assert (form["grant_type"], form["username"], form["password"]) == ("password", "u@acme.com", "pwTOK")


def test_a_way_of_ones_own_needs_only_login(org: Org) -> None:
    class FromVault:
        def login(self, post: auth.TokenTransport) -> auth.Token:
            answer = post(f"{org.url}/services/oauth2/token", {"grant_type": "x"}, flow="FromVault")
            return auth.Token.of(answer, "FromVault")

    assert org.login(FromVault()) == {"token": f"Bearer {TOKEN}"}


def test_token_requests_go_out_over_tls_only() -> None:
    class Careless:
        def login(self, post: auth.TokenTransport) -> auth.Token:
            post("http://acme.my.salesforce.com/services/oauth2/token", {"client_secret": SECRET}, flow="Careless")
            raise AssertionError

    with pytest.raises(ValueError, match="unencrypted"):
        Session(Careless()).send(get())


# Tokens fetched elsewhere


def test_an_access_token_cannot_be_renewed(org: Org) -> None:
    org.data_answer = lambda _: Reply.error(401, "INVALID_SESSION_ID", "Session expired or invalid")
    for _ in range(2):
        with pytest.raises(SessionExpiredError, match="cannot be renewed"):
            org.login(auth.AccessToken(org.url, TOKEN))
    assert org.forms == []


def test_a_function_that_fetches_tokens_is_asked_again(org: Org) -> None:
    tokens = iter(["T1", "T2"])
    good = {"Bearer T2"}
    org.data_answer = lambda seen: (
        Reply() if seen.headers["authorization"] in good else Reply.error(401, "INVALID_SESSION_ID")
    )
    assert org.login(auth.AccessToken(org.url, lambda: next(tokens))) == {}


def test_a_function_that_gives_nonsense_is_told() -> None:
    with pytest.raises(AuthenticationError, match="AccessToken login refused"):
        Session(auth.AccessToken(ORG, lambda: None)).send(get())  # type: ignore[arg-type, return-value]


# What is refused


@pytest.mark.parametrize(
    ("way", "arguments", "named"),
    [
        (auth.AccessToken, (ORG, ""), "access_token"),
        (auth.AccessToken, (ORG, "a\r\nb"), "access_token"),
        (auth.AccessToken, ("", "t"), "instance URL is blank"),
        (auth.ClientCredentials, (ORG, "", "s"), "client_id"),
        (auth.ClientCredentials, (ORG, "id", "  "), "client_secret"),
        (auth.ClientCredentials, ("https://login.salesforce.com", "id", "s"), "My Domain"),
        (auth.ClientCredentials, ("https://test.salesforce.com/", "id", "s"), "My Domain"),
        (
            auth.ClientCredentials,
            ("https://acme.lightning.force.com", "id", "s"),
            "write https://acme.my.salesforce.com",
        ),
        (auth.RefreshToken, (ORG, "id", None), "refresh_token"),
        (auth.RefreshToken, (ORG, "id", "r", ""), "client_secret"),
        (auth.Password, (ORG, "id", "s", "", "pw"), "username"),
        (auth.Password, (ORG, "id", "s", "u", ""), "password"),
        (auth.Password, (ORG, "id", "s", "u", "pw", None), "security_token"),
        (auth.ClientCredentials, (ORG, "id", "secret\n"), "client_secret .*line breaks"),
        (auth.RefreshToken, (ORG, "id", "\ud800"), "refresh_token"),
        (auth.SfCli, ("",), "alias"),
        (auth.SfCli, ("--json",), "option"),
    ],
)
def test_arguments_that_cannot_be_right_are_refused_and_named(way: Any, arguments: tuple[Any, ...], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        way(*arguments)


def test_no_secret_shows_in_a_repr(key: str) -> None:
    ways = [
        auth.AccessToken(ORG, SECRET),
        auth.ClientCredentials(ORG, "id", SECRET),
        auth.JwtBearer(ORG, "id", "u", key),
        auth.RefreshToken(ORG, "id", SECRET, SECRET, print),
        password(ORG, "id", SECRET, "u", SECRET, SECRET),
        auth.Token(SECRET, ORG),
    ]
    for way in ways:
        assert SECRET not in repr(way)
        assert "PRIVATE" not in repr(way)


def test_ways_to_log_in_do_not_change() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        auth.AccessToken(ORG, TOKEN).instance_url = "https://evil.com"  # type: ignore[misc]


# What the token endpoint may answer


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (
            Reply.of({"error": "invalid_client_id", "error_description": "client identifier invalid"}, 400),
            ["invalid_client_id", "consumer key"],
        ),
        (
            Reply.of({"error": "invalid_grant", "error_description": "authentication failure"}, 400),
            ["invalid_grant", "security token"],
        ),
        (
            Reply.of({"error": "invalid_grant", "error_description": "inactive user"}, 400),
            ["inactive user", "activate"],
        ),
        (
            Reply.of({"error": "invalid_grant", "error_description": "expired access/refresh token"}, 400),
            ["authorize the app anew"],
        ),
        (
            Reply.of({"error": "invalid_grant", "error_description": "user hasn't approved this consumer"}, 400),
            ["pre-authorize"],
        ),
        (
            Reply.of({"error": "invalid_grant", "error_description": "request not supported on this domain"}, 400),
            ["My Domain"],
        ),
        (
            Reply(404, b"<html><title>Page not found</title></html>", {"Content-Type": "text/html"}),
            ["404 Page not found", "URL of a Salesforce org"],
        ),
        (Reply(200, b"<html><title>Sign in</title></html>", {"Content-Type": "text/html"}), ["200 Sign in"]),
        (Reply(200, b"[]", {"Content-Type": "application/json"}), ["answered 200"]),
        (Reply.of({"access_token": "t"}), ["no usable access_token and instance_url"]),
        (Reply.of({"access_token": "a\nb", "instance_url": ORG}), ["no usable access_token"]),
        (Reply.of({"access_token": "t", "instance_url": "http://acme.my.salesforce.com"}), ["unusable instance_url"]),
        (
            Reply(302, b"", {"Location": "https://new.my.salesforce.com/x?y=1"}),
            ["leads to https://new.my.salesforce.com"],
        ),
        (Reply(503, b""), ["answered 503", "status.salesforce.com"]),
        (Reply.of({"access_token": "t", "instance_url": "https://acme.my.salesforce.com/path"}), ["has a path"]),
    ],
)
def test_a_refused_login_says_which_flow_why_and_what_to_do(org: Org, answer: Reply, texts: list[str]) -> None:
    org.token_answers = [answer] * 5
    with pytest.raises(AuthenticationError, match="ClientCredentials login refused") as caught:
        org.login(auth.ClientCredentials(org.url, "id", SECRET))
    assert all(text in str(caught.value) for text in texts)
    assert SECRET not in str(caught.value)
    assert caught.value.flow == "ClientCredentials"


def test_the_oauth_error_is_kept(org: Org) -> None:
    org.token_answers = [Reply.of({"error": "invalid_grant", "error_description": "inactive user"}, 400)]
    with pytest.raises(AuthenticationError) as caught:
        org.login(auth.ClientCredentials(org.url, "id", SECRET))
    error = caught.value
    assert (error.error, error.description, error.status) == ("invalid_grant", "inactive user", 400)
    assert len(org.forms) == 1


def test_a_login_is_repeated_after_trouble_on_the_way(org: Org) -> None:
    org.token_answers = [Cut(), Reply(503), Reply(500)]
    assert org.login(auth.ClientCredentials(org.url, "id", "s")) == {"token": f"Bearer {TOKEN}"}
    assert len(org.forms) == 4


@pytest.mark.parametrize("trouble", [Cut(), Reply(500), Reply(503)])
def test_a_refresh_token_is_not_sent_twice_where_it_may_have_been_exchanged(org: Org, trouble: Answer) -> None:
    org.token_answers = [trouble]
    with pytest.raises((TransportError, AuthenticationError)):
        org.login(auth.RefreshToken(org.url, "id", "R1"))
    assert len(org.forms) == 1


def test_logs_of_a_login_hold_no_secret(org: Org, key: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    org.token_answers = [Reply(503), org.grant(refresh_token=SECRET)]
    org.login(auth.ClientCredentials(org.url, "id", SECRET))
    org.login(auth.RefreshToken(org.url, "id", SECRET, SECRET))
    org.login(password(org.url, "id", SECRET, "u", SECRET))
    org.login(auth.JwtBearer(org.url, "id", "u", key))
    ours = [record for record in caplog.records if record.name == "sfconnector"]
    assert ours
    for record in caplog.records:
        assert SECRET not in record.getMessage()
        assert TOKEN not in record.getMessage()


# The Salesforce CLI


class Cli:
    """A Salesforce CLI of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.path, self.calls = folder / "sf", folder / "calls"

    def answers(self, **results: Any) -> str:
        """Answer with a text, or with an exit status and a text, by the last word of the command."""
        script = (
            f"#!{sys.executable}\nimport json, os, sys\n"
            f"with open({str(self.calls)!r}, 'a') as calls: calls.write(json.dumps(sys.argv[1:]) + chr(10))\n"
            f"name = sys.argv[sys.argv.index('--target-org') - 1]\n"
            f"status, text = {results!r}[name.replace('-', '_')]\n"
            "print(text if os.environ['NO_COLOR'] else '')\nsys.exit(status)\n"
        )
        self.path.write_text(script)
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)
        return str(self.path)

    @property
    def commands(self) -> list[list[str]]:
        return [json.loads(line) for line in self.calls.read_text().splitlines()]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def result(**values: str) -> tuple[int, str]:
    return 0, json.dumps({"status": 0, "result": values, "warnings": []})


def no_post(*_: Any, **__: Any) -> Mapping[str, Any]:
    raise AssertionError


def test_the_cli_of_today_gives_tokens_in_a_command_of_their_own(cli: Cli) -> None:
    executable = cli.answers(
        display=result(accessToken="[REDACTED] Use 'sf org auth show-access-token' to view", instanceUrl=ORG),
        show_access_token=result(accessToken=TOKEN),
    )
    token = auth.SfCli("dev", executable=executable).login(no_post)
    assert token == auth.Token(TOKEN, ORG)
    assert cli.commands == [
        ["org", "display", "--target-org", "dev", "--json"],
        ["org", "auth", "show-access-token", "--target-org", "dev", "--json"],
    ]


def test_the_cli_of_yesterday_shows_them_at_once(cli: Cli) -> None:
    executable = cli.answers(display=(0, "Warning: update\n" + result(accessToken=TOKEN, instanceUrl=ORG)[1]))
    assert auth.SfCli("dev", executable=executable).login(no_post) == auth.Token(TOKEN, ORG)
    assert len(cli.commands) == 1


def test_the_alias_is_one_argument_whatever_is_in_it(cli: Cli) -> None:
    executable = cli.answers(display=result(accessToken=TOKEN, instanceUrl=ORG))
    auth.SfCli("a; rm -rf $HOME", executable=executable).login(no_post)
    assert cli.commands[0][3] == "a; rm -rf $HOME"


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (
            (
                1,
                json.dumps(
                    {"name": "NamedOrgNotFoundError", "message": "No authorization found for dev.", "status": 1}
                ),
            ),
            ["NamedOrgNotFoundError", "No authorization found", "sf org login web"],
        ),
        ((0, "no json"), ["without a result in JSON"]),
        ((0, "{broken"), ["without a result in JSON"]),
        ((2, ""), ["ended with 2"]),
        ((0, json.dumps({"status": 0, "result": [1]})), ["without a result"]),
        (result(accessToken=TOKEN), ["no usable access_token and instance_url"]),
        ((1, json.dumps({"message": f"refused Bearer {TOKEN} {SECRET * 0}"})), ["Bearer ***"]),
    ],
)
def test_what_the_cli_gets_wrong_is_told(cli: Cli, answer: tuple[int, str], texts: list[str]) -> None:
    with pytest.raises(AuthenticationError, match="SfCli login refused") as caught:
        auth.SfCli("dev", executable=cli.answers(display=answer)).login(no_post)
    assert all(text in str(caught.value) for text in texts)
    assert TOKEN not in str(caught.value)


def test_a_missing_cli_is_told(tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError, match="there is no Salesforce CLI"):
        auth.SfCli("dev", executable=str(tmp_path / "sf")).login(no_post)
    (tmp_path / "sf").write_text("not executable")
    with pytest.raises(AuthenticationError, match="cannot be run"):
        auth.SfCli("dev", executable=str(tmp_path / "sf")).login(no_post)


def test_a_cli_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: Any, timeout: float, **__: Any) -> None:
        raise subprocess.TimeoutExpired("sf", timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(AuthenticationError, match="did not end within 5 s"):
        auth.SfCli("dev", timeout=5.0).login(no_post)


# The environment


def test_every_way_can_come_from_the_environment(tmp_path: Path, key: str) -> None:
    path = tmp_path / "server.key"
    path.write_text(key)
    values = {
        "LOGIN_URL": ORG,
        "INSTANCE_URL": ORG,
        "ACCESS_TOKEN": "t",
        "CLIENT_ID": "id",
        "CLIENT_SECRET": "s",
        "USERNAME": "u",
        "PASSWORD": "pw",
        "SECURITY_TOKEN": "st",
        "PRIVATE_KEY_FILE": str(path),
        "REFRESH_TOKEN": "r",
        "CLI_ALIAS": "dev",
    }
    environ = {f"SALESFORCE_{name}": value for name, value in values.items()}

    def made(way: str) -> auth.Auth:
        return auth.from_env({**environ, "SALESFORCE_AUTH": way})

    assert made("access_token") == auth.AccessToken(ORG, "t")
    assert made("client_credentials") == auth.ClientCredentials(ORG, "id", "s")
    assert made("jwt_bearer") == auth.JwtBearer(ORG, "id", "u", key)
    assert made("sf_cli") == auth.SfCli("dev")
    refresh = made("refresh_token")
    assert isinstance(refresh, auth.RefreshToken)
    assert (refresh.refresh_token, refresh.client_secret) == ("r", "s")
    with pytest.warns(DeprecationWarning, match="retiring"):
        way = made("password")
    assert way == password(ORG, "id", "s", "u", "pw", "st")


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESFORCE_AUTH", "sf_cli")
    monkeypatch.setenv("SALESFORCE_CLI_ALIAS", "dev")
    assert auth.from_env() == auth.SfCli("dev")


def test_missing_variables_are_named() -> None:
    with pytest.raises(ValueError, match="access_token, client_credentials, jwt_bearer"):
        auth.from_env({})
    with pytest.raises(ValueError, match="it is 'oauth'"):
        auth.from_env({"SALESFORCE_AUTH": "oauth"})
    with pytest.raises(TypeError, match="environ is a mapping of variables to texts, not a int"):
        auth.from_env(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="SALESFORCE_LOGIN_URL, SALESFORCE_CLIENT_SECRET in the environment"):
        auth.from_env(
            {"SALESFORCE_AUTH": "client_credentials", "SALESFORCE_CLIENT_ID": "id", "SALESFORCE_LOGIN_URL": " "}
        )


def test_expensive_modules_are_imported_on_use_only() -> None:
    def loaded(*imports: str) -> str:
        expensive = ("jwt", "cryptography", "subprocess", "xml.etree", "orjson")
        code = f"import sys, {', '.join(imports)}; print([name for name in {expensive} if name in sys.modules])"
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert loaded("sfconnector.auth", "sfconnector._session") == loaded("requests", "attrs")
