"""What a crash test has to show: no event missing, order kept, repeats bounded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

_SHOWN = 5

Processed = Mapping[str, Sequence[int]]
"""By channel, the numbers of the events in the order in which a process handled them."""


@attrs.frozen
class Verdict:
    """What came of it.

    Args:
        problems: What is not as it must be, in words; empty if all holds.
        handled: How often an event was handed to a handler.
        repeated: How many of those were repeats.
        largest: The most repeats of one process on one channel.
    """

    problems: list[str]
    handled: int
    repeated: int
    largest: int


def judge(published: Processed, runs: Sequence[Processed], bound: int) -> Verdict:
    """Judge what one process after the other has handled.

    Args:
        published: What each channel was to bring.
        runs: What each process handled, in the order of the processes.
        bound: How many events of a channel a process may repeat of what others handled before it.
    """
    problems: list[str] = []
    repeats: list[int] = []
    for channel, numbers in published.items():
        handled = [run.get(channel, ()) for run in runs]
        problems += _problems(channel, numbers, handled)
        found = list(_repeats(handled))
        problems += [
            f"{channel}: process {run} repeated {count} events, and {bound} are allowed"
            for run, count in enumerate(found, 1)
            if count > bound
        ]
        repeats += found
    total = sum(len(numbers) for run in runs for numbers in run.values())
    return Verdict(problems, total, sum(repeats), max(repeats, default=0))


def _problems(channel: str, published: Sequence[int], handled: Sequence[Sequence[int]]) -> Iterator[str]:
    places = {number: place for place, number in enumerate(published)}
    seen = {number for numbers in handled for number in numbers}
    if strangers := sorted(seen - places.keys()):
        yield f"{channel}: {len(strangers)} events came that were never published: {_some(strangers)}"
    if missing := [number for number in published if number not in seen]:
        yield f"{channel}: {len(missing)} of {len(published)} events are missing: {_some(missing)}"
    for run, numbers in enumerate(handled, 1):
        if broken := _falls([places.get(number, -1) for number in numbers]):
            yield f"{channel}: process {run} left the order {len(broken)} times: {_some(numbers[at] for at in broken)}"
    firsts = list(dict.fromkeys(number for numbers in handled for number in numbers))
    if broken := _falls([places.get(number, -1) for number in firsts]):
        late = _some(firsts[at] for at in broken)
        yield f"{channel}: {len(broken)} events came for the first time after later ones: {late}"


def _falls(places: Sequence[int]) -> list[int]:
    """Give the positions that are not behind the one before them."""
    return [at for at in range(1, len(places)) if places[at] <= places[at - 1]]


def _repeats(handled: Iterable[Sequence[int]]) -> Iterator[int]:
    """Give, for each process, how many of its events an earlier one handled."""
    seen: set[int] = set()
    for numbers in handled:
        yield sum(number in seen for number in numbers)
        seen.update(numbers)


def _some(numbers: Iterable[int]) -> str:
    listed = list(numbers)
    return ", ".join(map(str, listed[:_SHOWN])) + (" …" if len(listed) > _SHOWN else "")
