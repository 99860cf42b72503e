"""What an org has: the part of `LocalOrg` that adds objects, fields, reports and quick actions."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

from sfconnector.testing._quick_actions import QuickAction, QuickActionType
from sfconnector.testing._reports._author import DateFilterLike, FilterLike, GroupingLike, compose, save
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._schema import SObjectType

DuplicateAction = Literal["allow", "alert", "block"]

_T = TypeVar("_T")


class Contents(ABC):
    """What a running org holds besides records, and a test adds to it."""

    @property
    @abstractmethod
    def _runtime(self) -> Runtime:
        """The parts of the running org."""

    def add_object(self, name: str, fields: Iterable[Any] = (), **options: Any) -> SObjectType:
        """Add a custom object such as ``Invoice__c``, with its fields."""
        return self._changed_schema(self._runtime.store.add_object(name, fields, **options))

    def add_field(self, sobject: str, name: str, definition: str | Mapping[str, Any]) -> SObjectType:
        """Add a field to an object.

        Args:
            sobject: API name of the object.
            name: API name of the field.
            definition: as in a YAML file of objects, such as ``"string(40) unique external_id = Key"``.
        """
        return self._changed_schema(self._runtime.store.add_field(sobject, name, definition))

    def add_duplicate_rule(
        self,
        sobject: str,
        fields: Iterable[str] | Mapping[str, str],
        *,
        matches: str | None = None,
        on_create: DuplicateAction = "alert",
        on_update: DuplicateAction = "alert",
        name: str | None = None,
        message: str | None = None,
    ) -> None:
        """Let Salesforce's duplicate rules stand in the way of records that are like others.

        A record is a duplicate if all the fields are equal, without regard to case, and none is blank.

        Args:
            sobject: ``"Account"``, ``"Contact"``, ``"Lead"`` or a custom object, whose records are looked at.
            fields: names of the fields that are compared; a mapping where they have other names in the other object.
            matches: the object with whose records they are compared; the same one by default.
            on_create: what becomes of a new duplicate: ``"block"`` refuses it, ``"alert"`` lets it pass where the
                request says ``allowSave=true``, and ``"allow"`` saves it.
            on_update: the same, for a record that becomes a duplicate.
            name: API name of the rule.
            message: what the alert says: ``"Use one of these records?"``.

        Raises:
            ValueError: an object, a field or an action is not known.
        """
        given = {"matches": matches, "name": name, "message": message}
        definition = {"fields": fields, "on_create": on_create, "on_update": on_update}
        definition |= {key: value for key, value in given.items() if value is not None}
        self._runtime.store.add_duplicate_rule(sobject, definition)
        self._changed_schema(None)

    def load_objects(self, path: str | os.PathLike[str]) -> list[SObjectType]:
        """Add the objects and fields that a YAML file describes."""
        return self._changed_schema(self._runtime.store.load_objects(os.fspath(path)))

    def load_describe(self, describe: Mapping[str, Any] | str | os.PathLike[str]) -> SObjectType:
        """Add an object as a real org describes it.

        Args:
            describe: the answer of ``/sobjects/<name>/describe``, or a file that holds it.
        """
        source = describe if isinstance(describe, Mapping) else os.fspath(describe)
        return self._changed_schema(self._runtime.store.load_describe(source))

    def add_report(
        self,
        name: str,
        report_type: str,
        *,
        columns: Iterable[str] | None = None,
        groupings_down: Iterable[GroupingLike] = (),
        groupings_across: Iterable[GroupingLike] = (),
        aggregates: Iterable[str] = ("RowCount",),
        filters: Iterable[FilterLike] = (),
        boolean_filter: str | None = None,
        date_filter: DateFilterLike | None = None,
        sort_by: GroupingLike | None = None,
        row_limit: int | None = None,
        folder_id: str | None = None,
    ) -> str:
        """Save a report and return its id; its groupings make it tabular, summary or matrix.

        Columns are named as in reports (``ACCOUNT_NAME``) or by the path of the field (``Account.Name``).

        Args:
            name: display name, up to 40 characters.
            report_type: ``Opportunity``, ``AccountList``… or an object such as ``Account`` or ``Invoice__c``.
            columns: of the detail rows; those of a new report of this type, if not given.
            groupings_down: row groupings, each a column or a pair such as ``("CloseDate", "Month")``.
            groupings_across: column groupings, likewise.
            aggregates: ``RowCount``, or ``s!``, ``a!``, ``mx!``, ``m!``, ``u!`` and a column: ``s!Amount``.
            filters: triples of column, operator and value or values: ``("StageName", "notEqual", "Closed Lost")``.
            boolean_filter: logic of the filters, such as ``(1 OR 2) AND 3``; all must hold, if not given.
            date_filter: a column and a date literal, or a column and the first and the last day.
            sort_by: column that orders the rows, or a pair of it and ``Desc``.
            row_limit: how many records take part.
            folder_id: folder of reports; the public reports of the org, if not given.

        Raises:
            ValueError: a name is not known, or the report could not be run.

        Example:
            >>> from sfconnector.testing import LocalOrg
            >>> with LocalOrg() as org:
            ...     org.add_report("Pipeline", "Opportunity", groupings_down=["StageName"], aggregates=["s!Amount"])
            '00OLo0...'
        """
        metadata = compose(
            self._runtime.store.schema,
            report_type,
            columns=columns,
            groupings_down=groupings_down,
            groupings_across=groupings_across,
            aggregates=aggregates,
            filters=filters,
            date_filter=date_filter,
            sort_by=sort_by,
            row_limit=row_limit,
        )
        return save(
            self._runtime.store,
            {
                **metadata,
                "folderId": self._runtime.store.organization_id if folder_id is None else folder_id,
                "name": name,
                "reportBooleanFilter": boolean_filter,
            },
        )

    def add_quick_action(
        self,
        name: str,
        *,
        type: QuickActionType = "Create",
        sobject: str | None = None,
        target: str | None = None,
        fields: Iterable[str] = (),
        values: Mapping[str, Any] | None = None,
        label: str | None = None,
        success_message: str | None = None,
    ) -> None:
        """Add a quick action, which creates or changes one record; it lasts until the org stops.

        Args:
            name: API name.
            type: ``Create``, ``LogACall`` (creates a completed task) or ``Update`` (changes the record it runs on).
            sobject: object on whose records it runs, to which a new record is linked; a global action without it.
            target: object of the new record; only for ``Create``.
            fields: fields of its layout; the name and what is required, if not given.
            values: field values set beforehand, which the caller may replace.
            label: label, made of the name if not given.
            success_message: what a success says.

        Raises:
            ValueError: a name is not known or malformed, the new record cannot be linked, or the action exists.

        Example:
            >>> from sfconnector.testing import LocalOrg
            >>> with LocalOrg() as org:
            ...     org.add_quick_action("CreateContact", sobject="Account", target="Contact")
        """
        self._runtime.quick_actions.add(
            self._runtime.store.schema,
            QuickAction(
                name=name,
                label=label or name.replace("_", " "),
                type=type,
                target=target or "",
                sobject=sobject,
                fields=tuple(fields),
                values=dict(values or {}),
                success_message=success_message,
            ),
        )

    def _changed_schema(self, changed: _T) -> _T:
        self._runtime.schema_changed_at = self._runtime.clock().replace(microsecond=0)
        return changed
