"""``auth.SoapLogin``: SOAP API's ``login``, while there is one."""

from typing import Any

import pytest
from http_server import Cut, Reply, Seen, Server
from session_tools import quick
from sfconnector_generated.soap.api import login
from soap_server import answer, body, envelope, fault, members

from sfconnector import Salesforce, auth
from sfconnector.errors import AuthenticationError, TransportError
from sfconnector.testing import LocalOrg

SESSION = "00D000000000001!AQ.x"
REFUSED = "Invalid username, password, security token; or user locked out."


def way(url: str, *arguments: str) -> auth.SoapLogin:
    with pytest.warns(DeprecationWarning, match="Salesforce is retiring SOAP API's login"):
        return auth.SoapLogin(url, *(arguments or ("me@acme.com", "pw", "token")))


def connect(login_url: str, *arguments: str) -> Salesforce:
    return Salesforce(way(login_url, *arguments), retry=quick())


def granted(server: Server, **more: Any) -> Reply:
    # The organization follows, and more than the origin must not be taken from it.
    url = f"{server.url}/services/Soap/u/64.0/00D000000000001"
    return answer("login", {"serverUrl": url, "sessionId": SESSION, "passwordExpired": False, **more})


def answered(reply: Any) -> Server:
    """A server of logins and, with the session, of all else."""

    def serve(seen: Seen) -> Any:
        if "/Soap/" in seen.target:
            return reply(server)
        assert seen.headers["authorization"] == f"Bearer {SESSION}"
        return Reply.of([])

    server = Server(serve)
    return server


def test_the_envelope_is_the_one_of_the_wsdl() -> None:
    with answered(granted) as server, connect(server.url, "<me>&@acme.com", "p]]>w ü😀", "'\"") as sf:
        sf.versions()
        (seen, _) = server.seen
    assert (seen.target, seen.headers["soapaction"]) == ("/services/Soap/u/64.0", '""')
    assert seen.headers["content-type"] == "text/xml; charset=UTF-8"
    generated = login.build("<me>&@acme.com", "p]]>w ü😀'\"")
    assert isinstance(generated.content, bytes)
    expected = body(Seen("POST", "", {}, generated.content))
    assert (body(seen).tag, members(body(seen))) == (expected.tag, members(expected))
    assert [each.tag for each in body(seen)] == [each.tag for each in expected]


def test_the_local_org_lets_it_in(local_org: LocalOrg) -> None:
    with connect(local_org.url, local_org.username, local_org.password, local_org.security_token) as sf:
        assert sf.instance_url == local_org.url
        assert list(sf.query("SELECT Id FROM User"))
        assert sf.soap.user_info().user_name == local_org.username


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("x",), "INVALID_LOGIN", "check user name"),
        (("{password}",), "LOGIN_MUST_USE_SECURITY_TOKEN", "security_token"),
    ],
)
def test_the_local_org_refuses(local_org: LocalOrg, arguments: tuple[str, ...], code: str, hint: str) -> None:
    filled = [each.format(password=local_org.password) for each in arguments]
    with (
        connect(local_org.url, local_org.username, *filled) as sf,
        pytest.raises(AuthenticationError, match=hint) as caught,
    ):
        sf.versions()
    assert (caught.value.flow, caught.value.error, caught.value.status) == ("SoapLogin", code, 500)
    assert local_org.password not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (fault("INVALID_LOGIN", REFUSED, "LoginFault"), "INVALID_LOGIN", "INVALID_LOGIN Invalid username"),
        (fault("UNSUPPORTED_API_VERSION", "Invalid Api version"), "UNSUPPORTED_API_VERSION", "is retired"),
        (fault("INVALID_OPERATION", "switched off"), "INVALID_OPERATION", "use another way to log in"),
        (fault("SERVER_ERROR", "what?"), "SERVER_ERROR", "SERVER_ERROR what"),
        (Reply(200, b"<html><title>Log in</title></html>", {"Content-Type": "text/html"}), "", "answered 200 Log in"),
        (Reply(302, b"", {"Location": "https://acme.my.salesforce.com/x?y"}), "", "leads to https://acme.my"),
        (Reply(200, b"<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>"), "", "the URL of a Salesforce org"),
        (envelope("<loginResponse><result/></loginResponse>"), "", "the URL of a Salesforce org"),
        (answer("login", {"sessionId": SESSION, "serverUrl": None}), "", "unusable instance_url"),
        (answer("login", {"sessionId": "", "serverUrl": "https://acme.my.salesforce.com/x"}), "", "no usable"),
    ],
)
def test_refusals(reply: Reply, error: str, text: str) -> None:
    wanted = pytest.raises(AuthenticationError, match=text)
    with Server([reply]) as server, connect(server.url) as sf, wanted as caught:
        sf.versions()
    assert caught.value.error == error
    assert len(server.seen) == 1


def test_an_expired_password_is_told() -> None:
    expired = pytest.raises(AuthenticationError, match="the password has expired")
    with answered(lambda server: granted(server, passwordExpired=True)) as server, connect(server.url) as sf, expired:
        sf.versions()


def test_it_is_not_sent_again_where_it_may_have_arrived() -> None:
    with Server([Cut()]) as server, connect(server.url) as sf, pytest.raises(TransportError):
        sf.versions()
    assert len(server.seen) == 1


def test_it_is_made_from_the_environment(local_org: LocalOrg) -> None:
    known = {"LOGIN_URL": local_org.url, "USERNAME": local_org.username, "PASSWORD": local_org.password}
    environ = {f"SALESFORCE_{name}": value for name, value in known.items()} | {"SALESFORCE_AUTH": "soap_login"}
    with pytest.warns(DeprecationWarning, match="retiring"):
        assert auth.from_env(environ) == way(local_org.url, local_org.username, local_org.password)
    with pytest.raises(ValueError, match="set SALESFORCE_PASSWORD in the environment, for SALESFORCE_AUTH=soap_login"):
        auth.from_env({**environ, "SALESFORCE_PASSWORD": ""})


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("", "u", "p"), "login URL"),
        (("https://acme.my.salesforce.com", " ", "p"), "username is blank"),
        (("https://acme.my.salesforce.com", "u", ""), "password is blank"),
        (("https://acme.my.salesforce.com", "u", "p\0"), "do not print"),
        (("https://acme.my.salesforce.com", "u", "p", "t\n"), "do not print"),
    ],
)
def test_arguments_that_cannot_be_right(arguments: tuple[str, ...], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        auth.SoapLogin(*arguments)
