"""The CPU time that a fresh process takes to import the client."""

import json
import subprocess
import sys
from statistics import median

from tests.benchmarks._measure import Must, Row
from tests.benchmarks._server import Server

_ROUNDS = 20
_LIMIT = 25.0
_BASE, _PACKAGE, _CLIENT = "import requests, attrs", "import sfconnector", "from sfconnector import Salesforce, auth"
_PROGRAM = """
import time
times = []
for statement in {statements}:
    started = time.process_time()
    exec(statement)
    times.append((time.process_time() - started) * 1000)
print(times)
"""


def measure(server: Server) -> list[Row]:
    """Import the package alone, and the client, on top of what it cannot do without."""
    base: list[float] = []
    package: list[float] = []
    client: list[float] = []
    simple: list[float] = []
    for number in range(_ROUNDS + 1):
        # In one process, so that what ours adds does not drown in the noise between processes.
        ours = _run(_BASE, _PACKAGE, _CLIENT)
        theirs = _run("from simple_salesforce import Salesforce")
        # The first round fills the caches.
        if number:
            for samples, value in zip((base, package, client, simple), (*ours, *theirs), strict=True):
                samples.append(value)
    both = [sum(pair) for pair in zip(package, client, strict=True)]
    must = Must(f"≤ {_LIMIT:.0f} ms on top of requests, attrs", median(package), _LIMIT)
    return [_row(_PACKAGE, base, package, simple, must), _row(_CLIENT, base, both, simple, None)]


def _row(name: str, base: list[float], added: list[float], simple: list[float], must: Must | None) -> Row:
    total = [sum(pair) for pair in zip(base, added, strict=True)]
    samples = {"sfconnector": total, "requests": base, "simple-salesforce": simple}
    return Row(f"{name} ({median(added):.0f} ms on top)", "ms CPU", samples, must)


def _run(*statements: str) -> list[float]:
    command = [sys.executable, "-c", _PROGRAM.format(statements=statements)]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    times: list[float] = json.loads(finished.stdout)
    return times
