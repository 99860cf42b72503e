"""Many records at a time where something goes wrong: which are sent again, and what is told of the others."""

import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from collection_server import LOCKED, ROLLED_BACK, Collections, failed
from http_server import Answer, Cut, Reply, Server
from session_tools import FakeTime

from sfconnector import Hooks, RecordResult, Retry, RetryEvent, Salesforce, Unfinished, auth, errors
from sfconnector.errors import ErrorDetail, RecordError

ID = "001000000000001AAA"
MISSING = "REQUIRED_FIELD_MISSING"


def names(number: int) -> list[dict[str, Any]]:
    return [{"Name": str(each)} for each in range(number)]


def sent(server: Collections) -> list[list[str]]:
    return [[record["Name"] for record in call] for call in server.calls]


# -------------------------------------------------------------------------------------- records that fail alone


@pytest.mark.parametrize(
    "code", [LOCKED, "SERVER_UNAVAILABLE", "API_TEMPORARILY_UNAVAILABLE", "API_CURRENTLY_DISABLED"]
)
def test_records_that_failed_for_a_passing_reason_alone_are_sent_again(code: str) -> None:
    def judge(number: int, record: Any) -> dict[str, Any] | None:
        if record["Name"] == "3":
            return failed(MISSING)
        return failed(code) if int(record["Name"]) % 4 == 1 and number < 2 else None

    with Collections(judge) as server, server.connect() as sf:
        results = list(sf.sobject("Account").create_many(names(10), raise_on_failure=False))
    assert sent(server) == [[str(each) for each in range(10)], ["1", "5", "9"], ["1", "5", "9"]]
    assert [result.index for result in results] == list(range(10))
    assert [result.index for result in results if not result.success] == [3]


def test_attempts_end_and_the_last_result_holds() -> None:
    time = FakeTime()
    hooked: list[RetryEvent] = []
    with Collections(lambda *_: failed(LOCKED, "unable to obtain exclusive access")) as server:
        sf = Salesforce(
            auth.AccessToken(server.url, "token"), retry=time.retry(attempts=4), hooks=Hooks(on_retry=hooked.append)
        )
        with sf:
            (result,) = sf.sobject("Account").create_many(names(1)).failures()
    assert result.errors == (ErrorDetail(LOCKED, "unable to obtain exclusive access"),)
    assert time.slept == [0.5, 1.0, 2.0]
    assert [(event.request.operation, event.request.attempt) for event in hooked] == [
        ("create_records", 1),
        ("create_records", 2),
        ("create_records", 3),
    ]
    assert hooked[0].request.path == "/composite/sobjects"
    assert hooked[0].reason == f"1 of 1 records: 200 {LOCKED}"
    assert len(server.calls) == 4


def test_the_time_budget_bounds_the_attempts() -> None:
    time = FakeTime()
    with Collections(lambda *_: failed(LOCKED)) as server, server.connect(time.retry(budget=1.0)) as sf:
        assert len(sf.sobject("Account").create_many(names(1)).failures()) == 1
    assert time.slept == [0.5]
    assert len(server.calls) == 2


def test_all_or_none_is_sent_again_as_a_whole_where_only_locks_stood_in_the_way() -> None:
    def judge(number: int, record: Any) -> dict[str, Any] | None:
        if number == 0:
            return failed(LOCKED if record["Name"] == "1" else ROLLED_BACK)
        return None

    with Collections(judge) as server, server.connect() as sf:
        results = list(sf.sobject("Account").create_many(names(3), all_or_none=True))
    assert sent(server) == [["0", "1", "2"]] * 2
    assert [result.success for result in results] == [True] * 3


def test_all_or_none_is_not_sent_again_where_it_would_fail_again() -> None:
    codes = {"0": LOCKED, "1": MISSING, "2": ROLLED_BACK}
    with Collections(lambda _, record: failed(codes[record["Name"]])) as server, server.connect() as sf:
        failures = sf.sobject("Account").create_many(names(3), all_or_none=True).failures()
    assert len(server.calls) == 1
    assert [result.errors[0].code for result in failures] == [LOCKED, MISSING, ROLLED_BACK]


def test_the_error_at_the_end_counts_and_holds_the_failures() -> None:
    def judge(_: int, record: Any) -> dict[str, Any] | None:
        number = int(record["Name"])
        return failed(MISSING if number % 2 else "STRING_TOO_LONG", "no good") if 400 <= number < 405 else None

    seen: list[int] = []
    with Collections(judge) as server, server.connect() as sf:
        results = sf.sobject("Account").create_many(names(1200), workers=2)
        with pytest.raises(RecordError) as caught:
            seen.extend(result.index for result in results)
    assert seen == list(range(1200))
    assert str(caught.value) == (
        f"5 of 1,200 records failed, 3 × STRING_TOO_LONG, 2 × {MISSING}; record 400 failed: STRING_TOO_LONG: no good"
    )
    assert [result.index for result in caught.value.failures] == [400, 401, 402, 403, 404]
    assert (caught.value.index, caught.value.code) == (400, "STRING_TOO_LONG")
    assert results.unfinished is None
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # what was pickled a moment ago
    assert (str(again), again.failures) == (str(caught.value), caught.value.failures)


