"""Invocable actions: standard ones that send, custom ones that are Python functions."""

from typing import Any

import pytest
from local_api import Api

from sfconnector.testing import LocalOrg

BASE = "/services/data/v68.0/actions"


def invoke(api: Api, name: str, *inputs: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    response = api("POST", f"actions/{name}", json={"inputs": list(inputs)})
    return response.status_code, response.json()


def errors(results: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(error["statusCode"], error["message"]) for result in results for error in result["errors"] or ()]


def test_the_lists(api: Api) -> None:
    assert api("GET", "actions").json() == {"standard": f"{BASE}/standard", "custom": f"{BASE}/custom"}
    actions = api("GET", "actions/standard").json()["actions"]
    assert {
        "label": "Send Email",
        "name": "emailSimple",
        "type": "EMAILSIMPLE",
        "url": f"{BASE}/standard/emailSimple",
    } in (actions)
    assert [action["name"] for action in actions] == [
        "chatterPost",
        "emailSimple",
        "submit",
        "customNotificationAction",
    ]
    types = api("GET", "actions/custom").json()
    assert types["apex"] == f"{BASE}/custom/apex"
    assert api("GET", types["flow"]).json() == {"actions": []}
    assert api("GET", "").json()["actions"] == BASE


def test_a_description_tells_inputs_and_outputs(api: Api) -> None:
    described = api("GET", "actions/standard/chatterPost").json()
    assert (described["name"], described["type"], described["standard"]) == ("chatterPost", "CHATTERPOST", True)
    text = next(one for one in described["inputs"] if one["name"] == "text")
    assert (text["type"], text["required"], text["maxOccurs"]) == ("STRING", True, 1)
    [output] = described["outputs"]
    assert (output["name"], output["type"]) == ("feedItemId", "REFERENCE")


def test_an_email_is_sent(api: Api) -> None:
    contact = api.create("Contact", LastName="Curie", Email="marie@example.com")
    status, results = invoke(
        api,
        "standard/emailSimple",
        {"emailAddresses": "a@example.com, b@example.com", "emailSubject": "Note", "emailBody": "Message of the day."},
        {
            "recipientId": contact,
            "ccAddresses": ["c@example.com"],
            "bccAddresses": "d@example.com",
            "emailSubject": "Radium",
            "emailBody": "Glows",
            "senderType": "CurrentUser",
        },
    )
    assert status == 200
    assert results[0] == results[1]
    assert (
        results[0].items()
        >= {"actionName": "emailSimple", "errors": None, "isSuccess": True, "outputValues": None}.items()
    )
    first, second = api.org.outbox.emails
    assert (first.to, first.subject, first.body) == (("a@example.com", "b@example.com"), "Note", "Message of the day.")
    assert (second.to, second.cc, second.bcc) == (("marie@example.com",), ("c@example.com",), ("d@example.com",))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"emailAddresses": "nobody", "emailSubject": "s", "emailBody": "b"}, "INVALID_EMAIL_ADDRESS"),
        ({"emailSubject": "s", "emailBody": "b"}, "MISSING_ARGUMENT"),
        ({"recipientAddresses": "a@example.com", "emailBody": "b"}, "MISSING_ARGUMENT"),
        ({"recipientAddresses": "a@example.com", "emailSubject": "s"}, "MISSING_ARGUMENT"),
        (
            {"recipientAddresses": ["a@example.com"] * 151, "emailSubject": "s", "emailBody": "b"},
            "TOO_MANY_RECIPIENTS",
        ),
        ({"recipientId": "nonsense", "emailSubject": "s", "emailBody": "b"}, "MALFORMED_ID"),
        ({"recipientId": "003000000000000AAA", "emailSubject": "s", "emailBody": "b"}, "INVALID_CROSS_REFERENCE_KEY"),
        (
            {"emailAddresses": "a@b.de", "emailSubject": "s", "emailBody": "b", "senderType": "OrgWideEmailAddress"},
            "INVALID_INPUT",
        ),
        ({"emailAdresses": "a@example.com"}, "INVALID_INPUT"),
    ],
)
def test_an_email_that_cannot_be_sent(api: Api, values: dict[str, Any], code: str) -> None:
    good = {"emailAddresses": "a@example.com", "emailSubject": "s", "emailBody": "b"}
    status, results = invoke(api, "standard/emailSimple", good, values, good)
    assert status == 400
    assert [result["isSuccess"] for result in results] == [True, False, True]
    assert [found for found, _ in errors(results)] == [code]
    assert results[1]["outputValues"] is None
    assert len(api.org.outbox.emails) == 2


