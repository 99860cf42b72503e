"""``python -m tests.soak``: run the crash test, print what came of it, and tell by the exit status whether all held."""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from .crash import QUEUE_SIZE, Crashes, crash
from .failing_org import CHANNELS
from .retention import expire


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Kill a listener again and again.")
    parser.add_argument("--kills", type=int, default=200, help="processes to kill; default: %(default)s")
    parser.add_argument("--events", type=int, default=20_000, help="events to publish; default: %(default)s")
    parser.add_argument("--seed", type=int, help="the seed of a run that is to be repeated; default: a new one")
    parser.add_argument("--minutes", type=float, default=9, help="how long to go on killing; default: %(default)s")
    asked = parser.parse_args()
    seed = random.randrange(10**6) if asked.seed is None else asked.seed  # noqa: S311  # no secret
    folder = Path(tempfile.mkdtemp(prefix="sfconnector-soak-"))
    _show(f"Seed {seed}: {asked.kills:,} kills, {asked.events:,} events, channels {', '.join(CHANNELS)}.")
    started = time.monotonic()
    (folder / "crashes").mkdir()
    crashes = crash(folder / "crashes", kills=asked.kills, events=asked.events, seed=seed, seconds=asked.minutes * 60)
    _show(_text(crashes))
    (folder / "retention").mkdir()
    lost, problems = expire(folder / "retention", seed=seed)
    _show(f"Retention passed by while nobody listened: on_error was told of {lost}.")
    problems = [*crashes.verdict.problems, *problems]
    _show(f"It took {time.monotonic() - started:.0f} s.")
    if problems:
        _show("\n".join(["", *problems, f"Its files are in {folder}; run it again with --seed {seed}."]))
        return 1
    shutil.rmtree(folder)
    _show("Every event was processed at least once and in the order of its channel.")
    return 0


def _text(crashes: Crashes) -> str:
    verdict = crashes.verdict
    repeated = f"{verdict.repeated:,} of them repeats, at most {verdict.largest} by one process on one channel"
    return "\n".join(
        [
            f"Handled {verdict.handled:,} events, {repeated} ({QUEUE_SIZE} are allowed).",
            f"What went wrong, of what was to: {_shares(crashes.faults)}.",
            f"on_error was told: {_counts(crashes.errors)}.",
        ]
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "nothing"


def _shares(counts: Mapping[str, tuple[int, int]]) -> str:
    return ", ".join(f"{name} {met} of {wanted}" for name, (wanted, met) in counts.items())


def _show(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a program's output


if __name__ == "__main__":
    sys.exit(main())
