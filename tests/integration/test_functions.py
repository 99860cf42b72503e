"""Passwords, invocable actions and Apex REST."""

import pytest

from sfconnector import Salesforce
from sfconnector.errors import ActionError, BadRequestError, ConflictError, NotFoundError

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]


def test_tells_whether_a_password_has_expired(sf: Salesforce) -> None:
    assert not sf.users.password_expired(sf.user_info().user_id)


@pytest.mark.local_org
def test_sets_and_resets_a_password(sf: Salesforce) -> None:
    user_id = sf.user_info().user_id
    sf.users.set_password(user_id, "correct-Horse-7-staple")
    with pytest.raises(BadRequestError) as caught:
        sf.users.set_password(user_id, "a1")
    assert caught.value.code == "INVALID_NEW_PASSWORD"
    assert sf.users.reset_password(user_id)


def test_lists_and_describes_actions(sf: Salesforce) -> None:
    assert {place.name for place in sf.actions.list()} == {"standard", "custom"}
    assert "flow" in {place.name for place in sf.actions.list("custom")}
    assert "emailSimple" in {action.name for action in sf.actions.list("standard")}
    described = sf.actions.describe("emailSimple")
    assert {"emailAddresses", "emailBody"} <= {parameter.name for parameter in described.inputs}


@pytest.mark.local_org
def test_runs_an_action(sf: Salesforce) -> None:
    results = sf.actions.invoke("custom/flow/Double", [{"number": 1}, {"number": 2.5}])
    assert [result.output_values["doubled"] for result in results] == [2, 5]
    with pytest.raises(ActionError) as caught:
        sf.actions.invoke("custom/flow/Double", [{"number": 1}, {}])
    assert (caught.value.index, len(caught.value.results)) == (1, 2)


def test_knows_no_action_of_that_name(sf: Salesforce) -> None:
    with pytest.raises(NotFoundError):
        sf.actions.describe("standard/noSuchAction")


@pytest.mark.local_org
def test_calls_apex(sf: Salesforce) -> None:
    assert sf.apex.get(["echo", "a/b c"]) == {"method": "GET", "segments": ["a/b c"], "body": ""}
    assert sf.apex.post("/echo/x", json={"a": 1})["body"] == '{"a":1}'
    with pytest.raises(ConflictError, match=r"409 Closed\."):
        sf.apex.delete("echo/refused")


def test_knows_no_apex_class_there(sf: Salesforce) -> None:
    with pytest.raises(NotFoundError):
        sf.apex.get("no/such/class")
