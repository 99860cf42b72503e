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


def test_it_says_why_it_cannot_start(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert command.main(["local-org", "--port", port]) == 1
    assert f"port {port}" in capsys.readouterr().err


def test_what_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["local-org", "--tls-cert", "nowhere.pem"]) == 1
    assert "could not be started" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command.main(["--version"])
    assert capsys.readouterr().out.strip() == f"sfconnector {__version__}"


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main([])
    assert "COMMAND" in capsys.readouterr().err
