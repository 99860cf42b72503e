"""The part of the package that comes from the partner WSDL: how it is read, what its calls send, and what they read."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sfconnector_generated import _xml
from sfconnector_generated.client import SESSION_ID
from sfconnector_generated.errors import ParseError
from sfconnector_generated.soap import api, models
from sfconnector_generated.types import UNSET

from codegen import __main__, _manifest
from codegen._errors import CodegenError

ROOT = Path(__file__).parents[3]
WSDL = ROOT / "specs/partner.wsdl"
PARTNER, RECORD = "{urn:partner.soap.sforce.com}", "{urn:sobject.partner.soap.sforce.com}"
ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
LEAD = "00Q000000000001AAA"


@pytest.fixture
def described(project):
    """A project that holds the WSDL too."""
    (project.specs / WSDL.name).write_bytes(WSDL.read_bytes())
    return project


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(project, text, match):
    """Give a project another WSDL, which must change nothing."""
    before, path = everything(project.root), project.root.parent / "theirs.wsdl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CodegenError, match=match):
        project.generate(wsdl=path)
    assert everything(project.root) == before


def lead(**fields):
    required = dict.fromkeys(["do_not_create_opportunity", "overwrite_lead_source", "send_notification_email"], False)
    return models.LeadConvert(**{"lead_id": LEAD, "converted_status": "Qualified", **required, **fields})


def part(request, name):
    """The header or the body of what is sent."""
    return _xml.parse(request.content).find(ENVELOPE + name)


def names(element):
    return [child.tag for child in element]


def envelope(inside):
    """An answer in Salesforce's own form."""
    text = f"""<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns="urn:partner.soap.sforce.com"
        xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        ><soapenv:Body>{inside}</soapenv:Body></soapenv:Envelope>"""
    return _xml.decode(text.encode())