def test_a_person_without_an_address_cannot_be_written_to(api: Api) -> None:
    values = {"emailSubject": "s", "emailBody": "b"}
    contact, account = api.create("Contact", LastName="Curie"), api.create("Account", Name="Radium")
    _, results = invoke(
        api, "standard/emailSimple", {**values, "recipientId": contact}, {**values, "recipientId": account}
    )
    assert [code for code, _ in errors(results)] == ["UNSPECIFIED_EMAIL_ADDRESS", "INVALID_ID_FIELD"]


def test_what_the_org_cannot_do_is_said_so(api: Api) -> None:
    good = {"emailAddresses": "a@example.com", "emailSubject": "s", "emailBody": "b"}
    response = api("POST", "actions/standard/emailSimple", json={"inputs": [good, {**good, "logEmailOnSend": True}]})
    assert (response.status_code, response.json()[0]["errorCode"]) == (501, "FUNCTIONALITY_NOT_ENABLED")
    assert api.org.outbox.emails == []


def test_a_post_to_chatter(api: Api) -> None:
    account = api.create("Account", Name="Acme")
    status, results = invoke(
        api,
        "standard/chatterPost",
        {"subjectNameOrId": account, "text": "first"},
        {"subjectNameOrId": api.org.username, "type": "user", "text": "second"},
    )
    assert status == 200
    first, second = api.org.outbox.posts
    assert [result["outputValues"] for result in results] == [{"feedItemId": first.id}, {"feedItemId": second.id}]
    assert first.id.startswith("0D5")
    assert (first.parent_id, first.text) == (account, "first")
    assert (second.parent_id, second.text) == (api.org.user_id, "second")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"text": "x"}, "MISSING_ARGUMENT"),
        ({"subjectNameOrId": "001000000000000AAA", "text": "x"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"subjectNameOrId": "Everyone", "text": "x"}, "MALFORMED_ID"),
        ({"subjectNameOrId": "nobody@example.com", "type": "User", "text": "x"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"subjectNameOrId": "x", "type": "Record", "text": "x"}, "INVALID_INPUT"),
    ],
)
def test_a_post_that_cannot_be_made(api: Api, values: dict[str, Any], code: str) -> None:
    status, results = invoke(api, "standard/chatterPost", values)
    assert (status, [found for found, _ in errors(results)]) == (400, [code])


def test_a_post_may_have_10_000_characters(api: Api) -> None:
    account = api.create("Account", Name="Acme")
    texts = [{"subjectNameOrId": account, "text": "x" * length} for length in (10_000, 10_001)]
    _, results = invoke(api, "standard/chatterPost", *texts)
    assert [result["isSuccess"] for result in results] == [True, False]


def test_an_org_without_approval_processes_says_so(api: Api) -> None:
    account = api.create("Account", Name="Acme")
    status, results = invoke(api, "standard/submit", {"objectId": account})
    assert status == 400
    assert errors(results) == [("NO_APPLICABLE_PROCESS", "No applicable approval process was found.")]


def test_a_custom_notification(api: Api) -> None:
    values = {"customNotifTypeId": "0MLR0000000008eOAA", "title": "Title", "body": "Body"}
    status, results = invoke(
        api,
        "standard/customNotificationAction",
        {**values, "recipientIds": [api.org.user_id[:15]], "targetId": "000000000000000AAA"},
    )
    assert (status, results[0]["outputValues"]) == (
        200,
        {"SuccessMessage": "Your custom notification is processed successfully."},
    )
    [sent] = api.org.outbox.notifications
    assert (sent.recipient_ids, sent.title, sent.target) == ((api.org.user_id,), "Title", "000000000000000AAA")
    status, results = invoke(api, "standard/customNotificationAction", {**values, "recipientIds": [api.org.user_id]})
    assert (status, errors(results)[0][0]) == (400, "MISSING_ARGUMENT")
    api.org.outbox.clear()
    assert api.org.outbox.notifications == []


