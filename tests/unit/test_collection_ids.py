"""Results of many records that name other records than were sent are believed for none of them."""

from typing import Any

import pytest
from collection_server import Collections, saved
from http_server import Answer, Reply

from sfconnector import errors


@pytest.mark.parametrize("name", ["update_many", "delete_many"])
def test_results_of_other_records_are_taken_for_none(name: str) -> None:
    ids = [f"001{number:012}AAA" for number in range(3)]
    # Nothing in a value passes for the record's own id, which may be written in two ways.
    records: list[Any] = [{"Id": each[:15], "Name": f'"Id":"{ids[0]}"'} for each in ids]
    given = ids if name == "delete_many" else records

    def swapped(number: int, _: list[Any]) -> Answer | None:
        return Reply.of([saved(each) for each in (ids[0], ids[2], ids[1])]) if number == 0 else None

    with Collections(intervene=swapped) as server, server.connect() as sf:
        results = getattr(sf.sobject("Account"), name)(given)
        with pytest.raises(errors.InvalidResponseError, match="of other records"):
            list(results)
        assert results.unfinished is not None
        assert results.unfinished.in_doubt == (0, 1, 2)
        again = list(getattr(sf.sobject("Account"), name)(given))
    assert [str(each.id)[:15] for each in again] == [each[:15] for each in ids]
