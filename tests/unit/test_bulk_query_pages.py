"""All pages of a query job: every row once and in order, one page after the other or several at a time."""

import io
import threading
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from bulk_results import DATA, JOB, RESULTS, Results, compressed, cut, numbers, once, rows, told_by
from http_server import Answer, Cut, Reply, Server
from session_tools import TOKEN, Numbered

from sfconnector import QueryJob, Salesforce, auth, errors

PAGES = [rows(0, 40), rows(40, 70), rows(70, 71), rows(71, 130), rows(130, 180)]
ALL = list(range(180))
EVERY = [*(f"results?locator=P{number}" for number in range(5))]


def read(server: Results, workers: int = 1) -> list[int]:
    with server, server.connect() as sf:
        return numbers(sf.bulk.query_job(JOB, workers=workers).rows())


@pytest.fixture(autouse=True)
def no_thread_stays() -> Any:
    yield
    assert "sfconnector-read-ahead" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("strip", [False, True])
@pytest.mark.parametrize("pages", [PAGES, PAGES[:1], PAGES[:2], [b""], [rows(0, 3), b"", rows(3, 5)]])
def test_all_rows_come_once_and_in_order(pages: list[bytes], strip: bool, workers: int) -> None:
    server = Results(pages, strip=strip and (workers > 1 or len(pages) == 1))
    assert read(server, workers) == ALL[: sum(server.counts)]


def test_one_after_the_other_needs_no_list() -> None:
    server = Results(PAGES)
    read(server)
    assert server.asked == ["", "results", *EVERY[1:]]


def test_side_by_side_each_page_is_asked_for_once() -> None:
    server = Results(PAGES)
    assert read(server, 3) == ALL
    lists = ["resultPages", "resultPages?locator=P2", "resultPages?locator=P4"]
    assert sorted(server.asked) == sorted(["", *lists, *EVERY])


def test_workers_work_at_the_same_time_while_the_list_goes_on() -> None:
    together = threading.Barrier(3)

    def meet(target: str, _: int) -> None:
        # The first two pages wait for each other, and for the second part of the list to be asked for.
        if target in {*EVERY[:2], "resultPages?locator=P2"}:
            together.wait(10)

    assert read(Results(PAGES, intervene=meet), 4) == ALL


def test_no_more_than_twice_as_many_pages_as_workers_are_ahead() -> None:
    pages = [rows(number, number + 1) for number in range(60)]
    with Results(pages, a_list=5) as server, server.connect() as sf:
        found = sf.bulk.query_job(JOB).rows(workers=3)
        assert numbers(islice(found, 20)) == ALL[:20]
        asked = [int(target.partition("=P")[2]) for target in server.asked if target.startswith("results?")]
        assert max(asked) <= 19 + 2 * 3
        del found


def test_the_handles_workers_are_used_unless_a_call_has_its_own() -> None:
    with Results(PAGES) as server, server.connect() as sf:
        job = sf.bulk.query_job(JOB, workers=2)
        assert job.workers == 2
        numbers(job.rows(workers=1))
        assert "resultPages" not in server.asked
        numbers(job.rows())
        assert "resultPages" in server.asked


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2"])
def test_workers_are_a_number(workers: Any) -> None:
    with Results(PAGES) as server, server.connect() as sf:
        with pytest.raises(ValueError, match="workers is a whole number above 0"):
            sf.bulk.query_job(JOB, workers=workers)
        with pytest.raises(ValueError, match="workers is a whole number above 0"):
            sf.bulk.query_job(JOB).rows(workers=workers)
        assert server.seen == []


