"""``python -m sfconnector.testing`` and ``sfconnector local-org``."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from sfconnector import __main__ as command
from sfconnector._version import __version__
from sfconnector.testing._store import Store


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("program", [("-m", "sfconnector.testing"), ("-m", "sfconnector", "local-org")])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_it_is_told_to_stop(program: tuple[str, ...], number: signal.Signals) -> None:
    with started(*program, "--json") as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        form = {
            "grant_type": "client_credentials",
            "client_id": facts["client_id"],
            "client_secret": facts["client_secret"],
        }
        answer = requests.post(f"{facts['url']}/services/oauth2/token", data=form, timeout=30).json()
        for token in (answer["access_token"], facts["access_token"]):
            headers = {"Authorization": f"Bearer {token}"}
            assert requests.get(f"{facts['url']}/services/data/v68.0/limits", headers=headers, timeout=30).ok
        assert "BEGIN PRIVATE KEY" in facts["private_key"]
        assert facts["environ"]["SALESFORCE_AUTH"] == "client_credentials"
        process.send_signal(number)
        rest, errors = process.communicate(timeout=30)
        assert (process.returncode, rest, errors) == (0, "", "")


def test_it_takes_what_it_is_given(tmp_path: Path) -> None:
    database = tmp_path / "org.db"
    options = ("--client-id", "key", "--client-secret", "secret", "--database", str(database))
    with started("-m", "sfconnector.testing", *options) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "http://127.0.0.1:" in first
        text = first + "".join(process.stdout.readline() for _ in range(4))
        assert "key" in text
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert database.exists()


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ([], ["ContactChangeEvent", "AccountChangeEvent"]),
        (["--change-data-capture", "Account", "Lead"], ["AccountChangeEvent"]),
        (["--change-data-capture"], []),
    ],
)
def test_change_data_capture(tmp_path: Path, option: list[str], told: list[str]) -> None:
    database = tmp_path / "org.db"
    with started("-m", "sfconnector.testing", "--json", "--database", str(database), *option) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        headers = {"Authorization": f"Bearer {facts['access_token']}"}
        for sobject, values in (("Contact", {"LastName": "Curie"}), ("Account", {"Name": "Acme"})):
            url = f"{facts['url']}/services/data/v68.0/sobjects/{sobject}"
            assert requests.post(url, json=values, headers=headers, timeout=30).status_code == 201
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    store = Store(path=database)
    assert [event.entity for event in store.events.after("/data/ChangeEvents", 0, 10)] == told
    store.close()


def test_it_says_why_it_cannot_start(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert command.main(["local-org", "--port", port]) == 1
    assert f"port {port}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("--tls-cert", None, "No such file"),
        ("--tls-cert", "no certificate", "cannot be read from"),
        ("--objects", None, "No such file"),
        ("--objects", "a: [", "is not YAML"),
        ("--objects", "Invoice__c: {fields: {Total__c: 5}}", "Invoice__c: field Total__c"),
        ("--database", "text that is no database, and long enough to be told from one" * 20, "not a database"),
        ("--private-key", None, "No such file"),
        ("--private-key", "no key", "private_key must be"),
    ],
)
def test_the_file_at_fault_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, content: str | None, message: str
) -> None:
    file = tmp_path / "given.file"
    if content is not None:
        file.write_text(content)
    assert command.main(["local-org", option, str(file)]) == 1
    said = capsys.readouterr().err
    assert "could not be started" in said
    assert message in said
    assert "given.file" in said or option == "--private-key"


@pytest.mark.parametrize("option", [("--port", "70000"), ("--token-lifetime", "nan"), ("--daily-api-requests", "0")])
def test_numbers_out_of_range(capsys: pytest.CaptureFixture[str], option: tuple[str, str]) -> None:
    assert command.main(["local-org", *option]) == 1
    assert "could not be started" in capsys.readouterr().err


def test_object_without_change_events(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["local-org", "--change-data-capture", "Note"]) == 1
    assert "'Note' has no change events here" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command.main(["--version"])
    assert capsys.readouterr().out.strip() == f"sfconnector {__version__}"


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main([])
    assert "COMMAND" in capsys.readouterr().err
