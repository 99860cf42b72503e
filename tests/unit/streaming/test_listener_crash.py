"""A listening process is killed again and again while events flow and the org fails; `make soak` does more of it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
# What it chooses is the same each time, so that a failure is one of the listener, or of the machine.
ARGUMENTS = ["--kills", "12", "--events", "1500", "--seed", "7"]


def test_no_event_is_missing_and_none_is_out_of_order_after_crashes() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.soak", *ARGUMENTS], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "12 kills, 1,500 events" in finished.stdout
