"""Long texts of which an event tells the difference.

https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_data_diff.htm
"""

import hashlib
import re

from change_events import Changes
from hypothesis import given
from hypothesis import strategies as st

from sfconnector.testing._store import Store
from sfconnector.testing._streaming._text_differences import difference

PARAGRAPHS = [f"Paragraph {n}: " + "many words about it, " * 8 + "and so on." for n in range(8)]


def _applied(before: str, told: str) -> str:
    """Apply a difference as the guide says: lines of the old text, changed from the last hunk to the first."""
    lines = re.split(r"\r\n|\r|\n", before)
    hunks = re.split(r"^@@ -(\d+),(\d+) \+\d+,\d+ @@$\n?", "\n".join(told.split("\n")[2:]), flags=re.MULTILINE)[1:]
    for start, number, body in reversed(list(zip(hunks[::3], hunks[1::3], hunks[2::3], strict=True))):
        added = [line[1:] for line in body.removesuffix("\n").split("\n") if line.startswith("+")]
        first = int(start) - (int(number) > 0)
        lines[first : first + int(number)] = added
    return "\n".join(lines)


def test_difference_names_the_changed_lines() -> None:
    after = [*PARAGRAPHS]
    after[1] += "and more"
    told = difference("\r\n".join(PARAGRAPHS), "\n".join(after))

    assert told is not None
    digest = hashlib.sha256("\n".join(after).encode()).hexdigest()
    assert told == f"--- \n+++ {digest}\n@@ -2,1 +2,1 @@\n-{PARAGRAPHS[1]}\n+{after[1]}"


def test_inserted_and_removed_lines() -> None:
    before, after = "\n".join(PARAGRAPHS), "\n".join([*PARAGRAPHS[:3], "new", *PARAGRAPHS[3:7]])
    told = difference(before, after)

    assert told is not None
    assert "@@ -3,0 +4,1 @@\n+new\n" in told
    assert "@@ -8,1 +8,0 @@\n-Paragraph 7" in told


def test_whole_text_where_a_difference_is_of_no_use() -> None:
    text = "\n".join(PARAGRAPHS)
    assert difference("a\nb", "a\nc") is None, "it is short"
    assert difference(text[:600], text) is None, "much longer than before"
    assert difference(text, text[:600]) is None, "short now"
    assert difference(text, "\n".join(line.upper() for line in PARAGRAPHS)) is None, "every line has changed"
    assert difference("a" * 1_500, "b" * 1_500) is None, "the difference is longer than the text"


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60), min_size=20, max_size=60),
    st.lists(st.tuples(st.integers(0, 59), st.sampled_from(["", "x", "+y", "-z", "@@ -1,1 +1,1 @@"])), max_size=4),
)
def test_difference_gives_the_new_text_back(lines: list[str], edits: list[tuple[int, str]]) -> None:
    before = [f"{n} {line}".ljust(60, ".") for n, line in enumerate(lines)]
    after = list(before)
    for place, text in edits:
        after[place % len(after)] = text
    told = difference("\n".join(before), "\n".join(after))

    if told is not None:
        assert _applied("\n".join(before), told) == "\n".join(after)


def test_event_of_a_long_text() -> None:
    store = Store()
    store.change_data_capture.full_header = True
    context = store.context()
    account_id = store.create("Account", {"Name": "A", "Description": "\n".join(PARAGRAPHS)}, context)
    changes = Changes(store)
    store.update("Account", account_id, {"Description": "\n".join([*PARAGRAPHS, "one more"])}, context)
    store.update("Account", account_id, {"Description": "short"}, context)

    first, second = changes.new()
    told = first.fields["Description"]["diff"]
    assert told.startswith("--- \n+++ ")
    assert told.endswith("@@ -8,0 +9,1 @@\n+one more")
    assert first.header["diffFields"] == ["Description"]
    assert first.header["changedFields"] == ["Description", "LastModifiedDate"]
    assert (second.fields["Description"], second.header["diffFields"]) == ("short", [])
    store.close()
