"""sfconnector end to end: `make demo` runs this against a Salesforce org that it starts itself."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from sfconnector import Salesforce, Subscription, auth, errors, soql

OBJECTS = Path(__file__).with_name("demo_objects.yaml")


@attrs.frozen
class Owner:
    Name: str


@attrs.frozen
class Account:
    """The records of this class are selected by its fields, the owner's name included."""

    Id: str
    Name: str
    AnnualRevenue: float | None
    Owner: Owner


@contextmanager
def local_org() -> Iterator[dict[str, str]]:
    """Run a Salesforce org in a process of its own and give its address and credentials."""
    command = [sys.executable, "-m", "sfconnector", "local-org", "--json", "--objects", str(OBJECTS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def show(step: str, *lines: object) -> None:
    print(f"\n{step}")
    for line in lines:
        print(f"    {line}")


def main() -> None:
    with local_org() as org:
        login = auth.ClientCredentials(org["url"], org["client_id"], org["client_secret"])
        with Salesforce(login) as sf, sf.subscribe("/data/AccountChangeEvent", idle=30) as changes:
            last = run(sf)
            listen(changes, last)


def run(sf: Salesforce) -> str:
    """Write, read and delete records, and give the id of the one that was deleted."""
    user = sf.user_info()
    show("Logged in", f"as {user.preferred_username} at {sf.instance_url}")

    account = sf.sobject("Account")
    created = account.create({"Name": "O'Neil & Søn", "AnnualRevenue": 1_250_000})
    show("Created an account", created)

    first = account.upsert("Ext__c", "A/42", {"Name": "Acme"})
    again = account.upsert("Ext__c", "A/42", {"Name": "Acme Corporation", "AnnualRevenue": 99.5})
    show("Upserted another by its external id, twice", first, again)
    show("Read it back by its external id", account.get_by_external_id("Ext__c", "A/42", fields=["Name"]))

    invoices = sf.sobject("Invoice__c")
    for number in range(1, 4):
        invoices.create({"Number__c": f"2026-{number}", "Amount__c": number * 100, "Account__c": again.id})
    query = soql(
        "SELECT Name, (SELECT Number__c, Amount__c FROM Invoices__r ORDER BY Amount__c DESC) "
        "FROM Account WHERE Name LIKE {name}",
        name="Acme%",
    )
    for record in sf.query(query):
        show(
            f"Queried {record['Name']} with its invoices",
            *(f"{invoice['Number__c']}: {invoice['Amount__c']}" for invoice in record["Invoices__r"]["records"]),
        )

    typed = list(sf.query("FROM Account ORDER BY Name", into=Account))
    show("Queried typed records", *typed)

    try:
        account.create({"Industry": "Chemicals"})
    except errors.BadRequestError as error:
        show("A record that Salesforce refuses is one error", error)
    try:
        account.get("nonsense")
    except ValueError as error:
        show("Bad input never leaves the process", error)

    account.delete(created.id)
    deleted = sf.query("SELECT Name FROM Account WHERE IsDeleted = true", include_deleted=True)
    show("Deleted, and still seen in the recycle bin", [record["Name"] for record in deleted])
    show("API calls so far", sf.usage)
    return created.id


def listen(changes: Subscription, deleted: str) -> None:
    """Show what Salesforce has told of all that, up to the deletion."""
    show("Heard of all that as it happened")
    for event in changes:
        print(f"    {event.change_type} {', '.join(event.record_ids)} {event.fields.get('Name', '')}")
        if event.change_type == "DELETE" and deleted in event.record_ids:
            return
    sys.exit("the deletion has not been told of")


if __name__ == "__main__":
    main()