REFUSALS: list[Answer] = [
    Reply.error(404, "NOT_FOUND"),
    Reply.error(400, "INVALIDJOB"),
    Reply.error(409, "API_VERSION_MISMATCH"),
    Reply.error(405, "METHOD_NOT_ALLOWED"),
    Reply.error(500, "UNKNOWN_EXCEPTION"),
]
NO_LISTS: list[Any] = [
    {},
    [],
    None,
    {"resultPages": None},
    {"resultPages": {}},
    {"resultPages": [], "done": True},
    {"resultPages": [{}], "done": True},
    {"resultPages": [{"resultUrl": 1}], "done": True},
    {"resultPages": [{"resultUrl": "https://evil.example.com" + RESULTS}], "done": True},
    {"resultPages": [{"resultUrl": "//evil.example.com" + RESULTS}], "done": True},
    {"resultPages": [{"resultUrl": f"{RESULTS}?locator=P0"}] * 2, "done": True},
    {"resultPages": [{"resultUrl": f"{RESULTS}?locator=P0"}], "done": False},
    {"resultPages": [], "done": False, "nextRecordsUrl": "https://evil.example.com/more"},
]


@pytest.mark.parametrize("answer", [*REFUSALS, *map(Reply.of, NO_LISTS), Reply(200, b"<html>")])
def test_without_a_list_pages_come_one_after_the_other(answer: Answer) -> None:
    server = Results(PAGES, intervene=lambda target, _: answer if target == "resultPages" else None)
    assert read(server, 3) == ALL
    assert {*EVERY[1:]} <= {*server.asked}


@pytest.mark.parametrize(
    "answer",
    [
        *REFUSALS,
        Reply.of({}),
        Reply.of({"resultPages": [{"resultUrl": f"{RESULTS}?locator=P1"}], "done": True}),
        Reply.of(
            {"resultPages": [], "done": False, "nextRecordsUrl": f"{DATA}/jobs/query/{JOB}/resultPages?locator=P2"}
        ),
    ],
)
def test_a_list_that_breaks_off_is_carried_on_one_after_the_other(answer: Answer) -> None:
    server = Results(PAGES, intervene=lambda target, _: answer if target == "resultPages?locator=P2" else None)
    assert read(server, 3) == ALL


def test_a_list_that_breaks_off_is_an_error_where_it_is_not_told_where_to_go_on() -> None:
    refused = Reply.error(404, "NOT_FOUND")
    server = Results(PAGES, strip=True, intervene=lambda target, _: refused if "?locator=P2" in target else None)
    with pytest.raises(errors.InvalidResponseError, match="Sforce-Locator is missing"):
        read(server, 3)


@pytest.mark.parametrize("names", [("resultUrl", "nextRecordUrl"), ("resultLink", "nextRecordsUrl")])
def test_both_spellings_of_the_list_are_read(names: tuple[str, str]) -> None:
    page, following = names

    def respell(target: str, _: int) -> Answer | None:
        if not target.startswith("resultPages"):
            return None
        body = server.listed(int(target.partition("=P")[2] or 0)).body.replace(b"resultUrl", page.encode())
        return Reply(200, body.replace(b"nextRecordsUrl", following.encode()), {"Content-Type": "application/json"})

    server = Results(PAGES, intervene=respell)
    assert read(server, 2) == ALL
    assert len([target for target in server.asked if target.startswith("resultPages")]) == 3


@pytest.mark.parametrize("total", [180, None])
@pytest.mark.parametrize("end", [{"done": True}, {"done": None}])
def test_a_list_that_ends_too_early_is_carried_on_one_after_the_other(end: dict[str, Any], total: int | None) -> None:
    server = Results(PAGES, info={"numberRecordsProcessed": total})
    short = {**end, "nextRecordsUrl": None}
    server._intervene = lambda target, _: server.listed(0, **short) if target == "resultPages" else None
    assert read(server, 2) == ALL


