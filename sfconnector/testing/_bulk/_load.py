"""Rows on their way into the store: what a header means, and what becomes of each row."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._bulk._cells import reader
from sfconnector.testing._context import RequestContext
from sfconnector.testing._errors import OrgError
from sfconnector.testing._faults import Faults
from sfconnector.testing._schema import Field, SObjectType
from sfconnector.testing._store import Store
from sfconnector.testing._writer import Upserted, check_allowed

# "Owner.Ext__c", and "User:Owner.Ext__c" where the parent may be of several objects.
# https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_csv_rel_field_header_row.htm
_RELATION: Final = re.compile(r"(?:(\w+):)?(\w+)\.(\w+)", re.ASCII)

Cell = Any
Row = Sequence[Cell]
Columns = dict[str, Any]


@attrs.frozen
class Outcome:
    """What became of a row: the id and whether it is new, or why not."""

    id: str = ""
    created: bool = False
    error: OrgError | None = None

    @property
    def error_text(self) -> str:
        """The error as the CSV of both APIs has it: ``CODE:message:Fields --``."""
        return (
            ""
            if self.error is None
            else "; ".join(
                f"{item.code}:{item.message}:{','.join(item.fields) + ' ' if item.fields else ''}--"
                for item in self.error.items
            )
        )


@attrs.frozen(kw_only=True)
class Source:
    """Where rows come from, for faults that are armed for certain requests; ``path`` is that of the upload."""

    method: str
    path: str


class Load:
    """Saves rows that have the same columns.

    A cell is text, or a JSON value; ``None`` makes a field empty, ``""`` leaves it alone.

    Args:
        store: where they go.
        faults: may have locked their records.
        operation: ``insert``, ``update``, ``upsert``, ``delete`` or ``hardDelete``.
        sobject: name of the object.
        columns: names of fields, and paths to parents such as ``Owner.Ext__c``.
        external_id: field by which an upsert finds records.
        context: who writes.
        source: where the rows come from.
        binary: whether they come with files.
        csv: whether they come as CSV, whose header names the type of a parent only where there may be several.

    Raises:
        OrgError: ``InvalidBatch``: a column cannot be, or one is missing.
    """

    def __init__(
        self,
        store: Store,
        faults: Faults,
        operation: str,
        sobject: str,
        columns: Sequence[str],
        *,
        external_id: str | None,
        context: RequestContext,
        source: Source,
        binary: bool = False,
        csv: bool = True,
    ) -> None:
        self._store, self._faults, self._context, self._source = store, faults, context, source
        self._sobject = store.sobject(sobject)
        self._operation = operation
        self._readers = [_reader(store, self._sobject, name, place, csv=csv) for place, name in enumerate(columns)]
        self._key = None if external_id is None else store.validator.external_id(self._sobject, external_id)
        self._save: Callable[[Columns], Upserted] = {
            "insert": self._insert,
            "update": self._update,
            "upsert": self._upsert,
            "delete": self._delete,
            "hardDelete": self._hard_delete,
        }[operation]
        self._check_columns([name.lower() for name in columns])
        if not binary:
            self._check_no_binary(columns)

    def save(self, rows: Iterable[Row]) -> list[Outcome]:
        """Save rows in one transaction, each for itself, as Salesforce saves up to 200 at a time."""
        self._context = attrs.evolve(self._context, saved=set())
        with self._store.transaction(), self._store.counting():
            read = [self._read(row) for row in rows]
            repeated = self._repeated(columns for columns, _ in read)
            return [self._saved(columns, error, repeated) for columns, error in read]

    def _read(self, row: Row) -> tuple[Columns, OrgError | None]:
        """The columns of a row, up to the cell that cannot be read."""
        columns: Columns = {}
        try:
            for read, cell in zip(self._readers, row, strict=False):
                if cell != "":
                    read(cell, columns)
        except OrgError as error:
            return columns, error
        return columns, None

    def _repeated(self, rows: Iterable[Columns]) -> set[Any]:
        """The keys that more than one row has."""
        if self._operation not in ("update", "upsert"):
            return set()
        counted = Counter(map(self._folded_key, rows))
        return {key for key, number in counted.items() if number > 1 and key is not None}

    def _folded_key(self, columns: Columns) -> Any:
        key = self._key
        if key is None or key.name == "Id":
            return _ids.normalize(str(columns.get("Id")))
        value = columns.get(key.name)
        return value.lower() if isinstance(value, str) and not key.case_sensitive else value

    def _saved(self, columns: Columns, error: OrgError | None, repeated: set[Any]) -> Outcome:
        given_id = columns.get("Id") or ""
        try:
            if error is not None:
                raise error
            if repeated and self._folded_key(columns) in repeated:
                raise self._repetition(columns)
            with self._store.transaction():
                saved = self._save(columns)
        except OrgError as refused:
            # Salesforce names the record that could not be changed.
            return Outcome(id=given_id if self._operation != "insert" else "", error=refused)
        return Outcome(saved.id, saved.created)

    def _repetition(self, columns: Columns) -> OrgError:
        """Of rows that are saved together and name the same record none is saved.

        https://salesforce.stackexchange.com/questions/296121/does-upsert-process-provided-list-by-200-records
        https://help.salesforce.com/s/articleView?id=000384876&type=1
        """
        if self._key is None or self._key.name == "Id":
            return OrgError(400, "DUPLICATE_VALUE", f"Duplicate id specified: {columns['Id']}", ["Id"])
        name = self._key.name
        return OrgError(400, "DUPLICATE_VALUE", f"Duplicate external id specified: {columns[name]}", [name])

    def _check_columns(self, names: Sequence[str]) -> None:
        wanted = self._key.name if self._key is not None else "Id"
        if self._operation != "insert" and wanted.lower() not in names:
            raise _no_field(wanted)
        if self._operation in ("delete", "hardDelete") and len(names) > 1:
            raise OrgError(400, "InvalidBatch", f"The '{self._operation}' batch must contain only ids")

    def _check_no_binary(self, columns: Sequence[str]) -> None:
        """https://github.com/jsforce/jsforce/issues/228"""
        for field in map(self._sobject.field, columns):
            if field is not None and field.type == "base64":
                message = f"Binary field {field.name} is only supported for content types ZIP_XML and ZIP_CSV"
                raise OrgError(400, "InvalidBatch", message)

    def _check_lock(self, record_id: str | None) -> None:
        self._faults.check_row(self._source.method, self._source.path, record_id)

    # -- operations ---------------------------------------------------------------------------------------------

    def _insert(self, columns: Columns) -> Upserted:
        if "Id" in columns:
            raise OrgError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        self._check_lock(None)
        check_allowed(self._sobject, self._sobject.createable, "inserted")
        return Upserted(self._store.writer.create(self._sobject, columns, self._context), created=True)

    def _update(self, columns: Columns) -> Upserted:
        record_id = self._given_id(columns, "an update")
        check_allowed(self._sobject, self._sobject.updateable, "updated")
        row = self._store.writer.existing(self._sobject, record_id)
        rest = {name: value for name, value in columns.items() if name != "Id"}
        self._store.writer.update(self._sobject, row, rest, self._context)
        return Upserted(row["Id"], created=False)

    def _upsert(self, columns: Columns) -> Upserted:
        key = self._key
        assert key is not None  # noqa: S101  # no job without
        rest = {name: value for name, value in columns.items() if name != key.name}
        value = columns.get(key.name)
        if self._faults.armed:
            found = self._store.validator.matching(self._sobject, key, value) if value is not None else []
            self._check_lock(found[0] if found else None)
        if key.name == "Id" and value is None:
            check_allowed(self._sobject, self._sobject.createable, "inserted")
            return Upserted(self._store.writer.create(self._sobject, rest, self._context), created=True)
        return self._store.writer.upsert(self._sobject, key, value, rest, self._context)

    def _delete(self, columns: Columns) -> Upserted:
        record_id = self._given_id(columns, "a delete")
        self._store.delete(self._sobject.name, record_id, self._context, in_url=False)
        return Upserted(_ids.normalize(record_id) or record_id, created=False)

    def _hard_delete(self, columns: Columns) -> Upserted:
        deleted = self._delete(columns)
        self._store.purge(deleted.id, self._context)
        return deleted

    def _given_id(self, columns: Columns, call: str) -> str:
        record_id = columns.get("Id")
        if not record_id:
            raise OrgError(400, "MISSING_ARGUMENT", f"Id not specified in {call} call")
        self._check_lock(record_id)
        return str(record_id)


