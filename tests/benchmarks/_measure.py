"""Rounds of measurement and the table that they make."""

import time
from collections.abc import Callable, Mapping
from statistics import median

import attrs

COLUMNS = ("sfconnector", "requests", "simple-salesforce", "floor")
Samples = Mapping[str, list[float]]


@attrs.frozen
class Must:
    """What a row has to hold: a figure, and the limit to it in words and as a number; from below if ``at_least``."""

    words: str
    figure: float
    limit: float
    at_least: bool = False

    def __str__(self) -> str:
        holds = self.figure >= self.limit if self.at_least else self.figure <= self.limit
        verdict = "holds" if holds else "FAILS"
        return f"{self.words}: {self.figure:.2f}, {verdict}"


@attrs.frozen
class Row:
    """One line of the table.

    Args:
        name: What was measured.
        unit: In what.
        samples: By column, a figure for each round.
        must: What has to hold, where something has.
        columns: Ours, and what it is compared with.
    """

    name: str
    unit: str
    samples: Samples
    must: Must | None = None
    columns: tuple[str, ...] = COLUMNS

    def __str__(self) -> str:
        cells = [f"{self.name}, {self.unit}"]
        for column in self.columns:
            values = self.samples.get(column)
            cells.append(f"{median(values):.2f} ({min(values):.2f})" if values else "–")
        cells += [self._ratio(column) for column in self.columns[1:]]
        return _line([*cells, str(self.must or "–")], self.columns)

    def _ratio(self, column: str) -> str:
        return f"{ratio(self.samples, self.columns[0], column):.2f}" if self.samples.get(column) else "–"


def header(columns: tuple[str, ...] = COLUMNS) -> str:
    """Give the first two lines of the table."""
    titles = ["median (minimum)", *columns, *(f"÷ {column}" for column in columns[1:]), "must"]
    return _line(titles, columns) + "\n" + _line(["-" * width for width in _widths(columns)], columns)


def _line(cells: list[str], columns: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, _widths(columns), strict=True)) + " |"


def _widths(columns: tuple[str, ...]) -> list[int]:
    return [54, *(max(len(column), 15) for column in columns), *(len(column) + 2 for column in columns[1:]), 62]


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