def test_a_list_that_is_too_short_is_an_error_where_it_is_not_told_where_to_go_on() -> None:
    server = Results(PAGES, strip=True)
    short = {"done": True, "nextRecordsUrl": None}
    server._intervene = lambda target, _: server.listed(0, **short) if target == "resultPages" else None
    with pytest.raises(errors.InvalidResponseError, match="70 rows came in all, and the job has 180"):
        read(server, 2)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_first_line_without_an_end_is_not_read_for_ever(workers: int) -> None:
    endless = compressed(b"x" * 50_000_000)
    server = Results(PAGES, intervene=lambda target, _: endless if target in {"results", EVERY[0]} else None)
    with pytest.raises(errors.InvalidResponseError, match="its first line, which has the columns, does not end"):
        read(server, workers)


BUSY = Reply.error(503, "SERVER_UNAVAILABLE")
BREAKS: dict[str, Callable[[Reply], list[Answer]]] = {
    "cut at once": lambda _: [Cut()],
    "cut in the head": lambda page: [cut(page, 5)],
    "cut twice": lambda page: [cut(page, 60), cut(page, 30)],
    "cut at the end": lambda page: [cut(page, len(page.body) - 1)],
    "503": lambda _: [BUSY, BUSY],
    "cut, then 503": lambda page: [cut(page, 60), BUSY],
    "garbled": lambda page: [Reply(200, b"x" + page.body, page.headers)],
    "shorter than it should be": lambda page: [Reply(200, page.body[:-20], page.headers)],
}


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("kind", BREAKS)
def test_a_page_that_breaks_is_carried_on(kind: str, workers: int) -> None:
    for number in range(5):
        server = Results(PAGES)
        target = EVERY[number] if number or workers > 1 else "results"
        server._intervene = once(target, *BREAKS[kind](server.page(number)))
        assert read(server, workers) == ALL


@pytest.mark.parametrize("workers", [1, 3])
def test_all_pages_break_at_the_same_time(workers: int) -> None:
    def breaking(target: str, times: int) -> Answer | None:
        number = int(target.partition("=P")[2] or 0)
        return cut(server.page(number), 20 * times) if target.startswith("results") and times < 3 else None

    server = Results(PAGES, intervene=breaking)
    if workers == 1:
        assert read(server) == ALL
    else:
        server._intervene = lambda target, times: None if target == "resultPages" else breaking(target, times)
        assert read(server, workers) == ALL
    assert server.asked.count(EVERY[4]) == 3


@pytest.mark.parametrize("workers", [1, 3])
def test_a_page_that_never_comes_is_an_error_in_its_turn(workers: int) -> None:
    server = Results(PAGES)
    server._intervene = lambda target, _: cut(server.page(3), 50) if target == EVERY[3] else None
    with server, server.connect() as sf:
        found = sf.bulk.query_job(JOB, workers=workers).rows()
        assert numbers(islice(found, 71)) == ALL[:71]
        with pytest.raises(errors.TransportError):
            list(found)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_page_that_is_refused_is_an_error_in_its_turn(workers: int) -> None:
    server = Results(PAGES, intervene=lambda target, _: Reply.error(404, "NOT_FOUND") if target == EVERY[3] else None)
    with server, server.connect() as sf:
        found = sf.bulk.query_job(JOB, workers=workers).rows()
        assert numbers(islice(found, 71)) == ALL[:71]
        with pytest.raises(errors.NotFoundError):
            next(found)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_token_that_expires_in_the_middle_is_renewed(workers: int) -> None:
    valid = {"T1", "T2", "T3"}
    expired = Reply.error(401, "INVALID_SESSION_ID")

    class Expiring(Results):
        def _answer_to(self, seen: Any) -> Answer:
            token = seen.headers["authorization"].removeprefix("Bearer ")
            if token not in valid:
                return expired
            if "locator=P2" in seen.target and "results?" in seen.target and token == "T1":
                valid.discard("T1")
                return cut(self.page(2), 30)
            return super()._answer_to(seen)

    server = Expiring(PAGES)
    with server:
        login = Numbered(server.url)
        with server.connect(auth=login) as sf:
            assert numbers(sf.bulk.query_job(JOB, workers=workers).rows()) == ALL
        assert login.logins == 2


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("count", ["39", "41", "0"])
def test_a_page_without_the_rows_that_were_announced_is_an_error(count: str, workers: int) -> None:
    server = Results(PAGES)
    lying = server.page(0, Sforce_NumberOfRecords=count)
    server._intervene = lambda target, _: lying if target in {"results", EVERY[0]} else None
    with pytest.raises(errors.InvalidResponseError, match=f"{count} rows were announced, and 40 came"):
        read(server, workers)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("total", [179, 181, 0])
