"""Rounds of measurement and the table that they make."""

import time
from collections.abc import Callable, Mapping
from statistics import median

import attrs

COLUMNS = ("sfconnector", "requests", "simple-salesforce", "floor")
Samples = Mapping[str, list[float]]
_WIDTHS = (54, 15, 15, 17, 13, 10, 19, 7, 62)


@attrs.frozen
class Must:
    """What a row has to hold: a figure, and the limit to it in words and as a number."""

    words: str
    figure: float
    limit: float

    def __str__(self) -> str:
        verdict = "holds" if self.figure <= self.limit else "FAILS"
        return f"{self.words}: {self.figure:.2f}, {verdict}"


@attrs.frozen
class Row:
    """One line of the table.

    Args:
        name: What was measured.
        unit: In what.
        samples: By column, a figure for each round.
        must: What has to hold, where something has.
    """

    name: str
    unit: str
    samples: Samples
    must: Must | None = None

    def __str__(self) -> str:
        cells = [f"{self.name}, {self.unit}"]
        for column in COLUMNS:
            values = self.samples.get(column)
            cells.append(f"{median(values):.2f} ({min(values):.2f})" if values else "–")
        cells += [self._ratio(column) for column in COLUMNS[1:]]
        return _line([*cells, str(self.must or "–")])

    def _ratio(self, column: str) -> str:
        return f"{ratio(self.samples, COLUMNS[0], column):.2f}" if self.samples.get(column) else "–"


def header() -> str:
    """Give the first two lines of the table."""
    titles = ["median (minimum)", *COLUMNS, *(f"÷ {column}" for column in COLUMNS[1:]), "must"]
    return _line(titles) + "\n" + _line(["-" * width for width in _WIDTHS])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)) + " |"


def ratio(samples: Samples, ours: str, other: str) -> float:
    """Give the median ratio of two variants, each round compared with itself: noise comes in phases."""
    return median(a / b for a, b in zip(samples[ours], samples[other], strict=True))


def interleave(
    variants: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    calls: int = 1,
    clock: Callable[[], float] = time.process_time,
    warm_up: bool = True,
) -> dict[str, list[float]]:
    """Run the variants in turn, round after round, and give the milliseconds of one call, by variant."""
    samples: dict[str, list[float]] = {name: [] for name in variants}
    if warm_up:
        for call in variants.values():
            call()
    for _ in range(rounds):
        for name, call in variants.items():
            started = clock()
            for _ in range(calls):
                call()
            samples[name].append((clock() - started) / calls * 1000)
    return samples
