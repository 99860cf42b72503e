"""SOAP calls through the client: what goes out, what comes back, and what must never happen twice."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from http_server import Cut, Reply, Server
from soap_server import PARTNER, RECORD, SoapServer, answer, body, headers, local, members
from soap_tools import ACCOUNT, CONTACT, LEAD, OPPORTUNITY, TOKEN, USER, client, converted, failure, lead_id

from sfconnector import CallOptions, DuplicateRule, LeadConversion, LeadConvert, Salesforce, errors

REQUIRED = {"doNotCreateOpportunity": "false", "overwriteLeadSource": "false", "sendNotificationEmail": "false"}
HOSTILE = ['O\'Hara "& Sons" <a@b.c>', "]]>", "<![CDATA[x]]>", "&lt;", "é 😀 \U0010ffff", "a\tb\r\nc", "</x><y>"]
RECORDS = ["account_record", "contact_record", "opportunity_record", "related_person_account_record"]
UNSENDABLE = ["\0", "a\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"]


@pytest.fixture
def server() -> Iterator[SoapServer]:
    with SoapServer(converted) as server:
        yield server


@pytest.fixture
def sf(server: Server) -> Iterator[Salesforce]:
    with client(server) as sf:
        yield sf


class TestALead:
    """``convert_lead``: one lead, one element for each thing that is said."""

    def test_what_is_not_said_is_not_sent(self, server: SoapServer, sf: Salesforce) -> None:
        result = sf.soap.convert_lead(LEAD, converted_status="Qualified")
        assert result == LeadConversion(LEAD, ACCOUNT, CONTACT, None, None)
        (seen,) = server.seen
        assert (seen.method, seen.target) == ("POST", "/services/Soap/u/68.0")
        assert seen.headers["soapaction"] == '""'
        assert seen.headers["content-type"] == "text/xml; charset=UTF-8"
        assert headers(seen) == {"SessionHeader": {"sessionId": TOKEN}}
        (lead,) = body(seen)
        assert members(lead) == {"convertedStatus": "Qualified", "leadId": LEAD, **REQUIRED}

    def test_what_is_said_is_sent_once(self, server: SoapServer, sf: Salesforce) -> None:
        ids = {"accountId": ACCOUNT, "contactId": CONTACT, "opportunityId": OPPORTUNITY, "ownerId": USER}
        sf.soap.convert_lead(
            LEAD,
            converted_status="Qualified",
            account_id=ACCOUNT,
            contact_id=CONTACT,
            opportunity_id=OPPORTUNITY,
            opportunity_name="Big",
            owner_id=USER,
            do_not_create_opportunity=True,
            bypass_account_dedupe_check=True,
            bypass_contact_dedupe_check=False,
            overwrite_lead_source=True,
            send_notification_email=True,
            related_person_account_id=ACCOUNT,
            account_record={"Id": ACCOUNT, "Name": "<A>", "Fax": None, "NumberOfEmployees": 5, "Open__c": True},
            contact_record={},
            duplicate_rule=DuplicateRule(allow_save=True),
            allow_field_truncation=True,
            call_options=CallOptions(client="C"),
        )
        (seen,) = server.seen
        (lead,) = body(seen)
        flags = dict.fromkeys([*REQUIRED, "bypassAccountDedupeCheck"], "true")
        rest = {"opportunityName": "Big", "relatedPersonAccountId": ACCOUNT, "bypassContactDedupeCheck": "false"}
        sent = {"convertedStatus": "Qualified", "leadId": LEAD, **ids, **flags, **rest}
        assert members(lead) == {**sent, "accountRecord": "", "contactRecord": ""}
        # The order of the WSDL, which happens to be that of the alphabet.
        assert [local(each) for each in lead] == sorted(local(each) for each in lead)
        account, contact = lead.findall(f"{PARTNER}accountRecord/*"), lead.findall(f"{PARTNER}contactRecord/*")
        fields = [("type", "Account"), ("fieldsToNull", "Fax"), ("Id", ACCOUNT), ("Name", "<A>")]
        fields += [("NumberOfEmployees", "5"), ("Open__c", "true")]
        assert [(each.tag, each.text) for each in account] == [(RECORD + name, text) for name, text in fields]
        assert [(each.tag, each.text) for each in contact] == [(f"{RECORD}type", "Contact")]
        assert headers(seen) == {
            "SessionHeader": {"sessionId": TOKEN},
            "CallOptions": {"client": "C"},
            "AllowFieldTruncationHeader": {"allowFieldTruncation": "true"},
            "DuplicateRuleHeader": {"allowSave": "true", "includeRecordDetails": "false", "runAsCurrentUser": "false"},
        }

    @pytest.mark.parametrize("text", HOSTILE)
    def test_texts_arrive_as_they_are(self, server: SoapServer, sf: Salesforce, text: str) -> None:
        fields = {"Name": text}
        records = dict.fromkeys(RECORDS, fields)
        sf.soap.convert_lead(LEAD, converted_status=text, opportunity_name=text, **records)  # type: ignore[arg-type]  # mypy takes one type for all of a dict
        (lead,) = body(server.seen[0])
        assert (members(lead)["convertedStatus"], members(lead)["opportunityName"]) == (text, text)
        assert [each.text for each in lead.iter(f"{RECORD}Name")] == [text] * 4

    @pytest.mark.parametrize("text", UNSENDABLE)
    @pytest.mark.parametrize("name", ["converted_status", "opportunity_name", *RECORDS])
    def test_what_xml_cannot_carry_is_refused(self, server: SoapServer, sf: Salesforce, name: str, text: str) -> None:
        value: Any = {"Name": f"secret{text}"} if name.endswith("record") else f"secret{text}"
        with pytest.raises(ValueError, match=f"{name}.* holds .*, a character that XML") as caught:
            sf.soap.convert_lead(LEAD, **{name: value})
        assert "secret" not in str(caught.value)
        assert server.seen == []

    @pytest.mark.parametrize(
        "wrong",
        [
            {"account_id": ""},
            {"contact_id": " "},
            {"opportunity_id": "006"},
            {"owner_id": "<"},
            {"related_person_account_id": ""},
            {"converted_status": ""},
            {"opportunity_name": " "},
            {"account_record": {"Id": ""}},
            {"account_record": {"a b": "x"}},
        ],
    )
    def test_empty_and_malformed_values_are_never_sent(
        self, server: SoapServer, sf: Salesforce, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(ValueError, match=r"no id|blank|no API name"):
            sf.soap.convert_lead(LEAD, **wrong)
        with pytest.raises(ValueError, match="no id"):
            sf.soap.convert_lead("")
        assert server.seen == []

    @pytest.mark.parametrize("name", ["type", "fieldsToNull"])
    def test_a_field_never_passes_for_what_tells_of_the_record(
        self, server: SoapServer, sf: Salesforce, name: str
    ) -> None:
        with pytest.raises(ValueError, match=f"account_record: {name} is an element"):
            sf.soap.convert_lead(LEAD, converted_status="x", account_record={name: "Contact"})
        assert server.seen == []

    @pytest.mark.parametrize("name", ["account", "contact", "opportunity", "related_person_account"])
    def test_a_record_of_another_id_than_the_one_beside_it_is_refused(
        self, server: SoapServer, sf: Salesforce, name: str
    ) -> None:
        two: dict[str, Any] = {f"{name}_id": ACCOUNT, f"{name}_record": {"ID": "001000000000002AAA"}}
        with pytest.raises(
            ValueError, match=f"{name}_record is that of 001000000000002AAA, and {name}_id is {ACCOUNT}"
        ):
            sf.soap.convert_lead(LEAD, converted_status="x", **two)
        assert server.seen == []
        # The same id may be written in two ways.
        sf.soap.convert_lead(
            LEAD, converted_status="x", **{f"{name}_id": ACCOUNT, f"{name}_record": {"Id": ACCOUNT[:15]}}
        )

    @pytest.mark.parametrize(
        "wrong",
        [
            {"owner_id": 5},
            {"converted_status": 5},
            {"send_notification_email": "false"},
            {"bypass_contact_dedupe_check": 1},
            {"do_not_create_opportunity": None},
            {"account_record": "x"},
            {"account_record": {"Owner": {"Id": USER}}},
            {"allow_field_truncation": 1},
            {"duplicate_rule": CallOptions()},
        ],
    )
    def test_values_of_other_types_are_never_sent(
        self, server: SoapServer, sf: Salesforce, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(TypeError):
            sf.soap.convert_lead(LEAD, **wrong)
        assert server.seen == []

    def test_a_failure_is_typed(self) -> None:
        wanted = pytest.raises(errors.RecordError, match="CANNOT_CONVERT: a < b & c")
        with SoapServer(lambda _: failure()) as server, client(server) as sf, wanted as caught:
            sf.soap.convert_lead(LEAD, converted_status="x")
        detail = errors.ErrorDetail("CANNOT_CONVERT", "a < b & c", ("Company", "Ext__c"))
        assert (caught.value.code, caught.value.errors) == ("CANNOT_CONVERT", (detail,))

    def test_a_lead_that_was_locked_is_sent_again(self) -> None:
        def judge(lead: Element) -> dict[str, Any]:
            return failure("UNABLE_TO_LOCK_ROW") if len(server.calls) == 1 else converted(lead)

        with SoapServer(judge) as server, client(server) as sf:
            assert sf.soap.convert_lead(LEAD, converted_status="x").lead_id == LEAD
        assert len(server.calls) == 2

    def test_the_converted_status_of_the_org_is_asked_for_once(self, server: SoapServer, sf: Salesforce) -> None:
        for _ in range(2):
            sf.soap.convert_lead(LEAD)
        list(sf.soap.convert_leads([LEAD]))
        assert server.queries == 1
        assert {members(body(each)[0])["convertedStatus"] for each in server.calls} == {"Closed - Converted"}

    def test_an_org_without_a_converted_status_is_told_of(self) -> None:
        none = Reply.of({"totalSize": 0, "done": True, "records": []})
        with Server([none]) as server, client(server) as sf, pytest.raises(ValueError, match="give converted_status"):
            sf.soap.convert_lead(LEAD)

    @pytest.mark.parametrize("count", [0, 2])
    def test_one_lead_has_one_result(self, count: int) -> None:
        result = {"leadId": LEAD, "success": True}
        wanted = pytest.raises(errors.InvalidResponseError, match=f"{count} results")
        with Server([answer("convertLead", *[result] * count)]) as server, client(server) as sf, wanted:
            sf.soap.convert_lead(LEAD, converted_status="x")

    @pytest.mark.parametrize(
        "result",
        [
            {"leadId": lead_id(2), "success": True},
            {"leadId": None, "accountId": ACCOUNT, "success": True},
            {"accountId": ACCOUNT, "success": True},
            {"leadId": LEAD, "success": None},
            {"success": False, "errors": [{"statusCode": None, "message": None}]},
        ],
    )
    def test_a_result_that_cannot_be_relied_on_is_an_error(self, result: dict[str, Any]) -> None:
        wanted = pytest.raises(errors.InvalidResponseError)
        with Server([answer("convertLead", result)]) as server, client(server) as sf, wanted:
            sf.soap.convert_lead(LEAD, converted_status="x")
        assert len(server.seen) == 1


class TestManyLeads:
    """``convert_leads``: cut into calls, and each lead has a result of its own."""

    def test_200_leads_with_mixed_outcomes_are_mapped_to_their_inputs(self) -> None:
        def judge(lead: Element) -> dict[str, Any]:
            return failure() if int(members(lead)["leadId"][3:15]) % 3 == 0 else converted(lead)

        ids: list[str | LeadConvert] = [lead_id(number) for number in range(200)]
        ids[50], ids[51] = LeadConvert(lead_id(50), opportunity_name="<50>"), LeadConvert(lead_id(51))
        with SoapServer(judge) as server, client(server) as sf:
            results = list(sf.soap.convert_leads(ids, converted_status="Qualified", raise_on_failure=False))
        assert [len(body(each)) for each in server.calls] == [100, 100]
        assert [each.index for each in results] == list(range(200))
        assert all(each.record is given for each, given in zip(results, ids, strict=True))
        assert [each.success for each in results] == [number % 3 != 0 for number in range(200)]
        for number, each in enumerate(results):
            if number % 3:
                assert each.id == lead_id(number)
                assert each.conversion is not None
                assert (each.conversion.lead_id, each.conversion.account_id) == (each.id, f"001{number:012}AAA")
            else:
                assert (each.id, each.conversion, each.errors[0].code) == (None, None, "CANNOT_CONVERT")
        sent = [members(lead) for seen in server.calls for lead in body(seen)]
        assert [each.get("opportunityName") for each in sent] == [None] * 50 + ["<50>"] + [None] * 149

    def test_failures_are_an_error_after_the_last_result(self) -> None:
        with SoapServer(lambda _: failure()) as server, client(server) as sf:
            results = sf.soap.convert_leads([LEAD, lead_id(2)], converted_status="x")
            assert not next(results).success
            assert not next(results).success
            with pytest.raises(errors.RecordError, match="2 of 2 records failed, 2 × CANNOT_CONVERT") as caught:
                next(results)
        assert [each.index for each in caught.value.failures] == [0, 1]  # type: ignore[attr-defined]  # of any kind

    def test_a_lead_that_was_locked_is_sent_again_and_no_other(self) -> None:
        calls = 0

        def judge(lead: Element) -> dict[str, Any]:
            nonlocal calls
            calls += 1
            return failure("UNABLE_TO_LOCK_ROW") if calls == 2 else converted(lead)

        with SoapServer(judge) as server, client(server) as sf:
            results = list(sf.soap.convert_leads([lead_id(n) for n in range(3)], converted_status="x"))
        assert all(each.success for each in results)
        sent = [[members(lead)["leadId"] for lead in body(seen)] for seen in server.calls]
        assert sent == [[lead_id(0), lead_id(1), lead_id(2)], [lead_id(1)]]

    def test_a_call_whose_answer_is_lost_is_not_sent_again(self) -> None:
        with SoapServer(converted, lambda number: Cut() if number == 2 else None) as server, client(server) as sf:
            results = sf.soap.convert_leads([lead_id(n) for n in range(9)], converted_status="x", batch_size=3)
            assert [next(results).id for _ in range(3)] == [lead_id(n) for n in range(3)]
            with pytest.raises(errors.TransportError, match="may have arrived"):
                next(results)
        assert len(server.calls) == 2
        assert results.unfinished is not None
        assert (results.unfinished.in_doubt, results.unfinished.unsent_from) == ((3, 4, 5), 6)

    def test_results_in_another_order_are_taken_for_none(self) -> None:
        done = [{"leadId": lead_id(number), "accountId": ACCOUNT, "success": True} for number in (2, 1)]
        with Server([answer("convertLead", *done)]) as server, client(server) as sf:
            results = sf.soap.convert_leads([lead_id(1), lead_id(2)[:15]], converted_status="x")
            with pytest.raises(errors.InvalidResponseError, match="of other records"):
                next(results)
        assert results.unfinished is not None
        assert results.unfinished.in_doubt == (0, 1)

    def test_a_lead_that_cannot_be_sent_is_told_with_its_position(self, server: SoapServer, sf: Salesforce) -> None:
        results = sf.soap.convert_leads([lead_id(0), "x"], converted_status="x", batch_size=1)
        assert next(results).success
        with pytest.raises(ValueError, match="record 1: 'x' is no id"):
            next(results)
        assert len(server.calls) == 1

    @pytest.mark.parametrize(
        "wrong", [{"batch_size": 101}, {"batch_size": 0}, {"converted_status": " "}, {"converted_status": "\0"}]
    )
    def test_arguments_that_cannot_be_right(self, server: SoapServer, sf: Salesforce, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"batch_size|converted_status"):
            sf.soap.convert_leads([LEAD], **wrong)
        with pytest.raises(TypeError, match="give a list"):
            sf.soap.convert_leads(LEAD)
        assert server.seen == []


class TestOtherCalls:
    """``merge``, ``undelete``, ``empty_recycle_bin``, ``server_timestamp``, ``user_info``."""

    def test_merge(self) -> None:
        other = "001000000000002AAA"
        result = {
            "id": ACCOUNT,
            "mergedRecordIds": [other],
            "success": True,
            "updatedRelatedIds": [CONTACT, OPPORTUNITY],
        }
        with Server([answer("merge", result)]) as server, client(server) as sf:
            merged = sf.soap.merge("Account", ACCOUNT, [other], fields={"Name": "<&>", "Fax": None})
        assert (merged.id, merged.merged_ids, merged.updated_related_ids) == (ACCOUNT, (other,), (CONTACT, OPPORTUNITY))
        (request,) = body(server.seen[0])
        master, merge_id = request
        assert [each.text for each in master] == ["Account", "Fax", ACCOUNT, "<&>"]
        assert merge_id.text == other

    @pytest.mark.parametrize("text", UNSENDABLE)
    def test_what_xml_cannot_carry_is_refused(self, server: SoapServer, sf: Salesforce, text: str) -> None:
        other = "001000000000002AAA"
        with pytest.raises(ValueError, match="a character that XML"):
            sf.soap.merge("Account", ACCOUNT, [other], fields={"Name": text})
        with pytest.raises(ValueError, match=r"XML|surrogates"):
            sf.soap.merge("Account", ACCOUNT, [other], call_options=CallOptions(client=f"x{text}"))
        with pytest.raises(ValueError, match="is no id"):
            sf.soap.merge("Account", ACCOUNT, [other[:-1] + text])
        with pytest.raises(ValueError, match="is no id"):
            list(sf.soap.undelete([other[:-1] + text]))
        assert server.seen == []

    @pytest.mark.parametrize("text", HOSTILE)
    def test_texts_of_merges_arrive_as_they_are(self, text: str) -> None:
        result = {"id": ACCOUNT, "success": True, "mergedRecordIds": [CONTACT]}
        with Server([answer("merge", result)]) as server, client(server) as sf:
            sf.soap.merge("Account", ACCOUNT, ["001000000000002AAA"], fields={"Name": text})
        (name,) = body(server.seen[0]).iter(f"{RECORD}Name")
        assert name.text == text

    def test_merges_that_cannot_be_right(self, server: SoapServer, sf: Salesforce) -> None:
        other = "001000000000002AAA"
        for ids in ([], [ACCOUNT], [other, other], [other[:15], other], ["001000000000003", "001000000000004", other]):
            with pytest.raises(ValueError, match=r"cannot be merged"):
                sf.soap.merge("Account", ACCOUNT, ids)
        with pytest.raises(ValueError, match="its own Id is not"):
            sf.soap.merge("Account", ACCOUNT, [other], fields={"Id": other})
        with pytest.raises(TypeError, match="a list of texts"):
            sf.soap.merge("Account", ACCOUNT, other)
        assert server.seen == []

    @pytest.mark.parametrize(
        "result",
        [
            {"id": CONTACT, "success": True},
            {"id": ACCOUNT, "success": None},
            {"success": False, "errors": [{"statusCode": None, "message": None}]},
        ],
    )
    def test_a_merge_whose_result_cannot_be_relied_on(self, result: dict[str, Any]) -> None:
        wanted = pytest.raises(errors.InvalidResponseError)
        with Server([answer("merge", result)]) as server, client(server) as sf, wanted:
            sf.soap.merge("Account", ACCOUNT, ["001000000000002AAA"])

    def test_a_merge_that_failed(self) -> None:
        wanted = pytest.raises(errors.RecordError, match="INVALID_ID_FIELD")
        with Server([answer("merge", failure("INVALID_ID_FIELD"))]) as server, client(server) as sf, wanted:
            sf.soap.merge("Account", ACCOUNT, ["001000000000002AAA"])

    @pytest.mark.parametrize(("name", "call"), [("undelete", "undelete"), ("empty_recycle_bin", "emptyRecycleBin")])
    def test_records_by_their_ids(self, name: str, call: str) -> None:
        def judge(record_id: Element) -> dict[str, Any]:
            if record_id.text == lead_id(7):
                return failure("UNDELETE_FAILED", id=None)
            return {"id": record_id.text, "success": True}

        ids = [lead_id(number) for number in range(201)]
        with SoapServer(judge) as server, client(server) as sf:
            results = list(getattr(sf.soap, name)(ids, raise_on_failure=False))
            assert [each.id for each in results] == [*ids[:7], None, *ids[8:]]
            assert [each.index for each in results if each.errors] == [7]
            with pytest.raises(errors.RecordError, match="1 of 1 records"):
                list(getattr(sf.soap, name)([lead_id(7)]))
            with pytest.raises(ValueError, match="record 0: '' is no id"):
                list(getattr(sf.soap, name)([""]))
        assert [(local(body(each)), len(body(each))) for each in server.calls] == [(call, 200), (call, 1), (call, 1)]

    def test_the_time_at_salesforce(self) -> None:
        result = {"timestamp": "2026-11-27T09:30:00.123Z"}
        with Server([Cut(), answer("getServerTimestamp", result)]) as server, client(server) as sf:
            # A read may be sent again.
            assert sf.soap.server_timestamp() == datetime(2026, 11, 27, 9, 30, 0, 123_000, UTC)
        assert len(server.seen) == 2
