"""The org as a thing that starts, listens and stops."""

import datetime
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from local_api import Api

from sfconnector.testing import LocalOrg


def test_it_listens_when_it_has_started_and_not_when_it_has_stopped() -> None:
    with LocalOrg() as org:
        url = org.url
        assert requests.get(f"{url}/services/data", timeout=10).status_code == 200
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/services/data", timeout=10)


def test_it_can_be_started_again() -> None:
    org = LocalOrg()
    for _ in range(2):
        org.start()
        assert requests.get(f"{org.url}/services/data", timeout=10).ok
        org.stop()
    org.stop()


def test_it_is_started_once() -> None:
    with LocalOrg() as org, pytest.raises(RuntimeError, match="running already"):
        org.start()


def test_what_needs_a_running_org_says_so() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = LocalOrg().url


def test_orgs_are_apart() -> None:
    with LocalOrg() as one, LocalOrg() as other:
        assert one.url != other.url
        Api(one).create("Account", Name="Only here")
        count = {"q": "SELECT COUNT() FROM Account"}
        assert Api(one)("GET", "query", params=count).json()["totalSize"] == 1
        assert Api(other)("GET", "query", params=count).json()["totalSize"] == 0
        stranger = Api(other)
        stranger.http.headers["Authorization"] = f"Bearer {one.access_token()}"
        assert stranger("GET", "limits").status_code == 401


def test_a_file_keeps_records_from_run_to_run(tmp_path: Path) -> None:
    file = tmp_path / "org.db"
    with LocalOrg(file) as org:
        record_id = Api(org).create("Account", Name="Kept")
        organization_id = org.organization_id
    with LocalOrg(file) as org:
        assert org.organization_id == organization_id
        assert Api(org)("GET", f"sobjects/Account/{record_id}").json()["Name"] == "Kept"


def test_it_speaks_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    with LocalOrg(ssl_certfile=tmp_path / "cert.pem", ssl_keyfile=tmp_path / "key.pem") as org:
        assert org.url.startswith("https://127.0.0.1:")
        answer = requests.get(f"{org.url}/services/data", verify=str(tmp_path / "ca.pem"), timeout=10)
        assert answer.ok
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{org.url}/services/data", timeout=10)