class TestGeneration:
    """From a WSDL to a package."""

    def test_a_change_of_the_wsdl_is_out_of_step(self, described):
        described.generate()
        assert described.differences() == []
        path = described.specs / WSDL.name
        path.write_text(path.read_text("utf-8").replace("How one lead is", "How any lead is"), "utf-8")
        changed = ["_manifest.json", "soap/models/lead_convert.py", "soap/partner.wsdl"]
        assert described.differences() == [f"{name}: differs" for name in changed]
        assert _manifest.differences(described.specs, described.package) == ["inputs: specs/partner.wsdl"]

    def test_a_wsdl_that_went_takes_its_package_along(self, described):
        described.generate()
        assert (described.package / "soap/partner.wsdl").read_bytes() == WSDL.read_bytes()
        (described.specs / WSDL.name).unlink()
        described.generate()
        assert not (described.package / "soap").exists()

    def test_a_wsdl_of_ones_own_takes_the_place_of_ours_from_then_on(self, described, tmp_path):
        text = WSDL.read_text("utf-8")
        # One without login, as orgs hand out from version 65.0 on, of a version with one field less and one more.
        text = text.replace('operation name="login"', 'operation name="enter"').replace("/u/68.0", "/u/66.0")
        text = text.replace('<element name="opportunityRecord" type="ens:sObject" nillable="true"/>', "")
        text = text.replace(
            '<element name="overwriteLeadSource"',
            '<element name="hue" type="xsd:int"/>\n<element name="overwriteLeadSource"',
        )
        own = tmp_path / "own.wsdl"
        own.write_text(text, "utf-8")
        root, soap = ["--root", str(described.root)], described.root / "generated/sfconnector_generated/soap"
        assert __main__.main([*root, "--wsdl", str(own)]) == 0
        assert __main__.main([*root, "--check"]) == 0
        assert (described.specs / WSDL.name).read_text("utf-8") == text
        assert {path.stem for path in (soap / "api").iterdir()} >= {"merge", "logout"}
        assert not (soap / "api/login.py").exists()
        model = (soap / "models/lead_convert.py").read_text("utf-8")
        assert "    hue: int\n" in model
        assert "opportunity_record" not in model
        # What its version describes is asked of its version.
        assert '"/services/Soap/u/66.0"' in (soap / "api/merge.py").read_text("utf-8")
        assert __main__.main([*root, "--api-version", "66.0"]) == 0
        assert '"/services/Soap/u/{version}"' in (soap / "api/merge.py").read_text("utf-8")

    def test_a_project_without_a_wsdl_takes_one(self, project):
        project.generate(wsdl=WSDL)
        assert (project.specs / WSDL.name).read_bytes() == WSDL.read_bytes()
        assert project.differences() == []

    def test_a_wsdl_and_a_version_go_together(self, project):
        project.generate("70.0", WSDL)
        assert "/services/Soap/u/70.0" in (project.specs / WSDL.name).read_text("utf-8")
        assert "{version}" in (project.package / "soap/api/merge.py").read_text("utf-8")

    def test_checking_another_wsdl_makes_no_sense(self, project):
        with pytest.raises(SystemExit, match="2"):
            __main__.main(["--root", str(project.root), "--check", "--wsdl", str(WSDL)])

    def test_a_failed_replacement_takes_the_new_wsdl_back(self, project, monkeypatch):
        project.generate()
        before, replace = everything(project.root), Path.replace

        def disk_full(source, target):
            replace(source, target)
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "replace", disk_full)
        with pytest.raises(OSError, match="No space left"):
            project.generate(wsdl=WSDL)
        assert everything(project.root) == before

    def test_the_client_goes_on_with_an_older_wsdl(self, tmp_path):
        shutil.copytree(ROOT / "specs", tmp_path / "specs")
        text = WSDL.read_text("utf-8")
        text, count = re.subn(r'\s*<element name="relatedPersonAccount(Id|Record)"[^>]*/>', "", text)
        assert count == 3
        own = tmp_path / "own.wsdl"
        own.write_text(text.replace("/u/68.0", "/u/50.0"), "utf-8")
        assert __main__.main(["--root", str(tmp_path), "--wsdl", str(own)]) == 0
        program = f"""
from soap_server import SoapServer
from sfconnector import LeadConversion, Salesforce, auth
with SoapServer(lambda lead: {{"success": True, "leadId": "{LEAD}", "relatedPersonAccountId": "x"}}) as server:
    with Salesforce(auth.AccessToken(server.url, "x")) as sf:
        assert sf.soap.convert_lead("{LEAD}") == LeadConversion("{LEAD}", None, None, None, None)
        try:
            sf.soap.convert_lead("{LEAD}", related_person_account_id="001000000000001")
        except ValueError as error:
            print(error)
print([seen.target for seen in server.calls])
"""
        paths = [tmp_path / "generated", ROOT, ROOT / "tests/unit"]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
        done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
        told, targets = done.stdout.splitlines()
        assert told.endswith("lacks related_person_account_id")
        assert targets == "['/services/Soap/u/50.0']"

    def test_a_wsdl_that_salesforce_handed_out_does_as_well(self, project):
        folder = os.environ.get("SFCONNECTOR_RECORDINGS")
        path = Path(folder or "") / "partner_v38.wsdl.xml"
        if not folder or not path.exists():
            pytest.skip("no partner WSDL in SFCONNECTOR_RECORDINGS")
        project.generate(wsdl=path)
        assert project.differences() == []
        program = f"""
from {project.name}.soap import api, models
flags = dict.fromkeys(["do_not_create_opportunity", "overwrite_lead_source", "send_notification_email"], False)
request = api.convert_lead.build([models.LeadConvert(lead_id="{LEAD}", converted_status="<&>", **flags)])
assert request.target("68.0") == "/services/Soap/u/38.0"
print(request.content.decode())
"""
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=project.package.parent, capture_output=True, text=True, check=True
        )
        (sent,) = _xml.parse(done.stdout.encode()).iter(f"{PARTNER}leadConverts")
        assert sent.findtext(f"{PARTNER}convertedStatus") == "<&>"


