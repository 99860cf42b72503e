"""Sessions that expired while others recorded them: 401, a new token, and the same request again."""

from typing import Any

import attrs
import pytest
from recordings import Exchange, Recordings
from replay import TOKEN_PATH, Replay

from sfconnector import Salesforce, auth, errors
from sfconnector.auth import Token, TokenTransport


@attrs.define
class Recorded:
    """Starts with the token that had expired in the recording, and refreshes it as the recording did."""

    url: str
    refresh: auth.RefreshToken
    logins: int = 0

    def login(self, post: TokenTransport) -> Token:
        self.logins += 1
        return Token("expired", self.url) if self.logins == 1 else self.refresh.login(post)


def refuses_the_refresh(sequence: list[Exchange]) -> bool:
    return any(each.path == TOKEN_PATH and each.status == 400 for each in sequence)


def read(sf: Salesforce, exchange: Exchange) -> tuple[Any, Any]:
    """What our client makes of a request that succeeded in the end, and what was recorded."""
    if exchange.category == "query":
        return list(sf.query(exchange.params["q"])), exchange.data["records"]
    return sf.sobject(exchange.resource[1]).describe().to_dict(), exchange.data


def test_one_refresh_for_each_expiry(recordings: Recordings) -> None:
    refreshes = 0
    for name, sequence in recordings.sequences.items():
        if sequence[0].status != 401 or refuses_the_refresh(sequence):
            continue
        expiries = sum(each.status == 401 for each in sequence)
        with Replay(sequence) as server:
            login = Recorded(server.url, auth.RefreshToken(server.url, "id", "refresh", "secret"))
            with Salesforce(login, api_version="50.0") as sf:
                for exchange in sequence:
                    if exchange.status == 200 and exchange.path != TOKEN_PATH:
                        ours, theirs = read(sf, exchange)
                        assert ours == theirs, f"{name}: {exchange.id}"
            # The first login is that of the recording's past; each further one is a refresh.
            assert login.logins - 1 == expiries, name
            assert server.authorizations.count(None) == expiries, name
            assert server.authorizations[:3] == ["Bearer expired", None, "Bearer token-1"], name
            assert len(server.tokens) == expiries, name
        refreshes += expiries
    assert refreshes > 10


def test_a_refused_refresh_ends_the_request(recordings: Recordings) -> None:
    [sequence] = filter(refuses_the_refresh, recordings.sequences.values())
    assert [(each.status, each.path == TOKEN_PATH) for each in sequence] == [(401, False), (400, True)]

    with Replay(sequence) as server:
        login = Recorded(server.url, auth.RefreshToken(server.url, "id", "refresh", "secret"))
        with Salesforce(login, api_version="50.0") as sf, pytest.raises(errors.AuthenticationError) as caught:
            sf.sobject("User").describe()
    assert (caught.value.error, caught.value.description) == ("invalid_client_id", "client identifier invalid")
    assert caught.value.status == 400


def test_every_token_answer(recordings: Recordings) -> None:
    for exchange in recordings.of("oauth.token", status=200):
        with (
            Replay([exchange]) as server,
            Salesforce(auth.RefreshToken(server.url, "id", "refresh", "secret")) as sf,
        ):
            assert sf.instance_url == server.url, exchange.id
