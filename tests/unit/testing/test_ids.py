import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfconnector.testing import _ids

ID15 = st.text(string.ascii_letters + string.digits, min_size=15, max_size=15)


@pytest.mark.parametrize(
    ("id15", "id18"),
    [
        # From answers that a real org gave.
        ("001Da00000xnAkB", "001Da00000xnAkBIAU"),
        ("0039H00000BbbFB", "0039H00000BbbFBQAZ"),
        ("00Q9H00000C6pyc", "00Q9H00000C6pycUAB"),
        ("005ak000005hvjJ", "005ak000005hvjJAAQ"),
        ("012000000000000", "012000000000000AAA"),
    ],
)
def test_known_ids_get_their_checksum(id15: str, id18: str) -> None:
    assert _ids.normalize(id15) == id18
    assert _ids.normalize(id18) == id18


@given(ID15)
def test_18_characters_survive_the_loss_of_case(id15: str) -> None:
    id18 = _ids.normalize(id15)
    assert id18 is not None
    assert id18[:15] == id15
    assert _ids.normalize(id18.lower()) == id18
    assert _ids.normalize(id18.upper()) == id18


@given(ID15)
def test_ids_which_differ_in_case_alone_differ_in_18_characters_whatever_the_case(id15: str) -> None:
    other = id15.swapcase()
    if other != id15:
        assert _ids.normalize(id15).lower() != _ids.normalize(other).lower()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "001Da00000xnAk",
        "001Da00000xnAkBI",
        "001Da00000xnAkBIA",
        "001Da00000xnAkBIAUx",
        "001Da00000xnAk!",
        "001Da00000xnAkéIAU",
        "001Da00000xnAkBAAA",
        "001RM000003oLrB000",
        "001da00000xnakb999",
        "１23456789012345",
    ],
)
def test_what_is_no_id(text: str) -> None:
    assert _ids.normalize(text) is None


@given(st.integers(min_value=0, max_value=62**9 - 1), st.integers(min_value=0, max_value=62**9 - 1))
def test_numbers_and_ids_go_one_to_one(one: int, other: int) -> None:
    made = _ids.make("001", one)
    assert len(made) == 18
    assert made.startswith("001")
    assert _ids.normalize(made[:15]) == made
    assert (made == _ids.make("001", other)) == (one == other)
    assert (made[:15] < _ids.make("001", other)[:15]) == (one < other)