class TestRefusals:
    """What is no partner WSDL, or reaches for more than itself."""

    @pytest.mark.parametrize(
        ("old", "new", "match"),
        [
            ('operation name="merge"', 'operation name="melt"', "lacks the call merge"),
            ("urn:partner.soap", "urn:enterprise.soap", "no partner WSDL"),
            ("/services/Soap/u/68.0", "/services/Soap/c/68.0", r"expected one endpoint .*, found 0"),
            ("<definitions ", "<!DOCTYPE definitions [<!ENTITY a 'b'>]><definitions ", "DTDForbidden"),
            ("<definitions ", "<!DOCTYPE definitions SYSTEM 'file:///etc/passwd'><definitions ", "DTDForbidden"),
            (
                '<import namespace="urn:s',
                '<import schemaLocation="http://127.0.0.1/x.xsd" namespace="urn:s',
                "Forbidden",
            ),
            ('<import namespace="urn:s', '<import schemaLocation="/etc/passwd" namespace="urn:s', "Forbidden"),
            ("</definitions>", "", "XMLSyntaxError"),
            ('type="tns:LeadConvert"', 'type="tns:Nobody"', "cannot read it as a WSDL"),
        ],
    )
    def test_nothing_changes(self, described, old, new, match):
        described.generate()
        text = WSDL.read_text("utf-8")
        assert old in text
        refused(described, text.replace(old, new), match)

    @pytest.mark.parametrize("text", ["", "{}", "<a>/services/Soap/u/68.0'</a>", b"\xff\xfe<"])
    def test_other_files_are_refused(self, described, text):
        refused(described, text, "found 0|no partner WSDL|as a WSDL|not UTF-8")

    def test_a_spec_must_not_bear_its_name(self, project):
        (project.specs / "shop.yaml").rename(project.specs / "soap.yaml")
        with pytest.raises(CodegenError, match=r"soap\.yaml: the package has a module of its own called soap"):
            project.generate()