def test_many_codes_are_cut_short() -> None:
    with Collections(lambda _, record: failed(f"CODE_{record['Name']}")) as server, server.connect() as sf:
        results = sf.sobject("Account").create_many(names(5))
        with pytest.raises(RecordError, match=r"^5 of 5 records failed, 1 × CODE_0, 1 × CODE_1, 1 × CODE_2, …; record"):
            list(results)
    assert str(RecordError((), index=None)) == "the record failed: Salesforce gave no reason"


def test_failures_gives_the_failed_only_and_does_not_raise() -> None:
    def judge(_: int, record: Any) -> dict[str, Any] | None:
        return failed(MISSING) if record["Name"] == "7" else None

    with Collections(judge) as server, server.connect() as sf:
        (failure,) = sf.sobject("Account").create_many(names(450)).failures()
    assert (failure.index, failure.record) == (7, {"Name": "7"})


# ------------------------------------------------------------------------------------------- calls that fail whole


def interrupted(
    write: Callable[[Salesforce], Any], answer: Answer, *, at: str = "200", retry: Retry | None = None
) -> tuple[list[RecordResult[Any]], Exception, Unfinished, Collections]:
    """Write a thousand records of which the call with one of them is answered otherwise, two calls at a time."""
    others = threading.Event()

    def intervene(_: int, records: list[Any]) -> Answer | None:
        first = records[0]["Name"] if isinstance(records[0], dict) else records[0]
        if first == at:
            # The call after it is under way, so that its results have to be handed out.
            assert others.wait(10)
            return answer
        if first != "0":
            others.set()
        return None

    results: list[RecordResult[Any]] = []
    with Collections(intervene=intervene) as server, server.connect(retry or Retry(attempts=1)) as sf:
        iterator = write(sf)
        with pytest.raises((errors.SalesforceError, ValueError)) as caught:
            results.extend(iterator)
        assert list(iterator) == []
    assert isinstance(iterator.unfinished, Unfinished)
    return results, caught.value, iterator.unfinished, server


def create(sf: Salesforce) -> Any:
    return sf.sobject("Account").create_many(names(2000), workers=2)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Cut(), errors.TransportError),
        (Reply.error(500, "UNKNOWN_EXCEPTION"), errors.ServerError),
        (Reply(200, b"<html></html>", {"Content-Type": "text/html"}), errors.InvalidResponseError),
        (Reply.of([]), errors.InvalidResponseError),
        (Reply.of({"success": True}), errors.InvalidResponseError),
    ],
)
def test_a_lost_answer_leaves_its_records_in_doubt(answer: Answer, kind: type[Exception]) -> None:
    results, error, unfinished, server = interrupted(create, answer)
    assert isinstance(error, kind)
    assert unfinished.in_doubt == tuple(range(200, 400))
    assert unfinished.refused == ()
    handed_out = [result.index for result in results]
    assert handed_out == [*range(200), *range(400, unfinished.unsent_from)]
    assert len(server.calls) * 200 == unfinished.unsent_from < 2000
    assert error.__notes__ == [
        "sent, and perhaps saved: records 200–399",
        f"not sent: all from record {unfinished.unsent_from} on",
    ]
    assert sum(call[0]["Name"] == "200" for call in server.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Reply.error(400, "JSON_PARSER_ERROR"),
        Reply.error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        Reply.error(401, "INVALID_SESSION_ID"),
    ],
)
def test_a_refused_call_leaves_its_records_unsaved(answer: Answer) -> None:
    _, error, unfinished, _ = interrupted(create, answer)
    assert isinstance(error, errors.ApiError)
    assert (unfinished.in_doubt, unfinished.refused) == ((), tuple(range(200, 400)))
    assert error.__notes__[0] == "sent, and not saved: records 200–399"


def test_an_upsert_is_repeated_before_it_fails() -> None:
    def upsert(sf: Salesforce) -> Any:
        records = ({"Ext__c": record["Name"], **record} for record in names(2000))
        return sf.sobject("Account").upsert_many("Ext__c", records, workers=2)

    _, error, unfinished, server = interrupted(upsert, Cut(), retry=Retry(attempts=3, backoff=0.0))
    assert isinstance(error, errors.TransportError)
    assert unfinished.in_doubt == tuple(range(200, 400))
    assert sum(call[0]["Name"] == "200" for call in server.calls) == 3


