"""SOAP calls go through the one session: login, retries, errors and logs are those of all other calls."""

import gzip
import logging
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from http_server import Answer, Cut, Reply, Seen, Server
from session_tools import Numbered
from soap_server import EXPIRED, SoapServer, answer, body, envelope, fault, headers, local, members
from soap_tools import ACCOUNT, LEAD, client, converted, failure, lead_id

from sfconnector import LeadConvert, Salesforce, Timeout, errors


@pytest.fixture
def server() -> Iterator[SoapServer]:
    with SoapServer(converted) as server:
        yield server


@pytest.fixture
def sf(server: Server) -> Iterator[Salesforce]:
    with client(server) as sf:
        yield sf


def test_an_expired_session_is_renewed_once() -> None:
    expired = fault("INVALID_SESSION_ID", EXPIRED)

    def reply(seen: Seen) -> Answer:
        good = headers(seen)["SessionHeader"]["sessionId"] == "T2"
        return answer("convertLead", converted(body(seen)[0])) if good else expired

    with Server(reply) as server, client(server, auth=Numbered(server.url)) as sf:
        # A text that is the same as the token, or as what stands for it, stays as it is.
        sf.soap.convert_lead(LEAD, converted_status="T1", opportunity_name="{session id}")
    first, second = server.seen
    assert [headers(each)["SessionHeader"]["sessionId"] for each in (first, second)] == ["T1", "T2"]
    for seen in (first, second):
        lead = members(body(seen)[0])
        assert (lead["convertedStatus"], lead["opportunityName"]) == ("T1", "{session id}")
        assert int(seen.headers["content-length"]) == len(seen.body)


def test_a_session_that_stays_expired_is_an_error_after_one_login() -> None:
    with Server([fault("INVALID_SESSION_ID", EXPIRED)]) as server:
        way = Numbered(server.url)
        with client(server, auth=way) as sf, pytest.raises(errors.SessionExpiredError) as caught:
            sf.soap.convert_lead(LEAD, converted_status="x")
    assert (way.logins, len(server.seen), caught.value.code) == (2, 2, "INVALID_SESSION_ID")


@pytest.mark.parametrize(
    ("reply", "error", "code"),
    [
        (fault("MALFORMED_ID", "bad id 1", "InvalidIdFault"), errors.ServerError, "MALFORMED_ID"),
        (fault("INVALID_SOBJECT", "x < y", "InvalidSObjectFault"), errors.ServerError, "INVALID_SOBJECT"),
        (fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), errors.LimitExceededError, None),
        (fault("UNSUPPORTED_API_VERSION", "Invalid Api version"), errors.ServerError, "UNSUPPORTED_API_VERSION"),
        (Reply(503, b"<html><title>Down</title></html>", {"Content-Type": "text/html"}), errors.ServerError, ""),
    ],
)
def test_a_fault_is_an_error_with_code_and_message(
    reply: Reply, error: type[errors.ApiError], code: str | None
) -> None:
    with Server([reply]) as server, client(server) as sf, pytest.raises(error) as caught:
        sf.soap.convert_lead(LEAD, converted_status="x")
    assert code is None or caught.value.code == code
    assert len(server.seen) == 1
    assert "<" not in caught.value.errors[0].message.replace("x < y", "")


