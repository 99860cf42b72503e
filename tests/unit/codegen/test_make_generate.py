"""``make generate WSDL=path`` as a user runs it, in a copy of the tree: there, into use, and back."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WSDL = ROOT / "specs/partner.wsdl"
LEAD, TARGET = "00Q000000000001AAA", "/services/Soap/u/{}"
RECORDED = Path(os.environ.get("SFCONNECTOR_RECORDINGS", "")) / "partner_v38.wsdl.xml"
USE = f"""
import sfconnector, sfconnector_generated
from soap_server import SoapServer
from sfconnector import Salesforce, auth
assert sfconnector_generated.__file__.startswith({{root!r}}), sfconnector_generated.__file__
answers = {{{{"success": True, "leadId": "{LEAD}", "id": "001000000000001AAA", "accountId": "001000000000001AAA"}}}}
with SoapServer(lambda _: answers) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
    assert sf.soap.convert_lead("{LEAD}", opportunity_name="<&>").account_id == "001000000000001AAA"
    assert sf.soap.merge("Account", "001000000000001AAA", ["001000000000002AAA"]).id == "001000000000001AAA"
    assert [each.success for each in sf.soap.undelete(["001000000000001AAA"])] == [True]
    print({{{{seen.target for seen in server.calls}}}})
    try:
        sf.soap.convert_lead("{LEAD}", {{use}}="001000000000001AAA")
    except ValueError as error:
        print(error)
"""


@pytest.fixture
def tree(tmp_path):
    """A copy of what generation needs, which may be changed at will."""
    for name in ("codegen", "specs", "generated"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", tmp_path)
    return tmp_path


def files(tree):
    return {
        path.relative_to(tree): path.read_bytes()
        for name in ("specs", "generated")
        for path in (tree / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def make_generate(tree, wsdl, expected=0):
    """Run make, with the environment that runs these tests in the place of .venv."""
    options = [f"BIN={Path(sys.executable).parent}", "--old-file=.venv/installed"]
    line = ["make", "--no-print-directory", *options, "generate", f"WSDL={wsdl}"]
    # What make, or the environment, says of other runs must not decide this one.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    done = subprocess.run(line, cwd=tree, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == expected, done.stderr
    return done.stderr


def run(tree, program):
    """Run a program with the client of these sources and the package of that tree."""
    paths = [tree / "generated", ROOT, ROOT / "tests/unit"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def there_and_back(tree, wsdl, version, lacking):
    before = files(tree)
    make_generate(tree, wsdl)
    assert (tree / "specs/partner.wsdl").read_bytes() == wsdl.read_bytes()
    assert files(tree) != before
    targets, told = run(tree, USE.format(root=str(tree), use=lacking))
    assert targets == str({TARGET.format(version)})
    assert told.endswith(f"the WSDL that this client was generated from lacks {lacking}")
    make_generate(tree, WSDL)
    assert files(tree) == before


def test_another_wsdl_is_used_and_ours_comes_back_to_the_byte(tree):
    text, count = re.subn(r'\s*<element name="opportunityId"[^>]*/>', "", WSDL.read_text("utf-8"), count=1)
    assert count == 1
    theirs = tree / "their own.wsdl"
    theirs.write_text(text.replace("/u/68.0", "/u/66.0"), "utf-8")
    there_and_back(tree, theirs, "66.0", "opportunity_id")


@pytest.mark.skipif(not RECORDED.is_file(), reason="no partner WSDL in SFCONNECTOR_RECORDINGS")
def test_so_is_the_one_that_salesforce_handed_out(tree):
    there_and_back(tree, RECORDED, "38.0", "opportunity_id")


def test_what_an_org_demands_besides_is_named(tree):
    old = '<element name="overwriteLeadSource"'
    text = WSDL.read_text("utf-8")
    assert text.count(old) == 1
    theirs = tree / "theirs.wsdl"
    theirs.write_text(text.replace(old, f'<element name="hue" type="xsd:int"/>{old}'), "utf-8")
    make_generate(tree, theirs)
    program = f"""
from http_server import Server
from sfconnector import Salesforce, auth
with Server([]) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
    try:
        sf.soap.convert_lead("{LEAD}", converted_status="x")
    except ValueError as error:
        print(error)
    assert server.seen == []
"""
    (told,) = run(tree, program)
    assert "generated from demands hue in LeadConvert" in told


def test_a_file_that_is_none_changes_nothing(tree):
    before = files(tree)
    (tree / "page.html").write_text("<html>Log in</html>", "utf-8")
    assert "page.html" in make_generate(tree, tree / "page.html", expected=2)
    assert "gone.wsdl" in make_generate(tree, tree / "gone.wsdl", expected=2)
    assert files(tree) == before
