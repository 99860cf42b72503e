"""Invocable actions, against answers written down here."""

import json
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from http_server import Cut, Reply, Server
from session_tools import FakeTime

from sfconnector import Salesforce, auth, errors
from sfconnector.errors import ErrorDetail
from sfconnector.testing import LocalOrg

ROOT = "/services/data/v68.0/actions"
GOOD = {
    "actionName": "chatterPost",
    "errors": None,
    "isSuccess": True,
    "outputValues": {"feedItemId": "0D5000000000001"},
}
BAD = {
    "actionName": "chatterPost",
    "errors": [{"statusCode": "INVALID_API_INPUT", "message": "no such user", "fields": []}],
    "isSuccess": False,
    "outputValues": None,
}
BUSY = {
    "actionName": "chatterPost",
    "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "busy"}],
    "isSuccess": False,
}


def connect(server: Server, **options: Any) -> Salesforce:
    return Salesforce(auth.AccessToken(server.url, "x"), retry=FakeTime().retry(), **options)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("standard/chatterPost", "/standard/chatterPost"),
        ("/standard/chatterPost", "/standard/chatterPost"),
        ("chatterPost", "/standard/chatterPost"),
        ("custom/apex/MyAction", "/custom/apex/MyAction"),
        ("/custom/flow/ns__My_Flow/", "/custom/flow/ns__My_Flow"),
        ("custom/emailAlert/Account/My_Alert", "/custom/emailAlert/Account/My_Alert"),
        ("/services/data/v60.0/actions/custom/apex/My%20Action", "/custom/apex/My%20Action"),
        ("custom/flow/a?b#c d%+é", "/custom/flow/a%3Fb%23c%20d%25%2B%C3%A9"),
    ],
)
def test_invoking_posts_the_inputs(path: str, target: str) -> None:
    inputs = [{"text": "first", "type": "user"}, {"text": "second", "amount": Decimal("1.50"), "on": date(2026, 1, 2)}]
    with Server([Reply.of([GOOD, GOOD])]) as server, connect(server) as sf:
        results = sf.actions.invoke(path, inputs)
    seen = server.seen[0]
    assert (seen.method, seen.target) == ("POST", ROOT + target)
    sent = [{"text": "first", "type": "user"}, {"text": "second", "amount": 1.5, "on": "2026-01-02"}]
    assert json.loads(seen.body) == {"inputs": sent}
    assert [result.is_success for result in results] == [True, True]
    assert results[1].output_values == {"feedItemId": "0D5000000000001"}


def test_an_action_may_need_no_input() -> None:
    with Server([Reply.of([GOOD])]) as server, connect(server) as sf:
        sf.actions.invoke("custom/flow/Nightly")
    assert server.seen[0].body == b'{"inputs":[{}]}'


@pytest.mark.parametrize("status", [200, 400])
def test_a_run_that_failed_is_an_error_that_holds_the_others(status: int) -> None:
    with (
        Server([Reply.of([GOOD, BAD, BAD], status)]) as server,
        connect(server) as sf,
        pytest.raises(errors.ActionError) as caught,
    ):
        sf.actions.invoke("chatterPost", [{}, {}, {}])
    error = caught.value
    assert str(error) == ("standard/chatterPost: run 1 and 1 more of 3 failed: INVALID_API_INPUT: no such user")
    assert isinstance(error, errors.RecordError)
    assert (error.index, error.code) == (1, "INVALID_API_INPUT")
    assert error.errors == (ErrorDetail("INVALID_API_INPUT", "no such user"),)
    assert [result.is_success for result in error.results] == [True, False, False]
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # its own
    assert (str(again), again.results) == (str(error), error.results)


@pytest.mark.parametrize("status", [200, 400])
def test_the_results_of_failed_runs_may_be_asked_for(status: int) -> None:
    with Server([Reply.of([BAD], status)]) as server, connect(server) as sf:
        results = sf.actions.invoke("chatterPost", [{}], raise_on_failure=False)
    assert not results[0].is_success
    assert results[0].errors[0].status_code == "INVALID_API_INPUT"


