"""Users' programs before mypy and pyright: what is right passes, and each mistake is found."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import node_client
import pytest

from sfconnector import Salesforce, models
from sfconnector.testing import LocalOrg

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests" / "typing"
# That a text is no record: pyright takes anything for an instance of an attrs class.
FOUND_BY_MYPY_ALONE = {("api.py", 'create_many(["x"])')}


@pytest.fixture
def programs(tmp_path: Path, org: LocalOrg) -> Path:
    """A folder with the programs, and with typed records of all objects of an org."""
    for program in PROGRAMS.glob("*.py"):
        shutil.copy(program, tmp_path)
    with Salesforce.from_env(org.environ()) as sf:
        objects = [sf.sobject(each.name).describe() for each in sf.describe().sobjects]
    for decimals in (False, True):
        text = models.source(objects, decimals=decimals)
        (tmp_path / f"org_{'decimals' if decimals else 'floats'}.py").write_text(text, "utf-8")
    return tmp_path


def test_mypy_agrees(programs: Path) -> None:
    # From the project's folder, for its settings and what it has found out before.
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unreachable", *sorted(programs.glob("*.py"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_agrees(programs: Path) -> None:
    if reason := node_client.missing("pyright"):
        pytest.skip(reason)
    settings = {
        "extraPaths": [str(ROOT), str(ROOT / "generated")],
        "pythonVersion": "3.11",
        "reportUnnecessaryTypeIgnoreComment": "error",
        "typeCheckingMode": "strict",
    }
    (programs / "pyrightconfig.json").write_text(json.dumps(settings))
    pyright = node_client.FOLDER / "node_modules" / ".bin" / "pyright"
    command = [pyright, "--project", programs, "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] >= 6, done.stderr
    unexpected = [each for each in report["generalDiagnostics"] if not found_by_mypy_alone(each)]
    assert unexpected == []
    assert len(report["generalDiagnostics"]) == len(FOUND_BY_MYPY_ALONE)


def found_by_mypy_alone(diagnostic: dict[str, Any]) -> bool:
    file = Path(diagnostic["file"])
    line = file.read_text("utf-8").splitlines()[diagnostic["range"]["start"]["line"]]
    unneeded = diagnostic.get("rule") == "reportUnnecessaryTypeIgnoreComment"
    return unneeded and any(file.name == name and text in line for name, text in FOUND_BY_MYPY_ALONE)


def public_methods() -> set[tuple[str, str]]:
    """The methods and properties of each class that the reference shows with its members."""
    reference = (ROOT / "docs" / "reference.md").read_text("utf-8")
    found = set()
    for module, name in re.findall(r"autoclass:: (sfconnector[\w.]*)\.(\w+)\n   :members:", reference):
        cls = getattr(__import__(module, fromlist=[name]), name)
        bases = [base for base in cls.__mro__ if base.__module__.startswith("sfconnector.")]
        members = [(each, member) for base in bases for each, member in vars(base).items() if is_method(member)]
        found |= {(name, each) for each, _ in members if not each.startswith("_")}
    return found


def is_method(member: object) -> bool:
    return callable(member) or isinstance(member, property | classmethod | staticmethod)


def test_each_public_method_is_in_a_program() -> None:
    text = "".join(program.read_text("utf-8") for program in PROGRAMS.glob("*.py"))
    methods = public_methods()
    assert {
        ("Salesforce", "query"),
        ("Query", "to_arrow"),
        ("SObject", "create_many"),
        ("Users", "set_password"),
    } <= methods
    missing = {(cls, method) for cls, method in methods if not re.search(rf"\.{method}\b", text)}
    assert missing == set()
