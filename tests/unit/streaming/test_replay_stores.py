"""Where positions are kept: each by org, channel and consumer, and safe from crashes."""

import dbm.dumb
import shelve
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from sfconnector._streaming.stores import store_of
from sfconnector.streaming import FileReplayStore, MappingReplayStore, MemoryReplayStore, ReplayKey, ReplayStore

KEY = ReplayKey("00D000000000001", "/data/AccountChangeEvent", "billing")
OTHERS = [
    ReplayKey("00D000000000002", "/data/AccountChangeEvent", "billing"),
    ReplayKey("00D000000000001", "/data/ContactChangeEvent", "billing"),
    ReplayKey("00D000000000001", "/data/AccountChangeEvent", "shipping"),
]


@pytest.fixture(params=["memory", "file", "dict", "shelf"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReplayStore]:
    match request.param:
        case "memory":
            yield MemoryReplayStore()
        case "file":
            with FileReplayStore(tmp_path / "replay.db") as file:
                yield file
        case "dict":
            yield MappingReplayStore({})
        case _:
            with shelve.Shelf(dbm.dumb.open(str(tmp_path / "shelf"))) as shelf:
                yield MappingReplayStore(shelf)


def test_a_position_is_that_of_one_org_one_channel_and_one_consumer(store: ReplayStore) -> None:
    """D20."""
    assert store.load(KEY) is None
    store.save(KEY, "12")
    assert store.load(KEY) == "12"
    assert [store.load(key) for key in OTHERS] == [None, None, None]
    for number, key in enumerate(OTHERS):
        store.save(key, str(number))
    assert [store.load(key) for key in (KEY, *OTHERS)] == ["12", "0", "1", "2"]


def test_the_last_position_holds_whatever_it_looks_like(store: ReplayStore) -> None:
    for position in ("100", "50", "9663676416", "AAAF", "50"):
        store.save(KEY, position)
        assert store.load(KEY) == position


def test_threads_share_a_store(store: ReplayStore) -> None:
    def work(key: ReplayKey) -> None:
        for number in range(50):
            store.save(key, str(number))
            assert store.load(key) == str(number)

    threads = [threading.Thread(target=work, args=(key,)) for key in OTHERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.load(key) for key in OTHERS] == ["49"] * 3


def test_a_file_keeps_positions_over_the_end_and_is_opened_anew_after_it(tmp_path: Path) -> None:
    path = tmp_path / "replay.db"
    first = FileReplayStore(path)
    first.save(KEY, "12")
    first.close()
    first.close()
    with FileReplayStore(str(path)) as second:
        assert second.load(KEY) == "12"
        second.save(KEY, "13")
    assert first.load(KEY) == "13"
    first.close()
    assert repr(first) == f"<FileReplayStore {str(path)!r}>"


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "replay.db"
    program = (
        "import sys\nfrom sfconnector.streaming import FileReplayStore, ReplayKey\n"
        "store = FileReplayStore(sys.argv[1])\n"
        "for number in range(100):\n    store.save(ReplayKey('00D000000000009', '/u/x', 'a'), str(number))\n"
        "store.close()"
    )
    other = subprocess.Popen([sys.executable, "-c", program, str(path)])
    with FileReplayStore(path) as store:
        for number in range(100):
            store.save(KEY, str(number))
        assert other.wait(60) == 0
        assert store.load(KEY) == "99"
        assert store.load(ReplayKey("00D000000000009", "/u/x", "a")) == "99"


def test_a_saved_position_outlasts_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "replay.db"
    program = (
        "import os, signal, sys\nfrom sfconnector.streaming import FileReplayStore, ReplayKey\n"
        "store = FileReplayStore(sys.argv[1])\n"
        "store.save(ReplayKey('00D000000000001', '/data/AccountChangeEvent', 'billing'), '77')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    with FileReplayStore(path) as store:
        assert store.load(KEY) == "77"


def test_a_file_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no folder"):
        FileReplayStore(tmp_path / "missing" / "replay.db")
    text = tmp_path / "notes.txt"
    text.write_text("These are notes and no database. " * 100)
    with pytest.raises(ValueError, match="cannot be used as a file of positions"):
        FileReplayStore(text)
    with pytest.raises(ValueError, match="cannot be used as a file of positions"):
        FileReplayStore(tmp_path)


class Own:
    """A store of the user's."""

    def load(self, *_: Any) -> None: ...

    def save(self, *_: Any) -> None: ...


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda _: None, MemoryReplayStore),
        (lambda folder: folder / "replay.db", FileReplayStore),
        (lambda folder: str(folder / "replay.db"), FileReplayStore),
        (lambda _: {}, MappingReplayStore),
        (lambda _: Own(), Own),
    ],
)
def test_a_store_is_made_of_what_is_given(make: Callable[[Path], Any], kind: type, tmp_path: Path) -> None:
    store = store_of(make(tmp_path))
    assert type(store) is kind
    if isinstance(store, FileReplayStore):
        store.close()


@pytest.mark.parametrize("wrong", [7, Own, MappingProxyType({}), object(), [("a", "b")]])
def test_what_is_no_store_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match="replay is"):
        store_of(wrong)


def test_the_keys_of_a_mapping_can_be_told_apart() -> None:
    assert str(KEY) == "00D000000000001 /data/AccountChangeEvent billing"


def test_a_file_is_the_same_one_after_the_program_has_gone_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As services do, and a listener opens its file at each start."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with FileReplayStore("replay.db") as store:
        store.save(KEY, "7")
    monkeypatch.chdir(tmp_path / "elsewhere")
    with store:
        assert store.load(KEY) == "7"
