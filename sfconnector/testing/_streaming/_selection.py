"""Which objects' changes become events: what Setup's page "Change Data Capture" is in a real org."""

from collections.abc import Iterable
from typing import Any

from sfconnector.testing._database import Database
from sfconnector.testing._schema import Schema, SObjectType
from sfconnector.testing._streaming._capture import OVERFLOW_AFTER, Capture
from sfconnector.testing._streaming._event_fields import CAPTURED, has_change_events

_CHANGE_TYPES = ("CREATE", "UPDATE", "DELETE", "UNDELETE")


class ChangeDataCapture:
    """Selects the objects whose changes become events, and tells of changes that left no event.

    Every object that supports it is selected at first.

    Example:
        >>> from sfconnector.testing import LocalOrg
        >>> with LocalOrg(change_data_capture=["Account"]) as org:
        ...     org.change_data_capture.select([*org.change_data_capture.objects, "Contact"])
        ...     org.change_data_capture.objects
        ('Account', 'Contact')
    """

    def __init__(self, capture: Capture, schema: Schema, database: Database, user_id: str) -> None:
        self._capture, self._schema, self._database, self._user_id = capture, schema, database, user_id

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of the objects of the org that are selected, the members of custom channels among them."""
        return tuple(sobject.name for sobject in self._schema if self._database.journal.told[sobject.name])

    def select(self, names: Iterable[str] | None) -> None:
        """Let these objects be the selected ones.

        Args:
            names: API names of objects, such as ``Account``; custom ones need not be there yet. None for every object
                that supports it, those included that are added later.

        Raises:
            TypeError: it is one text and not several.
            ValueError: an object has no change events.
        """
        selected = read_selection(names)
        # Not in the middle of a transaction of another thread.
        with self._database.transaction():
            self._capture.select(selected)

    @property
    def overflow_after(self) -> int:
        """How many changes of one transaction make change events, before overflow events tell of the others."""
        return self._capture.overflow_after

    @overflow_after.setter
    def overflow_after(self, changes: int) -> None:
        if not 1 <= changes <= OVERFLOW_AFTER:
            raise ValueError(f"A transaction overflows after 1 to {OVERFLOW_AFTER} changes, not after {changes!r}.")
        self._capture.overflow_after = changes

    @property
    def full_header(self) -> bool:
        """Whether headers have ``nulledFields`` and ``diffFields``, which Salesforce does not send over CometD."""
        return self._capture.full_header

    @full_header.setter
    def full_header(self, full: bool) -> None:
        self._capture.full_header = bool(full)

    def gap(self, sobject: str, record_ids: Iterable[str], change_type: str = "UPDATE") -> int:
        """Send a gap event, as after a change that was applied in the database directly, and return its replay id.

        Args:
            sobject: API name of the object.
            record_ids: 18-character ids of the records.
            change_type: ``CREATE``, ``UPDATE``, ``DELETE`` or ``UNDELETE``.

        Raises:
            ValueError: the object has no change events, no record is given, or the type is not one of the four.
        """
        if change_type not in _CHANGE_TYPES:
            raise ValueError(f"A gap event is of one of {', '.join(_CHANGE_TYPES)}, not of {change_type!r}.")
        ids = [] if isinstance(record_ids, str) else list(record_ids)
        if not ids:
            raise ValueError("A gap event names the records that have changed: give a list of their ids.")
        found = self._found(sobject)
        with self._database.transaction():
            return self._capture.gap(found, ids, f"GAP_{change_type}", self._user_id)

    def overflow(self, sobject: str) -> int:
        """Send an overflow event, as after a transaction with too many changes, and return its replay id.

        Raises:
            ValueError: the object has no change events.
        """
        found = self._found(sobject)
        with self._database.transaction():
            return self._capture.overflow(found, self._user_id)

    def _found(self, name: str) -> SObjectType:
        sobject = self._schema.get(name)
        if sobject is None or not has_change_events(sobject.name):
            raise ValueError(_unsupported(name))
        return sobject


def read_selection(names: Iterable[str] | None) -> frozenset[str] | None:
    """Read a selection of objects: their names in lower case, nothing for all.

    Raises:
        TypeError: it is one text and not several.
        ValueError: an object has no change events.
    """
    if names is None:
        return None
    if isinstance(names, str):
        raise TypeError(f"change_data_capture takes the names of objects, such as [{names!r}], or None for all.")
    standard = {name.lower() for name in CAPTURED}
    # What comes from outside may be anything.
    chosen: list[Any] = list(names)
    for name in chosen:
        if not isinstance(name, str) or not (name.lower() in standard or name.lower().endswith("__c")):
            raise ValueError(_unsupported(name))
    return frozenset(name.lower() for name in chosen)


def _unsupported(name: object) -> str:
    known = ", ".join(sorted(CAPTURED))
    return f"{name!r} has no change events here: custom objects have them, and {known}."
