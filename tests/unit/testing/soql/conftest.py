"""Fixtures of the SOQL tests."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from soql_org import Database, make_schema


@pytest.fixture
def database() -> Iterator[Database]:
    with closing(Database(make_schema())) as database:
        yield database
