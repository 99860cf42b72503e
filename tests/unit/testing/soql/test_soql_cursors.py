"""Pages, locators and how long they live."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from soql_org import Database

from sfconnector.testing._errors import OrgError
from sfconnector.testing._soql import Cursors


def fill(database: Database, count: int) -> str:
    account: str = database.add("Account", Name="a")
    for number in range(count):
        database.add("Contact", Name=f"{number:05}", AccountId=account)
    return account


def locator(page: dict[str, Any]) -> str:
    return str(page["nextRecordsUrl"]).rpartition("/")[2]


def joined(pages: list[list[str]]) -> list[str]:
    return [name for page in pages for name in page]


def read(cursors: Cursors, page: dict[str, Any]) -> list[list[str]]:
    pages = [[record["Name"] for record in page["records"]]]
    while not page["done"]:
        page = cursors.next(locator(page))
        pages.append([record["Name"] for record in page["records"]])
    return pages


NAMES = "SELECT Name FROM Contact ORDER BY Name"


def test_one_page(database: Database) -> None:
    fill(database, 3)
    cursors = Cursors()
    page = cursors.first(database.query(NAMES))
    assert list(page) == ["totalSize", "done", "records"]
    assert (page["totalSize"], page["done"], len(page["records"])) == (3, True, 3)
    assert cursors.first(database.query("SELECT COUNT() FROM Contact")) == {"totalSize": 3, "done": True, "records": []}
    assert len(cursors) == 0


@pytest.mark.parametrize(
    ("asked", "sizes"), [(2000, [2000, 501]), (9999, [2000, 501]), (1000, [1000, 1000, 501]), (1, [200] * 12 + [101])]
)
def test_page_sizes(database: Database, asked: int, sizes: list[int]) -> None:
    fill(database, 2501)
    cursors = Cursors()
    page = cursors.first(database.query(NAMES), asked)
    assert page["totalSize"] == 2501
    assert re.fullmatch(rf"/services/data/v68\.0/query/0r8[0-9A-Za-z]{{15}}-{sizes[0]}", page["nextRecordsUrl"])
    pages = read(cursors, page)
    assert list(map(len, pages)) == sizes
    assert joined(pages) == [f"{number:05}" for number in range(2501)]


def test_query_all_has_its_own_path(database: Database) -> None:
    fill(database, 201)
    page = Cursors().first(database.query(NAMES, include_deleted=True, version="60.0"), 200)
    assert page["nextRecordsUrl"].startswith("/services/data/v60.0/queryAll/0r8")


def test_a_page_can_be_asked_for_again_and_in_another_size(database: Database) -> None:
    fill(database, 700)
    cursors = Cursors()
    first = cursors.first(database.query(NAMES), 200)
    again = [cursors.next(locator(first)) for _ in range(2)]
    assert again[0] == again[1]
    assert len(cursors.next(locator(first), 500)["records"]) == 500
    short = locator(first).replace(locator(first)[15:18] + "-", "-")
    assert cursors.next(short) == again[0]


def test_pages_show_the_records_as_they_were(database: Database) -> None:
    fill(database, 300)
    cursors = Cursors()
    first = cursors.first(database.query(NAMES), 200)
    database.connection.execute('DELETE FROM "Contact"')
    assert len(cursors.next(locator(first))["records"]) == 100


@pytest.mark.parametrize(
    "text", ["", "x", "0r8Lo0000000001IAA-200", "0r8Lo0000000001IAA", "../query", "01gLo0000000001IAA-200"]
)
def test_unknown_locators(text: str) -> None:
    with pytest.raises(OrgError) as caught:
        Cursors().next(text)
    error = caught.value
    assert (error.status, error.code, error.message) == (400, "INVALID_QUERY_LOCATOR", "invalid query locator")


@pytest.mark.parametrize("offset", ["0", "300", "-5", "99999999999"])
def test_offsets_outside_of_the_result(database: Database, offset: str) -> None:
    fill(database, 300)
    cursors = Cursors()
    first = cursors.first(database.query(NAMES), 200)
    with pytest.raises(OrgError, match="invalid query locator"):
        cursors.next(locator(first).rpartition("-")[0] + f"-{offset}")


def test_the_oldest_result_is_forgotten(database: Database) -> None:
    fill(database, 201)
    cursors = Cursors(maximum=2)
    first, second = (cursors.first(database.query(NAMES), 200) for _ in range(2))
    cursors.next(locator(first))
    third = cursors.first(database.query(NAMES), 200)
    assert len(cursors) == 2
    for page in (first, third):
        assert len(cursors.next(locator(page))["records"]) == 1
    with pytest.raises(OrgError, match="invalid query locator"):
        cursors.next(locator(second))
    with pytest.raises(ValueError, match="at least one"):
        Cursors(maximum=0)


def test_rows_are_not_hoarded(database: Database) -> None:
    fill(database, 201)
    cursors = Cursors(maximum_rows=500)
    pages = [cursors.first(database.query(NAMES), 200) for _ in range(3)]
    assert len(cursors) == 2
    with pytest.raises(OrgError, match="invalid query locator"):
        cursors.next(locator(pages[0]))
    huge = Cursors(maximum_rows=1)
    page = huge.first(database.query(NAMES), 200)
    assert len(huge.next(locator(page))["records"]) == 1


def test_many_children_have_pages_of_their_own(database: Database) -> None:
    fill(database, 450)
    database.add("Account", Name="b")
    cursors = Cursors()
    text = "SELECT Name, (SELECT Name FROM Contacts ORDER BY Name) FROM Account ORDER BY Name"
    page = cursors.first(database.query(text), 200)
    (account,) = page["records"]
    children = account["Contacts"]
    assert (children["totalSize"], children["done"], len(children["records"])) == (450, False, 200)
    assert joined(read(cursors, children)) == [f"{number:05}" for number in range(450)]
    # The page was full, so the second account is on the next one.
    assert not page["done"]
    last = cursors.next(locator(page))
    assert (last["done"], [record["Name"] for record in last["records"]]) == (True, ["b"])
    assert last["records"][0]["Contacts"] is None
    repeated = [cursors.first(database.query(text), 200)["records"][0]["Contacts"]["nextRecordsUrl"] for _ in range(2)]
    assert len({children["nextRecordsUrl"], *repeated}) == 3
    assert len(cursors) == 3


def test_a_page_asked_for_again_opens_nothing_new(database: Database) -> None:
    account = database.add("Account", Name="b")
    fill(database, 250)
    for number in range(450):
        database.add("Contact", Name=f"{number:05}", AccountId=account)
    cursors = Cursors()
    first = cursors.first(database.query("SELECT (SELECT Name FROM Contacts) FROM Account ORDER BY Name"), 200)
    once, again = (cursors.next(locator(first)) for _ in range(2))
    assert once == again
    assert not once["records"][0]["Contacts"]["done"]


def test_threads_share_cursors(database: Database) -> None:
    fill(database, 1000)
    cursors = Cursors()
    results = [database.query(NAMES) for _ in range(20)]

    def run(index: int) -> list[list[str]]:
        return read(cursors, cursors.first(results[index], 200))

    with ThreadPoolExecutor(8) as pool:
        for pages in pool.map(run, range(20)):
            assert joined(pages) == [f"{number:05}" for number in range(1000)]


def test_no_record_shows_in_a_repr(database: Database) -> None:
    database.add("Contact", Name="secret")
    result = database.query(NAMES)
    assert "secret" not in repr(result)
