"""The bar: what it shows, and what is said where it cannot be drawn."""

import io
import subprocess
import sys

import pytest

from sfconnector import JobProgress, progress_bar


def drawn(*steps: JobProgress) -> str:
    screen = io.StringIO()
    with progress_bar(file=screen, disable=False) as bar:
        for step in steps:
            bar(step)
    return screen.getvalue()


def test_a_bar_shows_state_records_failures_bytes_and_jobs() -> None:
    screen = drawn(
        JobProgress(("750",), records_processed=50, records_failed=3, records_total=200, bytes_sent=1_500_000),
        JobProgress(("750", "751"), "JobComplete", 200, 3, 200, 1_500_000, jobs_done=2, jobs_total=2),
    )
    first, last = screen.split("\r")[-2:] if screen.count("\r") > 1 else ("", "")
    assert "Open:  25%" in screen
    assert "failed=3, sent=1.5 MB, jobs=0/?" in screen
    assert "JobComplete: 100%" in last
    assert "200/200" in last
    assert last.endswith("\n")
    assert first != last


def test_without_a_total_it_counts() -> None:
    assert "7.00 records" in drawn(JobProgress(records_processed=7, jobs_total=1))


def test_off_a_terminal_nothing_is_drawn() -> None:
    screen = io.StringIO()
    with progress_bar(file=screen) as bar:
        bar(JobProgress(records_processed=7))
    assert screen.getvalue() == ""


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r'tqdm is not installed: pip install "sfconnector\[progress\]"'):
        progress_bar()


def test_tqdm_is_imported_for_a_bar_only() -> None:
    program = (
        "import sys, sfconnector; sfconnector.JobProgress(); sfconnector.progress_bar; print('tqdm' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