def test_what_was_not_done_is_sent_again() -> None:
    locked = fault("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
    with SoapServer(converted, lambda number: locked if number == 1 else None) as server, client(server) as sf:
        sf.soap.convert_lead(LEAD, converted_status="x")
    assert len(server.calls) == 2


@pytest.mark.parametrize(
    "lost", [Cut(), Reply(500, b"<a/>"), Reply(502, b""), Reply(200, b"<a", length=99, close=True)]
)
def test_what_may_have_been_done_is_not(lost: Answer) -> None:
    with Server([lost]) as server, client(server, timeout=Timeout(total=20)) as sf:
        for make in (
            lambda: sf.soap.convert_lead(LEAD, converted_status="x"),
            lambda: sf.soap.merge("Account", ACCOUNT, ["001000000000002AAA"]),
            lambda: list(sf.soap.undelete([ACCOUNT])),
            lambda: list(sf.soap.empty_recycle_bin([ACCOUNT])),
        ):
            before = len(server.seen)
            with pytest.raises(errors.SalesforceError):
                make()
            assert len(server.seen) == before + 1


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>",
        b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        b"<a>" * 9999 + b"</a>" * 9999,
        b"<soapenv:Envelope",
        b"{}",
        b"<?xml version='1.0' encoding='x-unknown'?><a/>",
        b"<?xml version='1.0' encoding='shift_jis'?><a/>",
        b"<html>Log in</html>",
        envelope("<mergeResponse/>").body,
    ],
)
@pytest.mark.parametrize("status", [200, 500])
def test_what_is_no_answer_is_an_error(content: bytes, status: int) -> None:
    reply, wanted = Reply(status, content, {"Content-Type": "text/xml"}), pytest.raises(errors.ApiError)
    with Server([reply]) as server, client(server) as sf, wanted as caught:
        sf.soap.convert_lead(LEAD, converted_status="x")
    assert isinstance(caught.value, errors.InvalidResponseError if status == 200 else errors.ServerError)
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_without_measure_is_not_read_to_its_end(status: int) -> None:
    # Small on the way.
    bomb = Reply(status, gzip.compress(bytes(60_000_000), 1), {"Content-Encoding": "gzip"})
    wanted = pytest.raises(errors.TransportError, match="more than 50,000,000 bytes")
    with Server([bomb]) as server, client(server) as sf, wanted as caught:
        sf.soap.convert_lead(LEAD, converted_status="x")
    assert caught.value.sent
    assert len(server.seen) == 1


def test_neither_token_nor_data_is_in_any_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reply, wanted = fault("UNKNOWN_EXCEPTION", "sorry"), pytest.raises(errors.ServerError)
    with Server([reply]) as server, client(server) as sf, wanted as caught:
        sf.soap.convert_lead(LEAD, converted_status="x", account_record={"Name": "private"})
    for text in (caplog.text, str(caught.value), repr(LeadConvert(LEAD, account_record={"Name": "private"}))):
        assert "private" not in text
        assert "secret" not in text
    assert "POST /services/Soap/u/68.0: 500" in caplog.text


