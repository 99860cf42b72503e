"""Typed records: the modules that are written, and the records that go through their classes."""

import ast
import json
import subprocess
import sys
import types
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from describes import described, field, parent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sfconnector_generated.rest.models import DescribeSObjectResult

from sfconnector import UNSET, ReadOnly, Salesforce, TypedRecord, UpdateOnly, _json, models
from sfconnector._records import Purpose, RecordClass
from sfconnector.testing import LocalOrg


def parsed(*objects: dict[str, Any]) -> list[DescribeSObjectResult]:
    return [DescribeSObjectResult.from_dict(each) for each in objects]


def loaded(text: str) -> types.ModuleType:
    """Run a module's text; like any module, it stands in sys.modules while its classes are used."""
    module = types.ModuleType("typed_records_of_a_test")
    sys.modules[module.__name__] = module
    exec(compile(text, "typed_records.py", "exec"), module.__dict__)  # noqa: S102  # running it is the test
    return module


@pytest.fixture(autouse=True)
def no_module_stays() -> Iterator[None]:
    yield
    sys.modules.pop("typed_records_of_a_test", None)


def choice(value: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "label": value, "active": True, "defaultValue": False, "validFor": None, **more}


THING = described(
    "Thing__c",
    field("Id", "id", nillable=False, createable=False, updateable=False, length=18),
    field("Name", "string", nillable=False, length=80, label="Thing Name", inlineHelpText='Say "it"\nin \\ short'),
    field(
        "Status__c", "picklist", restrictedPicklist=True, picklistValues=[choice("Open"), choice("Old", active=False)]
    ),
    field("Colour__c", "picklist", picklistValues=[choice("R", label="Red"), choice('"G"'), choice("R")]),
    field("Code__c", "string", nillable=False, length=9, externalId=True, unique=True, caseSensitive=False),
    field("Total__c", "currency", precision=18, scale=2),
    field("Sum__c", "double", precision=18, scale=0, calculated=True, createable=False, updateable=False),
    field("Count__c", "int", digits=9),
    field("Yes__c", "boolean", nillable=False),
    field("Many__c", "multipicklist", picklistValues=[choice("a"), choice("b")]),
    field("Home__c", "address", createable=False, updateable=False),
    field("Home__Street__s", "string", length=255, compoundFieldName="Home__c"),
    field("When__c", "datetime"),
    field("Day__c", "date"),
    field("Clock__c", "time"),
    field("Any__c", "anyType"),
    parent("Parent__c", "Parent__r", "Account", "Contact")
    | {"nillable": False, "updateable": False, "cascadeDelete": True},
    field("Later__c", "string", createable=False, controllerName="Status__c", length=3),
    field("None", "string", length=1),
    field("datetime", "string", length=1),
    keyPrefix="a00",
)
WRITTEN = Path(__file__).parents[1] / "typing" / "thing.py"
"""What is written of it, to be read by people and by type checkers."""


def test_a_module_says_what_the_description_says() -> None:
    text = models.source(parsed(THING))
    assert text == WRITTEN.read_text("utf-8")
    module = loaded(text)
    assert RecordClass.of(module.Thing__c).fields == tuple(each["name"] for each in THING["fields"])
    assert module.Thing__c.__sobject__ == "Thing__c"


def test_numbers_may_be_decimals() -> None:
    text = models.source(parsed(described("Thing__c", field("Total__c", "percent"))), decimals=True)
    thing = loaded(text).Thing__c
    assert RecordClass.of(thing).decoder()({"Total__c": 1.1}).Total__c == Decimal("1.1")
    assert "import decimal" in text
    assert "import datetime" not in text


def test_each_object_is_written_once_in_the_order_given() -> None:
    objects = parsed(described("B"), described("A"), described("B"))
    assert [node.name for node in ast.parse(models.source(objects)).body if isinstance(node, ast.ClassDef)] == [
        "B",
        "A",
    ]
    with pytest.raises(ValueError, match="no description"):
        models.source([])


