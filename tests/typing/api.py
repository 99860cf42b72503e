"""What users' type checkers see; never run, only checked."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, assert_type

import attrs
import pandas as pd
import polars as pl
from sfconnector_generated.rest.api.org import get_record_counts
from sfconnector_generated.rest.api.sobjects import create_record
from sfconnector_generated.rest.models import (
    Action,
    ActionResult,
    DescribeLayout,
    DescribeLayoutResult,
    DescribeSObjectResult,
)
from sfconnector_generated.rest.models import SaveResult as GeneratedSaveResult

from sfconnector import (
    FileStream,
    Query,
    RecordResults,
    ReportResult,
    ReportRun,
    Salesforce,
    SaveResult,
    Search,
    SObject,
    StoredFile,
    UpsertResult,
    auth,
    soql,
    sosl,
)


@attrs.frozen
class Account:
    Id: str
    Name: str


@dataclass
class Contact:
    Id: str


sf = Salesforce(auth.ClientCredentials("https://acme.my.salesforce.com", "id", "secret"))

assert_type(sf.sobject("Account"), SObject[dict[str, Any]])
assert_type(sf.sobject(Account), SObject[Account])
assert_type(sf.sobject("Account").create({"Name": "x"}), SaveResult)
assert_type(sf.sobject("Account").upsert("Ext__c", "x", {}), UpsertResult)
assert_type(sf.sobject("Account").get("001"), dict[str, Any])
assert_type(sf.sobject("Account").get("001", if_modified_since=datetime.now(UTC)), dict[str, Any] | None)
assert_type(sf.sobject(Account).get("001"), Account)
assert_type(sf.sobject(Account).get_by_external_id("Ext__c", 42), Account)
assert_type(sf.sobject("Account").describe(), DescribeSObjectResult)

assert_type(sf.sobject("Account").create_many([{"Name": "x"}]), RecordResults[dict[str, str]])
assert_type(sf.sobject(Account).upsert_many("Ext__c", [Account("", "x")]), RecordResults[Account])
assert_type(sf.sobject("Account").delete_many(["001"]), RecordResults[str])
assert_type(sf.sobject("Account").delete_many(sf.query("SELECT Id FROM Account")), RecordResults[dict[str, Any]])
assert_type(next(sf.sobject(Account).get_many(["001"])), Account | None)
assert_type(next(sf.create_many([Contact("x")])).record, Contact)

assert_type(sf.query(soql("SELECT Id FROM Account")), Query[dict[str, Any]])
assert_type(sf.query("FROM Contact", into=Contact), Query[Contact])
for account in sf.query("FROM Account", into=Account):
    assert_type(account, Account)
    assert_type(account.Name, str)
for page in sf.query("SELECT Id FROM Account").pages():
    assert_type(page, list[dict[str, Any]])
assert_type(sf.query("SELECT Id FROM Account").to_pandas(dtypes="numpy"), pd.DataFrame)
assert_type(sf.query("FROM Account", into=Account).to_polars(decimals=True), pl.DataFrame)

assert_type(sf.files.upload(b"x", name="x"), StoredFile)
assert_type(sf.files.attach("001", Path("x")), SaveResult)
assert_type(sf.files.download("068", io.BytesIO()), StoredFile)
with sf.files.stream("068") as stream, Path("x").open("wb") as file:
    assert_type(stream, FileStream)
    file.writelines(stream)
with Path("x").open("rb") as source:
    assert_type(sf.files.create("Document", {"Name": "x"}, source), SaveResult)
assert_type(sf.search(sosl("FIND {x}", x="Acme")), Search[dict[str, Any]])
assert_type(sf.search("FIND {Acme} RETURNING Contact(Id)", into=Contact), Search[Contact])
assert_type(sf.actions.invoke("chatterPost", [{}]), list[ActionResult])
assert_type(sf.sobject("Account").layouts(), DescribeLayoutResult)
assert_type(sf.sobject("Account").layouts("012000000000001AAA"), DescribeLayout)

assert_type(sf.actions.list("standard"), list[Action])
assert_type(sf.reports.run("00O"), ReportResult)
assert_type(sf.reports.run("00O").rows(), list[dict[str, Any]])
assert_type(sf.reports.run("00O").to_pandas(), pd.DataFrame)
assert_type(sf.reports.run_async("00O").wait(), ReportResult)
assert_type(sf.reports.instances("00O"), list[ReportRun])
assert_type(sf.users.reset_password("005"), str)
assert_type(sf.record_count("Account"), dict[str, int])

assert_type(create_record.sync("Account", client=sf.api, body={}), GeneratedSaveResult)
assert_type(get_record_counts.build().method, str)

with Salesforce.from_env() as other:
    assert_type(other, Salesforce)

# What must not pass: each ignore is an error where the line is fine after all.
sf.qurey("SELECT Id FROM Account")  # type: ignore[attr-defined]  # a typo
sf.sobject("Account").create()  # type: ignore[call-arg]  # nothing to create
sf.sobject("Account").create_many(["x"])  # type: ignore[type-var]  # a text is no record
sf.query("FROM Account", into="Account")  # type: ignore[call-overload]  # not a class
sf.query("FROM Account", into=Account).to_pandas(dtypes="pandas")  # type: ignore[arg-type]  # no such choice
Salesforce("https://acme.my.salesforce.com")  # type: ignore[arg-type]  # a URL is not a login
