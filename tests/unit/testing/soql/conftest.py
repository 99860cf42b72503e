"""Fixtures of the SOQL tests."""

import pytest
from soql_org import Database, make_schema


@pytest.fixture
def database() -> Database:
    return Database(make_schema())