@pytest.mark.parametrize("raise_on_failure", [True, False])
def test_a_refusal_of_the_whole_request_is_an_error(raise_on_failure: bool) -> None:
    with (
        Server([Reply.error(404, "NOT_FOUND", "no such action")]) as server,
        connect(server) as sf,
        pytest.raises(errors.NotFoundError, match="POST /actions/standard/nope: 404 NOT_FOUND: no such action"),
    ):
        sf.actions.invoke("nope", [{}], raise_on_failure=raise_on_failure)


@pytest.mark.parametrize("answer", [Cut(), Reply(503, b""), Reply.of([GOOD, BUSY], 400)])
def test_runs_that_may_have_been_made_are_not_made_again(answer: Any) -> None:
    with (
        Server([answer, Reply.of([GOOD, GOOD])]) as server,
        connect(server) as sf,
        pytest.raises(errors.SalesforceError),
    ):
        sf.actions.invoke("chatterPost", [{}, {}])
    assert len(server.seen) == 1


@pytest.mark.parametrize("answer", [{}, [], [GOOD], [{"isSuccess": True}], "text"])
def test_an_answer_that_does_not_tell_of_every_run_is_an_error(answer: Any) -> None:
    with Server([Reply.of(answer)]) as server, connect(server) as sf, pytest.raises(errors.InvalidResponseError):
        sf.actions.invoke("chatterPost", [{}, {}], raise_on_failure=False)


def test_the_places_of_actions_are_listed() -> None:
    roots = {"standard": f"{ROOT}/standard", "custom": f"{ROOT}/custom"}
    types = {"flow": f"{ROOT}/custom/flow", "apex": f"{ROOT}/custom/apex"}
    with Server([Reply.of(roots), Reply.of(types), Reply.of(types)]) as server, connect(server) as sf:
        assert [(each.name, each.url, each.type) for each in sf.actions.list()] == [
            ("standard", f"{ROOT}/standard", ""),
            ("custom", f"{ROOT}/custom", ""),
        ]
        assert [each.name for each in sf.actions.list("custom")] == ["flow", "apex"]
        assert [each.name for each in sf.actions.list("/custom")] == ["flow", "apex"]
    assert [seen.target for seen in server.seen] == [ROOT, f"{ROOT}/custom", f"{ROOT}/custom"]


