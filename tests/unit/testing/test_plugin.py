"""The fixtures that come with the package, as a user's test suite sees them."""

import subprocess
import sys
from pathlib import Path


def run(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_users_own.py").write_text(text)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)


def test_each_test_has_a_fresh_org(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        "import requests\n"
        "seen = []\n"
        "def check(org):\n"
        "    headers = {'Authorization': 'Bearer ' + org.access_token()}\n"
        "    base = org.url + '/services/data/v68.0/'\n"
        "    count = requests.get(base + 'query?q=SELECT+COUNT()+FROM+Account', headers=headers).json()['totalSize']\n"
        "    assert count == 0\n"
        "    assert requests.post(base + 'sobjects/Account', json={'Name': 'A'}, headers=headers).ok\n"
        "    assert org.url not in seen\n"
        "def test_one(local_org): check(local_org)\n"
        "def test_two(local_org): check(local_org)\n",
    )
    assert "2 passed" in result.stdout, result.stdout + result.stderr


def test_the_factory_starts_orgs_for_the_session(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        "import pytest, requests\n"
        "@pytest.fixture(scope='session')\n"
        "def org(local_org_factory): return local_org_factory(client_id='mine')\n"
        "def test_one(org): assert requests.get(org.url + '/services/data').ok\n"
        "def test_two(org): assert org.client_id == 'mine'\n",
    )
    assert "2 passed" in result.stdout, result.stdout + result.stderr


def test_who_does_not_use_it_pays_nothing(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        "import sys\n"
        "def test_nothing_was_imported():\n"
        "    assert not {'starlette', 'uvicorn', 'lark', 'yaml', 'jwt'} & set(sys.modules)\n",
    )
    assert "1 passed" in result.stdout, result.stdout + result.stderr