@pytest.mark.parametrize(
    "hostile",
    [described("A:\n  import os"), described("A", field("x = 1", "string")), described("__A", field("B", "id"))],
)
def test_what_is_no_name_is_refused(hostile: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is no API name"):
        models.source(parsed(hostile))


def instance_of(cls: type, record: Mapping[str, Any]) -> Any:
    return RecordClass.of(cls).decoder()(record)


def written(instance: Any, purpose: Purpose) -> Any:
    record = RecordClass.of(type(instance)).encode(instance, purpose=purpose)
    return json.loads(_json.dumps(record))


def test_only_what_is_set_and_taken_is_written() -> None:
    thing = loaded(models.source(parsed(THING))).Thing__c
    assert written(thing(Name="x", Total__c=None), "update") == {"Name": "x", "Total__c": None}
    assert written(thing(Name="x", Total__c=None), "create") == {"Name": "x", "Total__c": None}
    full = thing(Id="a", Sum__c=1.0, Parent__c="b", Later__c="c", None_="d")
    assert written(full, "create") == {"Parent__c": "b", "None": "d"}
    assert written(full, "update") == {"Later__c": "c", "None": "d"}
    assert written(full, "upsert") == {"Parent__c": "b", "Later__c": "c", "None": "d"}
    assert written(thing(), "update") == {}


def test_a_repr_leaves_out_what_is_not_set() -> None:
    thing = loaded(models.source(parsed(THING))).Thing__c
    assert repr(thing(Name="x", Total__c=None)) == "Thing__c(Name='x', Total__c=None)"
    assert thing(Name="x") == thing(Name="x") != thing(Name="x", Total__c=None)
    assert thing().Name is UNSET


def test_values_that_a_picklist_offered_before_are_read() -> None:
    thing = loaded(models.source(parsed(THING))).Thing__c
    record = instance_of(thing, {"Status__c": "Old", "Colour__c": "mauve"})
    assert (record.Status__c, record.Colour__c, record.Name) == ("Old", "mauve", UNSET)
    for wrong in ({"Status__c": 5}, {"Colour__c": 5}, {"Name": 5}, {"Yes__c": "yes"}):
        with pytest.raises(ValueError, match=f"does not fit Thing__c: .*{next(iter(wrong))}"):
            instance_of(thing, wrong)


def test_a_null_that_no_description_promised_is_read() -> None:
    thing = loaded(models.source(parsed(THING))).Thing__c
    record = instance_of(thing, {"Name": None, "Yes__c": None, "Parent__c": None, "Id": None})
    assert (record.Name, record.Yes__c, record.Parent__c, record.Id) == (None, None, None, None)


@attrs.define
class Child:
    Id: str


@attrs.define(kw_only=True)
class Family(TypedRecord):
    Parent__r: Child | None = UNSET
    Things__r: list[Child] = UNSET


def test_relationships_may_be_added() -> None:
    assert RecordClass.of(Family).select == ("Parent__r.Id", "(SELECT Id FROM Things__r)")
    record = {"Parent__r": {"Id": "1"}, "Things__r": {"totalSize": 1, "done": True, "records": [{"Id": "2"}]}}
    assert instance_of(Family, record) == Family(Parent__r=Child("1"), Things__r=[Child("2")])
    assert instance_of(Family, {"Parent__r": None, "Things__r": None}) == Family(Parent__r=None, Things__r=[])
    with pytest.raises(ValueError, match="does not fit Family"):
        instance_of(Family, {"Parent__r": {"Id": None}, "Things__r": None})


@attrs.define(kw_only=True)
class ByHand(TypedRecord):
    Name: str | None = None
    Phone: str | None = UNSET
    Created: ReadOnly[str | None] = None
    Later: UpdateOnly[str | None] = None


def test_a_class_written_by_hand_may_say_the_same() -> None:
    assert written(ByHand(Name=None, Phone=None, Created="x", Later="y"), "create") == {"Phone": None}
    assert written(ByHand(Created="x", Later="y"), "update") == {"Name": None, "Later": "y"}


# Round trips

INSTANTS = st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(4000, 1, 1)).map(
    lambda at: at.isoformat(timespec="milliseconds") + "+0000"
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31),
    "long": st.integers(-(2**53), 2**53),
    **dict.fromkeys(
        ("currency", "double", "percent"), st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9)
    ),
    "date": st.dates().map(date.isoformat),
    "datetime": INSTANTS,
    "time": st.times().map(lambda at: at.isoformat(timespec="milliseconds") + "Z"),
    "address": st.dictionaries(st.sampled_from(["city", "street", "latitude"]), st.none() | st.text(max_size=5)),
    "location": st.fixed_dictionaries({"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)}),
    "anyType": st.none() | st.booleans() | st.text(max_size=5),
}


def records_of(sobject: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Records as Salesforce could answer them."""

    def values(described: dict[str, Any]) -> st.SearchStrategy[Any]:
        found = VALUES.get(described["type"], st.text(max_size=10))
        return st.none() | found if described["nillable"] else found

    return st.fixed_dictionaries({each["name"]: values(each) for each in sobject["fields"]})


def as_sent(kind: str, value: Any) -> Any:
    """A value of an answer as a write sends it back."""
    if kind == "datetime" and value is not None:
        return value.replace("+0000", "Z")
    return value


def check_round_trip(cls: type, sobject: dict[str, Any], record: dict[str, Any], decimals: bool = False) -> None:
    instance = instance_of(cls, record)
    for purpose, key in (("create", "createable"), ("update", "updateable")):
        expected = {
            each["name"]: as_sent(each["type"], record[each["name"]])
            for each in sobject["fields"]
            if each[key] and each["name"] != "Id"
        }
        assert written(instance, purpose) == expected  # type: ignore[arg-type]


TYPES = ["id", "string", "textarea", "picklist", "multipicklist", "reference", "combobox", "base64", "email", *VALUES]
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,4}(__[A-Za-z0-9]{1,3}){0,2}", fullmatch=True) | st.sampled_from(
    ["class", "None", "True", "lambda", "datetime", "decimal", "str", "Any", "Literal", "UNSET", "ReadOnly", "attrs"]
)
NAMES |= st.sampled_from(["A_B", "self", "attr_dict", "Id", "None_", "A", "A_class", "TypedRecord"])
WILD = st.text(max_size=12) | st.sampled_from(
    ['"""', "'''", '"', "\\", "x\\", '\\"""', "\n", "# type: ignore", "\x00", "{0}"]
)


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    flags = {
        key: draw(st.booleans()) for key in ("nillable", "createable", "updateable", "restrictedPicklist", "custom")
    }
    choices = [choice(draw(WILD), label=draw(WILD), active=draw(st.booleans())) for _ in range(draw(st.integers(0, 3)))]
    more = {"label": draw(WILD), "inlineHelpText": draw(st.none() | WILD), "picklistValues": choices}
    return field(draw(NAMES), draw(st.sampled_from(TYPES)), **more, **flags)


SOBJECTS = st.builds(
    lambda name, found, label: described(name, *found, label=label),
    NAMES,
    st.lists(fields(), max_size=8, unique_by=lambda each: str(each["name"])),
    WILD,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), SOBJECTS)
def test_records_survive_their_class(data: st.DataObject, sobject: dict[str, Any]) -> None:
    text = models.source(parsed(sobject))
    assert models.source(parsed(sobject)) == text
    text.encode()
    module = loaded(text)
    (cls,) = (each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__)
    if sobject["fields"]:
        assert RecordClass.of(cls).sobject == sobject["name"]
        check_round_trip(cls, sobject, data.draw(records_of(sobject)))
    for name, offered in vars(module).items():
        if name.startswith(f"{cls.__name__}_") and offered is not cls:
            values = {
                entry["value"] for each in sobject["fields"] for entry in each["picklistValues"] if entry["active"]
            }
            assert set(offered.__args__) <= values


@pytest.fixture(scope="module")
def standard() -> list[dict[str, Any]]:
    """The descriptions of all objects of a local org."""
    with LocalOrg() as org, Salesforce.from_env(org.environ()) as sf:
        names = [sobject.name for sobject in sf.describe().sobjects]
        found: list[dict[str, Any]] = [
            sf.request("GET", f"/services/data/v68.0/sobjects/{name}/describe").json() for name in names
        ]
    return found


@settings(deadline=None, max_examples=60, suppress_health_check=[*HealthCheck])
@given(st.data())
def test_records_of_a_local_orgs_objects_survive_their_classes(
    standard: list[dict[str, Any]], data: st.DataObject
) -> None:
    sobject = data.draw(st.sampled_from(standard))
    module = loaded(models.source(parsed(sobject)))
    check_round_trip(getattr(module, sobject["name"]), sobject, data.draw(records_of(sobject)))


def test_what_is_read_can_be_changed_and_written(sf: Salesforce, local_org: LocalOrg) -> None:
    module = loaded(models.source([sf.sobject("Account").describe(), sf.sobject("Contact").describe()]))
    accounts = sf.sobject(module.Account)
    created = accounts.create(module.Account(Name="Acme", Phone="1", NumberOfEmployees=3, BillingCity="Lund"))
    account = accounts.get(created.id)
    assert (account.Id, account.Name, account.NumberOfEmployees, account.IsDeleted) == (created.id, "Acme", 3, False)
    assert isinstance(account.CreatedDate, datetime)
    assert account.BillingAddress["city"] == "Lund"

    account.Name = "Acme Corporation"
    accounts.update(account.Id, account)
    accounts.update(account.Id, module.Account(Phone=None))
    again = accounts.get(created.id)
    assert (again.Name, again.Phone, again.NumberOfEmployees) == ("Acme Corporation", None, 3)

    contacts = sf.sobject(module.Contact)
    (result,) = contacts.create_many(
        [module.Contact(LastName="Curie", AccountId=created.id, Birthdate=date(1867, 11, 7))]
    )
    assert result.success
    (contact,) = sf.query("FROM Contact", into=module.Contact)
    assert (contact.LastName, contact.AccountId, contact.Birthdate) == ("Curie", created.id, date(1867, 11, 7))
    contact.Email = "marie@example.com"
    assert [each.success for each in contacts.update_many([contact])] == [True]
    (some,) = sf.query("SELECT Id, Email FROM Contact", into=module.Contact)
    assert repr(some) == f"Contact(Id={contact.Id!r}, Email='marie@example.com')"


# The command


def run(*arguments: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sfconnector.models", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, env=env)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "thing.json"
    file.write_text(json.dumps(THING))
    return file


def test_the_command_describes_objects_of_the_org(
    local_org: LocalOrg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    local_org.add_field("Account", "Ext__c", "string(40) unique external_id = Schlüssel")
    for name, value in local_org.environ().items():
        monkeypatch.setenv(name, value)
    printed = run("account", "Contact", "Account")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert loaded(printed.stdout).Account(Ext__c="x").Ext__c == "x"
    assert '"""Schlüssel: string of 40 characters, external id, unique regardless of case."""' in printed.stdout
    into = tmp_path / "crm.py"
    quiet = run("Account", "Contact", "--output", into, "--decimals")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert "AnnualRevenue: decimal.Decimal | None = UNSET" in into.read_text("utf-8")


def test_the_command_reads_saved_descriptions_without_an_org(
    saved: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    several = saved.with_name("several.json")
    several.write_text(json.dumps({"status": 0, "result": [described("A", field("Id", "id")), described("B")]}))
    for arguments, classes in (
        (["--describe", saved], ["Thing__c"]),
        (["--describe", saved, several], ["Thing__c", "A", "B"]),
        (["b", "--describe", saved, "--describe", several], ["B"]),
    ):
        assert models.main(list(map(str, arguments))) == 0
        text = capsysbinary.readouterr().out.decode()
        assert [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)] == classes


def test_the_command_joins_both(saved: Path, local_org: LocalOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in local_org.environ().items():
        monkeypatch.setenv(name, value)
    done = run("Account", "Thing__c", "--describe", saved)
    assert (done.returncode, done.stderr) == (0, "")
    assert {"Account", "Thing__c"} <= {*vars(loaded(done.stdout))}


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        ([], 2, "name an object"),
        (["Account"], 2, "SALESFORCE_AUTH"),
        (["no name"], 2, "'no name' is no API name"),
        (["--describe", "missing.json"], 2, "missing.json cannot be read: No such file"),
        (["--describe", "text.json"], 2, "text.json is not JSON"),
        (["--describe", "empty.json"], 2, "empty.json holds no description of an object"),
        (["--describe", "list.json"], 2, "list.json holds no description of an object"),
        (["--describe", "hostile.json"], 2, "is no API name"),
        (["--describe", "thing.json", "--output", "nowhere/x.py"], 1, "nowhere/x.py cannot be written: No such file"),
        (["--describe", "thing.json", "--output", "."], 1, ". cannot be written: Is a directory"),
    ],
)
def test_what_goes_wrong_is_one_line(
    saved: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, reason: str
) -> None:
    monkeypatch.chdir(saved.parent)
    Path("text.json").write_text("{")
    Path("empty.json").write_text("{}")
    Path("list.json").write_text("[5]")
    Path("hostile.json").write_text(json.dumps(described("A b")))
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert reason in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert arguments == [] or len(done.stderr.splitlines()) == 1


def test_what_salesforce_refuses_is_one_line(local_org: LocalOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in local_org.environ().items():
        monkeypatch.setenv(name, value)
    unknown = run("Account", "Nope__c")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith("sfconnector.models: GET /sobjects/Nope__c/describe: 404 NOT_FOUND: ")
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "wrong")
    refused = run("Account")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "login refused" in refused.stderr
    assert [len(each.stderr.splitlines()) for each in (unknown, refused)] == [1, 1]


def test_a_module_is_formatted(standard: list[dict[str, Any]], tmp_path: Path) -> None:
    text = models.source(parsed(*standard))
    (tmp_path / "standard.py").write_text(text, "utf-8")
    (tmp_path / "thing.py").write_text(models.source(parsed(THING)), "utf-8")
    assert formatted(tmp_path, 88)
    # Nothing of them is left to a formatter; but it would not change them either, where lines may be long enough.
    (tmp_path / "standard.py").write_text(text.replace("# fmt: off\n", ""), "utf-8")
    assert formatted(tmp_path, 120)


def formatted(folder: Path, line_length: int) -> bool:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--isolated",
        "--check",
        "--line-length",
        str(line_length),
        folder,
    ]
    return subprocess.run(command, capture_output=True).returncode == 0
