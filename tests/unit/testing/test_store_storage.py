"""What the file and the threads do to records: nothing."""

import contextlib
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sfconnector.testing._errors import OrgError
from sfconnector.testing._store import Store

THREADS = 8
WRITES = 40


def test_a_file_keeps_objects_and_records(tmp_path: Path) -> None:
    path = tmp_path / "org.db"
    store = Store(path=path)
    store.add_object("Item__c", {"Ext__c": "string(20) external_id unique"}, label="Thing", record_types=["One"])
    store.add_field("Account", "Key__c", "string(10)")
    account = store.create("Account", {"Name": "Acme", "Key__c": "k"}, store.context())
    item = store.upsert("Item__c", "Ext__c", "A", {}, store.context()).id
    described, organization = store.describe("Item__c", "68.0"), store.organization_id
    store.close()

    again = Store(path=str(path))
    assert again.organization_id == organization
    assert again.describe("Item__c", "68.0") == described
    assert again.get("Account", account, ["Name", "Key__c"], again.context())["Key__c"] == "k"
    assert not again.upsert("Item__c", "Ext__c", "a", {}, again.context()).created
    assert again.create("Item__c", {"Ext__c": "B"}, again.context()) not in (item, account)
    assert again.count("User") == 2
    # The same description given once more, as a start from a script does it, changes nothing.
    again.add_object("Item__c", {"Ext__c": "string(20) external_id unique", "More__c": "int"}, record_types=["One"])
    assert again.get("Item__c", item, ["More__c"], again.context())["More__c"] is None
    assert len(again.describe("Item__c", "68.0")["recordTypeInfos"]) == 2
    again.close()


def test_activities_and_files_point_to_custom_objects(tmp_path: Path) -> None:
    path = tmp_path / "org.db"
    store = Store(path=path)
    store.add_object("Item__c")
    item = store.create("Item__c", {}, store.context())
    store.create("Task", {"WhatId": item, "Status": "Not Started", "Priority": "Normal"}, store.context())
    assert "Item__c" in store.sobject("Attachment").fields["ParentId"].reference_to
    store.close()

    again = Store(path=path)
    assert "Item__c" in again.sobject("Event").fields["WhatId"].reference_to
    children = {child["childSObject"]: child for child in again.describe("Item__c", "68.0")["childRelationships"]}
    assert children["ContentDocumentLink"]["relationshipName"] == "ContentDocumentLinks"
    again.delete("Item__c", item, again.context())
    assert again.count("Task") == 0
    again.close()


def test_objects_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "objects.yaml"
    path.write_text(
        """
Account:
  fields:
    Key__c: string(10) external_id
Invoice__c:
  label: Invoice
  name_field: {label: Invoice Number, auto_number: "INV-{0000}"}
  fields:
    Total__c: currency(16, 2)
    Account__c: {type: reference, reference_to: Account, child_relationship_name: Invoices, cascade_delete: true}
""",
        encoding="utf-8",
    )
    store = Store()
    assert [sobject.name for sobject in store.load_objects(path)] == ["Account", "Invoice__c"]
    account = store.upsert("Account", "Key__c", "K", {"Name": "Acme"}, store.context()).id
    invoice = store.create("Invoice__c", {"Total__c": 5, "Account__r": {"Key__c": "K"}}, store.context())
    assert store.get("Invoice__c", invoice, ["Name"], store.context())["Name"] == "INV-0001"
    relationships = store.describe("Account", "68.0")["childRelationships"]
    assert ("Invoice__c", "Invoices__r", True) in [
        (entry["childSObject"], entry["relationshipName"], entry["cascadeDelete"]) for entry in relationships
    ]
    store.delete("Account", account, store.context())
    assert store.count("Invoice__c") == 0
    store.close()


def test_fields_are_added_to_records_that_exist() -> None:
    store = Store()
    account = store.create("Account", {"Name": "Acme"}, store.context())
    store.add_field("account", "Vip__c", "boolean = Vip")
    store.add_field("Account", "Score__c", "int")
    record = store.get("Account", account, ["Vip__c", "Score__c"], store.context())
    assert (record["Vip__c"], record["Score__c"]) == (False, None)
    with pytest.raises(ValueError, match="there is no object Nope"):
        store.add_field("Nope", "X__c", "int")
    with pytest.raises(ValueError, match="no API name"):
        store.add_object('x"; DROP TABLE "Account')
    with pytest.raises(ValueError, match="unknown colour"):
        store.add_object("Account", colour="red")
    store.close()


def test_eight_threads_write_at_once(tmp_path: Path) -> None:
    store = Store(path=tmp_path / "org.db")
    store.add_object("Item__c", {"Ext__c": "string(20) external_id unique", "Count__c": "int"})
    start = threading.Barrier(THREADS)

    def lose() -> None:
        with store.transaction():
            for _ in range(2):
                store.create("Item__c", {"Ext__c": "lost"}, store.context())

    def work(number: int) -> list[str]:
        start.wait()
        made = []
        for step in range(WRITES):
            context = store.context()
            made.append(store.create("Item__c", {"Ext__c": f"{number}-{step}"}, context))
            store.upsert("Item__c", "Ext__c", f"shared-{step}", {"Count__c": number}, context)
            with pytest.raises(OrgError):
                lose()
        return made

    with ThreadPoolExecutor(THREADS) as pool:
        made = [record_id for batch in pool.map(work, range(THREADS)) for record_id in batch]
    assert len(set(made)) == THREADS * WRITES
    assert store.count("Item__c") == THREADS * WRITES + WRITES
    with pytest.raises(OrgError):
        store.find("Item__c", "Ext__c", "lost", store.context())
    store.close()


def test_the_tables_are_as_sql_readers_expect_them() -> None:
    store = Store()
    values = {"Name": "Acme", "AnnualRevenue": 5, "NumberOfEmployees": 3, "Site": ""}
    account = store.create("Account", values, store.context())
    with store.transaction() as connection:
        columns = {row["name"] for row in connection.execute('PRAGMA table_info("Account")')}
        row = connection.execute('SELECT * FROM "Account" WHERE "Id" = ?', [account]).fetchone()
    assert columns == {name for name in store.sobject("Account").fields if not name.endswith("Address")}
    assert isinstance(row, sqlite3.Row)
    assert (row["AnnualRevenue"], row["NumberOfEmployees"], row["Site"], row["IsDeleted"]) == (5.0, 3, None, 0)
    assert isinstance(row["AnnualRevenue"], float)
    store.close()


def test_counting_in_memory_gives_no_number_twice() -> None:
    store = Store()
    made = []
    with store.transaction(), store.counting():
        made.append(store.create("Account", {"Name": "A"}, store.context()))
        with contextlib.suppress(LookupError), store.transaction():
            store.create("Account", {"Name": "taken back"}, store.context())
            raise LookupError
        made.append(store.create("Account", {"Name": "B"}, store.context()))
    made.append(store.create("Account", {"Name": "C"}, store.context()))
    assert made == sorted(set(made))
    with contextlib.suppress(LookupError), store.transaction(), store.counting():
        lost = store.create("Account", {"Name": "taken back"}, store.context())
        raise LookupError
    assert store.create("Account", {"Name": "D"}, store.context()) == lost
    assert store.count("Account") == 4
    store.close()
