"""The listener chapter's script, run as its readers run it."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfconnector import Salesforce
from sfconnector.testing import LocalOrg

SCRIPT = Path(__file__).parents[2] / "docs/listen/mirror.py"


@pytest.fixture
def sf(local_org: LocalOrg) -> Iterator[Salesforce]:
    with Salesforce.from_env(local_org.environ()) as sf:
        yield sf


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "accounts.db"


def drain(org: LocalOrg, database: Path) -> str:
    """Run the script as a cron job does, and give what it complains of."""
    command = [sys.executable, SCRIPT, database, "--drain", "0.5"]
    run = subprocess.run(command, env={**os.environ, **org.environ()}, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stderr


def copied(database: Path) -> dict[str, tuple[str | None, ...]]:
    connection = sqlite3.connect(database)
    try:
        return {row[0]: row[1:] for row in connection.execute("SELECT id, name, industry, phone FROM account")}
    finally:
        connection.close()


def original(sf: Salesforce) -> dict[str, tuple[str | None, ...]]:
    query = sf.query("SELECT Id, Name, Industry, Phone FROM Account")
    return {row["Id"]: (row["Name"], row["Industry"], row["Phone"]) for row in query}


def test_each_run_goes_on_where_the_last_has_ended(local_org: LocalOrg, sf: Salesforce, database: Path) -> None:
    account = sf.sobject("Account")
    kept = account.create({"Name": "Acme", "Phone": "1"}).id
    gone = account.create({"Name": "Gone"}).id
    assert drain(local_org, database) == ""
    assert copied(database) == original(sf)

    account.update(kept, {"Phone": None, "Industry": "Energy"})
    account.create({"Name": "O'Neil & Søn"})
    account.delete(gone)
    sf.sobject("Contact").create({"LastName": "Curie", "AccountId": kept})
    assert drain(local_org, database) == ""
    assert copied(database) == original(sf)
    assert copied(database)[kept] == ("Acme", "Energy", None)


def test_what_salesforce_keeps_no_longer_is_read_anew(local_org: LocalOrg, sf: Salesforce, database: Path) -> None:
    account = sf.sobject("Account")
    account.create({"Name": "Acme"})
    drain(local_org, database)
    account.create({"Name": "Missed"})
    local_org.streaming.trim()
    account.create({"Name": "Kept"})
    assert "no longer takes the position" in drain(local_org, database)
    assert copied(database) == original(sf)


def test_as_a_service_it_ends_when_it_is_told_to(local_org: LocalOrg, sf: Salesforce, database: Path) -> None:
    command = [sys.executable, SCRIPT, database]
    with subprocess.Popen(command, env={**os.environ, **local_org.environ()}, text=True) as service:
        local_org.streaming.wait(timeout=60)
        sf.sobject("Account").create({"Name": "Acme"})
        local_org.streaming.wait(timeout=60)
        service.send_signal(signal.SIGTERM)
        assert service.wait(60) == 0
    drain(local_org, database)
    assert copied(database) == original(sf)


def test_a_copy_that_could_not_be_made_anew_is_made_by_the_next_run(
    local_org: LocalOrg, sf: Salesforce, database: Path
) -> None:
    account = sf.sobject("Account")
    account.create({"Name": "Acme"})
    drain(local_org, database)
    account.create({"Name": "Missed"})
    local_org.streaming.trim()
    local_org.faults.error(400, "MALFORMED_QUERY", "not now", path="*/query")
    drain(local_org, database)
    assert copied(database) != original(sf)
    drain(local_org, database)
    assert copied(database) == original(sf)
