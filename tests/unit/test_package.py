"""The package from outside: its door, its rules of import and what importing it costs."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import sfconnector

ROOT = Path(__file__).parents[2]


def test_the_door_is_true() -> None:
    # ruff sorts it.
    assert len(sfconnector.__all__) == len(set(sfconnector.__all__))
    for name in sfconnector.__all__:
        assert getattr(sfconnector, name) is not None


def test_the_rule_for_the_local_org_names_every_module_of_the_facade() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rule = next(contract for contract in contracts if contract.get("source_modules") == ["sfconnector.testing"])
    package = Path(sfconnector.__file__).parent
    modules = {f"sfconnector.{file.stem}" for file in package.glob("*.py")}
    modules |= {f"sfconnector.{folder.parent.name}" for folder in package.glob("*/__init__.py")}
    # The version is a mere fact, and the program behind the command line starts the local org.
    free = {"sfconnector.__init__", "sfconnector.__main__", "sfconnector._version", "sfconnector.testing"}
    assert modules - free == set(rule["forbidden_modules"]) - {"sfconnector_generated"}


def test_importing_loads_nothing_heavy_and_no_operation() -> None:
    program = (
        "import sys, json, requests, attrs; before = set(sys.modules); from sfconnector import Salesforce, auth, soql; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = json.loads(run.stdout)
    heavy = (
        "cattrs",
        "jwt",
        "cryptography",
        "zeep",
        "pyarrow",
        "pandas",
        "polars",
        "starlette",
        "uvicorn",
        "lark",
        "yaml",
        "sqlite3",
        "asyncio",
        "subprocess",
        "html",
        "xml",
    )
    assert [name for name in loaded if name.split(".")[0] in heavy] == []
    assert [name for name in loaded if name.startswith("sfconnector_generated.rest.models.")] == []