def test_a_failing_source_comes_after_the_results_of_what_was_sent() -> None:
    def source() -> Iterator[dict[str, Any]]:
        yield from names(450)
        raise KeyError("the caller's own")

    with Collections() as server, server.connect() as sf:
        results = sf.sobject("Account").create_many(source(), workers=3)
        seen: list[int] = []
        with pytest.raises(KeyError, match="the caller's own") as caught:
            seen.extend(result.index for result in results)
    assert seen == list(range(400))
    assert len(server.calls) == 2
    assert results.unfinished == Unfinished(unsent_from=400)
    assert caught.value.__notes__ == ["not sent: all from record 400 on"]


def test_a_bad_record_comes_after_the_results_of_what_was_sent() -> None:
    records = [*names(450), {"Name": float("inf")}, *names(300)]
    with Collections() as server, server.connect() as sf:
        results = sf.sobject("Account").create_many(records, workers=3)
        seen: list[int] = []
        with pytest.raises(ValueError, match=r"^record 450: Name: JSON has no number for inf"):
            seen.extend(result.index for result in results)
    assert seen == list(range(400))
    assert len(server.calls) == 2
    assert results.unfinished == Unfinished(unsent_from=400)


def test_two_things_that_go_wrong_are_both_told() -> None:
    read = threading.Event()

    def source() -> Iterator[dict[str, Any]]:
        yield from names(600)
        read.set()
        yield {"Name": object()}

    def intervene(_: int, records: list[Any]) -> Answer | None:
        if records[0]["Name"] != "200":
            return None
        assert read.wait(10)
        return Reply.error(400, "JSON_PARSER_ERROR")

    with Collections(intervene=intervene) as server, server.connect() as sf:
        results = sf.sobject("Account").create_many(source(), workers=2)
        seen: list[int] = []
        with pytest.raises(errors.BadRequestError) as caught:
            seen.extend(result.index for result in results)
    assert seen == [*range(200), *range(400, 600)]
    assert results.unfinished == Unfinished(refused=tuple(range(200, 400)), unsent_from=600)
    assert caught.value.__notes__ == [
        "also: record 600: Name: a object has no place in a record",
        "sent, and not saved: records 200–399",
        "not sent: all from record 600 on",
    ]


def test_records_that_failed_before_the_end_are_not_lost() -> None:
    def judge(_: int, record: Any) -> dict[str, Any] | None:
        return failed(MISSING) if record["Name"] == "5" else None

    def intervene(number: int, _: list[Any]) -> Answer | None:
        return Reply.error(500, "UNKNOWN_EXCEPTION") if number == 1 else None

    with Collections(judge, intervene) as server, server.connect(Retry(attempts=1)) as sf:
        results = sf.sobject("Account").create_many(names(600))
        with pytest.raises(errors.ServerError) as caught:
            results.failures()
    assert results.unfinished is not None
    assert [failure.index for failure in results.unfinished.failures] == [5]
    assert "1 records have failed by themselves" in caught.value.__notes__


def test_a_repetition_that_fails_leaves_what_is_known() -> None:
    def judge(number: int, record: Any) -> dict[str, Any] | None:
        return failed(LOCKED) if record["Name"] in {"1", "3"} else None

    outcomes: list[tuple[Answer, tuple[int, ...]]] = [(Reply.error(400, "X"), ()), (Cut(), (1, 3))]
    for answer, in_doubt in outcomes:

        def intervene(number: int, _: list[Any], answer: Answer = answer) -> Answer | None:
            return answer if number == 1 else None

        with Collections(judge, intervene) as server, server.connect() as sf:
            results = sf.sobject("Account").create_many(names(5))
            seen: list[RecordResult[Any]] = []
            with pytest.raises(errors.SalesforceError):
                seen.extend(results)
        assert results.unfinished is not None
        assert results.unfinished.in_doubt == in_doubt
        assert [result.index for result in seen] == [each for each in range(5) if each not in in_doubt]
        assert [result.index for result in seen if not result.success] == [each for each in (1, 3) if not in_doubt]


def test_a_login_that_fails_leaves_nothing_in_doubt() -> None:
    with Server([Reply.of({"error": "invalid_grant"}, 400)]) as server:
        sf = Salesforce(auth.ClientCredentials(server.url, "id", "secret"), retry=Retry(attempts=1))
        with sf:
            results = sf.sobject("Account").create_many(names(3))
            with pytest.raises(errors.AuthenticationError):
                list(results)
    assert results.unfinished == Unfinished(refused=(0, 1, 2), unsent_from=3)


