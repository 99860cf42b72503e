"""Which records have changed, how many there are, and how a query would be run."""

from datetime import UTC, datetime, timedelta

import pytest

from integration.conftest import Create
from sfconnector import Salesforce

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]


def span() -> tuple[datetime, datetime]:
    """The last day, up to the next minute but one."""
    now = datetime.now(UTC)
    return now - timedelta(days=1), now + timedelta(minutes=2)


def test_lists_what_was_created_or_changed(sf: Salesforce, create: Create, tag: str) -> None:
    account_id = create("Account", {"Name": tag})
    updated = sf.sobject("Account").updated(*span())
    assert account_id in updated.ids
    assert updated.latest_date_covered.tzinfo is not None


def test_lists_what_was_deleted(sf: Salesforce, create: Create, tag: str) -> None:
    account_id = create("Account", {"Name": tag})
    sf.sobject("Account").delete(account_id)
    assert account_id in {each.id for each in sf.sobject("Account").deleted(*span()).deleted_records}


def test_counts_records(sf: Salesforce, create: Create, tag: str) -> None:
    create("Account", {"Name": tag})
    assert set(sf.record_count("Account", "User")) <= {"Account", "User"}


def test_explains_a_query(sf: Salesforce) -> None:
    plans = sf.explain("SELECT Id FROM Account WHERE Name LIKE '%x'").plans
    assert plans[0].sobject_type == "Account"


def test_lists_what_was_seen_last(sf: Salesforce, create: Create, tag: str) -> None:
    create("Account", {"Name": tag})
    assert list(sf.query(f"SELECT Id FROM Account WHERE Name = '{tag}' FOR VIEW"))
    assert tag in {record["Name"] for record in sf.recent(limit=5)}
