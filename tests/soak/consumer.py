"""Run as a program: listen to channels, and write down each event before it counts as processed.

The arguments are a folder, the number of this process, the milliseconds that an event takes at most, the size of the
queue and the channels; the environment tells how to log in. Each event goes to the standard output, too.
"""

import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from sfconnector import FileReplayStore, Salesforce


def main(folder: Path, number: int, work: int, queue_size: int, channels: list[str]) -> None:
    # One write a line: a killed process leaves whole lines behind, and what is written outlives it.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    journal = os.open(folder / f"{number:04d}.events", flags)
    errors = os.open(folder / f"{number:04d}.errors", flags)

    def handle(event: Any) -> None:
        time.sleep(random.uniform(0, work / 1000))  # noqa: S311  # without work no queue would ever fill
        line = f"{event.channel} {int(event.fields['Number__c'])}\n".encode()
        os.write(journal, line)
        os.write(sys.stdout.fileno(), line)

    def complain(error: Exception) -> None:
        os.write(errors, f"{type(error).__name__}: {error}".replace("\n", " ").encode() + b"\n")

    with Salesforce.from_env() as sf:
        store = FileReplayStore(folder / "positions.db")
        listener = sf.listener(
            name="soak", replay=store, replay_from="earliest", on_error=complain, queue_size=queue_size
        )
        for channel in channels:
            listener.attach(channel, handle)
        listener.run(signals=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
