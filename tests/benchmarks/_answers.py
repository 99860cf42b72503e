"""What the server answers: made once, with the headers and the compression of a real org."""

import gzip
import json
import random
from collections.abc import Iterator, Mapping

RECORD_ID = "001000000000001AAA"
CLOSING_ID = "001000000000002AAA"
"""The record whose answer ends the connection."""

RECORDS_A_PAGE = 2000
PAGES = {"Account": 1, "Contact": 10, "Case": 100, "Task": 10, "Lead": 500}
"""How many pages a query of the object has."""
_SLIM = {"Task", "Lead"}
"""Objects whose records have an id and a name only, so that the server can hold a million of them."""
RECORDS_A_CALL = 200

_TYPES = {
    "Id": "id",
    "Name": "string",
    "Description": "textarea",
    "Phone": "phone",
    "Email": "email",
    "AnnualRevenue": "currency",
    "NumberOfEmployees": "int",
    "Rating": "picklist",
    "BillingCity": "string",
    "Website": "url",
    "IsDeleted": "boolean",
    "OwnerId": "reference",
    "CreatedDate": "datetime",
    "LastModifiedDate": "datetime",
}
SELECT = f"SELECT {', '.join(_TYPES)} FROM"
"""A query of all fields, up to the name of the object."""

DATA = "/services/data/v68.0"
_HEADERS = (
    "HTTP/1.1 200 OK",
    "Date: Mon, 02 Nov 2026 09:00:00 GMT",
    "Set-Cookie: CookieConsentPolicy=0:1; path=/; expires=Tue, 02-Nov-2027 09:00:00 GMT; Max-Age=31536000; secure",
    "Set-Cookie: LSKey-c$CookieConsentPolicy=0:1; path=/; expires=Tue, 02-Nov-2027 09:00:00 GMT; Max-Age=31536000",
    "Set-Cookie: BrowserId=benchmark; path=/; expires=Tue, 02-Nov-2027 09:00:00 GMT; Max-Age=31536000; SameSite=None",
    "Strict-Transport-Security: max-age=63072000; includeSubDomains",
    "X-Content-Type-Options: nosniff",
    "X-Robots-Tag: none",
    "Cache-Control: no-cache,must-revalidate,max-age=0,no-store,private",
    "Sforce-Limit-Info: api-usage=18/15000",
    "Vary: Accept-Encoding",
    "Content-Encoding: gzip",
    "Transfer-Encoding: chunked",
)
_JSON = "Content-Type: application/json;charset=UTF-8"
_CHUNK = 1 << 14
_WORDS = ["north", "star", "harbour", "copper", "lantern", "meadow", "signal", "ember", "quartz", "river", "summit"]


def answers() -> dict[str, bytes]:
    """Give the answer to each path; a query's path ends with the object's name."""
    source = random.Random(1)  # noqa: S311  # the same records in every run
    made = {
        f"{DATA}/sobjects/Account/{record_id}": answer(_record("Account", record_id, source), close=close)
        for record_id, close in ((RECORD_ID, False), (CLOSING_ID, True))
    }
    saved = {"id": RECORD_ID, "success": True, "errors": [], "created": True}
    made[f"{DATA}/composite/sobjects/Account/Ext__c"] = answer([saved] * RECORDS_A_CALL)
    for sobject in PAGES:
        made.update(_pages(sobject, source))
        made[f"{DATA}/sobjects/{sobject}/describe"] = answer(description(_TYPES))
    return made


def description(types: Mapping[str, str]) -> dict[str, object]:
    """Describe an object with what a description must have, and the types of its fields."""
    from sfconnector_generated.rest.models import DescribeSObjectResult, Field

    blank = dict.fromkeys(Field._keys[name] for name in Field._required)
    fields = [{**blank, "name": name, "type": kind, "scale": 2, "referenceTo": []} for name, kind in types.items()]
    lists: dict[str, object] = {"fields": fields, "childRelationships": [], "recordTypeInfos": []}
    return {**dict.fromkeys(DescribeSObjectResult._keys[name] for name in DescribeSObjectResult._required), **lists}


def _pages(sobject: str, source: random.Random) -> Iterator[tuple[str, bytes]]:
    """Give the pages of a query; they differ in their locators only, since nobody compares the records."""
    count = PAGES[sobject]
    records = [_record(sobject, f"003{number:012d}AAA", source) for number in range(RECORDS_A_PAGE)]
    if sobject in _SLIM:
        records = [{name: record[name] for name in ("attributes", "Id", "Name")} for record in records]
    path = f"{DATA}/query/{sobject}"
    for number in range(1, count + 1):
        following = f"{DATA}/query/01g{sobject}-{number * RECORDS_A_PAGE}"
        last = number == count
        page = {"totalSize": count * RECORDS_A_PAGE, "done": last}
        yield path, answer(page | ({} if last else {"nextRecordsUrl": following}) | {"records": records})
        path = following


def _record(sobject: str, record_id: str, source: random.Random) -> dict[str, object]:
    def words(count: int) -> str:
        return " ".join(source.choices(_WORDS, k=count))

    return {
        "attributes": {"type": sobject, "url": f"{DATA}/sobjects/{sobject}/{record_id}"},
        "Id": record_id,
        "Name": words(3).title(),
        "Description": words(30),
        "Phone": f"+49 30 {source.randrange(10**8):08d}",
        "Email": f"{words(1)}.{source.randrange(10**6)}@example.com",
        "AnnualRevenue": source.randrange(10**9) / 100,
        "NumberOfEmployees": source.randrange(10**5),
        "Rating": source.choice(["Hot", "Warm", "Cold", None]),
        "BillingCity": words(1).title(),
        "Website": None,
        "IsDeleted": False,
        "OwnerId": f"005{source.randrange(100):012d}AAA",
        "CreatedDate": f"2026-{source.randrange(1, 13):02d}-01T08:{source.randrange(60):02d}:00.000+0000",
        "LastModifiedDate": f"2026-{source.randrange(1, 13):02d}-02T09:{source.randrange(60):02d}:00.000+0000",
    }


def answer(body: object, *, close: bool = False) -> bytes:
    """Give the answer that has a value as its body."""
    packed = pack(json.dumps(body, separators=(",", ":")).encode())
    return head(_JSON, *(["Connection: close"] if close else [])) + packed


def head(*headers: str) -> bytes:
    """Give an answer's first part, with these headers beside what each answer has."""
    return "\r\n".join([*_HEADERS, *headers]).encode() + b"\r\n\r\n"


def pack(body: bytes) -> bytes:
    """Compress a body and put it into chunks."""
    packed = gzip.compress(body, compresslevel=6, mtime=0)
    pieces = (packed[start : start + _CHUNK] for start in range(0, len(packed), _CHUNK))
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return chunks + b"0\r\n\r\n"
