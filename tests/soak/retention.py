"""Events leave retention while nobody listens: that is told, and what is left is processed."""

import random
from pathlib import Path

from .crash import Consumer
from .failing_org import CHANNELS, FailingOrg
from .journal import handled, told_errors
from .verdict import judge

_FIRST, _MISSED, _KEPT = 100, 200, 60
_PATIENCE = 60.0


def expire(folder: Path, *, seed: int) -> tuple[str, list[str]]:
    """Listen, stop, let most of what follows expire, and listen again.

    Args:
        folder: An empty folder.
        seed: Chooses the events.

    Returns:
        What ``on_error`` was told, and what is not as it must be.
    """
    with FailingOrg(folder, random.Random(seed)) as org:  # noqa: S311  # no secret
        org.publish_many(_FIRST)
        first = {channel: list(numbers) for channel, numbers in org.published.items()}
        problems = _listen(folder, 1, org, first)
        org.publish_many(_MISSED)
        oldest = org.trim(_KEPT)
        left = {channel: [each for each in numbers if each >= oldest] for channel, numbers in org.published.items()}
        problems += _listen(folder, 2, org, left)
    runs = [handled(path) for path in sorted(folder.glob("*.events"))]
    expected = {channel: first[channel] + left[channel] for channel in CHANNELS}
    problems += judge(expected, runs, 0).problems
    errors = told_errors(folder)
    for channel in CHANNELS:
        told = [each for each in errors if each.startswith("ReplayExpiredError:") and channel in each]
        if len(told) != 1:
            problems.append(f"{channel}: the loss was told {len(told)} times, not once")
    return ", ".join(sorted(error.partition(":")[0] for error in errors)) or "nothing", problems


def _listen(folder: Path, number: int, org: FailingOrg, expected: dict[str, list[int]]) -> list[str]:
    """Let a process handle what there is, and stop it."""
    with Consumer(folder, number, org.environ()) as consumer:
        consumer.wait_for({channel: set(numbers) for channel, numbers in expected.items()}, _PATIENCE)
        return consumer.stop()
