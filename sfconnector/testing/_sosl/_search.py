"""Running a search: which records match, and what is answered of them.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_returning.htm
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs

from sfconnector.testing._database import quote
from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import Schema
from sfconnector.testing._soql import Context
from sfconnector.testing._soql import _ast as soql
from sfconnector.testing._soql._records import RecordSelect
from sfconnector.testing._soql._refusals import refusal
from sfconnector.testing._soql._render import whole
from sfconnector.testing._soql._select import Environment
from sfconnector.testing._sosl._ast import Returned, Statement
from sfconnector.testing._sosl._fields import ANY_NEIGHBOUR, searchable, searched
from sfconnector.testing._sosl._parser import MALFORMED_SEARCH, identity, parse, with_code
from sfconnector.testing._sosl._words import Search, Text

MAXIMUM: Final = 2_000

Record = dict[str, Any]


@attrs.frozen
class Found:
    """The answer to a search; ``metadata`` are the labels of the fields, where they were asked for."""

    records: list[Record]
    metadata: Record | None = None


def search(text: str, *, schema: Schema, connection: sqlite3.Connection, context: Context) -> Found:
    """Run a SOSL statement.

    Raises:
        OrgError: 400 with Salesforce's code and text; 501 for what the local org does not have.
    """
    return run(parse(text), schema=schema, connection=connection, context=context)


def run(statement: Statement, *, schema: Schema, connection: sqlite3.Connection, context: Context) -> Found:
    """Run a parsed statement, or one that was put together otherwise."""
    environment = Environment(statement.text, schema, context)
    returning = statement.returning or tuple(identity(soql.Path(sobject.name, 0)) for sobject in searchable(schema))
    try:
        found = [_Object(environment, statement, returned, connection).records() for returned in returning]
    except OrgError as error:
        raise with_code(error) from error
    limit = MAXIMUM if statement.limit is None else min(statement.limit, MAXIMUM)
    shares = _shares([len(records) for records in found], limit)
    records = [record for records, share in zip(found, shares, strict=True) for record in records[:share]]
    return Found(records, _labels(schema, statement.returning) if statement.labels else None)


def _shares(numbers: Sequence[int], limit: int) -> list[int]:
    """How many of the records found of each object are answered: the limit is shared out evenly."""
    shares = [0] * len(numbers)
    left = limit
    while left > 0:
        hungry = [place for place, number in enumerate(numbers) if shares[place] < number]
        if not hungry:
            break
        portion = max(1, left // len(hungry))
        for place in hungry:
            taken = min(portion, numbers[place] - shares[place], left)
            shares[place] += taken
            left -= taken
    return shares


def _labels(schema: Schema, returning: Sequence[Returned]) -> Record:
    """https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_with_metadata.htm"""
    return {"entityMetadata": [_entity(schema, one) for one in returning]}


def _entity(schema: Schema, returned: Returned) -> Record:
    sobject = schema.get(returned.sobject.text)
    if sobject is None:
        raise AssertionError("a search of an unknown object is refused before its labels are told")
    paths = [item.expression for item in returned.query.selection if isinstance(item, soql.Column)]
    fields = [sobject.field(path.text) for path in paths if isinstance(path, soql.Path)]
    named = [{"label": field.label, "name": field.name} for field in fields if field is not None]
    return {"entityName": sobject.name, "fieldMetadata": named}


class _Matching(RecordSelect):
    """The records of an object, those that match only."""

    ids: Sequence[str] = ()

    def where(self) -> str:
        matching = (
            f"{self.scope.root.record_id} IN (SELECT value FROM json_each({self.statement.bind(json.dumps(self.ids))}))"
        )
        return f"{super().where()} AND {matching}"


class _Object:
    """One object of a search."""

    def __init__(
        self, environment: Environment, statement: Statement, returned: Returned, connection: sqlite3.Connection
    ) -> None:
        self._environment = attrs.evolve(environment, text=returned.text or environment.text)
        self._statement = statement
        self._returned = returned
        self._connection = connection
        self._sobject = self._environment.sobject(returned.sobject)

    def records(self) -> list[Record]:
        if not self._sobject.searchable:
            raise self._refused("INVALID_TYPE", f"entity type {self._sobject.name} does not support search")
        if any(not isinstance(item, soql.Column) for item in self._returned.query.selection):
            raise self._refused(MALFORMED_SEARCH, "a search returns fields only")
        select = _Matching(self._environment, self._returned.query, self._sobject)
        select.ids = list(self._matching())
        plan = select.plan()
        cursor = self._connection.cursor()
        cursor.row_factory = None
        rows = cursor.execute(plan.sql, plan.parameters).fetchmany(MAXIMUM)
        shape = plan.shape
        return [] if shape is None else [shape.record(row, whole) for row in rows]

    def _refused(self, code: str, reason: str) -> OrgError:
        return refusal(self._environment.text, self._returned.sobject.position, code, reason)

    def _matching(self) -> Iterator[str]:
        """The ids of the records whose texts are what is searched for."""
        name = self._sobject.name
        fields = searched(self._environment.schema, self._sobject, self._statement.group)
        if not fields:
            return
        search = Search(self._statement.search, any_neighbour=name in ANY_NEIGHBOUR)
        terms = ['"IsDeleted" = 0'] if "IsDeleted" in self._sobject.fields else ["1"]
        values: list[str] = []
        for fragment in search.fragments():
            terms.append(f"({' OR '.join(f'{field.sql} LIKE ?' for field in fields)})")
            values += [f"%{fragment}%"] * len(fields)
        if self._statement.pricebook_id is not None and name == "Product2":
            terms.append('"Id" IN (SELECT "Product2Id" FROM "PricebookEntry" WHERE "Pricebook2Id" = ?)')
            values.append(self._statement.pricebook_id)
        columns = ", ".join(['"Id"', *(field.sql for field in fields)])
        cursor = self._connection.cursor()
        cursor.row_factory = None
        for row in cursor.execute(f"SELECT {columns} FROM {quote(name)} WHERE {' AND '.join(terms)}", values):
            texts = [Text(text, field.phone) for text, field in zip(row[1:], fields, strict=True) if text]
            if search.matches(texts):
                yield row[0]