def test_no_connection_leaves_nothing_in_doubt() -> None:
    with Collections() as server:
        url = server.url
    with Salesforce(auth.AccessToken(url, "token"), retry=Retry(attempts=2, backoff=0.0)) as sf:
        results = sf.sobject("Account").create_many(names(3))
        with pytest.raises(errors.TransportError):
            list(results)
    assert results.unfinished == Unfinished(refused=(0, 1, 2), unsent_from=3)


def test_an_interruption_sends_nothing_more_and_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt, release = threading.Event(), threading.Event()
    wait = threading.Event.wait

    def interrupted_wait(event: threading.Event, timeout: float | None = None) -> bool:
        if interrupt.is_set() and sys._getframe(1).f_code.co_name == "in_order":
            interrupt.clear()
            release.set()
            raise KeyboardInterrupt
        return wait(event, timeout)

    def intervene(_: int, records: list[Any]) -> None:
        # Calls arrive in any order.
        if int(records[0]["Name"]) >= 400:
            assert wait(release, 60)

    with Collections(intervene=intervene) as server, server.connect() as sf:
        results = sf.sobject("Account").create_many(names(5000), workers=2)
        seen = [next(results).index for _ in range(400)]
        monkeypatch.setattr(threading.Event, "wait", interrupted_wait)
        interrupt.set()
        with pytest.raises(KeyboardInterrupt):
            list(results)
        sent = len(server.calls)
        assert "sfconnector-read-ahead" not in {thread.name for thread in threading.enumerate()}
        assert list(results) == []
        assert len(server.calls) == sent
    assert results.unfinished is not None
    assert seen == list(range(400))
    assert results.unfinished.in_doubt == tuple(range(400, sent * 200))
    assert results.unfinished.unsent_from == sent * 200


# ----------------------------------------------------------------------------------------------------- deletions


def lost_first(then: Callable[[int, str], dict[str, Any] | None], **options: Any) -> list[RecordResult[str]]:
    ids = [f"00100000000000{number}" for number in range(3)]
    with (
        Collections(then, lambda number, _: Cut() if number == 0 else None) as server,
        server.connect() as sf,
    ):
        return list(sf.sobject("Account").delete_many(ids, raise_on_failure=False, **options))


def test_what_a_lost_attempt_deleted_counts_as_deleted() -> None:
    results = lost_first(lambda *_: failed("ENTITY_IS_DELETED"))
    assert [(result.success, result.id, result.errors) for result in results] == [
        (True, f"00100000000000{number}", ()) for number in range(3)
    ]


def test_other_failures_after_a_lost_attempt_stay_failures() -> None:
    results = lost_first(lambda _, record_id: failed("ENTITY_IS_DELETED" if record_id.endswith("1") else "X"))
    assert [result.success for result in results] == [False, True, False]


def test_all_or_none_was_deleted_as_a_whole_or_not_at_all() -> None:
    assert all(result.success for result in lost_first(lambda *_: failed("ENTITY_IS_DELETED"), all_or_none=True))
    partly = lost_first(
        lambda _, record_id: failed("ENTITY_IS_DELETED" if record_id.endswith("1") else ROLLED_BACK), all_or_none=True
    )
    assert not any(result.success for result in partly)


def test_a_record_deleted_before_is_a_failure_without_a_lost_attempt() -> None:
    with Collections(lambda *_: failed("ENTITY_IS_DELETED")) as server, server.connect() as sf:
        assert len(sf.delete_many([ID]).failures()) == 1


# ------------------------------------------------------------------------------------ ends that nobody planned


@pytest.mark.parametrize(
    "result",
    [
        None,
        {"success": None, "errors": []},
        {"success": True, "errors": None},
        {"success": False, "errors": [None]},
        {"success": False, "errors": [{"statusCode": None, "message": "x"}]},
    ],
)
def test_nulls_where_results_belong_leave_the_records_in_doubt(result: Any) -> None:
    with Collections(intervene=lambda *_: Reply.of([result])) as server, server.connect() as sf:
        results = sf.sobject("Account").create_many(names(1))
        with pytest.raises(errors.InvalidResponseError, match=r"not a list of results|expected a JSON object"):
            list(results)
    assert results.unfinished == Unfinished(unsent_from=1, in_doubt=(0,))


def test_an_interruption_ends_the_attempts_of_calls_under_way() -> None:
    waiting = threading.Event()
    told: list[bool] = []

    def pause(_: float) -> None:
        waiting.set()
        told.append(results._run._broken.wait(10))

    def records() -> Iterator[dict[str, Any]]:
        yield {"Name": "0"}
        assert waiting.wait(10)
        raise KeyboardInterrupt

    with Collections(lambda *_: failed(LOCKED)) as server, server.connect(Retry(sleep=pause)) as sf:
        results = sf.sobject("Account").create_many(records(), batch_size=1, workers=2)
        with pytest.raises(KeyboardInterrupt):
            list(results)
    assert told == [True]
    assert len(server.calls) == 1
