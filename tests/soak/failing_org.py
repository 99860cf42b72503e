"""A local org that publishes numbered events and fails in every way that streaming knows."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sfconnector.testing import Fault, LocalOrg

CUSTOM = "/data/Soak__chn"
ORDERS = "/event/Order__e"
CHANNELS = ("/data/AccountChangeEvent", "/data/ContactChangeEvent", CUSTOM, ORDERS)
_ENTITIES = {
    "AccountChangeEvent": ("/data/AccountChangeEvent", CUSTOM),
    "ContactChangeEvent": ("/data/ContactChangeEvent", CUSTOM),
    "Order__e": (ORDERS,),
}
_OBJECTS = """
Order__e:
  fields:
    Number__c: int
"""
_ANSWER = 100
"""Events that one answer holds at most."""
_POLLS = "/cometd/*"


class FailingOrg:
    """A local org in a file, at the same address and with the same credentials after each restart.

    Args:
        folder: Where its file is.
        source: Chooses what fails, and how.
    """

    def __init__(self, folder: Path, source: random.Random) -> None:
        self.published: dict[str, list[int]] = {channel: [] for channel in CHANNELS}
        self._wanted: Counter[str] = Counter()
        self._happened: Counter[str] = Counter()
        self._armed: list[tuple[str, Fault]] = []
        # Two threads draw, each from its own: what one gets must not depend on how fast the other is.
        self._folder, self._source, self._entities = folder, source, random.Random(source.random())  # noqa: S311
        self._lock = threading.Lock()
        self._deck: list[str] = []
        (folder / "objects.yaml").write_text(_OBJECTS)
        self._org = self._start(port=0)
        self._kinds = self._all_kinds()

    def _start(self, **options: Any) -> LocalOrg:
        org = LocalOrg(self._folder / "org.db", objects=self._folder / "objects.yaml", **options).start()
        org.streaming.events_per_answer = _ANSWER
        org.streaming.add_channel(CUSTOM.rpartition("/")[2], ["AccountChangeEvent", "ContactChangeEvent"])
        return org

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._org.stop()

    def environ(self) -> dict[str, str]:
        return self._org.environ()

    def publish(self, number: int) -> None:
        """Publish an event of any kind."""
        entity = self._entities.choices(list(_ENTITIES), (4, 3, 3))[0]
        with self._lock:
            self._org.streaming.publish(entity, _data(entity, number))
            for channel in _ENTITIES[entity]:
                self.published[channel].append(number)

    def publish_many(self, count: int) -> None:
        """Publish so many events, numbered on."""
        first = len({number for numbers in self.published.values() for number in numbers})
        for number in range(first, first + count):
            self.publish(number)

    def trim(self, keep: int) -> int:
        """Let all but the latest events leave retention, and give the number of the oldest that is left."""
        self._org.streaming.trim(keep=keep)
        return max(number for numbers in self.published.values() for number in numbers) + 1 - keep

    def fail(self) -> None:
        """Let something go wrong; each kind comes up as often as the others."""
        if not self._deck:
            self._deck = self._source.sample(sorted(self._kinds), len(self._kinds))
        self._org.streaming.slow(0)
        name = self._deck.pop()
        fault = self._kinds[name]()
        self._wanted[name] += 1
        if isinstance(fault, Fault):
            self._armed.append((name, fault))
        else:
            self._happened[name] += 1

    def calm(self) -> None:
        """Let nothing go wrong any more."""
        self._org.faults.clear()
        self._org.streaming.clear()

    def faults(self) -> dict[str, tuple[int, int]]:
        """Tell by kind how often something was to go wrong, and how often it did."""
        met: Counter[str] = Counter()
        for name, fault in self._armed:
            met[name] += fault.hits
        return {name: (self._wanted[name], met[name] + self._happened[name]) for name in sorted(self._kinds)}

    def unmet(self) -> list[str]:
        """Name the kinds that never happened, often as they were tried."""
        return [f"{name}: never happened" for name, (wanted, met) in self.faults().items() if wanted >= 5 and not met]

    def _all_kinds(self) -> dict[str, Callable[[], object]]:
        source = self._source
        return {
            "answer lost": lambda: self._org.streaming.lose(),
            "answer halved": lambda: self._org.streaming.halve(),
            "client forgotten": lambda: self._org.streaming.kill(),
            "client sent away": lambda: self._org.streaming.kick(),
            "token revoked": lambda: self._org.streaming.revoke(),
            "too busy": lambda: self._org.streaming.busy(),
            "limit exceeded": lambda: self._org.streaming.limit(),
            "slow": lambda: self._org.streaming.slow(source.uniform(0.05, 0.5)),
            "503": lambda: self._org.faults.unavailable(path=_POLLS, retry_after=source.choice((None, 1))),
            "HTML with 200": lambda: self._org.faults.html_error(200, path=_POLLS),
            "cut before the answer": lambda: self._org.faults.cut(path=_POLLS, applied=source.random() < 0.5),
            "cut in the answer": lambda: self._org.faults.cut(source.randrange(200), path=_POLLS),
            "server restarted": self._restart,
        }

    def _restart(self) -> None:
        with self._lock:
            org = self._org
            port = int(org.url.rpartition(":")[2])
            known = {"client_id": org.client_id, "client_secret": org.client_secret}
            org.stop()
            self._org = self._start(port=port, **known)


def _data(entity: str, number: int) -> dict[str, Any]:
    if entity == "Order__e":
        payload = {"CreatedDate": "2026-11-02T09:00:00.000Z", "CreatedById": "005000000000001AAA", "Number__c": number}
        uuid = f"00000000-0000-0000-0000-{number:012d}"
        return {"schema": "soak", "payload": payload, "event": {"EventUuid": uuid}}
    header = {
        "entityName": entity.removesuffix("ChangeEvent"),
        "recordIds": ["001000000000001AAA"],
        "changeType": "UPDATE",
        "changeOrigin": "com/salesforce/api/rest/68.0;client=soak",
        "transactionKey": f"00000000-0000-0000-0000-{number:012d}",
        "sequenceNumber": 1,
        "commitTimestamp": 1_793_610_000_000 + number,
        "commitNumber": number,
        "commitUser": "005000000000001AAA",
        "changedFields": ["Number__c"],
        "nulledFields": [],
        "diffFields": [],
    }
    return {"schema": "soak", "payload": {"ChangeEventHeader": header, "Number__c": number}}
