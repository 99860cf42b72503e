"""What an object and an org tell about themselves, against a local org and against answers written down here."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from http_server import Reply, Seen, Server

from sfconnector import Salesforce, auth, errors, soql
from sfconnector.testing import LocalOrg

NOW = datetime.now(UTC)
LAYOUT = {"id": "00h000000000001AAA", "detailLayoutSections": [{"heading": "Account Information", "columns": 2}]}
LAYOUTS = {
    "layouts": [LAYOUT],
    "recordTypeMappings": [{"name": "Master", "layoutId": "00h000000000001AAA", "defaultRecordTypeMapping": True}],
}
QUICK_ACTIONS = [{"name": "LogACall", "label": "Log a Call", "type": "LogACall", "urls": {"describe": "/x"}}]
COMPACT = {"compactLayouts": [{"name": "SYSTEM", "label": "System Default"}], "defaultCompactLayoutId": None}


def asked(answer: Any, make: Callable[[Salesforce], Any]) -> tuple[str, Any]:
    """What a call asks for below the version, and what it makes of an answer."""
    with Server([Reply.of(answer)]) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
        result = make(sf)
        assert [seen.method for seen in server.seen] == ["GET"]
        return server.seen[0].target.removeprefix("/services/data/v68.0"), result


def test_quick_actions_are_those_of_the_object() -> None:
    target, actions = asked(QUICK_ACTIONS, lambda sf: sf.sobject("Account").quick_actions())
    assert target == "/sobjects/Account/quickActions"
    assert [(action.name, action.label, action.type) for action in actions] == [("LogACall", "Log a Call", "LogACall")]


def test_global_quick_actions() -> None:
    target, actions = asked(QUICK_ACTIONS, lambda sf: sf.quick_actions())
    assert (target, actions[0].name) == ("/quickActions", "LogACall")


def test_global_layouts() -> None:
    target, layouts = asked(LAYOUTS, lambda sf: sf.layouts())
    assert (target, len(layouts.layouts)) == ("/sobjects/Global/describe/layouts", 1)


def test_layouts_and_quick_actions_of_an_org(sf: Salesforce) -> None:
    (mapping,) = sf.sobject("Contact").layouts().record_type_mappings
    layout = sf.sobject("Contact").layouts(mapping.record_type_id)
    values = [
        component.value
        for section in layout.detail_layout_sections
        for row in section.layout_rows
        for item in row.layout_items
        for component in item.layout_components
    ]
    assert {"AccountId", "Email"} <= set(values)
    names = [info.name for info in sf.sobject("User").describe().named_layout_infos]
    assert [len(sf.sobject("User").named_layout(name).layouts) for name in names] == [1]
    of_object = {action.name for action in sf.sobject("Account").quick_actions()}
    assert {action.name for action in sf.quick_actions()} <= of_object
    with pytest.raises(errors.NotFoundError):
        sf.sobject("User").named_layout("Nothing")
    with pytest.raises(errors.NotFoundError):
        sf.sobject("Nothing__c").quick_actions()


def test_layouts() -> None:
    target, layouts = asked(LAYOUTS, lambda sf: sf.sobject("Account").layouts())
    assert target == "/sobjects/Account/describe/layouts"
    assert layouts.layouts[0].detail_layout_sections[0].heading == "Account Information"
    assert layouts.record_type_mappings[0].layout_id == layouts.layouts[0].id


def test_the_layout_of_a_record_type() -> None:
    target, layout = asked(LAYOUT, lambda sf: sf.sobject("Account").layouts("012000000000001AAA"))
    assert target == "/sobjects/Account/describe/layouts/012000000000001AAA"
    assert layout.id == LAYOUT["id"]


def test_named_layouts() -> None:
    target, layouts = asked(LAYOUTS, lambda sf: sf.sobject("User").named_layout("a/b?c#d %+é"))
    assert target == "/sobjects/User/describe/namedLayouts/a%2Fb%3Fc%23d%20%25%2B%C3%A9"
    assert layouts.layouts[0].id == LAYOUT["id"]


def test_compact_and_approval_layouts() -> None:
    target, layouts = asked(COMPACT, lambda sf: sf.sobject("Account").compact_layouts())
    assert target == "/sobjects/Account/describe/compactLayouts"
    assert [layout.name for layout in layouts.compact_layouts] == ["SYSTEM"]
    target, layouts = asked({"approvalLayouts": []}, lambda sf: sf.sobject("Account").approval_layouts())
    assert (target, layouts.approval_layouts) == ("/sobjects/Account/describe/approvalLayouts", [])


def test_the_platform_actions_have_a_description() -> None:
    info = {
        "objectDescribe": {
            "name": "PlatformAction",
            "label": "Platform Action",
            "custom": False,
            "createable": False,
            "deletable": False,
            "queryable": True,
            "updateable": False,
            "urls": {},
        },
        "recentItems": [],
    }
    target, answer = asked(info, lambda sf: sf.sobject("PlatformAction").info())
    assert (target, answer.object_describe.name) == ("/sobjects/PlatformAction", "PlatformAction")


@pytest.mark.parametrize("method", ["deleted", "updated"])
def test_instants_are_encoded(method: str) -> None:
    start = NOW.replace(hour=1, minute=2, second=3, microsecond=4) - timedelta(days=2)
    end = (start + timedelta(days=1)).astimezone(timezone(timedelta(hours=5, minutes=30)))
    answer = {
        "deletedRecords": [{"id": "001000000000001AAA", "deletedDate": "2026-01-02T03:04:05.000+0000"}],
        "ids": ["001000000000001AAA"],
        "earliestDateAvailable": "2026-01-01T00:00:00.000+0000",
        "latestDateCovered": "2026-01-02T03:04:00.000+0000",
    }
    target, result = asked(answer, lambda sf: getattr(sf.sobject("Account"), method)(start, end))
    first, last = f"{start:%Y-%m-%d}", f"{start + timedelta(days=1):%Y-%m-%d}"
    span = f"start={first}T01%3A02%3A00%2B00%3A00&end={last}T01%3A02%3A00%2B00%3A00"
    assert target == f"/sobjects/Account/{method}?{span}"
    assert result.latest_date_covered == datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def test_what_has_changed_is_told(sf: Salesforce) -> None:
    accounts = sf.sobject("Account")
    kept, gone = (accounts.create({"Name": name}).id for name in ("Kept", "Gone"))
    accounts.delete(gone)
    span = (NOW - timedelta(days=29), datetime.now(UTC) + timedelta(minutes=2))
    assert kept in accounts.updated(*span).ids
    deleted = accounts.deleted(*span)
    assert [each.id for each in deleted.deleted_records] == [gone]
    assert deleted.deleted_records[0].deleted_date > NOW - timedelta(minutes=1)
    assert deleted.latest_date_covered.tzinfo is not None


@pytest.mark.parametrize("method", ["deleted", "updated"])
@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (NOW, NOW, "an earlier minute"),
        (NOW, NOW - timedelta(minutes=1), "an earlier minute"),
        (NOW.replace(second=1), NOW.replace(second=58), "an earlier minute"),
        (NOW - timedelta(days=31), NOW, "more than 30 days ago"),
        (NOW.replace(tzinfo=None), NOW, "start: the datetime has no time zone"),
        (NOW, NOW.replace(tzinfo=None), "end: the datetime has no time zone"),
    ],
)
def test_a_span_that_salesforce_refuses_is_refused(
    sf: Salesforce, local_org: LocalOrg, method: str, start: datetime, end: datetime, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        getattr(sf.sobject("Account"), method)(start, end)
    with pytest.raises(TypeError, match="a datetime is needed"):
        getattr(sf.sobject("Account"), method)("2026-01-01", end)
    assert len(local_org.requests) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda sf: sf.sobject("Account").layouts("x"),
        lambda sf: sf.sobject("Account").named_layout(" "),
        lambda sf: sf.sobject("Account").named_layout(None),
        lambda sf: sf.record_count("Account", "a b"),
        lambda sf: sf.record_count(["Account"]),
        lambda sf: sf.recent(0),
        lambda sf: sf.recent(limit="5"),
        lambda sf: sf.explain(""),
        lambda sf: sf.explain(None),
    ],
)
def test_bad_input_is_refused(sf: Salesforce, local_org: LocalOrg, call: Callable[[Salesforce], Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        call(sf)
    assert len(local_org.requests) == 0


def test_record_counts(sf: Salesforce) -> None:
    sf.sobject("Account").create({"Name": "Acme"})
    sf.sobject("Contact").create({"LastName": "Curie"})
    assert sf.record_count("Account", "Contact", "Lead") == {"Account": 1, "Contact": 1}
    assert sf.record_count()["Account"] == 1


def test_recent_records_come_latest_first(sf: Salesforce) -> None:
    accounts = sf.sobject("Account")
    for name in ("One", "Two", "Three"):
        accounts.create({"Name": name})
        assert list(sf.query(soql("SELECT Id FROM Account WHERE Name = {name} FOR VIEW", name=name)))
    assert [record["Name"] for record in sf.recent()] == ["Three", "Two", "One"]
    assert [record["Name"] for record in sf.recent(2)] == ["Three", "Two"]


def test_a_query_is_explained(sf: Salesforce) -> None:
    plan = sf.explain("SELECT Id FROM Account WHERE Name LIKE '%x'").plans[0]
    assert (plan.leading_operation_type, plan.sobject_type) == ("TableScan", "Account")
    with pytest.raises(errors.BadRequestError, match="MALFORMED_QUERY"):
        sf.explain("SELECT")


def test_a_report_is_explained_by_its_id() -> None:
    seen: list[str] = []
    plan = {
        "cardinality": 1,
        "leadingOperationType": "Index",
        "relativeCost": 0.1,
        "sobjectCardinality": 10,
        "sobjectType": "Account",
        "notes": [{"description": "Not considering filter", "fields": ["IsDeleted"], "tableEnumOrId": "Account"}],
    }

    def answer(request: Seen) -> Reply:
        seen.append(request.target)
        return Reply.of({"plans": [plan], "sourceQuery": "SELECT Id FROM Account"})

    with Server(answer) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
        explained = sf.explain("00O000000000001AAA")
    assert seen == ["/services/data/v68.0/query/?explain=00O000000000001AAA"]
    assert explained.source_query == "SELECT Id FROM Account"
    assert explained.plans[0].relative_cost == 0.1
