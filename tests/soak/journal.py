"""What the processes have written down."""

from collections import defaultdict
from pathlib import Path


def handled(path: Path) -> dict[str, list[int]]:
    """Read which events a process handled, by channel; a last line that was not finished was not written."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for line in path.read_text().split("\n")[:-1]:
        channel, number = line.split()
        found[channel].append(int(number))
    return dict(found)


def told_errors(folder: Path) -> list[str]:
    """Give what ``on_error`` was told, in all processes: the class of each error and its text."""
    return [line for path in sorted(folder.glob("*.errors")) for line in path.read_text().splitlines()]
