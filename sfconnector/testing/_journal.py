"""What the transaction under way has changed so far, from which change events are made when it ends."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from sfconnector.testing._context import RequestContext

_NOTHING: Mapping[str, Any] = {}


class Kind(Enum):
    """What was done to a record; ``TOUCH`` is what the org itself has written into it, such as a sum."""

    CREATE = 1
    UPDATE = 2
    DELETE = 3
    UNDELETE = 4
    TOUCH = 5


class Entry(NamedTuple):
    """One change: the row as it was, and the columns that were set; nothing where they must be read again."""

    kind: Kind
    sobject: str
    record_id: str
    before: Mapping[str, Any] | None
    columns: Mapping[str, Any] | None


class Names(dict[str, bool]):
    """Tells of which objects something holds, by their names: asked for every record, so each answer is kept."""

    def __init__(self, tells: Callable[[str], bool]) -> None:
        super().__init__()
        self._tells = tells

    def __missing__(self, name: str) -> bool:
        told = self[name] = self._tells(name)
        return told


class Journal:
    """Notes the changes of one transaction; those that one inside it has taken back are forgotten.

    Rows are noted of objects that are ``told`` of. Of those that are merely ``counted`` it is noted that they have
    changed; of any other nothing is, and nothing costs anything.

    ``at_commit`` is called with the entries while the outermost transaction is about to be kept; what it writes is kept
    or lost together with them.
    """

    def __init__(self) -> None:
        self.told = Names(lambda _: False)
        self.counted = Names(lambda _: False)
        self.at_commit: Callable[[Sequence[Entry], RequestContext | None], None] = lambda _entries, _context: None
        self._entries: list[Entry] = []
        # How many entries there were when each of the transactions inside one another began.
        self._marks: list[int] = []
        self._context: RequestContext | None = None

    def note(
        self,
        kind: Kind,
        sobject: str,
        record_id: str,
        before: Mapping[str, Any] | None = None,
        columns: Mapping[str, Any] | None = None,
        context: RequestContext | None = None,
    ) -> None:
        if self.told[sobject]:
            self._entries.append(Entry(kind, sobject, record_id, before, columns))
            if self._context is None:
                # A transaction is that of one request, whatever the org does by itself in it.
                self._context = context
        elif self.counted[sobject]:
            self._entries.append(Entry(kind, sobject, record_id, None, _NOTHING))

    def enter(self) -> None:
        """Enter a transaction, which may be inside another."""
        self._marks.append(len(self._entries))

    def tell(self) -> None:
        """Tell what has changed in the outermost transaction, which is about to be kept."""
        if self._entries:
            self.at_commit(self._entries, self._context)

    def leave(self, *, keep: bool) -> None:
        """Leave the innermost transaction; with the outermost one all that was noted is forgotten."""
        mark = self._marks.pop()
        if not keep:
            del self._entries[mark:]
        if not self._marks and self._entries:
            self._entries, self._context = [], None
