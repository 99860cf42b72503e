"""Pages asked for before their turn: never another record, order or number than one after the other."""

import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from http_server import Answer, Cut, Reply, Seen, Server
from hypothesis import given, settings
from hypothesis import strategies as st

from sfconnector import Retry, Salesforce, auth, errors
from sfconnector.testing import LocalOrg

QUERY = "SELECT Id FROM Account"
LOCATOR = "/services/data/v68.0/query/0r8xx0000000001AAA-"
Sizes = Callable[[int], int]


class Cursor(Server):
    """The pages of one query.

    Args:
        total: How many records there are.
        size: Gives the number of records of the page at an offset.
        intervene: Gives another answer to a request for the page at an offset.
        locator: What the offsets stand behind.
    """

    def __init__(
        self,
        total: int,
        size: Sizes = lambda _: 10,
        intervene: Callable[[int, int], Answer | None] = lambda *_: None,
        locator: str = LOCATOR,
    ) -> None:
        super().__init__(self._answer_page)
        self.asked: list[int] = []
        self._total, self._size, self._intervene, self._prefix = total, size, intervene, locator

    def _answer_page(self, seen: Seen) -> Answer:
        offset = 0 if "?q=" in seen.target else int(seen.target.removeprefix(self._prefix))
        self.asked.append(offset)
        return self._intervene(offset, self.asked.count(offset)) or self.page(offset)

    def page(self, offset: int, **changes: Any) -> Reply:
        """The page at an offset, with another total or another next locator if so told."""
        end = min(offset + self._size(offset), self._total)
        done = end >= self._total
        body = {"totalSize": self._total, "done": done} | ({} if done else {"nextRecordsUrl": f"{self._prefix}{end}"})
        return Reply.of(body | {"records": [{"Id": str(number)} for number in range(offset, end)]} | changes)

    def connect(self) -> Salesforce:
        return Salesforce(auth.AccessToken(self.url, "token"), retry=Retry(attempts=1))


def ids(sf: Salesforce, workers: int) -> list[int]:
    return [int(record["Id"]) for record in sf.query(QUERY, workers=workers)]


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("total", [0, 1, 9, 10, 11, 20, 95])
def test_all_records_come_once_and_in_order(total: int, workers: int) -> None:
    with Cursor(total) as server, server.connect() as sf:
        assert ids(sf, workers) == list(range(total))
    assert sorted(server.asked) == list(range(0, max(total, 1), 10))


def test_workers_work_at_the_same_time() -> None:
    together = threading.Barrier(4)

    def meet(offset: int, _: int) -> None:
        if offset:
            together.wait(10)

    with Cursor(90, intervene=meet) as server, server.connect() as sf:
        assert ids(sf, 4) == list(range(90))


def test_no_more_than_twice_as_many_pages_as_workers_are_ahead() -> None:
    with Cursor(1000) as server, server.connect() as sf:
        records = iter(sf.query(QUERY, workers=3))
        assert [int(record["Id"]) for record in islice(records, 205)] == list(range(205))
        assert max(server.asked) <= 200 + 10 * 2 * 3
        del records
        assert max(server.asked) <= 200 + 10 * 2 * 3
    assert "sfconnector-read-ahead" not in {thread.name for thread in threading.enumerate()}


def test_pages_that_become_smaller_are_followed() -> None:
    sizes = {0: 10, 10: 10, 20: 7, 27: 4}
    with Cursor(60, lambda offset: sizes.get(offset, 3)) as server, server.connect() as sf:
        assert ids(sf, 4) == list(range(60))


def test_pages_that_become_larger_are_followed() -> None:
    with Cursor(60, lambda offset: 10 if offset < 20 else 25) as server, server.connect() as sf:
        assert ids(sf, 4) == list(range(60))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(2, 6))
def test_whatever_the_sizes_it_is_as_one_after_the_other(total: int, sizes: list[int], workers: int) -> None:
    with Cursor(total, lambda offset: sizes[offset % len(sizes)]) as server, server.connect() as sf:
        assert ids(sf, workers) == ids(sf, 1) == list(range(total))


