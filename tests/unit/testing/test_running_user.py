"""A query answers in the user's time zone, week and fiscal year."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from local_api import Api

from sfconnector.testing import LocalOrg

SUNDAY = 6


def wait_for(org: LocalOrg, weekday: int, hour: int) -> datetime:
    """Move the org's clock on to the next such hour, in UTC."""
    now = org.clock()
    there = now.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=(weekday - now.weekday()) % 7)
    there += timedelta(days=0 if there > now else 7)
    org.clock.advance((there - now).total_seconds())
    return there


@pytest.fixture
def monday(local_org: LocalOrg) -> datetime:
    """Four in the morning in UTC: still Sunday in Los Angeles."""
    return wait_for(local_org, 0, 4)


@pytest.fixture
def api(local_org: LocalOrg, monday: datetime) -> Iterator[Api]:
    # The clock is moved before, so that the token is of today.
    api = Api(local_org)
    api.create("Account", Name="Acme")
    yield api
    api.http.close()


def count(api: Api, condition: str) -> int:
    answer = api("GET", "query", params={"q": f"SELECT COUNT() FROM Account WHERE {condition}"})
    return int(answer.json()["totalSize"])


def live(api: Api, **settings: str) -> None:
    assert api("PATCH", f"sobjects/User/{api.org.user_id}", json=settings).status_code == 204


@pytest.mark.parametrize(("zone", "days"), [("America/Los_Angeles", 1), ("Europe/Berlin", 0)])
def test_days_begin_where_the_user_lives(api: Api, monday: datetime, zone: str, days: int) -> None:
    live(api, TimeZoneSidKey=zone)
    there = (monday - timedelta(days=days)).date()
    assert count(api, "CreatedDate = TODAY") == 1
    assert count(api, f"CreatedDate < {monday.date()}T00:00:00Z") == 0
    assert count(api, f"DAY_ONLY(convertTimezone(CreatedDate)) = {there}") == 1
    assert count(api, f"DAY_ONLY(CreatedDate) = {monday.date()}") == 1
    assert count(api, "HOUR_IN_DAY(CreatedDate) = 4") == 1
    assert count(api, "DAY_IN_WEEK(convertTimezone(CreatedDate)) = 1") == days


@pytest.mark.parametrize(("locale", "this_week"), [("en_US", 2), ("de_DE", 1), ("ar_EG", 2)])
def test_weeks_begin_by_the_users_locale(local_org: LocalOrg, api: Api, locale: str, this_week: int) -> None:
    live(api, TimeZoneSidKey="GMT", LocaleSidKey=locale)
    for weekday in (SUNDAY, 0):
        wait_for(local_org, weekday, 12)
        api.http.headers["Authorization"] = f"Bearer {local_org.access_token()}"
        api.create("Account", Name="On Sunday and on Monday")
    assert count(api, "CreatedDate = THIS_WEEK") == this_week


def test_the_fiscal_year_is_the_orgs(api: Api) -> None:
    api.create("Opportunity", Name="O", StageName="Qualification", CloseDate="2024-06-30")
    text = "SELECT FISCAL_YEAR(CloseDate) y, FISCAL_QUARTER(CloseDate) q, FiscalYear, FiscalQuarter FROM Opportunity "
    text += "GROUP BY FISCAL_YEAR(CloseDate), FISCAL_QUARTER(CloseDate), FiscalYear, FiscalQuarter"
    (record,) = api("GET", "query", params={"q": text}).json()["records"]
    assert (record["y"], record["q"]) == (record["FiscalYear"], record["FiscalQuarter"]) == (2024, 2)


def test_amounts_read_as_the_user_writes_them(api: Api) -> None:
    live(api, LocaleSidKey="de_DE")
    answer = api("GET", "query", params={"q": "SELECT FORMAT(AnnualRevenue) FROM Account"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (501, "FUNCTIONALITY_NOT_ENABLED")