def test_other_rows_than_the_job_has_are_an_error(total: int, workers: int) -> None:
    server = Results(PAGES, info={"numberRecordsProcessed": total})
    with pytest.raises(errors.InvalidResponseError, match=f"180 rows came in all, and the job has {total}"):
        read(server, workers)


def test_a_job_that_does_not_tell_its_total_is_read_by_its_pages() -> None:
    assert read(Results(PAGES, info={"numberRecordsProcessed": None})) == ALL


@pytest.mark.parametrize("total", [180, None])
def test_pages_whose_headers_a_proxy_strips_do_not_end_early(total: int | None) -> None:
    with pytest.raises(errors.InvalidResponseError, match=r"Sforce-Locator is missing.*a proxy"):
        read(Results(PAGES, strip=True, info={"numberRecordsProcessed": total}))


def test_a_single_page_without_headers_is_complete_by_its_total() -> None:
    assert read(Results(PAGES[:1], strip=True)) == ALL[:40]


def test_an_end_that_comes_too_early_is_an_error() -> None:
    server = Results(PAGES)
    server._intervene = lambda target, _: server.page(1, Sforce_Locator="null") if target == EVERY[1] else None
    with pytest.raises(errors.InvalidResponseError, match="70 rows came in all, and the job has 180"):
        read(server)


@pytest.mark.parametrize("locator", ["P1", "P2"])
def test_pages_that_go_round_in_circles_are_an_error(locator: str) -> None:
    server = Results(PAGES)
    server._intervene = lambda target, _: server.page(2, Sforce_Locator=locator) if target == EVERY[2] else None
    with pytest.raises(errors.InvalidResponseError, match="read before"):
        read(server)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_page_with_other_columns_is_an_error(workers: int) -> None:
    other = compressed(b'"Id","NumberOfEmployees","Name"\n' + PAGES[1], {"Sforce-Locator": "P2"})
    server = Results(PAGES, intervene=lambda target, _: other if target == EVERY[1] else None)
    with pytest.raises(errors.InvalidResponseError, match="columns are others"):
        read(server, workers)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("body", [b'"1","x\n', b'"1"\n', b'"1","2","3","4"\n', b'"\xff","2","3"\n', b'"a"b,"2","3"\n'])
def test_what_is_no_csv_is_an_error_that_quotes_nothing(body: bytes, workers: int) -> None:
    server = Results([rows(0, 2), b'"secret","x","2"\n' + body], counts=[2, 2])
    with pytest.raises(errors.InvalidResponseError) as caught:
        read(server, workers)
    assert "secret" not in str(caught.value)


def test_two_readers_and_two_readings_do_not_disturb_each_other() -> None:
    with Results(PAGES) as server, server.connect() as sf:
        job = sf.bulk.query_job(JOB)
        first, second, third = job.rows(), job.rows(workers=2), sf.bulk.query_job(JOB).rows()
        found = [(int(a["Id"]), int(b["Id"]), int(c["Id"])) for a, b, c in zip(first, second, third, strict=True)]
        assert found == [(number, number, number) for number in ALL]
        assert numbers(job.rows()) == ALL


@pytest.mark.parametrize("workers", [1, 3])
def test_the_api_version_is_the_jobs_own(workers: int) -> None:
    with Results(PAGES, info={"apiVersion": 61.0}) as server, server.connect() as sf:
        assert numbers(sf.bulk.query_job(JOB, workers=workers).rows()) == ALL
        lists = {
            seen.target.partition("?")[0] for seen in server.seen if seen.target.startswith("/services/data/v61.0")
        }
        kind = "results" if workers == 1 else "resultPages"
        assert f"/services/data/v61.0/jobs/query/{JOB}/{kind}" in lists
        first = server.seen[0].target
        assert first == f"{DATA}/jobs/query/{JOB}"


