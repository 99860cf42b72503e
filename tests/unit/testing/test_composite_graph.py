"""Composite graphs over the wire."""

from typing import Any

import pytest
from local_api import Api

from sfconnector.testing import LocalOrg

ROLLED_BACK = {
    "errorCode": "PROCESSING_HALTED",
    "message": "The transaction was rolled back since another operation in the same transaction failed.",
}


def node(reference_id: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    written = {} if body is None else {"body": body}
    return {"referenceId": reference_id, "method": method, "url": f"/services/data/v68.0/{path}", **written}


def account(reference_id: str = "account", **values: Any) -> dict[str, Any]:
    return node(reference_id, "POST", "sobjects/Account/", {"Name": "Acme", **values})


def contact(reference_id: str, **values: Any) -> dict[str, Any]:
    return node(reference_id, "POST", "sobjects/Contact", values)


def graph(graph_id: str, *nodes: dict[str, Any]) -> dict[str, Any]:
    return {"graphId": graph_id, "compositeRequest": list(nodes)}


def post(api: Api, *graphs: Any) -> Any:
    return api("POST", "composite/graph", json={"graphs": list(graphs)})


def send(api: Api, *graphs: dict[str, Any]) -> list[dict[str, Any]]:
    response = post(api, *graphs)
    assert response.status_code == 200, response.text
    answers: list[dict[str, Any]] = response.json()["graphs"]
    return answers


def answers_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = answer["graphResponse"]["compositeResponse"]
    return listed


def total(api: Api, sobject: str) -> int:
    return int(api("GET", "query", params={"q": f"SELECT COUNT() FROM {sobject}"}).json()["totalSize"])


def test_nodes_refer_to_each_other(api: Api) -> None:
    [answer] = send(
        api,
        graph("1", account(), contact("contact", LastName="Cashman", AccountId="@{account.id}")),
    )
    created, child = answers_of(answer)
    assert answer == {
        "graphId": "1",
        "graphResponse": {"compositeResponse": [created, child]},
        "isSuccessful": True,
    }
    account_id = created["body"]["id"]
    assert created == {
        "body": {"id": account_id, "success": True, "errors": []},
        "httpHeaders": {"Location": f"/services/data/v68.0/sobjects/Account/{account_id}"},
        "httpStatusCode": 201,
        "referenceId": "account",
    }
    assert api("GET", f"sobjects/Contact/{child['body']['id']}").json()["AccountId"] == account_id


def test_each_graph_stands_alone(api: Api) -> None:
    good, bad, other = send(
        api,
        graph("good", account()),
        graph("bad", account(), contact("contact", FirstName="Nellie"), account("more")),
        graph("other", account()),
    )
    assert [each["isSuccessful"] for each in (good, bad, other)] == [True, False, True]
    before, failed, after = answers_of(bad)
    assert before["body"] == after["body"] == [ROLLED_BACK]
    assert (before["httpStatusCode"], before["httpHeaders"]) == (400, {})
    assert failed["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert total(api, "Account") == 2


def test_all_methods_of_records(local_org: LocalOrg, api: Api) -> None:
    local_org.add_field("Account", "Ext__c", "string(80) external_id")
    kept, doomed = api.create("Account", Name="Old"), api.create("Account", Name="Gone")
    [answer] = send(
        api,
        graph(
            "1",
            node("upsert", "PATCH", "sobjects/Account/Ext__c/7", {"Name": "Seven"}),
            node("change", "PATCH", f"sobjects/Account/{kept}", {"Name": "New"}),
            node("read", "GET", "sobjects/Account/@{upsert.id}?fields=Name"),
            node("found", "GET", "sobjects/Account/Ext__c/7"),
            node("doomed", "DELETE", f"sobjects/Account/{doomed}"),
            node("byKey", "DELETE", "sobjects/Account/Ext__c/7"),
        ),
    )
    assert [each["httpStatusCode"] for each in answers_of(answer)] == [201, 204, 200, 200, 204, 204]
    assert answers_of(answer)[1]["body"] is None
    assert answers_of(answer)[2]["body"]["Name"] == "Seven"
    assert total(api, "Account") == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "query?q=SELECT Id FROM Account"),
        ("POST", "composite/sobjects"),
        ("GET", "sobjects"),
        ("GET", "sobjects/Account"),
        ("GET", "sobjects/Account/describe"),
        ("GET", "sobjects/Account/describe/layouts"),
        ("POST", "sobjects/Account/quickActions/A"),
        ("PATCH", "sobjects/Account"),
        ("POST", "sobjects/Account/001000000000000AAA"),
        ("GET", "sobjects/Account/a/b/c"),
        ("PUT", "sobjects/Account/001000000000000AAA"),
    ],
)
def test_a_graph_holds_requests_for_records_only(api: Api, method: str, path: str) -> None:
    [answer] = send(api, graph("1", account(), node("odd", method, path, {})))
    first, second = answers_of(answer)
    assert not answer["isSuccessful"]
    assert first["body"] == [ROLLED_BACK]
    assert second["body"][0]["errorCode"] == "INVALID_INPUT"
    assert total(api, "Account") == 0