class TestRequests:
    """What the calls of the committed package send."""

    def test_members_go_out_in_the_order_of_the_wsdl_and_only_those_given(self):
        request = api.convert_lead.build(
            [lead(account_id="001000000000001AAA", owner_id=None), lead(bypass_contact_dedupe_check=True)],
            duplicate_rule_header=models.DuplicateRuleHeader(
                allow_save=True, include_record_details=False, run_as_current_user=False
            ),
        )
        assert (request.method, request.target("68.0")) == ("POST", "/services/Soap/u/68.0")
        assert request.headers["SOAPAction"] == '""'
        assert names(part(request, "Header")) == [f"{PARTNER}SessionHeader", f"{PARTNER}DuplicateRuleHeader"]
        flags = ["doNotCreateOpportunity", "leadId", "overwriteLeadSource", "sendNotificationEmail"]
        first, second = part(request, "Body")[0]
        assert names(first) == [PARTNER + name for name in ("accountId", "convertedStatus", *flags)]
        assert names(second) == [PARTNER + name for name in ("bypassContactDedupeCheck", "convertedStatus", *flags)]
        assert second[0].text == "true"
        assert b"nil" not in request.content

    @pytest.mark.parametrize("text", ["\"'<&>", "]]>", "<![CDATA[x]]>", "&amp;", "é 😀", " a\tb\r\nc ", SESSION_ID, ""])
    def test_texts_arrive_as_they_are(self, text):
        request = api.convert_lead.build([lead(opportunity_name=text)])
        (sent,) = part(request, "Body").iter(f"{PARTNER}opportunityName")
        assert (sent.text or "") == text
        # What the transport puts its session in comes before all data.
        assert request.content.index(SESSION_ID.encode()) < request.content.index(b"Body")

    @pytest.mark.parametrize("text", ["\0", "a\x0b", "\x1f", "\ud800", "\ufffe"])
    def test_what_xml_cannot_carry_is_refused(self, text):
        with pytest.raises(ValueError, match=r"XML compatible|surrogates"):
            api.convert_lead.build([lead(opportunity_name=text)])

    def test_records_have_their_named_members_first_and_then_any_field(self):
        record = {"Name": "<A>", "fieldsToNull": ["Fax", "Site"], "Ext__c": "1", "type": "Account", "Id": "001"}
        request = api.merge.build([models.MergeRequest(master_record=record, record_to_merge_ids=("a", "b"))])
        (master,) = part(request, "Body").iter(f"{PARTNER}masterRecord")
        members = ["type", "fieldsToNull", "fieldsToNull", "Id", "Name", "Ext__c"]
        assert names(master) == [RECORD + name for name in members]
        assert [child.text for child in master] == ["Account", "Fax", "Site", "001", "<A>", "1"]
        assert [each.text for each in part(request, "Body").iter(f"{PARTNER}recordToMergeIds")] == ["a", "b"]

    def test_headers_hold_only_what_is_given(self):
        rule = models.AssignmentRuleHeader(use_default_rule=True)
        request = api.merge.build([], assignment_rule_header=rule, call_options=models.CallOptions(client="<C>"))
        given = part(request, "Header")[1:]
        assert [(each.tag, names(each), each[0].text) for each in given] == [
            (f"{PARTNER}CallOptions", [f"{PARTNER}client"], "<C>"),
            (f"{PARTNER}AssignmentRuleHeader", [f"{PARTNER}useDefaultRule"], "true"),
        ]

    def test_a_login_names_no_session(self):
        request = api.login.build("me@example.com", "<secret>")
        assert part(request, "Header") is None
        assert SESSION_ID.encode() not in request.content
        assert "secret" not in repr(request)

    def test_only_reads_may_be_repeated(self):
        repeatable = [api.get_server_timestamp.build(), api.get_user_info.build()]
        others = [
            api.undelete.build(["a"]),
            api.empty_recycle_bin.build(["a"]),
            api.convert_lead.build([]),
            api.logout.build(),
        ]
        assert [each.idempotent for each in repeatable + others] == [True, True, False, False, False, False]

    def test_lists_that_may_not_be_empty_are_refused(self):
        with pytest.raises(ValueError, match=r"at least 1 items .* \(undelete\.ids\)"):
            api.undelete.build([])

    def test_importing_a_call_imports_no_zeep(self):
        program = (
            "import sys; from sfconnector_generated.soap import api, models; api.convert_lead; models.LeadConvert; "
            "print({'zeep', 'lxml'} & {*sys.modules})"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "set()"


class TestAnswers:
    """What the calls of the committed package read."""

    RESULT = "<result><accountId>001</accountId><contactId xsi:nil='true'/>{}<success>{}</success></result>"

    @pytest.mark.parametrize("count", [0, 1, 2, 200])
    def test_results_are_a_list_however_many(self, count):
        answer = f"<convertLeadResponse>{self.RESULT.format('', 'true') * count}</convertLeadResponse>"
        results = api.convert_lead.parse(envelope(answer))
        assert [(each.success, each.account_id, each.contact_id) for each in results] == [(True, "001", None)] * count
        assert all(each.opportunity_id is UNSET for each in results)

    def test_errors_are_models_and_what_is_not_described_is_skipped(self):
        error = (
            "<errors><fields>Name</fields><message>a &lt; b</message><statusCode>X</statusCode><new>1</new></errors>"
        )
        answer = f"<convertLeadResponse>{self.RESULT.format(error + '<newer/>', 'false')}</convertLeadResponse>"
        (result,) = api.convert_lead.parse(envelope(answer))
        assert not result.success
        assert [(each.status_code, each.message, each.fields) for each in result.errors] == [("X", "a < b", ["Name"])]

    def test_moments_and_empty_answers(self):
        moment = "<result><timestamp>2026-11-27T09:00:00.123Z</timestamp></result>"
        answer = f"<getServerTimestampResponse>{moment}</getServerTimestampResponse>"
        assert (
            api.get_server_timestamp.parse(envelope(answer)).timestamp.isoformat() == "2026-11-27T09:00:00.123000+00:00"
        )
        api.set_password.parse(envelope("<setPasswordResponse><result/></setPasswordResponse>"))
        api.logout.parse(envelope("<logoutResponse/>"))

    @pytest.mark.parametrize(
        "inside",
        [
            "",
            "<mergeResponse/>",
            "<soapenv:Fault><faultcode>X</faultcode></soapenv:Fault>",
            "<convertLeadResponse><result>x</result></convertLeadResponse>",
            "<convertLeadResponse><result><accountId>1</accountId></result></convertLeadResponse>",
            "<convertLeadResponse><result><success>maybe</success></result></convertLeadResponse>",
        ],
    )
    def test_anything_else_is_an_error(self, inside):
        with pytest.raises(ParseError):
            api.convert_lead.parse(envelope(inside))

    @pytest.mark.parametrize("data", [None, [], "", {"Body": None}])
    def test_what_is_no_envelope_is_an_error(self, data):
        with pytest.raises(ParseError, match="convertLeadResponse"):
            api.convert_lead.parse(data)

    def test_hostile_xml_is_refused(self):
        bomb = b"<!DOCTYPE a [<!ENTITY b 'x'><!ENTITY c '&b;&b;'>]><a>&c;</a>"
        for content in (bomb, b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", b"<a>" * 9999 + b"</a>" * 9999):
            with pytest.raises(ParseError):
                _xml.decode(content)
