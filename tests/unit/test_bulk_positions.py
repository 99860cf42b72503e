"""Rows of results are found again among those that were sent."""

import tracemalloc
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfconnector._bulk.parts import Part, parts
from sfconnector._bulk.positions import positions


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab\n"), st.sampled_from("ab")), min_size=1, max_size=20), st.randoms())
def test_rows_of_results_are_found_again(rows: list[tuple[str, str]], random: Any) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    wanted = [{"sf__Id": "", "B": rows[index][1], "A": rows[index][0]} for index in order]
    with next(parts(rows, columns=["A", "B"])) as part:
        found = positions(part, wanted)
    assert sorted(position for position in found if position is not None) == list(range(len(rows)))
    assert [rows[position] for position in found if position is not None] == [rows[index] for index in order]
    for text in set(rows):
        alike = [position for position, index in zip(found, order, strict=True) if rows[index] == text]
        assert alike == sorted(alike, key=lambda position: position or 0)


def one(rows: Iterable[Any], **options: Any) -> Part:
    (part,) = list(parts(rows, **options))
    return part


def test_rows_that_came_back_changed_are_found_by_their_key() -> None:
    rows = [{"Ext__c": "1", "T": "a\r\nb"}, {"Ext__c": "2", "T": None}, {"Ext__c": "3", "T": "x"}]
    rows += [{"Ext__c": "4", "T": "y"}, {"Ext__c": "4", "T": "z"}]
    with one(rows) as part:
        wanted = [
            {"Ext__c": "2", "T": ""},
            {"Ext__c": "1", "T": "a\nb"},
            {"Ext__c": "3", "T": "changed"},
            {"Ext__c": "4", "T": "changed"},
            {"Ext__c": "5", "T": "x"},
        ]
        assert positions(part, wanted, key="EXT__C") == [1, 0, 2, None, None]
        assert positions(part, wanted) == [1, 0, None, None, None]
        assert positions(part, [{"T": "y"}, {"T": "y"}]) == [3, None]
        assert positions(part, [{"Other": "y"}]) == [None]
        assert positions(part, []) == []


def test_names_of_columns_may_come_back_in_other_capitals() -> None:
    with closing(parts([{"Ext__c": "1", "Name": "x"}, {"Ext__c": "2", "Name": "x"}])) as found, next(found) as part:
        assert positions(part, [{"EXT__C": "2", "name": "x"}, {"EXT__C": "1", "name": "y"}], key="ext__c") == [1, 0]


@pytest.mark.parametrize("alike", [1, 2, 20_000])
def test_rows_are_looked_for_in_little_memory(alike: int) -> None:
    rows = [{"Name": f"Account {number // alike}"} for number in range(20_000)]
    with closing(parts(rows)) as found, next(found) as part:
        positions(part, rows[:1])
        tracemalloc.start()
        try:
            assert positions(part, rows) == list(range(20_000))
            assert tracemalloc.get_traced_memory()[1] < 400 * len(rows)
        finally:
            tracemalloc.stop()
