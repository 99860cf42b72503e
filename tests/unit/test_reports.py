"""Reports, in a local org and against answers written down here."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from http_server import Cut, Reply, Seen, Server
from session_tools import FakeTime

from sfconnector import IncompleteReportWarning, ReportSummary, Salesforce, auth, errors
from sfconnector.testing import LocalOrg

REPORT, RUN = "00O000000000001AAA", "0LG000000000001AAA"
ROOT = "/services/data/v68.0/analytics/reports"
DEALS = [
    ("Alpha", "Prospecting", "2026-01-10", 100, "00501"),
    ("Beta", "Prospecting", "2026-02-10", 250.5, "00501"),
    ("Gamma", "Closed Won", "2026-02-20", 1000, None),
]


@pytest.fixture
def org(local_org: LocalOrg, sf: Salesforce) -> LocalOrg:
    local_org.add_field("Opportunity", "Zip__c", "string(10)")
    account = sf.sobject("Account").create({"Name": "Acme"}).id
    for name, stage, day, amount, code in DEALS:
        record = {"Name": name, "StageName": stage, "CloseDate": day, "Amount": amount, "Zip__c": code}
        sf.sobject("Opportunity").create({**record, "AccountId": account})
    return local_org


def connect(server: Server, time: FakeTime | None = None) -> Salesforce:
    return Salesforce(auth.AccessToken(server.url, "x"), retry=(time or FakeTime()).retry())


def answer(**options: Any) -> dict[str, Any]:
    """The result of a small tabular report."""
    return {
        "attributes": {"reportId": REPORT, "reportName": "Deals", "type": "Report", **options.pop("attributes", {})},
        "allData": True,
        "hasDetailRows": True,
        "groupingsDown": {"groupings": []},
        "groupingsAcross": {"groupings": []},
        "reportMetadata": {
            "name": "Deals",
            "reportFormat": "TABULAR",
            "aggregates": ["RowCount"],
            "detailColumns": ["NAME"],
            "groupingsDown": [],
            "groupingsAcross": [],
        },
        "reportExtendedMetadata": {
            "detailColumnInfo": {"NAME": {"label": "Name", "dataType": "string"}},
            "aggregateColumnInfo": {"RowCount": {"label": "Record Count", "dataType": "int"}},
            "groupingColumnInfo": {},
        },
        "factMap": {
            "T!T": {
                "aggregates": [{"label": "1", "value": 1}],
                "rows": [{"dataCells": [{"label": "Alpha", "value": "006000000000001AAA"}]}],
            }
        },
        **options,
    }


def columns(*described: tuple[str, str, str], rows: list[list[Any]]) -> dict[str, Any]:
    """The result of a tabular report with these columns, whose rows are pairs of a label and a value."""
    result = answer()
    result["reportMetadata"]["detailColumns"] = [name for name, _, _ in described]
    info = {name: {"label": label, "dataType": kind} for name, label, kind in described}
    result["reportExtendedMetadata"]["detailColumnInfo"] = info
    cells = [[{"label": label, "value": value} for label, value in row] for row in rows]
    result["factMap"]["T!T"]["rows"] = [{"dataCells": each} for each in cells]
    return result


def ran(result: dict[str, Any]) -> Any:
    with Server([Reply.of(result)]) as server, connect(server) as sf:
        return sf.reports.run(REPORT)


class TestInAnOrg:
    def test_a_tabular_report(self, org: LocalOrg, sf: Salesforce) -> None:
        report_id = org.add_report("Deals", "Opportunity", columns=["Name", "Account.Name", "Amount", "Zip__c"])
        result = sf.reports.run(report_id)
        assert (result.name, result.all_data, result.has_details) == ("Deals", True, True)
        labels = [column.label for column in result.columns]
        assert result.rows(keys="label") == [
            dict(zip(labels, (name, "Acme", amount, code), strict=True)) for name, _, _, amount, code in DEALS
        ]
        assert [summary.values for summary in result.summaries()] == [{"RowCount": 3}]

    def test_a_summary_report(self, org: LocalOrg, sf: Salesforce) -> None:
        report_id = org.add_report(
            "Deals", "Opportunity", columns=["Name"], groupings_down=["StageName", ("CloseDate", "Month")],
            aggregates=["s!Amount", "RowCount"],
        )  # fmt: skip
        result = sf.reports.run(report_id)
        assert [tuple(row.values()) for row in result.rows()] == [
            ("Prospecting", "2026-01-01", "Alpha"),
            ("Prospecting", "2026-02-01", "Beta"),
            ("Closed Won", "2026-02-01", "Gamma"),
        ]
        stage, day = (column.name for column in result.columns[:2])
        total, count = result.summaries()[0].values
        assert result.summaries() == [
            ReportSummary({}, {total: 1350.5, count: 3}),
            ReportSummary({stage: "Prospecting"}, {total: 350.5, count: 2}),
            ReportSummary({stage: "Prospecting", day: "2026-01-01"}, {total: 100, count: 1}),
            ReportSummary({stage: "Prospecting", day: "2026-02-01"}, {total: 250.5, count: 1}),
            ReportSummary({stage: "Closed Won"}, {total: 1000, count: 1}),
            ReportSummary({stage: "Closed Won", day: "2026-02-01"}, {total: 1000, count: 1}),
        ]

    def test_a_matrix_report(self, org: LocalOrg, sf: Salesforce) -> None:
        report_id = org.add_report(
            "Deals", "Opportunity", columns=["Name"], groupings_down=["StageName"],
            groupings_across=[("CloseDate", "Month")], aggregates=["RowCount"],
        )  # fmt: skip
        result = sf.reports.run(report_id)
        stage, day, name = (column.name for column in result.columns)
        assert [column.grouping for column in result.columns] == [True, True, False]
        assert result.rows() == [
            {stage: "Prospecting", day: "2026-01-01", name: "Alpha"},
            {stage: "Prospecting", day: "2026-02-01", name: "Beta"},
            {stage: "Closed Won", day: "2026-02-01", name: "Gamma"},
        ]
        counts = {tuple(summary.groups.values()): summary.values["RowCount"] for summary in result.summaries()}
        assert counts[()] == 3
        assert (counts["2026-02-01",], counts["Prospecting",], counts["Prospecting", "2026-02-01"]) == (2, 2, 1)
        assert ("Closed Won", "2026-01-01") not in counts or counts["Closed Won", "2026-01-01"] == 0

    def test_types_of_a_table(self, org: LocalOrg, sf: Salesforce) -> None:
        names = ["Name", "Amount", "CloseDate", "IsWon", "Zip__c", "CreatedDate"]
        table = sf.reports.run(org.add_report("Deals", "Opportunity", columns=names)).to_arrow()
        assert table.schema.types[:5] == [pa.string(), pa.float64(), pa.date32(), pa.bool_(), pa.string()]
        rows = table.to_pylist()
        assert [row[table.column_names[4]] for row in rows] == ["00501", "00501", None]
        assert rows[0][table.column_names[2]] == date(2026, 1, 10)

    def test_filters_and_columns_of_one_run(self, org: LocalOrg, sf: Salesforce) -> None:
        report_id = org.add_report("Deals", "Opportunity", columns=["Name", "Amount"])
        amount = sf.reports.describe(report_id).report_metadata.detail_columns[1]
        run = sf.reports.run
        filters = [(amount, "greaterThan", Decimal("100.5")), ("STAGE_NAME", "equals", ["Prospecting", "Closed Won"])]
        assert [row[amount] for row in run(report_id, filters=filters).rows()] == [250.5, 1000]
        assert run(report_id, filters=filters, columns=[amount]).rows() == [{amount: 250.5}, {amount: 1000}]
        either = run(report_id, filters=[(amount, "equals", 100), (amount, "equals", 1000)], filter_logic="1 OR 2")
        assert [row[amount] for row in either.rows()] == [100, 1000]
        grouped = run(report_id, metadata={"reportFormat": "SUMMARY", "groupingsDown": [{"name": "STAGE_NAME", "sortOrder": "Asc", "dateGranularity": "None"}]})  # fmt: skip # noqa: E501
        assert [row["STAGE_NAME"] for row in grouped.rows()] == ["Prospecting", "Prospecting", "Closed Won"]
        assert len(run(report_id).rows()) == 3

    def test_a_run_without_details_has_summaries_only(self, org: LocalOrg, sf: Salesforce) -> None:
        report_id = org.add_report("Deals", "Opportunity", groupings_down=["StageName"])
        result = sf.reports.run(report_id, details=False)
        assert [summary.values["RowCount"] for summary in result.summaries()] == [3, 2, 1]
        for rows in (result.rows, result.to_arrow):
            with pytest.raises(ValueError, match="without details"):
                rows()

    def test_a_run_in_the_background(self, org: LocalOrg, sf: Salesforce) -> None:
        report_id = org.add_report("Deals", "Opportunity", columns=["Name"])
        run = sf.reports.run_async(report_id, filters=[("STAGE_NAME", "equals", "Prospecting")])
        assert run.status == "New"
        with pytest.raises(errors.JobError, match=f"run {run.id} of report {report_id} has not ended") as caught:
            run.result()
        assert caught.value.job is run
        assert [*run.wait().rows()[0].values()] == ["Alpha"]
        assert run.status == "Success"
        assert len(sf.reports.result(report_id, run.id).rows()) == 2
        assert [(each.id, each.status) for each in sf.reports.instances(report_id)] == [(run.id, "Success")]
        run.delete()
        assert sf.reports.instances(report_id) == []
        with pytest.raises(errors.ApiError):
            run.result()

    def test_a_run_that_fails(self, org: LocalOrg, sf: Salesforce) -> None:
        org.faults.fail_report_runs()
        run = sf.reports.run_async(org.add_report("Deals", "Opportunity"))
        with pytest.raises(errors.JobError, match="ended with the status Error") as caught:
            run.wait()
        assert not isinstance(caught.value, errors.JobTimeoutError)

    def test_a_report_that_is_not_saved(self, org: LocalOrg, sf: Salesforce) -> None:
        report_id = org.add_report("Deals", "Opportunity", columns=["Name"])
        metadata = sf.reports.describe(report_id).report_metadata.to_dict()
        result = sf.reports.query({**metadata, "hasDetailRows": True})
        assert result.summaries()[0].values == {"RowCount": 3}

    def test_a_report_is_listed_and_deleted(self, org: LocalOrg, sf: Salesforce) -> None:
        report_id = org.add_report("Deals", "Opportunity")
        sf.reports.run(report_id)
        assert [(each.id, each.name) for each in sf.reports.list()] == [(report_id, "Deals")]
        sf.reports.delete(report_id)
        with pytest.raises(errors.NotFoundError):
            sf.reports.run(report_id)

    def test_what_salesforce_leaves_out_is_told(self, local_org: LocalOrg, sf: Salesforce) -> None:
        leads = ({"LastName": f"L{number}", "Company": "x"} for number in range(2_001))
        assert not list(sf.sobject("Lead").create_many(leads).failures())
        report_id = local_org.add_report("Leads", "Lead", columns=["LastName"])
        with pytest.warns(IncompleteReportWarning, match="'Leads' has more rows than Salesforce sends") as caught:
            result = sf.reports.run(report_id)
        assert caught[0].filename == __file__
        assert (result.all_data, len(result.rows())) == (False, 2_000)


class TestRequests:
    @pytest.mark.parametrize(
        ("call", "method", "target", "body"),
        [
            (lambda r: r.list(), "GET", "", None),
            (lambda r: r.describe(REPORT), "GET", f"/{REPORT}/describe", None),
            (lambda r: r.run(REPORT), "GET", f"/{REPORT}?includeDetails=true", None),
            (lambda r: r.run(REPORT, details=False), "GET", f"/{REPORT}?includeDetails=false", None),
            (
                lambda r: r.run(REPORT, filters=[]),
                "POST",
                f"/{REPORT}?includeDetails=true",
                {"reportMetadata": {"reportFilters": [], "reportBooleanFilter": None}},
            ),
            (
                lambda r: r.run_async(REPORT, details=False),
                "POST",
                f"/{REPORT}/instances?includeDetails=false",
                {},
            ),
            (
                lambda r: r.run_async(REPORT, columns=["NAME"]),
                "POST",
                f"/{REPORT}/instances?includeDetails=true",
                {"reportMetadata": {"detailColumns": ["NAME"]}},
            ),
            (lambda r: r.instances(REPORT), "GET", f"/{REPORT}/instances", None),
            (lambda r: r.query({"a": 1}), "POST", "/query", {"reportMetadata": {"a": 1}}),
            (lambda r: r.instance(REPORT, RUN).delete(), "DELETE", f"/{REPORT}/instances/{RUN}", None),
            (lambda r: r.delete(REPORT), "DELETE", f"/{REPORT}", None),
        ],
    )
    def test_verb_path_and_body(self, call: Callable[[Any], Any], method: str, target: str, body: Any) -> None:
        def reply(seen: Seen) -> Reply:
            if seen.method == "DELETE":
                return Reply(204, b"")
            if seen.target in {ROOT, f"{ROOT}/{REPORT}/instances"}:
                return Reply.of([])
            return Reply.of({**answer(), "id": RUN, "status": "New"})

        with Server(reply) as server, connect(server) as sf:
            call(sf.reports)
        (seen,) = server.seen
        assert (seen.method, seen.target) == (method, ROOT + target)
        assert (json.loads(seen.body) if seen.body else None) == body

    @pytest.mark.parametrize(
        ("value", "sent"),
        [
            ("Acme, Inc", "Acme, Inc"),
            (["Acme, Inc", "Globex"], '"Acme, Inc",Globex'),
            (["x"], "x"),
            (7, "7"),
            (1e20, "100000000000000000000"),
            (0.1, "0.1"),
            (Decimal("1.50"), "1.50"),
            (True, "true"),
            (None, ""),
            (date(2026, 1, 2), "2026-01-02"),
            (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00.000Z"),
        ],
    )
    def test_values_of_filters(self, value: Any, sent: str) -> None:
        with Server([Reply.of(answer())]) as server, connect(server) as sf:
            sf.reports.run(REPORT, filters=[("X", "equals", value)])
        metadata = json.loads(server.seen[0].body)["reportMetadata"]
        assert metadata["reportFilters"] == [{"column": "X", "operator": "equals", "value": sent}]

    @pytest.mark.parametrize(
        "call",
        [
            lambda r: r.run("../x"),
            lambda r: r.run(None),
            lambda r: r.describe("x"),
            lambda r: r.delete("x"),
            lambda r: r.instances("x"),
            lambda r: r.instance(REPORT, "x"),
            lambda r: r.result("x", RUN),
            lambda r: r.run(REPORT, filters=["AMOUNT"]),
            lambda r: r.run(REPORT, filters=[("AMOUNT", "equals")]),
            lambda r: r.run(REPORT, filters=[("AMOUNT", "equals", [])]),
            lambda r: r.run(REPORT, filters=[("AMOUNT", "equals", {})]),
            lambda r: r.run(REPORT, filters=[("AMOUNT", "equals", [["x"]])]),
            lambda r: r.run(REPORT, filters=[("AMOUNT", "equals", float("nan"))]),
            lambda r: r.run(REPORT, filters=[("AMOUNT", "", 1)]),
            lambda r: r.run(REPORT, filters=[("AMOUNT", "equals", datetime(2026, 1, 1))]),
            lambda r: r.run(REPORT, filter_logic=" "),
            lambda r: r.run(REPORT, columns="NAME"),
            lambda r: r.run(REPORT, columns=["NAME"], metadata={"detailColumns": ["NAME"]}),
            lambda r: r.run(REPORT, metadata=["x"]),
            lambda r: r.run_async(REPORT, columns=[7]),
            lambda r: r.query({}),
            lambda r: r.query("x"),
            lambda r: r.instance(REPORT, RUN).wait(-1),
            lambda r: r.instance(REPORT, RUN).wait(float("nan")),
        ],
    )
    def test_bad_input_is_refused(self, call: Callable[[Any], Any]) -> None:
        with Server([Reply()]) as server, connect(server) as sf, pytest.raises((ValueError, TypeError)):
            call(sf.reports)
        assert server.seen == []

    @pytest.mark.parametrize("call", [lambda r: r.delete(REPORT), lambda r: r.instance(REPORT, RUN).delete()])
    def test_what_an_earlier_attempt_deleted_is_deleted(self, call: Callable[[Any], Any]) -> None:
        with Server([Cut(), Reply.error(404, "NOT_FOUND")]) as server, connect(server) as sf:
            call(sf.reports)
        assert [seen.method for seen in server.seen] == ["DELETE", "DELETE"]
        refused = Reply.error(404, "NOT_FOUND")
        with Server([refused]) as server, connect(server) as sf, pytest.raises(errors.NotFoundError):
            call(sf.reports)

    def test_only_what_reads_is_repeated(self) -> None:
        with Server([Cut(), Reply.of(answer())]) as server, connect(server) as sf:
            sf.reports.run(REPORT, columns=["NAME"])
        assert len(server.seen) == 2
        with Server([Cut(), Reply.of({"id": RUN, "status": "New"})]) as server, connect(server) as sf:
            with pytest.raises(errors.TransportError):
                sf.reports.run_async(REPORT)
            assert len(server.seen) == 1


class TestWaiting:
    def replies(self, *statuses: str) -> Iterator[Reply]:
        for status in statuses:
            attributes = {"status": status, "type": "ReportInstance"}
            yield Reply.of(answer(attributes=attributes) if status == "Success" else {"attributes": attributes})

    def test_asks_less_and_less_often(self) -> None:
        time = FakeTime()
        with Server(self.replies(*["New"] * 3, *["Running"] * 12, "Success")) as server, connect(server, time) as sf:
            run = sf.reports.instance(REPORT, RUN)
            assert repr(run) == f"<ReportRun {RUN}, not asked for yet>"
            assert run.wait().rows() == [{"NAME": "Alpha"}]
        assert time.slept == sorted(time.slept)
        assert (time.slept[0], len(time.slept)) == (0.25, 15)
        assert {(seen.method, seen.target) for seen in server.seen} == {("GET", f"{ROOT}/{REPORT}/instances/{RUN}")}
        assert repr(run) == f"<ReportRun {RUN}, Success>"

    def test_a_run_that_takes_too_long_is_left_alone_and_can_be_waited_for_again(self) -> None:
        time = FakeTime()
        with Server(self.replies(*["Running"] * 5, "Success")) as server, connect(server, time) as sf:
            run = sf.reports.instance(REPORT, RUN)
            with pytest.raises(errors.JobTimeoutError) as caught:
                run.wait(timeout=1.0)
            assert sum(time.slept) == 1.0
            assert str(caught.value) == (
                f"run {RUN} of report {REPORT} has not ended after 1 s, and goes on at Salesforce: wait for it again"
            )
            assert caught.value.job is run
            assert run.status == "Running"
            assert {seen.method for seen in server.seen} == {"GET"}
            assert caught.value.job.wait().all_data

    def test_without_time_it_asks_once(self) -> None:
        with Server(self.replies("Running")) as server, connect(server) as sf, pytest.raises(errors.JobTimeoutError):
            sf.reports.instance(REPORT, RUN).wait(timeout=0)
        assert len(server.seen) == 1

    def test_a_poll_may_fail(self) -> None:
        replies = [*self.replies("Running"), Cut(), Reply(503, b""), *self.replies("Success")]
        with Server(replies) as server, connect(server) as sf:
            assert sf.reports.instance(REPORT, RUN).wait().all_data

    @pytest.mark.parametrize("status", ["Error", "", "Cancelled"])
    def test_any_other_end_is_a_failure(self, status: str) -> None:
        with Server(self.replies(status)) as server, connect(server) as sf, pytest.raises(errors.JobError):
            sf.reports.instance(REPORT, RUN).wait()


class TestRows:
    def test_labels_that_several_columns_have(self) -> None:
        result = ran(columns(("A", "Name", "string"), ("B", "Name", "string"), ("C", "C", "int"), rows=[[("a", "a"), ("b", "b"), ("1", 1)]]))  # fmt: skip # noqa: E501
        assert result.rows(keys="label") == [{"Name (A)": "a", "Name (B)": "b", "C": 1}]
        with pytest.raises(ValueError, match='keys is "name" or "label"'):
            result.rows(keys="Label")

    def test_names_stand_for_records_unless_ids_are_asked_for(self) -> None:
        result = ran(answer())
        assert result.rows() == [{"NAME": "Alpha"}]
        assert result.rows(ids=True) == [{"NAME": "006000000000001AAA"}]

    def test_what_is_empty_is_none(self) -> None:
        kinds = ["string", "currency", "date", "datetime", "boolean", "picklist", "int"]
        described = [(kind, kind, kind) for kind in kinds]
        result = ran(columns(*described, rows=[[("-", None)] * len(kinds)]))
        assert result.rows() == [dict.fromkeys(kinds)]
        assert result.to_arrow().to_pylist() == result.rows()

    def test_amounts_in_an_org_of_one_currency(self) -> None:
        result = ran(columns(("X", "X", "currency"), rows=[[("£1.50", {"amount": 1.5, "currency": None})], [("-", None)]]))  # fmt: skip # noqa: E501
        assert result.rows() == [{"X": 1.5}, {"X": None}]

    def test_amounts_in_an_org_of_several_currencies(self) -> None:
        rows = [[("EUR 1", {"amount": 1, "currency": "EUR"})], [("USD 2", {"amount": 2.5, "currency": "USD"})], [("-", None)]]  # fmt: skip # noqa: E501
        result = ran(columns(("X", "Amount", "currency"), rows=rows))
        assert result.rows() == [
            {"X": 1, "X.currency": "EUR"},
            {"X": 2.5, "X.currency": "USD"},
            {"X": None, "X.currency": None},
        ]
        table = result.to_arrow(keys="label")
        assert table.schema.names == ["Amount", "Amount.currency"]
        assert table.schema.types == [pa.float64(), pa.string()]
        assert table.to_pydict() == {"Amount": [1.0, 2.5, None], "Amount.currency": ["EUR", "USD", None]}

    def test_types_come_from_the_description(self) -> None:
        described = [
            ("ZIP", "Zip", "string"),
            ("DAY", "Day", "date"),
            ("AT", "At", "datetime"),
            ("DAYS", "Days", "datetime"),
            ("N", "N", "int"),
            ("P", "P", "percent"),
            ("OK", "OK", "boolean"),
            ("T", "T", "time"),
            ("K", "K", "picklist"),
        ]
        row = [
            ("00501", "00501"),
            ("2/1/2026", "2026-01-02"),
            ("x", "2026-01-02T03:04:05Z"),
            ("2/1/2026", "2026-01-02"),
            ("5", 5),
            ("50%", 50),
            ("true", True),
            ("3:04", "03:04:00.000Z"),
            ("Heiß", "Hot"),
        ]
        table = ran(columns(*described, rows=[row, [("-", None)] * len(row)])).to_arrow()
        assert table.schema.types == [
            pa.string(),
            pa.date32(),
            pa.timestamp("ms", "UTC"),
            pa.date32(),
            pa.int64(),
            pa.float64(),
            pa.bool_(),
            pa.time64("us"),
            pa.string(),
        ]
        first = table.to_pylist()[0]
        assert (first["ZIP"], first["K"], first["DAYS"]) == ("00501", "Hot", date(2026, 1, 2))
        assert first["AT"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def test_a_value_of_another_type_is_an_error_that_does_not_show_it(self) -> None:
        result = ran(columns(("N", "N", "int"), rows=[[("secret", "secret")]]))
        with pytest.raises(ValueError, match="N: a value of the answer is no int") as caught:
            result.to_arrow()
        assert "secret" not in str(caught.value)

    def test_a_report_without_rows_has_columns(self) -> None:
        result = ran(columns(("N", "N", "int"), ("S", "S", "string"), rows=[]))
        assert (result.rows(), result.to_arrow().schema.types) == ([], [pa.int64(), pa.string()])
        assert [*result.to_pandas().columns] == ["N", "S"]
        assert result.to_polars().columns == ["N", "S"]

    def test_months_of_any_year_are_no_dates(self) -> None:
        result = answer()
        result["reportMetadata"].update(
            reportFormat="SUMMARY", groupingsDown=[{"name": "CLOSE_DATE", "dateGranularity": "MonthInYear"}]
        )
        info = {"CLOSE_DATE": {"label": "Close Date", "dataType": "date"}}
        result["reportExtendedMetadata"]["groupingColumnInfo"] = info
        result["groupingsDown"] = {"groupings": [{"key": "0", "label": "May", "value": "5", "groupings": []}]}
        result["factMap"] = {"0!T": result["factMap"]["T!T"]}
        table = ran(result).to_arrow()
        assert table.to_pylist() == [{"CLOSE_DATE": "May", "NAME": "Alpha"}]

    def test_reports_of_several_blocks_are_left_to_the_caller(self) -> None:
        result = answer()
        result["reportMetadata"]["reportFormat"] = "MULTI_BLOCK"
        result["factMap"] = {"B0!T!T": "something else"}
        joined = ran(result)
        assert joined.data.fact_map == {"B0!T!T": "something else"}
        for shown in (joined.rows, joined.summaries):
            with pytest.raises(ValueError, match="several blocks"):
                shown()

    def test_rows_outside_of_the_innermost_groups_are_not_dropped_in_silence(self) -> None:
        result = answer()
        result["groupingsDown"] = {"groupings": [{"key": "0", "label": "x", "value": "x", "groupings": []}]}
        with pytest.raises(ValueError, match="rows outside of the innermost groups"):
            ran(result).rows()

    def test_a_row_limit_that_was_exceeded_is_told(self) -> None:
        with pytest.warns(IncompleteReportWarning):
            assert not ran(answer(hasExceededTabularRowLimit=True)).all_data
        done = answer(allData=False, attributes={"status": "Success"})
        with Server([Reply.of(done)]) as server, connect(server) as sf:
            with pytest.warns(IncompleteReportWarning) as caught:
                assert not sf.reports.instance(REPORT, RUN).wait().all_data
            assert caught[0].filename == __file__

    @pytest.mark.parametrize(
        "change",
        [
            lambda result: result.update(factMap=[1]),
            lambda result: result["factMap"].update({"T!T": None}),
            lambda result: result["factMap"]["T!T"].update(aggregates=[]),
            lambda result: result["factMap"]["T!T"].update(aggregates=[7]),
            lambda result: result["factMap"]["T!T"].update(rows=[{"dataCells": []}]),
            lambda result: result["factMap"]["T!T"].update(rows=[{"dataCells": [{"label": "x"}]}]),
            lambda result: result["factMap"]["T!T"].update(rows=[{}]),
            lambda result: result["factMap"]["T!T"].update(rows="x"),
            lambda result: result.pop("attributes"),
        ],
    )
    def test_an_answer_that_does_not_fit_is_an_error(self, change: Callable[[Any], Any]) -> None:
        result = answer()
        change(result)
        with pytest.raises(errors.InvalidResponseError):
            ran(result)

    @pytest.mark.parametrize("instances", [[None], [{"id": RUN, "status": "New"}, None]])
    def test_no_run_is_null(self, instances: Any) -> None:
        reason = "expected a JSON object, got NoneType"
        with (
            Server([Reply.of(instances)]) as server,
            connect(server) as sf,
            pytest.raises(errors.InvalidResponseError, match=reason),
        ):
            sf.reports.instances(REPORT)

    def test_a_result_hides_its_rows(self) -> None:
        assert "Alpha" not in repr(ran(answer()))