@pytest.mark.parametrize("workers", [1, 3])
def test_who_stops_reading_leaves_nothing_behind(workers: int) -> None:
    with Results(PAGES) as server, server.connect(max_connections=4) as sf:
        for _ in range(6):
            found = sf.bulk.query_job(JOB, workers=workers).rows()
            assert next(found)["Id"] == "0"
            del found


@pytest.mark.parametrize("workers", [1, 2])
def test_to_csv_has_one_header_and_each_row_as_it_was_sent(workers: int, tmp_path: Any) -> None:
    with Results([*PAGES[:4], PAGES[4].removesuffix(b"\n")]) as server, server.connect() as sf:
        job = sf.bulk.query_job(JOB, workers=workers)
        target, memory = tmp_path / "rows.csv", io.BytesIO()
        assert (job.to_csv(target), job.to_csv(memory)) == (180, 180)
        assert target.read_bytes() == memory.getvalue() == server.header + b"".join(PAGES)


def test_a_page_whose_last_row_has_no_line_ending_does_not_run_into_the_next() -> None:
    pages = [page.removesuffix(b"\n") for page in PAGES]
    with Results(pages) as server, server.connect() as sf:
        out = io.BytesIO()
        assert sf.bulk.query_job(JOB).to_csv(out) == 180
        assert out.getvalue() == server.header + b"".join(PAGES)


def test_a_csv_file_appears_whole_or_not_at_all(tmp_path: Any) -> None:
    target = tmp_path / "rows.csv"
    target.write_text("old")
    server = Results(PAGES, info={"numberRecordsProcessed": 181})
    with server, server.connect() as sf:
        for _ in range(2):
            with pytest.raises(errors.InvalidResponseError, match="180 rows came in all"):
                sf.bulk.query_job(JOB).to_csv(target)
        assert target.read_text() == "old"
        assert [*tmp_path.iterdir()] == [target]
        with pytest.raises(ValueError, match="is a folder"):
            sf.bulk.query_job(JOB).to_csv(tmp_path)
        with pytest.raises(TypeError, match="opened for bytes"):
            sf.bulk.query_job(JOB).to_csv(io.StringIO())  # type: ignore[arg-type]  # which is refused


def test_no_rows_are_a_header() -> None:
    with Results([b""]) as server, server.connect() as sf:
        out = io.BytesIO()
        assert sf.bulk.query_job(JOB).to_csv(out) == 0
        assert out.getvalue() == server.header
        assert list(sf.bulk.query_job(JOB).rows()) == []


def test_nothing_at_all_is_no_row() -> None:
    with Results([b""], header=b"") as server, server.connect() as sf:
        out = io.BytesIO()
        assert (sf.bulk.query_job(JOB).to_csv(out), out.getvalue()) == (0, b"")
        assert list(sf.bulk.query_job(JOB).rows()) == []


def test_the_end_of_the_job_is_waited_for_first() -> None:
    told: list[str] = []
    with Results(PAGES) as server, server.connect() as sf:
        running = Reply.of({**told_by(server.info()), "state": "InProgress", "numberRecordsProcessed": 7})
        server._intervene = once("", running, running)
        job = sf.bulk.query_job(JOB)
        found = job.rows(progress=lambda progress: told.append(f"{progress.state} {progress.records_processed}"))
        assert server.asked == []
        assert numbers(found) == ALL
        assert told == ["InProgress 7", "InProgress 7", "JobComplete 180"]
        assert server.asked[:4] == ["", "", "", "results"]
        numbers(job.rows())
        assert server.asked.count("") == 3


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_a_job_that_ended_badly_has_no_results(state: str, tmp_path: Any) -> None:
    with Results(PAGES, info={"state": state, "errorMessage": "QUERY_TIMEOUT"}) as server, server.connect() as sf:
        job = sf.bulk.query_job(JOB)
        reads: list[Callable[[QueryJob], object]] = [
            lambda job: list(job.rows()),
            lambda job: job.to_csv(tmp_path / "rows.csv"),
            lambda job: job.to_arrow(),
            lambda job: job.to_parquet(tmp_path / "rows.parquet"),
        ]
        for each in reads:
            with pytest.raises(errors.JobError, match="QUERY_TIMEOUT") as caught:
                each(job)
            assert caught.value.job is job
        assert [*tmp_path.iterdir()] == []
        assert {*server.asked} == {""}


