"""Runs the scripts that drive an org with clients from npm."""

import functools
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "node"
# What the packages need; `engines` in package.json says the same.
OLDEST = (20, 18, 1)


@functools.cache
def _version() -> tuple[int, ...] | None:
    if shutil.which("node") is None:
        return None
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=30, check=True)
    return tuple(map(int, done.stdout.strip().removeprefix("v").split(".")))


def missing(package: str) -> str | None:
    """Say what is missing to run scripts that use an npm package; nothing where they can run."""
    version = _version()
    if version is None or version < OLDEST:
        found = "none" if version is None else ".".join(map(str, version))
        return f"{package} needs Node.js {'.'.join(map(str, OLDEST))} or newer, and there is {found}"
    if not (FOLDER / "node_modules" / package).is_dir():
        return f"{package} is not installed: run npm ci --ignore-scripts in {FOLDER.name}/, as make test does"
    return None


def run(script: str, settings: Mapping[str, Any]) -> Any:
    """Run a script and read the JSON that it prints."""
    done = subprocess.run(
        ["node", f"{script}.mjs"], cwd=FOLDER, input=json.dumps(settings), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{script}.mjs failed:\n{done.stderr}"
    return json.loads(done.stdout)
