"""Running a report: its records by SOQL, its groups, and the fact map.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_getreportrundata.htm
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

import attrs

from sfconnector.testing import _soql
from sfconnector.testing._errors import OrgError
from sfconnector.testing._reports._definition import Definition
from sfconnector.testing._reports._extended import extended_metadata
from sfconnector.testing._reports._groups import Records, Side, arrange
from sfconnector.testing._reports._labels import show
from sfconnector.testing._reports._refusals import bad_request, unsupported
from sfconnector.testing._schema import Schema

# As many detail rows as a report has on the screen.
_LARGEST: Final = 2_000
_LOCALE: Final = "en_US"


@attrs.frozen
class Run:
    """One run of a report, with or without its rows."""

    definition: Definition
    details: bool
    context: _soql.Context
    records: Records = attrs.field(repr=False)
    down: Side = attrs.field(repr=False)
    across: Side = attrs.field(repr=False)

    def result(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The body of the answer."""
        complete = not self.details or len(self.records) <= _LARGEST
        return {
            "allData": complete,
            "attributes": dict(attributes),
            "factMap": dict(self._facts()),
            "groupingsAcross": self.across.answer,
            "groupingsDown": self.down.answer,
            "hasDetailRows": self.details,
            "hasExceededTabularRowLimit": not complete and self.definition.format == "TABULAR",
            "reportExtendedMetadata": extended_metadata(self.definition),
            "reportMetadata": {**self.definition.metadata, "hasDetailRows": self.details},
        }

    def _facts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every group of rows with every group of columns, totals among them, though no record be in both."""
        cells = self._cells()
        left = _LARGEST
        for down in self.down.walk():
            for across in self.across.walk():
                records = cells[down.key, across.key]
                fact: dict[str, Any] = {
                    "aggregates": [one.over(records, self.context).cell for one in self.definition.aggregates]
                }
                if self.details:
                    innermost = not down.groups and not across.groups
                    shown = records[:left] if innermost else []
                    left -= len(shown)
                    fact["rows"] = [self._row(record) for record in shown]
                yield f"{down.key}!{across.key}", fact

    def _cells(self) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
        cells: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        down, across = self.down.keys(), self.across.keys()
        for record in self.records:
            for cell in product(down[id(record)], across[id(record)]):
                cells[cell].append(record)
        return cells

    def _row(self, record: Mapping[str, Any]) -> dict[str, Any]:
        return {"dataCells": [show(column, record, self.context).cell for column in self.definition.columns]}


def run(
    definition: Definition, *, schema: Schema, connection: sqlite3.Connection, context: _soql.Context, details: bool
) -> Run:
    """Run a report on the records as they are.

    Raises:
        OrgError: 400 for a filter that SOQL cannot answer, 501 for a user whose labels would be other ones.
    """
    if context.locale != _LOCALE:
        raise unsupported(f"the locale {context.locale}")
    try:
        result = _soql.execute(soql(definition), schema=schema, connection=connection, context=context)
    except OrgError as error:
        if error.status != 400:
            raise
        raise bad_request(error.message) from error
    records = result.records
    return Run(
        definition,
        details,
        context,
        records,
        arrange(records, definition.down, context),
        arrange(records, definition.across, context),
    )


def soql(definition: Definition) -> str:
    """The query for the records of a report."""
    columns = [
        *definition.columns,
        *(grouping.column for grouping in (*definition.down, *definition.across)),
        *(aggregate.column for aggregate in definition.aggregates if aggregate.column is not None),
    ]
    # Names of SOQL have no case, and none may be selected twice.
    paths = {path.lower(): path for column in columns for path in (column.path, column.id_path) if path is not None}
    paths.setdefault("id", "Id")
    where = f" WHERE {' AND '.join(definition.conditions)}" if definition.conditions else ""
    order = ""
    if definition.sort is not None:
        column, descending = definition.sort
        order = f" ORDER BY {column.path} {'DESC NULLS LAST' if descending else 'ASC NULLS FIRST'}"
    limit = "" if definition.row_limit is None else f" LIMIT {definition.row_limit}"
    return f"SELECT {', '.join(paths.values())} FROM {definition.type.sobject.name}{where}{order}{limit}"