def test_without_the_extra_it_is_told_how_to_install_it(
    server: SoapServer, sf: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zeep", None)
    for make in (lambda: sf.soap.server_timestamp(), lambda: list(sf.soap.undelete([ACCOUNT]))):
        with pytest.raises(ImportError, match=r'pip install "sfconnector\[soap\]"'):
            make()
    assert server.seen == []


def test_the_version_is_the_client_s() -> None:
    with SoapServer(converted) as server, client(server, api_version="62.0") as sf:
        sf.soap.convert_lead(LEAD, converted_status="x")
    assert server.seen[0].target == "/services/Soap/u/62.0"


def test_a_fault_that_comes_as_a_success_is_a_fault_all_the_same() -> None:
    reply = fault("MALFORMED_ID", "bad id 1", "InvalidIdFault")
    reply.status = 200
    with Server([reply]) as server, client(server) as sf, pytest.raises(errors.ServerError) as caught:
        sf.soap.convert_lead(LEAD, converted_status="x")
    assert (caught.value.code, caught.value.errors[0].message) == ("MALFORMED_ID", "bad id 1")
    assert len(server.seen) == 1


def test_a_session_that_is_told_to_be_over_by_a_success_is_renewed_once() -> None:
    expired = fault("INVALID_SESSION_ID", EXPIRED)
    expired.status = 200

    def reply(seen: Seen) -> Answer:
        good = headers(seen)["SessionHeader"]["sessionId"] == "T2"
        return answer("convertLead", converted(body(seen)[0])) if good else expired

    with Server(reply) as server, client(server, auth=Numbered(server.url)) as sf:
        assert sf.soap.convert_lead(LEAD, converted_status="x").lead_id == LEAD
    assert len(server.seen) == 2
    with Server([expired]) as server:
        way = Numbered(server.url)
        with client(server, auth=way) as sf, pytest.raises(errors.SessionExpiredError):
            sf.soap.convert_lead(LEAD, converted_status="x")
    assert (way.logins, len(server.seen)) == (2, 2)


def test_data_that_speaks_of_faults_is_no_fault() -> None:
    told = "<soapenv:Fault> INVALID_SESSION_ID"
    with SoapServer(lambda _: failure("INVALID_SESSION_ID", message=told)) as server:
        way = Numbered(server.url)
        with client(server, auth=way) as sf, pytest.raises(errors.RecordError):
            sf.soap.convert_lead(LEAD, converted_status="x")
    assert (way.logins, len(server.calls)) == (1, 1)


def test_a_read_that_a_transient_fault_came_for_is_sent_again() -> None:
    busy = fault("SERVER_UNAVAILABLE", "busy")
    busy.status = 200
    good = answer("getServerTimestamp", {"timestamp": "2026-11-27T09:30:00.123Z"})
    with Server([busy, good]) as server, client(server) as sf:
        assert sf.soap.server_timestamp().year == 2026
    assert len(server.seen) == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_answers_in_other_encodings_of_unicode_are_read(encoding: str) -> None:
    def written(reply: Reply) -> Reply:
        text = reply.body.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"' if "16" in encoding else "")
        return Reply(reply.status, text.encode(encoding), {"Content-Type": f"text/xml; charset={encoding}"})

    good = answer("convertLead", {"leadId": LEAD, "accountId": ACCOUNT, "success": True})
    with Server([written(good)]) as server, client(server) as sf:
        assert sf.soap.convert_lead(LEAD, converted_status="x").account_id == ACCOUNT
    refused = written(fault("MALFORMED_ID", "bad id é"))
    with Server([refused]) as server, client(server) as sf, pytest.raises(errors.ServerError) as caught:
        sf.soap.convert_lead(LEAD, converted_status="x")
    assert (caught.value.code, caught.value.errors[0].message) == ("MALFORMED_ID", "bad id é")


def test_an_encoding_that_cannot_be_read_is_named() -> None:
    content = "<?xml version='1.0' encoding='UTF-32'?><a/>".encode("utf-32")
    reply = Reply(200, content, {"Content-Type": "text/xml; charset=utf-32"})
    wanted = pytest.raises(errors.InvalidResponseError, match="expected XML: ")
    with Server([reply]) as server, client(server) as sf, wanted:
        sf.soap.convert_lead(LEAD, converted_status="x")


def test_threads_share_one_client() -> None:
    leads = [lead_id(number) for number in range(64)]
    expired = fault("INVALID_SESSION_ID", EXPIRED)

    def reply(seen: Seen) -> Answer:
        if headers(seen)["SessionHeader"]["sessionId"] != "T2":
            return expired
        call = body(seen)
        if local(call) == "getServerTimestamp":
            return answer("getServerTimestamp", {"timestamp": "2026-11-27T09:30:00.123Z"})
        return answer(local(call), *map(converted, call))

    with Server(reply) as server:
        way = Numbered(server.url)
        with client(server, auth=way) as sf, ThreadPoolExecutor(8) as pool:
            start = threading.Barrier(8)

            def work(number: int) -> list[str]:
                start.wait(30)
                sf.soap.server_timestamp()
                one = sf.soap.convert_lead(leads[number], converted_status="x", opportunity_name=str(number)).lead_id
                many = sf.soap.convert_leads(leads[number::8], converted_status="x", batch_size=3, workers=2)
                return [one, *(str(each.id) for each in many)]

            done = list(pool.map(work, range(8)))
    assert done == [[leads[number], *leads[number::8]] for number in range(8)]
    # The session was over for all of them at once.
    assert way.logins == 2
