"""The records of the local org: storage in SQLite and Salesforce's rules for writing and reading them."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sfconnector.testing import _describe, _ids, _seed
from sfconnector.testing._blobs import Blobs
from sfconnector.testing._context import RequestContext
from sfconnector.testing._conversion import Conversion, Converted, LeadConvert
from sfconnector.testing._database import Database, is_stored, quote
from sfconnector.testing._database import connect as connect
from sfconnector.testing._duplicates import Duplicates
from sfconnector.testing._errors import AmbiguousExternalIdError, OrgError
from sfconnector.testing._journal import Kind
from sfconnector.testing._merging import Merged, Merger
from sfconnector.testing._objects import Objects
from sfconnector.testing._recent import KEPT, Recent
from sfconnector.testing._reports._instances import Instances
from sfconnector.testing._reports._saved import SavedReports
from sfconnector.testing._schema import Field, Schema, SObjectType
from sfconnector.testing._standard import standard_schema
from sfconnector.testing._streaming._capture import Capture
from sfconnector.testing._streaming._log import EventLog
from sfconnector.testing._streaming._publishing import Published, Publisher
from sfconnector.testing._streaming._selection import ChangeDataCapture, read_selection
from sfconnector.testing._trash import Trash
from sfconnector.testing._validation import Validator
from sfconnector.testing._values import compound, now_text, to_json
from sfconnector.testing._writer import Upserted, Writer, check_allowed, checked_alive, key_value

_NO_RESOURCE = "The requested resource does not exist"
_NO_FIELD = (
    "No such column '{}' on entity '{}'. If you are attempting to use a custom field, be sure to append the '__c' "
    "after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
)


def _now() -> datetime:
    return datetime.now(UTC)


class Store:
    """Objects and records of one org; every method may be called from any thread.

    Every refusal is an ``OrgError`` with Salesforce's status, code, message and fields; an external id that fits
    several records is an ``AmbiguousExternalIdError``, whose ``urls(version)`` are the body of the 300.

    Args:
        schema: Objects to begin with, besides the standard ones or in their place.
        path: A file, which keeps objects and records over a restart, or ``:memory:``. The contents of binary fields are
            in a folder beside it, and in a temporary one until `close` for an org in memory.
        clock: Gives the time that records are stamped with; it must be zone-aware.
        change_data_capture: Names of the objects whose changes become change events; all that support it, unless given.

    Example:
        >>> store = Store()
        >>> account_id = store.create("Account", {"Name": "Acme"}, store.context())
        >>> store.get("Account", account_id, ["Name"], store.context())["Name"]
        'Acme'
    """

    def __init__(
        self,
        schema: Schema | None = None,
        path: str | Path = ":memory:",
        *,
        clock: Callable[[], datetime] = _now,
        change_data_capture: Iterable[str] | None = None,
    ) -> None:
        captured = read_selection(change_data_capture)
        self.clock = clock
        self.schema = standard_schema()
        for sobject in schema or ():
            self.schema.add(sobject)
        # Where the org's pages are: the describe names them.
        self.instance_url = ""
        self.username = _seed.USERNAME
        self._database = Database(path)
        self.blobs = Blobs(self._database, None if str(path) == ":memory:" else Path(f"{path}-blobs"))
        self.validator = Validator(self.schema, self._database)
        self._trash = Trash(self.schema, self._database, self.validator, self.blobs)
        self._recent = Recent(self.schema, self._database)
        self.events = EventLog(self._database, clock)
        self.publisher = Publisher(self._database, self.validator, self.events, clock)
        duplicates = Duplicates(self.schema, self._database)
        self.writer = Writer(self.schema, self._database, self.validator, self.blobs, duplicates, self.publisher, clock)
        self._conversion = Conversion(self.schema, self._database, self.validator, self.writer, clock)
        self._merger = Merger(self.schema, self._database, self.writer, self._trash, clock)
        self.reports = SavedReports(self._database, self.writer.insert, clock)
        self.report_instances = Instances(self._database, clock)
        self._objects = Objects(self.schema, self._database, self.writer.insert)
        with self.transaction():
            self._objects.restore()
            self.admin_user_id, self.organization_id = self._first_day()
        capture = Capture(self.schema, self._database, self.events, clock)
        # Only now: of what an org has on its first day nobody is told.
        capture.select(captured)
        self.change_data_capture = ChangeDataCapture(capture, self.schema, self._database, self.admin_user_id)

    def close(self) -> None:
        self._database.close()
        self.blobs.close()

    def context(self, **options: Any) -> RequestContext:
        """Make a context of the admin user."""
        return RequestContext(user_id=self.admin_user_id, **options)

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """Hold the lock and keep all writes of the block, or, if it raises, none; blocks may be nested.

        The connection is for reading by SQL.
        """
        return self._database.transaction()

    def counting(self) -> AbstractContextManager[None]:
        """Make many records at less cost, inside one transaction."""
        return self._database.counting()

    def sobject(self, name: str) -> SObjectType:
        """Find an object in any case; Salesforce answers 404 ``NOT_FOUND`` where there is none."""
        sobject = self.schema.get(name)
        if sobject is None:
            raise OrgError(404, "NOT_FOUND", _NO_RESOURCE)
        return sobject

    # -- objects ------------------------------------------------------------------------------------------------

    def add_object(self, name: str, fields: Mapping[str, Any] | Iterable[Any] = (), **options: Any) -> SObjectType:
        """Add an object, or extend the one of that name; fields and options are those of ``_definition``.

        Raises:
            ValueError: A name, type or option is not known.
        """
        with self.transaction():
            return self._objects.add(name, {"fields": fields, **options})

    def add_field(self, sobject: str, name: str, definition: str | Mapping[str, Any]) -> SObjectType:
        """Add a field to an object that exists; its definition is that of ``_definition``."""
        if self.schema.get(sobject) is None:
            raise ValueError(f"there is no object {sobject}: add it first")
        return self.add_object(self.sobject(sobject).name, {name: definition})

    def add_duplicate_rule(self, sobject: str, definition: Mapping[str, Any]) -> None:
        """Add a duplicate rule to an object that exists; its definition is that of ``_duplicates``."""
        if self.schema.get(sobject) is None:
            raise ValueError(f"there is no object {sobject}: add it first")
        with self.transaction():
            self._objects.add_duplicate_rule(self.sobject(sobject), definition)

    def load_objects(self, path: str | Path) -> list[SObjectType]:
        """Add the objects of a YAML file; its format is told in ``_definition``."""
        with self.transaction():
            try:
                return self._objects.load(Path(path).read_text("utf-8"))
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error

    def load_describe(self, describe: Mapping[str, Any] | str | Path) -> SObjectType:
        """Add an object from a real org's describe: the mapping, its JSON text or the path of a file."""
        with self.transaction():
            return self._objects.load_describe(describe)

    def describe_global(self, version: str) -> dict[str, Any]:
        """Answer ``GET /sobjects``."""
        return _describe.describe_global(self.schema, version)

    def info(self, sobject: str, version: str) -> dict[str, Any]:
        """Answer ``GET /sobjects/{name}``."""
        informed = self.sobject(sobject)
        return _describe.basic_info(informed, version, self._recent.records(version, sobject=informed))

    def describe(self, sobject: str, version: str) -> dict[str, Any]:
        """Answer ``GET /sobjects/{name}/describe``."""
        described = self.sobject(sobject)
        record_types = self._record_types(described)
        return _describe.describe(
            self.schema, described, version, record_types=record_types, base_url=self.instance_url
        )

    def record_type_infos(self, sobject: str, version: str) -> list[dict[str, Any]]:
        """Build the record types of an object as its describe tells them."""
        described = self.sobject(sobject)
        return _describe.record_type_infos(described, self._record_types(described), version)

    # -- records ------------------------------------------------------------------------------------------------

    def create(self, sobject: str, values: Mapping[str, Any], context: RequestContext) -> str:
        """Create a record and return its 18-character id."""
        made = self.sobject(sobject)
        check_allowed(made, made.createable, "inserted")
        with self.transaction():
            return self.writer.create(made, self.validator.read(made, values), context)

    def publish(self, sobject: str, values: Mapping[str, Any], context: RequestContext) -> Published:
        """Publish a platform event; what creates records publishes, too, and tells the id alone."""
        made = self.sobject(sobject)
        with self.transaction():
            return self.publisher.publish(made, self.validator.read(made, values), context)

    def update(
        self,
        sobject: str,
        record_id: str,
        values: Mapping[str, Any],
        context: RequestContext,
        *,
        in_url: bool = True,
    ) -> None:
        """Change a record; ``in_url=False`` where the id came in the record: a malformed one is refused otherwise."""
        changed = self.sobject(sobject)
        check_allowed(changed, changed.updateable, "updated")
        with self.transaction():
            row = self.writer.existing(changed, record_id, in_url=in_url)
            self.writer.update(changed, row, self.validator.read(changed, values), context)

    def upsert(
        self, sobject: str, field: str, value: str, values: Mapping[str, Any], context: RequestContext
    ) -> Upserted:
        """Create or change the record with this external id, which must not stand in the values too."""
        saved = self.sobject(sobject)
        with self.transaction():
            key = self.validator.external_id(saved, field)
            if any(name.lower() == key.name.lower() for name in values):
                raise OrgError(
                    400, "INVALID_FIELD", f"The {key.name} field should not be specified in the sobject data."
                )
            return self.writer.upsert(saved, key, key_value(key, value), self.validator.read(saved, values), context)

    def upsert_from_values(
        self, sobject: str, field: str, values: Mapping[str, Any], context: RequestContext
    ) -> Upserted:
        """Upsert with the external id among the values; by ``Id``, a record without one is created."""
        saved = self.sobject(sobject)
        with self.transaction():
            key = self.validator.external_id(saved, field)
            rest = dict(values)
            name = next((name for name in rest if name.lower() == key.name.lower()), None)
            value = None if name is None else rest.pop(name)
            columns = self.validator.read(saved, rest)
            if key.name == "Id" and not value:
                check_allowed(saved, saved.createable, "inserted")
                return Upserted(self.writer.create(saved, columns, context), created=True)
            return self.writer.upsert(saved, key, key_value(key, value), columns, context)

    def delete(self, sobject: str, record_id: str, context: RequestContext, *, in_url: bool = True) -> None:
        """Move a record to the recycle bin, with its details; ``in_url`` as for ``update``."""
        doomed = self.sobject(sobject)
        check_allowed(doomed, doomed.deletable, "deleted")
        with self.transaction():
            row = self.writer.existing(doomed, record_id, in_url=in_url)
            self._trash.delete(doomed, row["Id"], context, now_text(self.clock()))

    def delete_by_external_id(self, sobject: str, field: str, value: str, context: RequestContext) -> None:
        """Delete the one record with this external id."""
        with self.transaction():
            self.delete(sobject, self.find(sobject, field, value, context), context)

    def undelete(self, record_id: str, context: RequestContext) -> None:
        """Bring a record back from the recycle bin, with what went along with it."""
        with self.transaction():
            self._trash.undelete(*self._of_any_object(record_id), context, now_text(self.clock()))

    def purge(self, record_id: str, context: RequestContext) -> None:  # noqa: ARG002  # as its siblings
        """Remove a record from the recycle bin for good."""
        with self.transaction():
            self._trash.purge(*self._of_any_object(record_id))

    def convert_lead(self, wanted: LeadConvert, context: RequestContext) -> Converted:
        """Turn a lead into an account, a contact and an opportunity."""
        with self.transaction():
            return self._conversion.convert(wanted, context)

    def merge(
        self,
        sobject: str,
        record_id: str,
        values: Mapping[str, Any],
        merged_ids: Sequence[str],
        context: RequestContext,
    ) -> Merged:
        """Merge other records into one, and set values of that one."""
        merged = self.sobject(sobject)
        with self.transaction():
            return self._merger.merge(merged, record_id, self.validator.read(merged, values), merged_ids, context)

    def get(
        self, sobject: str, record_id: str, fields: Iterable[str] | None, context: RequestContext
    ) -> dict[str, Any]:
        """Read a record as REST answers it: all its fields, or those asked for and the id."""
        read = self._kept(sobject, "retrieve")
        row = self.writer.row(read, record_id)
        if row is None:
            raise OrgError(404, "NOT_FOUND", _NO_RESOURCE)
        return _render(read, checked_alive(row), fields, context)

    def content(self, sobject: str, record_id: str, field: str) -> Path:
        """Find the file with the content of a binary field; 404 ``NOT_FOUND`` where the field is empty."""
        read = self.sobject(sobject)
        row = self.writer.row(read, record_id)
        if row is None or checked_alive(row)[field] is None:
            raise OrgError(404, "NOT_FOUND", _NO_RESOURCE)
        return self.blobs.path(row[field])

    def check_readable(self, sobject: str, fields: Iterable[str]) -> None:
        """Refuse an object or a field that is not there."""
        _asked(self._kept(sobject, "retrieve"), fields)

    def get_by_external_id(
        self, sobject: str, field: str, value: str, fields: Iterable[str] | None, context: RequestContext
    ) -> dict[str, Any]:
        """Read the one record with this external id."""
        with self.transaction():
            return self.get(sobject, self.find(sobject, field, value, context), fields, context)

    def find(self, sobject: str, field: str, value: str, context: RequestContext) -> str:  # noqa: ARG002  # as its siblings
        """Return the id of the one record with this external id."""
        searched = self.sobject(sobject)
        key = self.validator.external_id(searched, field)
        found = self.validator.matching(searched, key, key_value(key, value))
        if len(found) > 1:
            raise AmbiguousExternalIdError(key.label, key.name, searched.name, found)
        if not found:
            raise OrgError(404, "NOT_FOUND", _NO_RESOURCE)
        return found[0]

    def deleted(self, sobject: str, start: datetime, end: datetime) -> dict[str, Any]:
        """Answer ``GET /sobjects/{name}/deleted``."""
        return self._trash.deleted(self._kept(sobject, "replication"), start, end, self.clock())

    def updated(self, sobject: str, start: datetime, end: datetime) -> dict[str, Any]:
        """Answer ``GET /sobjects/{name}/updated``."""
        return self._trash.updated(self._kept(sobject, "replication"), start, end, self.clock())

    def mark(self, sobject: str, ids: Iterable[str], *, viewed: bool) -> None:
        """Note that records were viewed, or else only referenced."""
        with self.transaction():
            self._recent.mark(self.sobject(sobject), ids, now_text(self.clock()), viewed=viewed)

    def recent(self, version: str, limit: int = KEPT) -> list[dict[str, Any]]:
        """Answer ``GET /recent``."""
        return self._recent.records(version, limit=limit)

    def note_password_change(self, user_id: str, context: RequestContext) -> None:
        """Stamp a user whose password has changed."""
        now = now_text(self.clock())
        stamps = {"LastPasswordChangeDate": now, "SystemModstamp": now}
        with self.transaction():
            before = self._database.find("User", user_id)
            self._database.update("User", user_id, stamps)
            self._database.journal.note(Kind.UPDATE, "User", user_id, before, stamps, context)

    def count(self, sobject: str) -> int:
        """Count the records that are not deleted."""
        counted = self.sobject(sobject)
        if counted.is_event:
            return 0
        alive = 'WHERE "IsDeleted" = 0' if "IsDeleted" in counted.fields else ""
        row = self._database.row(f"SELECT COUNT(*) FROM {quote(counted.name)} {alive}")
        return int(row[0]) if row else 0

    def _kept(self, name: str, operation: str) -> SObjectType:
        """Find an object of which there are records; of platform events there are none."""
        sobject = self.sobject(name)
        if sobject.is_event:
            raise OrgError(
                400, "INVALID_TYPE_FOR_OPERATION", f"entity type {sobject.name} does not support {operation}"
            )
        return sobject

    # -- inside -------------------------------------------------------------------------------------------------

    def _record_types(self, sobject: SObjectType) -> list[dict[str, Any]]:
        rows = self._database.rows('SELECT * FROM "RecordType" WHERE "SobjectType" = ?', [sobject.name])
        return [dict(row) for row in rows]

    def _first_day(self) -> tuple[str, str]:
        admin_user_id = _ids.make("005", 1)
        if self.count("Organization") == 0:
            self._database.count_up("id:User")
            _seed.seed(self.writer.insert, admin_user_id)
            for sobject in list(self.schema):
                self._objects.add_record_types(sobject)
        row = self._database.row('SELECT "Id" FROM "Organization"')
        return admin_user_id, str(row["Id"]) if row else ""

    def _of_any_object(self, record_id: str) -> tuple[SObjectType, str]:
        normal = _ids.normalize(record_id)
        sobject = self.schema.by_key_prefix(record_id[:3])
        if normal is None or sobject is None:
            raise OrgError(400, "MALFORMED_ID", f"malformed id {record_id}", ())
        return sobject, normal


def _render(
    sobject: SObjectType, row: Mapping[str, Any], names: Iterable[str] | None, context: RequestContext
) -> dict[str, Any]:
    url = f"/services/data/v{context.version}/sobjects/{sobject.name}/{row['Id']}"
    record: dict[str, Any] = {"attributes": {"type": sobject.name, "url": url}}
    for field in sobject.fields.values() if names is None else _asked(sobject, names):
        value = to_json(field, row[field.name]) if is_stored(field) else compound(field, row)
        # A content is answered as the address where it is.
        record[field.name] = f"{url}/{field.name}" if field.type == "base64" and value is not None else value
    return record


def _asked(sobject: SObjectType, names: Iterable[str]) -> list[Field]:
    fields: dict[str, Field] = {}
    for name in names:
        field = sobject.field(name)
        if field is None:
            raise OrgError(400, "INVALID_FIELD", _NO_FIELD.format(name, sobject.name))
        fields[field.name] = field
    return [*fields.values(), *([] if "Id" in fields else [sobject.fields["Id"]])]
