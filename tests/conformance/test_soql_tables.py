"""Queries of all forms as tables: what the local org answers, our reading of the SELECT list understands."""

import re

import pytest
import soql_queries

from sfconnector import Salesforce, errors
from sfconnector.testing import LocalOrg

COUNT = re.compile(r"\s*SELECT\s+COUNT\(\s*\)", re.IGNORECASE)


@pytest.fixture
def filled(org: LocalOrg) -> LocalOrg:
    """An org with a record or two of what is queried."""
    with Salesforce.from_env(org.environ()) as sf:
        account = sf.sobject("Account").create({"Name": "Acme", "NumberOfEmployees": 3, "AnnualRevenue": 5.5}).id
        contact = sf.sobject("Contact").create({"LastName": "Curie", "AccountId": account}).id
        sf.sobject("Task").create({"Subject": "Call", "WhatId": account, "WhoId": contact})
        sf.sobject("Case").create({"Subject": "Broken", "AccountId": account})
        sf.sobject("Lead").create({"LastName": "Meitner", "Company": "Acme"})
        sf.sobject("Opportunity").create(
            {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-01-31", "Amount": 5.5, "AccountId": account}
        )
    return org


def test_each_query_becomes_a_table_of_its_records(filled: LocalOrg) -> None:
    read = rows = 0
    with Salesforce.from_env(filled.environ()) as sf:
        for text in (*soql_queries.WRITTEN, *soql_queries.generated()):
            query = sf.query(text)
            try:
                records = list(query)
            except errors.BadRequestError:
                continue
            if COUNT.match(text):
                with pytest.raises(ValueError, match=r"COUNT\(\) selects no columns"):
                    query.to_arrow()
                continue
            table = query.to_arrow()
            assert table.num_rows == len(records), text
            assert table.num_columns > 0, text
            read, rows = read + 1, rows + len(records)
    assert read > 250
    assert rows > 150