def _reader(store: Store, sobject: SObjectType, name: str, place: int, *, csv: bool) -> Callable[[Cell, Columns], None]:
    """Make the function that takes a cell of a column into the columns of the record."""
    field = sobject.field(name)
    if field is not None:
        read, exact = reader(field, place), field.name

        def take(cell: Cell, columns: Columns) -> None:
            columns[exact] = read(cell)

        return take
    return _parent_reader(store, sobject, name, csv=csv)


def _parent_reader(store: Store, sobject: SObjectType, name: str, *, csv: bool) -> Callable[[Cell, Columns], None]:
    match = _RELATION.fullmatch(name)
    lookup = sobject.relationship(match[2]) if match else None
    if match is None or lookup is None or not _identifies(store, lookup, match[1], match[3]):
        raise _no_field(name)
    if csv and match[1] and len(lookup.reference_to) == 1:
        # "You get an error" where a field is not polymorphic; which one is not documented.
        raise _no_field(name)
    relation, attribute = match[2], match[3]
    kind = {"attributes": {"type": match[1]}} if match[1] else {}

    def take(cell: Cell, columns: Columns) -> None:
        parent = None if cell is None else {attribute: cell, **kind}
        columns |= store.validator.read(sobject, {relation: parent})

    return take


def _identifies(store: Store, lookup: Field, wanted: str | None, attribute: str) -> bool:
    """Whether parents can be told by this attribute."""
    parents = [parent for parent in map(store.schema.get, lookup.reference_to) if parent is not None]
    fields = [parent.field(attribute) for parent in parents if wanted is None or parent.name.lower() == wanted.lower()]
    return any(field is not None and (field.external_id or field.id_lookup) for field in fields)


def _no_field(name: str) -> OrgError:
    """In the words of a recorded job that failed."""
    return OrgError(400, "InvalidBatch", f"Field name not found : {name}")