def test_deleted_records_that_leave_a_page_short_are_no_surprise_for_long() -> None:
    def gap(offset: int, _: int) -> Answer | None:
        # Two records were deleted since the query began; the locators go on as they would.
        return server.page(20, records=[{"Id": str(number)} for number in range(20, 28)]) if offset == 20 else None

    with Cursor(60, intervene=gap) as server, server.connect() as sf:
        assert ids(sf, 4) == [*range(28), *range(30, 60)]


def once(offset: int, answer: Callable[[], Answer]) -> Callable[[int, int], Answer | None]:
    """Answer otherwise the first time that the page is asked for."""
    return lambda asked, times: answer() if (asked, times) == (offset, 1) else None


@pytest.mark.parametrize(
    "changes",
    [
        {"totalSize": 61},
        {"nextRecordsUrl": f"{LOCATOR}50"},
        {"nextRecordsUrl": "/services/data/v68.0/query/0r8xx0000000002AAA-40"},
        {"done": True},
        {"records": []},
        {"records": [{"Id": str(number)} for number in range(30, 41)]},
    ],
)
def test_a_page_that_is_not_as_expected_is_asked_for_again_in_its_turn(changes: dict[str, Any]) -> None:
    with Cursor(60, intervene=once(30, lambda: server.page(30, **changes))) as server, server.connect() as sf:
        assert ids(sf, 4) == list(range(60))
    assert server.asked.count(30) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Reply.error(400, "INVALID_QUERY_LOCATOR"),
        Reply.error(404, "NOT_FOUND"),
        Reply.error(500, "UNKNOWN_EXCEPTION"),
        Reply.of({}),
        Reply.of([]),
        Reply(200, b"<html>", {"Content-Type": "text/html"}),
    ],
)
def test_a_guess_that_is_refused_is_asked_for_again_in_its_turn(answer: Answer) -> None:
    with Cursor(60, intervene=once(30, lambda: answer)) as server, server.connect() as sf:
        assert ids(sf, 4) == list(range(60))
    assert server.asked.count(30) == 2


def test_a_server_that_knows_the_next_page_only_is_asked_for_that() -> None:
    def strict(offset: int, _: int) -> Answer | None:
        with turn:
            if offset != position[0]:
                return Reply.error(400, "INVALID_QUERY_LOCATOR")
            position[0] += 10
        return None

    turn, position = threading.Lock(), [0]
    with Cursor(60, intervene=strict) as server, server.connect() as sf:
        assert ids(sf, 4) == list(range(60))


def test_a_page_that_is_not_there_is_an_error() -> None:
    refusal = Reply.error(400, "INVALID_QUERY_LOCATOR")
    with Cursor(60, intervene=lambda offset, _: refusal if offset == 30 else None) as server, server.connect() as sf:
        records = iter(sf.query(QUERY, workers=4))
        assert [int(record["Id"]) for record in islice(records, 30)] == list(range(30))
        with pytest.raises(errors.BadRequestError, match="INVALID_QUERY_LOCATOR"):
            next(records)


def test_a_lost_page_is_an_error() -> None:
    with Cursor(60, intervene=lambda offset, _: Cut() if offset == 30 else None) as server, server.connect() as sf:
        records = iter(sf.query(QUERY, workers=4))
        assert [int(record["Id"]) for record in islice(records, 30)] == list(range(30))
        with pytest.raises(errors.TransportError):
            next(records)


def test_a_guess_that_is_no_page_is_an_error() -> None:
    with (
        Cursor(60, intervene=lambda offset, _: Reply.of({}) if offset == 30 else None) as server,
        server.connect() as sf,
    ):
        records = iter(sf.query(QUERY, workers=4))
        assert len(list(islice(records, 30))) == 30
        with pytest.raises(errors.InvalidResponseError):
            next(records)


