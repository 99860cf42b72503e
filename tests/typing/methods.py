"""Each public method once, with the type that users' type checkers see; never run, only checked."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, assert_type

import attrs
import pandas as pd
import polars as pl
import requests
from sfconnector_generated.bulk_v1 import models as bulk_v1
from sfconnector_generated.bulk_v2.models import JobInfo
from sfconnector_generated.client import Transport
from sfconnector_generated.rest import models
from sfconnector_generated.rest.api.org import get_limits
from sfconnector_generated.soap import models as soap

from sfconnector import (
    BulkQueryPage,
    BulkV1Ingest,
    BulkV1Job,
    BulkV1Query,
    FailedRow,
    FileStream,
    Ingest,
    IngestJob,
    JobProgress,
    LeadConversion,
    LeadConvert,
    LeadResult,
    LeadResults,
    MergeResult,
    PkChunking,
    ProgressBar,
    Query,
    QueryJob,
    RecordResult,
    RecordResults,
    ReportColumn,
    ReportResult,
    ReportRun,
    ReportSummary,
    RowResult,
    Salesforce,
    SaveResult,
    Search,
    SObject,
    StoredFile,
    Subrequest,
    Subresult,
    TreeRecord,
    Unfinished,
    UpsertResult,
    Usage,
    errors,
    progress_bar,
    soql,
    sosl,
)
from sfconnector.models import source

Record = dict[str, Any]


@attrs.define
class Account:
    Id: str
    Name: str


now = datetime.now(UTC)
sf = Salesforce.from_env()

# The org
assert_type(sf.api, Transport)
assert_type(sf.api_version, str)
assert_type(sf.instance_url, str)
assert_type(sf.usage, Usage | None)
assert_type(sf.describe(), models.DescribeGlobalResult)
assert_type(sf.describe(if_modified_since=now), models.DescribeGlobalResult | None)
assert_type(sf.versions(), list[models.Version])
assert_type(sf.resources(), dict[str, str])
assert_type(sf.limits(), dict[str, dict[str, Any]])
assert_type(sf.user_info(), models.UserInfo)
assert_type(sf.record_count("Account"), dict[str, int])
assert_type(sf.recent(5), list[Record])
assert_type(sf.explain("SELECT Id FROM Account"), models.ExplainResult)
assert_type(sf.quick_actions(), list[models.QuickAction])
assert_type(sf.request("GET", "/services/data"), requests.Response)
assert_type(get_limits.sync(client=sf.api), dict[str, dict[str, Any]])
sf.close()

# Queries and searches
query = sf.query(soql("SELECT Id FROM Account WHERE Name = {name}", name="x"))
assert_type(query, Query[Record])
assert_type(query.total_size, int)
assert_type(query.pages(), Iterator[list[Record]])
assert_type(next(iter(query)), Record)
query.batches()  # pyright: ignore[reportUnknownMemberType]  # pyarrow ships no types
query.to_arrow(split_multipicklists=True)  # pyright: ignore[reportUnknownMemberType]  # as above
assert_type(query.to_pandas(), pd.DataFrame)
assert_type(query.to_polars(), pl.DataFrame)
typed = sf.query("FROM Account", into=Account)
assert_type(typed.pages(), Iterator[list[Account]])
assert_type(sf.search(sosl("FIND {x}", x="Acme")), Search[Record])
assert_type(next(iter(sf.search("FIND {Acme} RETURNING Account(Id, Name)", into=Account))), Account)
assert_type(sf.search_text("Acme"), Search[Record])

# Records of one object
accounts, dicts = sf.sobject(Account), sf.sobject("Account")
assert_type(accounts, SObject[Account])
assert_type(dicts, SObject[Record])
assert_type(accounts.create(Account("", "x")), SaveResult)
assert_type(accounts.get("001"), Account)
assert_type(dicts.get("001", if_modified_since=now), Record | None)
assert_type(accounts.get_by_external_id("Ext__c", "x"), Account)
accounts.update("001", Account("", "x"))
assert_type(dicts.upsert("Ext__c", 5, {}), UpsertResult)
accounts.delete("001")
accounts.delete_by_external_id("Ext__c", "x")
assert_type(accounts.describe(), models.DescribeSObjectResult)
assert_type(accounts.describe(if_modified_since=now), models.DescribeSObjectResult | None)
assert_type(accounts.info(), models.SObjectInfo)
assert_type(accounts.deleted(now, now), models.DeletedRecords)
assert_type(accounts.updated(now, now), models.UpdatedRecords)
assert_type(accounts.layouts(), models.DescribeLayoutResult)
assert_type(accounts.layouts("012"), models.DescribeLayout)
assert_type(accounts.named_layout("x"), models.DescribeLayoutResult)
assert_type(accounts.compact_layouts(), models.CompactLayouts)
assert_type(accounts.approval_layouts(), models.ApprovalLayouts)
assert_type(accounts.quick_actions(), list[models.QuickAction])

# Many records
assert_type(accounts.create_many([Account("", "x")]), RecordResults[Account])
assert_type(accounts.update_many(typed), RecordResults[Account])
assert_type(dicts.upsert_many("Ext__c", [{"Name": "x"}]), RecordResults[dict[str, str]])
assert_type(dicts.delete_many(["001"]), RecordResults[str])
assert_type(accounts.get_many(["001"]), Iterator[Account | None])
results = sf.create_many([Account("", "x")])
assert_type(next(results), RecordResult[Account])
assert_type(results.failures(), list[RecordResult[Account]])
assert_type(results.unfinished, Unfinished | None)
results.close()
assert_type(sf.update_many([{"Id": "001"}]), RecordResults[dict[str, str]])
assert_type(sf.delete_many(typed), RecordResults[Account])

# Several requests in one call
batch = sf.composite.batch([get_limits.build()], halt_on_error=True)
composite = sf.composite.request(all_or_none=True)
created = composite.create("Account", {"Name": "x"})
assert_type(created, Subrequest[SaveResult])
got = composite.get(Account, created.id)
assert_type(got, Subrequest[Account])
assert_type(composite.get("Account", created.at("id")), Subrequest[Record])
assert_type(composite.get_by_external_id(Account, "Ext__c", "x"), Subrequest[Account])
assert_type(composite.update(Account, created.id, Account("", "x")), Subrequest[None])
assert_type(composite.upsert("Account", "Ext__c", "x", {}), Subrequest[UpsertResult])
assert_type(composite.delete("Account", "001"), Subrequest[None])
assert_type(composite.delete_by_external_id("Account", "Ext__c", "x"), Subrequest[None])
assert_type(composite.query("SELECT Id FROM Account"), Subrequest[models.QueryResult])
assert_type(composite.add(get_limits.build(), get_limits.parse), Subrequest[dict[str, dict[str, Any]]])
answers = composite.send(raise_on_failure=False)
assert_type(answers[got], Account)
assert_type(answers[0], Subresult[Any])
assert_type(answers.result(created), Subresult[SaveResult])
assert_type((answers[0].success, answers[0].halted, answers[0].what), tuple[bool, bool, str])
assert_type(answers.failures, tuple[Subresult[Any], ...])
answers.check()
batch.send()
graphs = sf.composite.graph()
graphs.graph("x").create("Account", {"Name": "x"})
assert_type(graphs.send().successful, tuple[str, ...])
assert_type(sf.composite.tree("Account", [{"Name": "x"}]), tuple[TreeRecord, ...])

# SOAP API
assert_type(sf.soap.convert_lead("00Q", account_record={"Name": "x"}), LeadConversion)
assert_type(sf.soap.convert_leads(["00Q"]), LeadResults[str])
for lead_result in sf.soap.convert_leads([LeadConvert("00Q", owner_id="005")]):
    assert_type(lead_result, LeadResult[LeadConvert])
    assert_type(lead_result.conversion, LeadConversion | None)
assert_type(sf.soap.convert_leads(["00Q"]).failures(), list[RecordResult[str]])
assert_type(sf.soap.converted_status(), str)
assert_type(sf.soap.merge("Account", "001", ["001"]), MergeResult)
assert_type(sf.soap.undelete(["001"]), RecordResults[str])
assert_type(sf.soap.empty_recycle_bin(["001"]), RecordResults[str])
assert_type(sf.soap.server_timestamp(), datetime)
assert_type(sf.soap.user_info(), soap.GetUserInfoResult)

# Users, actions, Apex
assert_type(sf.users.password_expired("005"), bool)
assert_type(sf.users.reset_password("005"), str)
sf.users.set_password("005", "x")
assert_type(sf.actions.list(), list[models.Action])
assert_type(sf.actions.describe("emailSimple"), models.ActionDescription)
assert_type(sf.actions.invoke("emailSimple", [{}]), list[models.ActionResult])
for answer in (sf.apex.get("/x"), sf.apex.post("/x", json={}), sf.apex.put("/x"), sf.apex.patch("/x")):
    assert_type(answer, Any)
assert_type(sf.apex.delete("/x"), Any)
assert_type(sf.apex.request("GET", "/x"), Any)

# Reports
assert_type(sf.reports.list(), list[models.ReportListItem])
assert_type(sf.reports.describe("00O"), models.ReportDescription)
report = sf.reports.run("00O", details=False)
assert_type(report, ReportResult)
assert_type((report.name, report.all_data, report.has_details), tuple[str, bool, bool])
assert_type(report.columns, tuple[ReportColumn, ...])
assert_type(report.rows(), list[dict[str, Any]])
assert_type(report.summaries(), list[ReportSummary])
assert_type(report.to_pandas(), pd.DataFrame)
assert_type(report.to_polars(), pl.DataFrame)
run = sf.reports.run_async("00O")
assert_type(run.wait(60.0), ReportResult)
assert_type(run.result(), ReportResult)
run.delete()
assert_type(sf.reports.query({}), ReportResult)
assert_type(sf.reports.instances("00O"), list[ReportRun])
assert_type(sf.reports.instance("00O", "0LG"), ReportRun)
assert_type(sf.reports.result("00O", "0LG"), ReportResult)
sf.reports.delete("00O")

# Bulk jobs
ingest_job = sf.bulk.create_ingest_job("upsert", "Account", external_id="Ext__c", line_ending="CRLF")
assert_type(ingest_job, IngestJob)
assert_type(sf.bulk.create_ingest_job("insert", "Account", data=b"Name\nAcme\n"), IngestJob)
assert_type(sf.bulk.upload(ingest_job.id, b"Name\nAcme\n"), None)
assert_type(sf.bulk.close(ingest_job.id), JobInfo)
query_job = sf.bulk.create_query_job("SELECT Id FROM Account", include_deleted=True)
assert_type(query_job, QueryJob)
assert_type(query_job.wait(60).id, str)
assert_type(query_job.info(), JobInfo)
assert_type(query_job.abort(timeout=3), JobInfo)
assert_type(query_job.delete(), None)
assert_type(sf.bulk.query("SELECT Id FROM Account", column_delimiter="TAB", line_ending="CRLF", workers=5), QueryJob)
assert_type(sf.bulk.query_all("SELECT Id FROM Account"), QueryJob)
assert_type(sf.bulk.query_job("750000000000001AAA", workers=2).wait(), QueryJob)
assert_type(next(query_job.rows(workers=2, progress=print)), dict[str, str])
assert_type(query_job.to_csv("rows.csv"), int)
assert_type(query_job.to_csv(io.BytesIO(), workers=2), int)
assert_type(query_job.to_parquet("rows.parquet", decimals=True), int)
assert_type(query_job.to_pandas(dtypes="numpy"), pd.DataFrame)
assert_type(query_job.to_polars(), pl.DataFrame)
query_job.batches(split_multipicklists=True)  # pyright: ignore[reportUnknownMemberType]  # pyarrow ships no types
query_job.to_arrow(decimals=True, workers=2)  # pyright: ignore[reportUnknownMemberType]  # as above
assert_type(query_job.problem(), str)
sf.bulk.query("SELECT Id FROM Account", column_delimiter=";")  # type: ignore[arg-type]  # Salesforce has names for them
assert_type(ingest_job.state, str)
assert_type(sf.bulk.get_job(ingest_job.id, "ingest"), JobInfo)
assert_type(sf.bulk.abort_job(ingest_job.id, "query"), JobInfo)
assert_type(sf.bulk.delete_job(ingest_job.id, "ingest"), None)
assert_type(sf.bulk.query_results("750000000000001AAA", max_records=10, locator=None), BulkQueryPage)
assert_type(sf.bulk.query_results("750000000000001AAA").rows, list[dict[str, str]])
sf.bulk.create_ingest_job("merge", "Account")  # type: ignore[arg-type]  # no such operation
sf.bulk.get_job(ingest_job.id, "both")  # type: ignore[arg-type]  # no such kind
ingest = sf.bulk.insert("Account", "accounts.csv", workers=4, column_delimiter="TAB", on_job=lambda job: job.id)
assert_type(ingest, Ingest)
assert_type(sf.bulk.update("Account", io.BytesIO(), timeout=(10.0, 60.0)), Ingest)
assert_type(sf.bulk.upsert("Account", [{"Ext__c": "A-42"}], external_id="Ext__c", progress=progress_bar()), Ingest)
assert_type(sf.bulk.delete("Account", pl.DataFrame(), max_bytes=1_000), Ingest)
assert_type(sf.bulk.hard_delete("Account", iter([("001",)]), columns=["Id"]), Ingest)
sf.bulk.upsert("Account", "accounts.csv")  # type: ignore[call-arg]  # no external id
assert_type(ingest.wait(timeout=60.0, progress=progress_bar(), raise_on_failure=True), Ingest)
assert_type(ingest.jobs, tuple[IngestJob, ...])
assert_type(ingest.job_ids, tuple[str, ...])
assert_type(next(ingest.successful()), dict[str, str])
assert_type(next(ingest.failed())["sf__Error"], str)
assert_type(next(ingest.unprocessed()), dict[str, str])
assert_type(next(ingest.failures()), FailedRow)
assert_type(next(ingest.failures()).index, int | None)
assert_type(next(ingest.failures()).is_transient, bool)
assert_type(ingest_job.settled(), JobInfo)
assert_type(ingest.retry_failed(), Ingest)
assert_type(sf.bulk.ingest_job("750000000000001AAA").wait(60.0).close(), JobInfo)
assert_type(sf.bulk.job("750000000000001AAA"), IngestJob | QueryJob)
assert_type(progress_bar(), ProgressBar)
assert_type(JobProgress().records_total, int | None)
v1_job = sf.bulk_v1.create_job("upsert", "Account", "ZIP_JSON", external_id="Ext__c", concurrency_mode="Serial")
assert_type(v1_job, BulkV1Job)
assert_type(v1_job.last, bulk_v1.JobInfo)
assert_type(v1_job.info(), bulk_v1.JobInfo)
assert_type(v1_job.close(), bulk_v1.JobInfo)
assert_type(v1_job.abort(), bulk_v1.JobInfo)
assert_type(v1_job.batches(), list[bulk_v1.BatchInfo])
assert_type((v1_job.state, v1_job.sobject), tuple[str, str])
assert_type(sf.bulk_v1.get_job(v1_job), bulk_v1.JobInfo)
assert_type(sf.bulk_v1.close_job(v1_job.id), bulk_v1.JobInfo)
assert_type(sf.bulk_v1.abort_job(v1_job), bulk_v1.JobInfo)
assert_type(sf.bulk_v1.add_batch(v1_job, [{"Name": "Acme"}]), bulk_v1.BatchInfo)
assert_type(sf.bulk_v1.get_batch(v1_job, "751000000000001AAA"), bulk_v1.BatchInfo)
assert_type(sf.bulk_v1.list_batches(v1_job), list[bulk_v1.BatchInfo])
assert_type(sf.bulk_v1.get_batch_request(v1_job, "751000000000001AAA"), str)
assert_type(sf.bulk_v1.get_batch_result(v1_job, "751000000000001AAA"), Iterator[RowResult | dict[str, Any]])
assert_type(sf.bulk_v1.insert("Account", "accounts.csv", workers=2), BulkV1Ingest)
assert_type(sf.bulk_v1.update("Account", [{"Id": "001000000000001AAA"}], content_type="JSON"), BulkV1Ingest)
assert_type(sf.bulk_v1.upsert("Account", b"<sObjects/>", external_id="Ext__c", content_type="XML"), BulkV1Ingest)
assert_type(sf.bulk_v1.delete("Account", [{"Id": "001000000000001AAA"}]), BulkV1Ingest)
v1_ingest = sf.bulk_v1.hard_delete("Account", []).wait(raise_on_failure=True)
assert_type(v1_ingest, BulkV1Ingest)
assert_type(v1_ingest.retry_failed(), BulkV1Ingest)
assert_type(next(v1_ingest.results()), RecordResult[dict[str, Any]])
assert_type(next(v1_ingest.failures()), FailedRow)
assert_type(next(v1_ingest.successful()), dict[str, Any])
assert_type(next(v1_ingest.failed()), dict[str, Any])
assert_type(next(v1_ingest.unprocessed()), dict[str, Any])
assert_type(v1_ingest.abort(), None)
assert_type(v1_ingest.jobs, tuple[BulkV1Job, ...])
assert_type(v1_ingest.job_ids, tuple[str, ...])
assert_type(v1_ingest.sent, tuple[range, ...])
assert_type(sf.bulk_v1.insert_files("Attachment", [{"Body": b"x"}], "Body"), BulkV1Ingest)
v1_query = sf.bulk_v1.query("SELECT Id FROM Account", pk_chunking=PkChunking(50_000))
assert_type(v1_query.wait(), BulkV1Query)
assert_type(next(v1_query.rows(workers=2)), dict[str, Any])
assert_type(v1_query.to_csv("accounts.csv"), int)
assert_type(sf.bulk_v1.query_all("SELECT Id FROM Account", content_type="XML"), BulkV1Query)
assert_type(sf.bulk_v1.job("750000000000001AAA"), BulkV1Ingest | BulkV1Query)
sf.bulk_v1.create_job("merge", "Account")  # type: ignore[arg-type]  # no such operation
sf.bulk_v1.insert("Account", [], content_type="csv")  # type: ignore[arg-type]  # no such format
assert_type(next(sf.bulk.ingest_jobs()), JobInfo)
assert_type(next(sf.bulk.query_jobs()), JobInfo)

# Files
assert_type(sf.files.upload(b"x", name="x"), StoredFile)
assert_type(sf.files.add_version("069", "x.txt"), StoredFile)
assert_type(sf.files.attach("001", b"x", name="x"), SaveResult)
assert_type(sf.files.create("Document", {"Name": "x"}, b"x", name="x"), SaveResult)
sf.files.replace("Document", "015", b"x", name="x")
assert_type(sf.files.download("068", io.BytesIO()), StoredFile)
with sf.files.stream("068") as stream:
    assert_type(stream, FileStream)
    assert_type(next(iter(stream)), bytes)
stream.close()

# Errors and typed records
try:
    assert_type(source([accounts.describe()], decimals=True), str)
except errors.ApiError as error:
    assert_type(error.code, str)
    assert_type(error.errors, tuple[errors.ErrorDetail, ...])
    assert_type(error.errors[0].duplicates, errors.DuplicateResult | None)
    assert_type(error.response, requests.Response | None)
