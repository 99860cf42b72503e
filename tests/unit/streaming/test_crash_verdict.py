"""What the crash test lets pass and what it does not."""

from hypothesis import given
from hypothesis import strategies as st
from soak.verdict import judge

CHANNEL = "/data/AccountChangeEvent"
PUBLISHED = {CHANNEL: [3, 1, 4, 15, 9, 2]}


def problems(*runs: list[int], bound: int = 2) -> list[str]:
    return judge(PUBLISHED, [{CHANNEL: numbers} for numbers in runs], bound).problems


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), max_size=8))
def test_processes_that_resume_a_little_before_the_end_of_another_pass(lives: list[tuple[int, int]]) -> None:
    numbers, position = PUBLISHED[CHANNEL], 0
    runs = []
    for length, back in [*lives, (len(numbers), 0)]:
        start = max(position - back, 0)
        runs.append({CHANNEL: numbers[start : start + length]})
        position = max(position, start + len(runs[-1][CHANNEL]))
    verdict = judge(PUBLISHED, runs, 2)
    assert verdict.problems == []
    assert verdict.handled == len(numbers) + verdict.repeated
    assert verdict.largest <= 2


def test_a_missing_event_is_named() -> None:
    assert problems([3, 1], [4, 9, 2]) == [f"{CHANNEL}: 1 of 6 events are missing: 15"]


def test_a_channel_that_nobody_heard_is_missing() -> None:
    assert problems()[0].startswith(f"{CHANNEL}: 6 of 6 events are missing: 3, 1, 4, 15, 9 …")


def test_an_event_that_was_never_published_is_named() -> None:
    assert any("1 events came that were never published: 77" in each for each in problems([3, 1, 4, 15, 9, 2, 77]))


def test_a_process_that_leaves_the_order_is_named() -> None:
    assert any("process 2 left the order 1 times: 4" in each for each in problems([3, 1], [15, 4, 9, 2]))


def test_a_process_that_repeats_itself_is_named() -> None:
    assert problems([3, 1, 1, 4, 15, 9, 2]) == [f"{CHANNEL}: process 1 left the order 1 times: 1"]


def test_an_event_that_comes_after_later_ones_is_named() -> None:
    assert problems([3, 1, 15, 9], [4, 15, 9, 2]) == [
        f"{CHANNEL}: 1 events came for the first time after later ones: 4"
    ]


def test_too_many_repeats_are_told() -> None:
    assert problems([3, 1, 4], [3, 1, 4, 15, 9, 2]) == [f"{CHANNEL}: process 2 repeated 3 events, and 2 are allowed"]