def test_a_node_is_of_50_or_later(api: Api) -> None:
    [answer] = send(api, graph("1", {**account(), "url": "/services/data/v49.0/sobjects/Account"}))
    assert answers_of(answer)[0]["body"][0]["errorCode"] == "INVALID_INPUT"
    old = api("POST", "/services/data/v49.0/composite/graph", json={"graphs": [graph("1", account())]})
    assert (old.status_code, old.json()[0]["errorCode"]) == (404, "NOT_FOUND")


def test_graphs_do_not_refer_to_each_other(api: Api) -> None:
    first, second = send(
        api, graph("1", account()), graph("2", contact("contact", LastName="A", AccountId="@{account.id}"))
    )
    assert first["isSuccessful"]
    assert answers_of(second)[0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert "No value for account.id found in account." in answers_of(second)[0]["body"][0]["message"]


def test_after_more_than_14_failures_nothing_is_processed(api: Api) -> None:
    bad = [graph(f"bad{number}", contact("contact", FirstName="A")) for number in range(15)]
    answers = send(api, graph("good", account()), *bad, graph("late", account(), account("other")))
    assert [answer["isSuccessful"] for answer in answers] == [True] + [False] * 16
    assert all(answers_of(answer)[0]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING" for answer in answers[1:16])
    late = answers_of(answers[16])
    assert [each["body"][0]["errorCode"] for each in late] == ["PROCESSING_HALTED"] * 2
    assert late[0]["body"] != [ROLLED_BACK]
    assert total(api, "Account") == 1
    assert send(api, *bad[:14], graph("late", account()))[14]["isSuccessful"]


def chain(length: int) -> list[dict[str, Any]]:
    first = account("r0")
    return [first, *(account(f"r{i}", ParentId=f"@{{r{i - 1}.id}}") for i in range(1, length))]


def test_a_graph_is_15_deep_at_most(api: Api) -> None:
    assert send(api, graph("1", *chain(15)))[0]["isSuccessful"]
    response = post(api, graph("1", *chain(16)))
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")
    assert total(api, "Account") == 15


def test_a_reference_in_a_url_is_a_level_too(api: Api) -> None:
    deep = [*chain(15), node("read", "GET", "sobjects/Account/@{r14.id}")]
    assert post(api, graph("1", *deep)).json()[0]["errorCode"] == "LIMIT_EXCEEDED"


def test_500_nodes_in_75_graphs(api: Api) -> None:
    sizes = [6] * 74 + [56]
    assert sum(sizes) == 500
    graphs = [graph(str(i), *(account(f"r{n}") for n in range(size))) for i, size in enumerate(sizes)]
    assert all(answer["isSuccessful"] for answer in send(api, *graphs))
    assert total(api, "Account") == 500


@pytest.mark.parametrize(
    "graphs",
    [
        [graph(str(number), account()) for number in range(76)],
        [graph("1", *(account(f"r{number}") for number in range(501)))],
    ],
)
def test_larger_requests_are_refused(api: Api, graphs: list[dict[str, Any]]) -> None:
    response = post(api, *graphs)
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")
    assert total(api, "Account") == 0


def test_15_kinds_of_nodes(api: Api) -> None:
    """By method, version and object, whatever the case of its name."""
    kinds = [
        {**account(f"r{version}"), "url": f"/services/data/v{version}.0/sobjects/{name}"}
        for version, name in zip(range(50, 65), ["Account", "account", "ACCOUNT"] * 5, strict=True)
    ]
    assert send(api, graph("1", *kinds, {**account("same"), "url": "/services/data/v50.0/sobjects/ACCOUNT/"}))
    read = node("read", "GET", "sobjects/Account/@{r50.id}")
    response = post(api, graph("1", *kinds), graph("2", read))
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    "graphs",
    [
        [],
        ["1"],
        [{"compositeRequest": [account()]}],
        [{"graphId": "1"}],
        [{"graphId": "1", "compositeRequest": []}],
        [graph("a.b", account())],
        [graph("_a", account())],
        [graph("a" * 40, account())],
        [graph("1", account()), graph("1", account())],
        [graph("1", account(), account())],
    ],
)
def test_requests_that_are_not_well_formed(api: Api, graphs: list[Any]) -> None:
    response = post(api, *graphs)
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert total(api, "Account") == 0


def test_an_id_of_39_characters(api: Api) -> None:
    assert send(api, graph("a-b " + "c" * 35, account()))[0]["isSuccessful"]


def test_one_call_is_counted(api: Api) -> None:
    def used() -> int:
        limits = api("GET", "limits").json()["DailyApiRequests"]
        return int(limits["Max"]) - int(limits["Remaining"])

    before = used()
    send(api, *(graph(str(number), account()) for number in range(10)))
    assert used() == before + 2


def test_a_locked_row_fails_its_graph(local_org: LocalOrg, api: Api) -> None:
    locked = api.create("Account", Name="Locked")
    local_org.faults.lock_rows(locked)
    first, second = send(
        api,
        graph("1", account(), node("change", "PATCH", f"sobjects/Account/{locked}", {"Name": "New"})),
        graph("2", account()),
    )
    assert (first["isSuccessful"], second["isSuccessful"]) == (False, True)
    assert answers_of(first)[1]["body"][0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    assert total(api, "Account") == 2