@pytest.mark.parametrize(
    "locator", ["/services/data/v68.0/query/page", "/services/data/v68.0/query/x-0", "/services/data/v68.0/query/1"]
)
def test_locators_of_another_form_are_followed(locator: str) -> None:
    with Cursor(60, locator=locator) as server, server.connect() as sf:
        assert ids(sf, 4) == list(range(60))
    assert server.asked == [0, 10, 20, 30, 40, 50]


def test_a_first_page_that_leads_elsewhere_is_an_error() -> None:
    elsewhere = "https://evil.example.com/services/data/v68.0/query/0r8-"
    with Cursor(60, locator=elsewhere) as server, server.connect() as sf:
        records = iter(sf.query(QUERY, workers=4))
        with pytest.raises(errors.InvalidResponseError, match="no page of this org"):
            next(records)
    assert server.asked == [0]


def test_a_local_org_gives_the_same_either_way(sf: Salesforce, local_org: LocalOrg) -> None:
    records = ({"Name": f"Account {number:04}"} for number in range(1450))
    assert sf.sobject("Account").create_many(records, workers=2).failures() == []
    text = "SELECT Name FROM Account ORDER BY Name"
    expected = [f"Account {number:04}" for number in range(1450)]
    before = len(local_org.requests)
    assert [account["Name"] for account in sf.query(text, batch_size=200, workers=4)] == expected
    assert len(local_org.requests) == before + 8
    assert [len(page) for page in sf.query(text, batch_size=200, workers=4).pages()] == [200] * 7 + [50]
    table = sf.query(text, batch_size=200, workers=4).to_arrow()
    assert table["Name"].to_pylist() == expected


def test_queries_with_children_are_not_parallel() -> None:
    inner = {"totalSize": 2, "done": False, "nextRecordsUrl": f"{LOCATOR}c-1", "records": [{"Id": "c0"}]}
    parent = {"Id": "0", "Contacts": inner}
    order: list[str] = []

    def answer(seen: Seen) -> Answer:
        order.append(seen.target.rpartition("-")[2])
        if seen.target.endswith("c-1"):
            return Reply.of({"totalSize": 2, "done": True, "records": [{"Id": "c1"}]})
        if seen.target.endswith("-1"):
            order[-1] = "next"
            return Reply.of({"totalSize": 2, "done": True, "records": [{"Id": "1", "Contacts": None}]})
        return Reply.of({"totalSize": 2, "done": False, "nextRecordsUrl": f"{LOCATOR}1", "records": [parent]})

    with Server(answer) as server, Salesforce(auth.AccessToken(server.url, "token")) as sf:
        records = list(sf.query("SELECT Id, (SELECT Id FROM Contacts) FROM Account", workers=4))
    assert [record["Id"] for record in records[0]["Contacts"]["records"]] == ["c0", "c1"]
    # Asking for the next page may end the cursors of this page's children.
    assert order[1:] == ["1", "next"]


def test_a_semi_join_is_parallel() -> None:
    together = threading.Barrier(3)

    def meet(offset: int, _: int) -> None:
        if offset:
            together.wait(10)

    text = "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)"
    with Cursor(40, intervene=meet) as server, server.connect() as sf:
        assert len(list(sf.query(text, workers=3))) == 40


@pytest.mark.parametrize("workers", [0, -1, 1.5, None, "2"])
def test_workers_are_a_number(sf: Salesforce, workers: Any) -> None:
    with pytest.raises(ValueError, match="workers is a whole number above 0"):
        sf.query(QUERY, workers=workers)


def test_each_iteration_runs_the_query_anew() -> None:
    with Cursor(35) as server, server.connect() as sf:
        query = sf.query(QUERY, workers=2)
        assert query.total_size == 35
        pages: list[Iterator[list[dict[str, Any]]]] = [query.pages(), query.pages()]
        assert [len(page) for page in pages[0]] == [len(page) for page in pages[1]] == [10, 10, 10, 5]
    assert server.asked.count(0) == 2
