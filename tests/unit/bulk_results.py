"""A scripted server that has the results of one query job, page by page, and answers otherwise where a test says so."""

import gzip
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from describes import described, field, parent
from http_server import Answer, Reply, Seen, Server
from session_tools import TOKEN, quick

from sfconnector import Salesforce, auth

JOB = "750000000000001AAA"
DATA = "/services/data/v68.0"
RESULTS = f"{DATA}/jobs/query/{JOB}/results"
HEADER = b'"Id","Name","NumberOfEmployees"\n'

Intervene = Callable[[str, int], Answer | None]


def rows(start: int, end: int) -> bytes:
    """Give rows whose texts have what CSV must quote."""
    return b"".join(
        b'"%d","a ""%d"",\r\nb\n\xe2\x80\xa8","%d"\n' % (number, number, number) for number in range(start, end)
    )


def numbers(found: Any) -> list[int]:
    """Give the ids of rows, each of which has to be as it was sent."""
    found = list(found)
    assert all(row["Name"] == f'a "{row["Id"]}",\r\nb\n\u2028' for row in found)
    return [int(row["Id"]) for row in found]


def compressed(body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with CSV as Salesforce does."""
    return Reply(
        200, gzip.compress(body, 1), {"Content-Type": "text/csv", "Content-Encoding": "gzip", **(headers or {})}
    )


def cut(reply: Reply, at: int) -> Reply:
    """Break an answer off."""
    return Reply(reply.status, reply.body[:at], reply.headers, length=len(reply.body), close=True)


class Results(Server):
    """The results of one job.

    Args:
        pages: The rows of each page, without the header.
        counts: How many rows each page has; by default its lines that begin with a quote and a number.
        intervene: Gives another answer to the request for a path and query below the job, the n-th time.
        info: More of what is told about the job.
        a_list: How many pages each part of the list has; ``None`` where this API version has no lists.
        strip: Leave out the headers that begin with ``Sforce-``.
    """

    def __init__(
        self,
        pages: Sequence[bytes],
        *,
        counts: Sequence[int] | None = None,
        intervene: Intervene = lambda *_: None,
        info: Mapping[str, Any] | None = None,
        a_list: int | None = 2,
        strip: bool = False,
        header: bytes = HEADER,
    ) -> None:
        super().__init__(self._answer_to)
        self.header = header
        self.pages, self.counts = pages, counts or [page.count(b"\xe2\x80\xa8") for page in pages]
        self.asked: list[str] = []
        self._intervene, self._a_list, self._strip = intervene, a_list, strip
        self._told = {"numberRecordsProcessed": sum(self.counts), **(info or {})}
        self._turn = threading.Lock()

    def connect(self, **options: Any) -> Salesforce:
        return Salesforce(options.pop("auth", None) or auth.AccessToken(self.url, TOKEN), retry=quick(), **options)

    def info(self) -> Reply:
        job = {"id": JOB, "operation": "query", "object": "Account", "state": "JobComplete", "apiVersion": 68.0}
        return Reply.of({**job, "columnDelimiter": "COMMA", "lineEnding": "LF", **self._told})

    def page(self, number: int, **headers: str) -> Reply:
        """A page, with other headers where so told."""
        following = f"P{number + 1}" if number + 1 < len(self.pages) else "null"
        told = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(self.counts[number])}
        told = {} if self._strip else told
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        return compressed(self.header + self.pages[number], told)

    def listed(self, start: int, **changes: Any) -> Reply:
        """A part of the list of pages."""
        assert self._a_list is not None
        end = min(start + self._a_list, len(self.pages))
        urls = [{"resultUrl": f"{RESULTS}?locator=P{number}"} for number in range(start, end)]
        more = {} if end == len(self.pages) else {"nextRecordsUrl": f"{RESULTS.removesuffix('s')}Pages?locator=P{end}"}
        return Reply.of({"resultPages": urls, "done": end == len(self.pages), **more, **changes})

    def _answer_to(self, seen: Seen) -> Answer:
        parts = urlsplit(seen.target)
        if parts.path.endswith("/describe"):
            return Reply.of(DESCRIBED[parts.path.split("/")[-2]])
        _, _, below = parts.path.partition(f"/jobs/query/{JOB}")
        target = below.removeprefix("/") + (f"?{parts.query}" if parts.query else "")
        with self._turn:
            self.asked.append(target)
            times = self.asked.count(target)
        if (answer := self._intervene(target, times)) is not None:
            return answer
        number = int(parse_qs(parts.query).get("locator", ["P0"])[0][1:])
        match below:
            case "":
                return self.info()
            case "/results":
                return self.page(number)
            case "/resultPages" if self._a_list is not None:
                return self.listed(number)
            case _:
                return Reply.error(404, "NOT_FOUND")


def once(target: str, *answers: Answer) -> Intervene:
    """Answer otherwise the first times that something is asked for."""
    return lambda asked, times: answers[times - 1] if asked == target and times <= len(answers) else None


DESCRIBED = {
    "Account": described(
        "Account",
        field("Id", "id"),
        field("Name", "string"),
        field("NumberOfEmployees", "int"),
        field("AnnualRevenue", "currency", scale=2),
        field("Active__c", "boolean"),
        field("Since__c", "date"),
        field("CreatedDate", "datetime"),
        field("Opens__c", "time"),
        field("Kinds__c", "multipicklist"),
        field("Description", "textarea"),
        field("BillingPostalCode", "string"),
        parent("OwnerId", "Owner", "User"),
        parent("ParentId", "Parent", "Account"),
    ),
    "User": described("User", field("Name", "string"), field("IsActive", "boolean")),
}


def told_by(answer: Reply) -> Any:
    """Give what an answer in JSON says."""
    return json.loads(answer.body)
