"""Long texts of which a change event tells what has changed in place of the whole.

https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_data_diff.htm
"""

import hashlib
import re
from difflib import SequenceMatcher
from typing import Final

_SHORTEST: Final = 1_000
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")


def difference(before: str, after: str) -> str | None:
    """Write the difference of two texts in the unified format, with the SHA-256 of the new one.

    Returns:
        Nothing where the whole new text is sent: it is short, too much has changed, or nothing is gained.
    """
    if len(after) < _SHORTEST or abs(len(after) - len(before)) * 2 > max(len(before), len(after)):
        return None
    old, new = _LINE_BREAK.split(before), _LINE_BREAK.split(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    changes = [operation[1:] for operation in matcher.get_opcodes() if operation[0] != "equal"]
    changed = sum(max(i2 - i1, j2 - j1) for i1, i2, j1, j2 in changes)
    if changed * 4 > len(old) + len(new):
        return None
    lines = ["--- ", f"+++ {hashlib.sha256(after.encode()).hexdigest()}"]
    for i1, i2, j1, j2 in changes:
        lines.append(f"@@ -{_range(i1, i2)} +{_range(j1, j2)} @@")
        lines += [f"-{line}" for line in old[i1:i2]]
        lines += [f"+{line}" for line in new[j1:j2]]
    told = "\n".join(lines)
    return told if len(told) <= len(after) else None


def _range(start: int, end: int) -> str:
    """Where lines are, counted from 1; an empty range is named by the line before it."""
    return f"{start + (end > start)},{end - start}"
