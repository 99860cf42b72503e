"""Passwords of users, against answers written down here; none of them may be seen anywhere."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from http_server import Cut, Reply, Server
from session_tools import FakeTime

from sfconnector import Hooks, Salesforce, auth, errors
from sfconnector.testing import LocalOrg

USER = "005000000000001AAA"
PATH = f"/services/data/v68.0/sobjects/User/{USER}/password"
SECRET = "correct-Horse-7-staple"


def connect(server: Server, **options: Any) -> Salesforce:
    return Salesforce(auth.AccessToken(server.url, "x"), retry=FakeTime().retry(), **options)


@pytest.mark.parametrize("expired", [True, False])
def test_a_password_has_expired_or_not(expired: bool) -> None:
    with Server([Reply.of({"isExpired": expired})]) as server, connect(server) as sf:
        assert sf.users.password_expired(USER) is expired
    assert [(seen.method, seen.target) for seen in server.seen] == [("GET", PATH)]


def test_a_password_is_set() -> None:
    with Server([Reply(204, b"")]) as server, connect(server) as sf:
        sf.users.set_password(USER, SECRET)
    seen = server.seen[0]
    assert (seen.method, seen.target, seen.body) == ("POST", PATH, b'{"NewPassword":"%s"}' % SECRET.encode())


def test_a_password_is_reset() -> None:
    with Server([Reply.of({"NewPassword": SECRET})]) as server, connect(server) as sf:
        assert sf.users.reset_password(USER) == SECRET
    assert [(seen.method, seen.target, seen.body) for seen in server.seen] == [("DELETE", PATH, b"")]


@pytest.mark.parametrize(
    "call", [lambda sf: sf.users.reset_password(USER), lambda sf: sf.users.set_password(USER, "x")]
)
@pytest.mark.parametrize("answer", [Cut(), Reply(503, b"")])
def test_a_change_that_may_have_been_made_is_not_made_again(call: Callable[[Salesforce], Any], answer: Any) -> None:
    with (
        Server([answer, Reply.of({"NewPassword": SECRET})]) as server,
        connect(server) as sf,
        pytest.raises(errors.SalesforceError),
    ):
        call(sf)
    assert len(server.seen) == 1


def test_a_refusal_says_why() -> None:
    reply = Reply.error(400, "INVALID_NEW_PASSWORD", "Your password must be at least 8 characters long.")
    with Server([reply]) as server, connect(server) as sf, pytest.raises(errors.BadRequestError) as caught:
        sf.users.set_password(USER, SECRET)
    assert caught.value.code == "INVALID_NEW_PASSWORD"
    assert f"POST /sobjects/User/{USER}/password: 400 INVALID_NEW_PASSWORD: Your password must" in str(caught.value)


def test_no_password_is_seen(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[Any] = []
    hooks = Hooks(on_request=told.append, on_response=told.append, on_retry=told.append)
    replies = [Reply(204, b""), Reply.of({"NewPassword": SECRET}), Reply.of({"Password": SECRET}), Reply.of([SECRET])]
    with Server(replies) as server, connect(server, hooks=hooks) as sf:
        sf.users.set_password(USER, SECRET)
        sf.users.reset_password(USER)
        for _ in range(2):
            with pytest.raises(errors.InvalidResponseError) as caught:
                sf.users.reset_password(USER)
            told.append(str(caught.value))
        told += [sf, sf.users, vars(sf)]
    assert SECRET not in repr(told) + caplog.text


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda users: users.password_expired("x"), "no id"),
        (lambda users: users.reset_password("../../x"), "no id"),
        (lambda users: users.set_password("", "x"), "no id"),
        (lambda users: users.set_password(None, "x"), "an id is a text"),
        (lambda users: users.set_password(USER, ""), "the password is empty"),
        (lambda users: users.set_password(USER, 12345678), "a password is a text, not a int"),
    ],
)
def test_bad_input_is_refused(call: Callable[[Any], Any], reason: str) -> None:
    with (
        Server([Reply()]) as server,
        connect(server) as sf,
        pytest.raises((ValueError, TypeError), match=reason) as caught,
    ):
        call(sf.users)
    assert server.seen == []
    assert "12345678" not in str(caught.value)


def test_an_answer_with_a_body_where_none_belongs_is_an_error() -> None:
    with (
        Server([Reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"})]) as server,
        connect(server) as sf,
        pytest.raises(errors.SalesforceError),
    ):
        sf.users.set_password(USER, SECRET)


@pytest.mark.filterwarnings("ignore:Salesforce is retiring:DeprecationWarning")
def test_a_password_that_was_set_is_one_to_log_in_with(sf: Salesforce, local_org: LocalOrg) -> None:
    def log_in(password: str) -> str:
        login = auth.Password(
            local_org.url,
            local_org.client_id,
            local_org.client_secret,
            local_org.username,
            password,
            local_org.security_token,
        )
        with Salesforce(login) as other:
            return other.user_info().user_id

    sf.users.set_password(local_org.user_id, SECRET)
    assert log_in(SECRET) == local_org.user_id
    assert not sf.users.password_expired(local_org.user_id)
    made_up = sf.users.reset_password(local_org.user_id)
    assert sf.users.password_expired(local_org.user_id)
    with pytest.raises(errors.AuthenticationError):
        log_in(SECRET)
    assert made_up not in {SECRET, ""}


def test_a_password_that_is_too_simple_is_refused(sf: Salesforce, local_org: LocalOrg) -> None:
    with pytest.raises(errors.ApiError) as caught:
        sf.users.set_password(local_org.user_id, "a1")
    assert caught.value.code == "INVALID_NEW_PASSWORD"
    with pytest.raises(errors.NotFoundError):
        sf.users.password_expired("005000000000001AAA")