def test_a_taken_port_is_refused_with_its_number() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1 port {port}"):
            LocalOrg(port=port).start()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"token_lifetime": 0}, "for 0 seconds"),
        ({"token_lifetime": float("nan")}, "for nan seconds"),
        ({"token_lifetime": float("inf")}, "for inf seconds"),
        ({"port": -1}, "no port -1"),
        ({"port": 65_536}, "no port 65536"),
        ({"daily_api_requests": 0}, "0 requests a day"),
        ({"ssl_keyfile": "key.pem"}, "without ssl_certfile"),
    ],
)
def test_nonsense_is_refused_before_anything_starts(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LocalOrg(**options)


def test_stopping_does_not_wait_for_requests_under_way(local_org: LocalOrg) -> None:
    fault = local_org.faults.delay(3600)
    outcome: list[object] = []

    def ask() -> None:
        try:
            outcome.append(requests.get(f"{local_org.url}/services/data", timeout=60))
        except requests.RequestException as error:
            outcome.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert fault.wait(timeout=30)
    local_org.stop()
    thread.join(timeout=30)
    assert isinstance(outcome[0], requests.ConnectionError)


def test_custom_objects_by_call(local_org: LocalOrg, api: Api) -> None:
    local_org.add_object("Invoice__c", fields=[{"name": "Number__c", "type": "string", "length": 20}])
    record_id = api.create("Invoice__c", Number__c="R-1")
    assert api("GET", f"sobjects/Invoice__c/{record_id}").json()["Number__c"] == "R-1"


def test_an_object_described_by_another_org(local_org: LocalOrg, api: Api) -> None:
    local_org.add_object("Invoice__c", fields=[{"name": "Number__c", "type": "string", "length": 20}])
    described = api("GET", "sobjects/Invoice__c/describe").json()
    with LocalOrg() as other:
        other.load_describe(described)
        assert Api(other).create("Invoice__c", Number__c="R-2")


def test_the_clock_dates_records_and_runs_forward_only(local_org: LocalOrg, api: Api) -> None:
    before = api("GET", f"sobjects/Account/{api.create('Account', Name='Now')}").json()["CreatedDate"]
    local_org.clock.advance(days=400)
    assert api("GET", "limits").status_code == 401, "400 days of idleness end every session"
    api = Api(local_org)
    after = api("GET", f"sobjects/Account/{api.create('Account', Name='Later')}").json()["CreatedDate"]
    passed = datetime.datetime.fromisoformat(after) - datetime.datetime.fromisoformat(before)
    assert passed >= datetime.timedelta(days=400)
    with pytest.raises(ValueError, match="forward only"):
        local_org.clock.advance(-1)


def test_a_frozen_clock_stands_still(local_org: LocalOrg, api: Api) -> None:
    moment = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(minutes=1)
    local_org.clock.freeze(moment)
    record = api("GET", f"sobjects/Account/{api.create('Account', Name='Still')}").json()
    assert datetime.datetime.fromisoformat(record["CreatedDate"]) == moment
    with pytest.raises(ValueError, match="time zone"):
        local_org.clock.freeze(datetime.datetime(2026, 1, 1))


def test_requests_are_logged_without_secrets(local_org: LocalOrg, api: Api) -> None:
    local_org.requests.clear()
    api(
        "GET",
        "query",
        params={"q": "SELECT Id FROM Account WHERE Name = 'Secret'"},
        headers={"Sforce-Auto-Assign": "FALSE"},
    )
    api("GET", "sobjects/Nothing__c")
    first, second = local_org.requests
    assert (first.method, first.path, first.status) == ("GET", "/services/data/v68.0/query", 200)
    assert first.headers["sforce-auto-assign"] == "FALSE"
    assert second.status == 404
    token = api.http.headers["Authorization"].removeprefix("Bearer ")
    logged = repr(list(local_org.requests))
    assert token not in logged
    assert "Secret" not in logged


def test_nothing_shows_a_secret(local_org: LocalOrg) -> None:
    shown = repr(local_org) + repr(local_org._runtime.credentials) + repr(local_org._runtime.tokens)
    for secret in (local_org.client_secret, local_org.password, local_org.security_token):
        assert secret not in shown


@pytest.mark.parametrize(
    "auth", ["access_token", "client_credentials", "password", "refresh_token", "jwt_bearer", "soap_login"]
)
def test_environ_describes_each_login(local_org: LocalOrg, auth: str) -> None:
    environ = local_org.environ(auth)
    assert environ["SALESFORCE_AUTH"] == auth
    assert local_org.url in environ.values()


def test_the_key_file_is_private_and_goes_with_the_org() -> None:
    with LocalOrg() as org:
        file = Path(org.environ("jwt_bearer")["SALESFORCE_PRIVATE_KEY_FILE"])
        assert file.read_text() == org.private_key
        if os.name == "posix":
            assert file.stat().st_mode & 0o077 == 0
    assert not file.exists()


def test_environ_knows_its_logins(local_org: LocalOrg) -> None:
    with pytest.raises(ValueError, match="carrier_pigeon"):
        local_org.environ("carrier_pigeon")


def test_given_credentials_are_used() -> None:
    with LocalOrg(client_id="key", client_secret="secret") as org:
        assert (org.client_id, org.client_secret) == ("key", "secret")


def test_a_missing_package_names_the_extra() -> None:
    program = (
        "import sys; sys.modules['starlette'] = None\n"
        "import sfconnector.testing\n"
        "try:\n    sfconnector.testing.LocalOrg\n"
        "except ImportError as error:\n    print(error)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 'pip install "sfconnector[testing]"' in result.stdout
    assert "starlette" in result.stdout


def test_importing_the_package_brings_no_server() -> None:
    program = (
        "import sys, sfconnector.testing, sfconnector.testing.plugin\n"
        "print([name for name in ('starlette', 'uvicorn', 'lark', 'yaml', 'jwt') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    import sfconnector.testing

    with pytest.raises(AttributeError, match="Nonsense"):
        _ = sfconnector.testing.Nonsense


@pytest.mark.parametrize("content", [b"", b"this is text, and long enough to be read as the header of a database" * 20])
def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "org.db"
    path.write_bytes(content)
    if not content:  # an empty file is an empty database
        with LocalOrg(path):
            return
    with pytest.raises(OSError, match=r"org\.db cannot be opened: file is not a database"):
        LocalOrg(path).start()
    with pytest.raises(OSError, match=r"nowhere/org\.db cannot be opened"):
        LocalOrg(tmp_path / "nowhere" / "org.db").start()


def test_a_file_serves_one_org_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "org.db"
    with LocalOrg(path), pytest.raises(OSError, match="another org or program is using it"):
        LocalOrg(path).start()
    with LocalOrg(path):
        pass


def test_what_was_answered_survives_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "org.db"
    command = [sys.executable, "-m", "sfconnector.testing", "--json", "--database", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        http = requests.Session()
        http.headers["Authorization"] = f"Bearer {facts['access_token']}"
        records = [{"attributes": {"type": "Account"}, "Name": "Acme"}] * 20
        url = f"{facts['url']}/services/data/v68.0/composite/sobjects"
        written: list[str] = []

        def write() -> None:
            while True:
                try:
                    answer = http.post(url, json={"allOrNone": True, "records": records}, timeout=30)
                except requests.RequestException:
                    return
                written.extend(result["id"] for result in answer.json())
                if len(written) >= 200:
                    enough.set()

        enough = threading.Event()
        writer = threading.Thread(target=write)
        writer.start()
        assert enough.wait(30)
        process.kill()
        writer.join()
        http.close()
    with LocalOrg(path) as org:
        store = org._runtime.store
        kept = store.count("Account")
        assert kept % 20 == 0
        assert kept - len(written) in (0, 20)  # the last call may have been carried out and not answered
        assert [store.get("Account", one, ["Id"], store.context())["Id"] for one in written] == written


@pytest.mark.parametrize("key", ["no key at all", "EC"])
def test_the_key_must_be_an_rsa_key(key: str) -> None:
    if key == "EC":
        made = ec.generate_private_key(ec.SECP256R1())
        key = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    with pytest.raises(ValueError, match="private_key must be"):
        LocalOrg(private_key=key).start()