def test_a_flow_runs_once_per_input(api: Api) -> None:
    @api.org.action("flow", "Ship_Order", inputs={"weight": "NUMBER required = Weight"}, outputs=["tracking"])
    def ship(values: dict[str, Any]) -> dict[str, Any]:
        return {"tracking": f"T-{100 // values['weight']}"}

    status, results = invoke(api, "custom/flow/Ship_Order", {"weight": 5}, {"weight": 0}, {}, {"weight": 50})
    assert status == 400
    assert [result["isSuccess"] for result in results] == [True, False, False, True]
    assert {result["actionName"] for result in results} == {"Ship_Order"}
    assert [result["outputValues"] for result in results] == [
        {"tracking": "T-20", "Flow__InterviewStatus": "Finished"},
        None,
        None,
        {"tracking": "T-2", "Flow__InterviewStatus": "Finished"},
    ]
    assert errors(results) == [
        ("UNKNOWN_EXCEPTION", "An error occurred when executing a flow interview."),
        ("MISSING_ARGUMENT", "Missing required input parameter: weight"),
    ]
    assert invoke(api, "custom/flow/Ship_Order", {"weight": 5})[0] == 200

    [listed] = api("GET", "actions/custom/flow").json()["actions"]
    assert listed == {
        "label": "Ship Order",
        "name": "Ship_Order",
        "type": "FLOW",
        "url": f"{BASE}/custom/flow/Ship_Order",
    }
    described = api("GET", listed["url"]).json()
    [weight] = described["inputs"]
    assert (weight["name"], weight["label"], weight["type"], weight["required"]) == ("weight", "Weight", "NUMBER", True)
    assert [output["name"] for output in described["outputs"]] == ["tracking", "Flow__InterviewStatus"]


def test_apex_fails_for_all_inputs_at_once(api: Api) -> None:
    def names(values: dict[str, Any]) -> str:
        return str(values["name"]).upper()

    api.org.add_action("apex", "Names", names)
    status, results = invoke(api, "custom/apex/Names", {"name": "a"}, {"name": "b"})
    assert (status, [result["outputValues"] for result in results]) == (200, [{"output": "A"}, {"output": "B"}])
    status, results = invoke(api, "custom/apex/Names", {"name": "a"}, {"nmae": "b"})
    assert (status, [result["isSuccess"] for result in results]) == (400, [False, False])
    assert {code for code, _ in errors(results)} == {"UNKNOWN_EXCEPTION"}
    assert errors(results)[0][1].startswith("An Apex error occurred: KeyError: 'name'")


def test_an_email_alert_belongs_to_an_object(api: Api) -> None:
    api.org.add_action(
        "emailAlert", "Thanks", lambda _values: None, inputs={"SObjectRowId": "ID required"}, sobject="Lead"
    )
    [listed] = api("GET", "actions/custom/emailAlert").json()["actions"]
    assert listed["url"] == f"{BASE}/custom/emailAlert/Lead/Thanks"
    assert api("GET", listed["url"]).json()["targetEntityName"] == "Lead"
    status, results = invoke(api, "custom/emailAlert/Lead/Thanks", {"SObjectRowId": "00Q"})
    assert (status, results[0]["actionName"], results[0]["outputValues"]) == (200, "Lead.Thanks", None)
    assert invoke(api, "custom/emailAlert/Thanks", {})[0] == 404


def test_an_action_may_call_the_org(api: Api) -> None:
    api.org.add_action("apex", "Create", lambda values: api.create("Account", Name=values["name"]))
    _, results = invoke(api, "custom/apex/Create", {"name": "Acme"})
    assert api("GET", f"sobjects/Account/{results[0]['outputValues']['output']}").json()["Name"] == "Acme"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("standard/nonsense", "Invalid Action Type: nonsense"),
        ("custom/apex/Nonsense", "The requested resource does not exist"),
        ("custom/nonsense/Nonsense", "The requested resource does not exist"),
        ("nonsense", "The requested resource does not exist"),
    ],
)
def test_there_is_no_such_action(api: Api, method: str, path: str, message: str) -> None:
    response = api(method, f"actions/{path}", json={"inputs": [{}]})
    assert (response.status_code, response.json()) == (404, [{"message": message, "errorCode": "NOT_FOUND"}])


@pytest.mark.parametrize("body", [{}, {"inputs": {}}, {"inputs": ["x"]}, {"inputs": []}, []])
def test_a_body_without_inputs_is_refused(api: Api, body: Any) -> None:
    assert api("POST", "actions/standard/emailSimple", json=body).status_code == 400


@pytest.mark.parametrize(
    ("kind", "name", "options", "message"),
    [
        ("quickAction", "X", {}, "one of apex, flow, emailAlert"),
        ("flow", "1st", {}, "API name"),
        ("flow", "X", {"sobject": "Lead"}, "belongs to an object"),
        ("emailAlert", "X", {}, "belongs to an object"),
        ("flow", "X", {"inputs": {"a": "WORD"}}, "not a type"),
        ("flow", "X", {"outputs": {"a": "STRING optional"}}, "not a type"),
    ],
)
def test_a_malformed_registration_is_refused(kind: Any, name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LocalOrg().add_action(kind, name, lambda _values: None, **options)


def test_an_action_cannot_be_added_twice() -> None:
    org = LocalOrg()
    org.add_action("flow", "X", lambda _values: None)
    org.add_action("apex", "X", lambda _values: None)
    with pytest.raises(ValueError, match="flow action X already"):
        org.add_action("flow", "X", lambda _values: None)