@pytest.mark.parametrize(
    ("name", "delimiter"),
    [("BACKQUOTE", "`"), ("CARET", "^"), ("COMMA", ","), ("PIPE", "|"), ("SEMICOLON", ";"), ("TAB", "\t")],
)
@pytest.mark.parametrize(("line_ending", "end"), [("LF", "\n"), ("CRLF", "\r\n")])
def test_every_delimiter_and_line_ending_of_a_job_is_read(
    name: str, delimiter: str, line_ending: str, end: str
) -> None:
    cells = [["1", f'x{delimiter}"y"\r\n\n,z', ""], ["2", "", "5"]]
    lines = [["Id", "Name", "NumberOfEmployees"], *cells]
    body = "".join(
        delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) + end for line in lines
    ).encode()
    header, _, rest = body.partition(b"\n")
    server = Results(
        [rest, rest.replace(b'"1"', b'"3"')],
        counts=[2, 2],
        header=header + b"\n",
        info={"columnDelimiter": name, "lineEnding": line_ending},
    )
    with server, server.connect() as sf:
        job = sf.bulk.query_job(JOB)
        expected = [[row[0].replace("1", first), *row[1:]] for first in "13" for row in cells]
        assert [[*row.values()] for row in job.rows()] == expected
        out = io.BytesIO()
        assert job.to_csv(out) == 4
        assert out.getvalue() == body + rest.replace(b'"1"', b'"3"')
        table = job.to_arrow()
        assert table.to_pylist() == [
            {"Id": row[0], "Name": row[1] or None, "NumberOfEmployees": int(row[2]) if row[2] else None}
            for row in expected
        ]


def test_a_query_is_started_as_asked() -> None:
    created = Reply.of({"id": JOB, "operation": "query", "state": "UploadComplete", "object": "Account"})
    with Server([created]) as server, Salesforce(auth.AccessToken(server.url, TOKEN)) as sf:
        job = sf.bulk.query("SELECT Id FROM Account", column_delimiter="TAB", line_ending="CRLF", workers=3)
        assert (job.id, job.state, job.workers) == (JOB, "UploadComplete", 3)
        sf.bulk.query_all("SELECT Id FROM Account")
        first, second = (seen.body for seen in server.seen)
    assert b'"query":"SELECT Id FROM Account"' in first
    assert (b'"operation":"query"' in first, b'"operation":"queryAll"' in second) == (True, True)
    assert (b'"columnDelimiter":"TAB"' in first, b'"lineEnding":"CRLF"' in first) == (True, True)
    assert "SELECT" not in repr(job)


@pytest.mark.parametrize(
    "options", [{"soql": " "}, {"soql": 1}, {"column_delimiter": ","}, {"line_ending": "CR"}, {"workers": 0}]
)
def test_a_query_that_cannot_be_right_is_not_sent(options: dict[str, Any]) -> None:
    with Server([Reply.of({})]) as server, Salesforce(auth.AccessToken(server.url, TOKEN)) as sf:
        for start in (sf.bulk.query, sf.bulk.query_all):
            with pytest.raises((ValueError, TypeError)):
                start(**{"soql": "SELECT Id FROM Account", **options})
        assert server.seen == []