@pytest.mark.parametrize("path", ["standard", "/standard", "custom/apex", "/custom/apex", f"{ROOT}/custom/apex"])
def test_actions_are_listed(path: str) -> None:
    action = {
        "name": "chatterPost",
        "label": "Post to Chatter",
        "type": "CHATTERPOST",
        "url": f"{ROOT}/standard/chatterPost",
    }
    with Server([Reply.of({"actions": [action]})]) as server, connect(server) as sf:
        listed = sf.actions.list(path)
    assert [(each.name, each.type, each.url) for each in listed] == [("chatterPost", "CHATTERPOST", action["url"])]
    assert server.seen[0].target == f"{ROOT}/{path.removeprefix(ROOT).strip('/')}"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("emailSimple", "standard/emailSimple"),
        ("/standard/emailSimple", "standard/emailSimple"),
        ("custom/apex/MyAction", "custom/apex/MyAction"),
        ("custom/quickAction/Account/Call", "custom/quickAction/Account/Call"),
    ],
)
def test_an_action_is_described(path: str, target: str) -> None:
    parameter = {"name": "emailSubject", "label": "Subject", "type": "STRING", "required": True, "maxOccurs": 1}
    description = {
        "name": "emailSimple",
        "label": "Send Email",
        "type": "EMAILSIMPLE",
        "inputs": [parameter],
        "outputs": [],
    }
    with Server([Reply.of(description)]) as server, connect(server) as sf:
        described = sf.actions.describe(path)
    assert (server.seen[0].method, server.seen[0].target) == ("GET", f"{ROOT}/{target}")
    assert (described.name, described.inputs[0].name, described.inputs[0].required) == (
        "emailSimple",
        "emailSubject",
        True,
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda actions: actions.invoke("", [{}]),
        lambda actions: actions.invoke("standard", [{}]),
        lambda actions: actions.invoke("custom", [{}]),
        lambda actions: actions.invoke("custom/apex", [{}]),
        lambda actions: actions.invoke("other/apex/X", [{}]),
        lambda actions: actions.invoke("standard//x", [{}]),
        lambda actions: actions.invoke("standard/..", [{}]),
        lambda actions: actions.invoke("custom/a/b/c/d", [{}]),
        lambda actions: actions.invoke(None, [{}]),
        lambda actions: actions.invoke("chatterPost", []),
        lambda actions: actions.invoke("chatterPost", {"text": "x"}),
        lambda actions: actions.invoke("chatterPost", "text"),
        lambda actions: actions.invoke("chatterPost", ["text"]),
        lambda actions: actions.invoke("chatterPost", [{"at": datetime(2026, 1, 1)}]),  # naive
        lambda actions: actions.invoke("chatterPost", [{"x": object()}]),
        lambda actions: actions.list("custom/apex/MyAction"),
        lambda actions: actions.list("apex"),
        lambda actions: actions.describe("custom/apex"),
    ],
)
def test_bad_input_is_refused(call: Callable[[Any], Any]) -> None:
    with Server([Reply()]) as server, connect(server) as sf, pytest.raises((ValueError, TypeError)):
        call(sf.actions)
    assert server.seen == []


def test_instants_among_the_inputs_are_written_for_salesforce() -> None:
    with Server([Reply.of([GOOD])]) as server, connect(server) as sf:
        sf.actions.invoke("chatterPost", [{"at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "ids": ["a", "b"]}])
    assert json.loads(server.seen[0].body)["inputs"] == [{"at": "2026-01-02T03:04:00.000Z", "ids": ["a", "b"]}]


def test_actions_of_an_org(sf: Salesforce, local_org: LocalOrg) -> None:
    @local_org.action("flow", "Ship_Order", inputs={"orderId": "STRING required"}, outputs=["tracking"])
    def ship(values: dict[str, Any]) -> dict[str, Any]:
        if values["orderId"] == "lost":
            raise ValueError("no such order")
        return {"tracking": f"T-{values['orderId']}"}

    assert [each.name for each in sf.actions.list()] == ["standard", "custom"]
    assert "flow" in {each.name for each in sf.actions.list("custom")}
    (listed,) = sf.actions.list("custom/flow")
    assert [each.name for each in sf.actions.describe(listed.url).inputs] == ["orderId"]
    results = sf.actions.invoke(listed.url, [{"orderId": "1"}, {"orderId": "2"}])
    assert [result.output_values["tracking"] for result in results] == ["T-1", "T-2"]
    with pytest.raises(
        errors.ActionError, match="custom/flow/Ship_Order: run 1 of 2 failed: UNKNOWN_EXCEPTION"
    ) as caught:
        sf.actions.invoke("custom/flow/Ship_Order", [{"orderId": "1"}, {"orderId": "lost"}])
    again = sf.actions.invoke("custom/flow/Ship_Order", [{"orderId": "1"}, {"orderId": "lost"}], raise_on_failure=False)
    assert [result.is_success for result in caught.value.results] == [result.is_success for result in again]
    with pytest.raises(errors.NotFoundError):
        sf.actions.invoke("custom/flow/Nothing")


def test_null_in_place_of_a_run_is_an_error() -> None:
    with (
        Server([Reply.of([GOOD, None])]) as server,
        connect(server) as sf,
        pytest.raises(errors.InvalidResponseError, match="ActionResult: expected a JSON object"),
    ):
        sf.actions.invoke("standard/chatterPost", [{}, {}])
