"""What the org refuses, in Salesforce's words."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sfconnector.testing._errors import OrgError
from sfconnector.testing._store import Store

NOBODY = "005Lo0zzzzzzzzz"
READ_ONLY = (
    "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is "
    "read/write for your profile or permission set."
)
CANNOT = "Cannot deserialize instance of {} or request may be missing a required field at [line:1, column:{}]"


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store()
    store.add_object(
        "Item__c",
        {
            "Key__c": "string(10) external_id unique required",
            "Rank__c": {"type": "picklist", "values": ["High", {"value": "Old", "active": False}], "restricted": True},
            "Tags__c": {"type": "multipicklist", "values": ["Red", "Green"], "restricted": True},
            "Rate__c": "percent(5, 2)",
            "Sum__c": {"type": "double", "formula": "Rate__c * 2"},
            "Number__c": {"type": "string", "auto_number": "N-{00}"},
            "At__c": "time",
            "When__c": "datetime",
            "File__c": "base64",
            "Place__c": "location",
            "Master__c": {"type": "reference", "reference_to": "Account"},
        },
    )
    yield store
    store.close()


@pytest.fixture(scope="module")
def account(store: Store) -> str:
    return store.create("Account", {"Name": "Acme"}, store.context())


@pytest.fixture(scope="module")
def contact(store: Store) -> str:
    return store.create("Contact", {"LastName": "Curie"}, store.context())


@pytest.fixture(scope="module")
def gone(store: Store) -> str:
    record_id = store.create("Account", {"Name": "Gone"}, store.context())
    store.delete("Account", record_id, store.context())
    return record_id


def refusal(error: OrgError) -> tuple[int, list[tuple[str, str, list[str] | None]]]:
    return error.status, [
        (item.code, item.message, None if item.fields is None else list(item.fields)) for item in error.items
    ]


@pytest.mark.parametrize(
    ("sobject", "values", "code", "message", "fields"),
    [
        # What is missing.
        ("Contact", {}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
        (
            "Contact",
            {"LastName": ""},
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [LastName]",
            ["LastName"],
        ),
        ("Account", {"Name": None}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"]),
        (
            "Opportunity",
            {},
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [Name, StageName, CloseDate]",
            ["Name", "StageName", "CloseDate"],
        ),
        ("Item__c", {"Name": "x"}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Key__c]", ["Key__c"]),
        # What is not there.
        (
            "Account",
            {"AccountNumer": "1"},
            "INVALID_FIELD",
            "No such column 'AccountNumer' on sobject of type Account",
            None,
        ),
        ("account", {"X__c": {}}, "INVALID_FIELD", "No such column 'X__c' on sobject of type Account", None),
        ("Contact", {"Account": "Acme"}, "INVALID_FIELD", "No such column 'Account' on sobject of type Contact", None),
        (
            "Contact",
            {"Account": {"Name": "Acme"}},
            "INVALID_FIELD",
            "The relationship Account of Contact takes one external ID field of its parent, with a value",
            None,
        ),
        (
            "Contact",
            {"LastName": "x", "ReportsTo": {"Email": "Nobody@x.org"}},
            "INVALID_FIELD",
            "Foreign key external ID: nobody@x.org not found for field Email in entity Contact",
            [],
        ),
        # What is not to be written.
        ("Account", {"Id": "001"}, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", None),
        (
            "Account",
            {"Name": "x", "MasterRecordId": None},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            READ_ONLY.format("MasterRecordId"),
            ["MasterRecordId"],
        ),
        (
            "Contact",
            {"LastName": "x", "name": "y", "CreatedDate": "2020-01-01T00:00:00Z", "MailingAddress": {"city": "Bonn"}},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            READ_ONLY.format("Name, CreatedDate, MailingAddress"),
            ["Name", "CreatedDate", "MailingAddress"],
        ),
        ("Item__c", {"Sum__c": 2}, "INVALID_FIELD_FOR_INSERT_UPDATE", READ_ONLY.format("Sum__c"), ["Sum__c"]),
        (
            "Item__c",
            {"Number__c": "1"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            READ_ONLY.format("Number__c"),
            ["Number__c"],
        ),
        (
            "Case",
            {"CaseNumber": "7"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            READ_ONLY.format("CaseNumber"),
            ["CaseNumber"],
        ),
        (
            "Organization",
            {"Name": "x"},
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "entity type cannot be inserted: Organization",
            [],
        ),
        # What is of another type.
        (
            "Contact",
            {"Birthdate": "nope"},
            "JSON_PARSER_ERROR",
            CANNOT.format("date from VALUE_STRING value nope", 19),
            None,
        ),
        (
            "Contact",
            {"LastName": "x", "Birthdate": "2017-05-30T-06:00:00X"},
            "JSON_PARSER_ERROR",
            CANNOT.format("date from VALUE_STRING value 2017-05-30T-06:00:00X", 51),
            None,
        ),
        (
            "Contact",
            {"Birthdate": "2023-02-29"},
            "JSON_PARSER_ERROR",
            CANNOT.format("date from VALUE_STRING value 2023-02-29", 25),
            None,
        ),
        (
            "Contact",
            {"Birthdate": 20200101},
            "JSON_PARSER_ERROR",
            CANNOT.format("date from VALUE_NUMBER_INT value 20200101", 21),
            None,
        ),
        (
            "Item__c",
            {"When__c": "2017-10-17 00:00:00"},
            "JSON_PARSER_ERROR",
            CANNOT.format("datetime from VALUE_STRING value 2017-10-17 00:00:00", 32),
            None,
        ),
        (
            "Item__c",
            {"When__c": "0001-01-01T00:00:00+14:00"},
            "JSON_PARSER_ERROR",
            CANNOT.format("datetime from VALUE_STRING value 0001-01-01T00:00:00+14:00", 38),
            None,
        ),
        (
            "Item__c",
            {"At__c": "25:00:00Z"},
            "JSON_PARSER_ERROR",
            CANNOT.format("time from VALUE_STRING value 25:00:00Z", 20),
            None,
        ),
        (
            "Item__c",
            {"File__c": "%%"},
            "JSON_PARSER_ERROR",
            CANNOT.format("base64 from VALUE_STRING value %%", 15),
            None,
        ),
        (
            "Opportunity",
            {"Amount": "5 EUR"},
            "JSON_PARSER_ERROR",
            CANNOT.format("currency from VALUE_STRING value 5 EUR", 17),
            None,
        ),
        (
            "Opportunity",
            {"Amount": True},
            "JSON_PARSER_ERROR",
            CANNOT.format("currency from VALUE_TRUE value true", 14),
            None,
        ),
        (
            "Opportunity",
            {"Amount": "1_000"},
            "JSON_PARSER_ERROR",
            CANNOT.format("currency from VALUE_STRING value 1_000", 17),
            None,
        ),
        (
            "Opportunity",
            {"Amount": "NaN"},
            "JSON_PARSER_ERROR",
            CANNOT.format("currency from VALUE_STRING value NaN", 15),
            None,
        ),
        (
            "Account",
            {"NumberOfEmployees": 1.5},
            "JSON_PARSER_ERROR",
            CANNOT.format("int from VALUE_NUMBER_FLOAT value 1.5", 24),
            None,
        ),
        (
            "Opportunity",
            {"IsPrivate": "FALSE"},
            "JSON_PARSER_ERROR",
            CANNOT.format("boolean from VALUE_STRING value FALSE", 20),
            None,
        ),
        (
            "Opportunity",
            {"IsPrivate": 0},
            "JSON_PARSER_ERROR",
            CANNOT.format("boolean from VALUE_NUMBER_INT value 0", 14),
            None,
        ),
        (
            "Account",
            {"Name": {"a": 1}},
            "JSON_PARSER_ERROR",
            CANNOT.format("string from START_OBJECT value {", 15),
            None,
        ),
        (
            "Item__c",
            {"Tags__c": ["Red"]},
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of multipicklist from START_ARRAY value [line:1, column:18]",
            None,
        ),
        (
            "Account",
            {"BillingAddress": "Bonn"},
            "JSON_PARSER_ERROR",
            CANNOT.format("BillingAddress from VALUE_STRING value Bonn", 24),
            None,
        ),
        # What does not fit.
        (
            "Account",
            {"Name": "x" * 256},
            "STRING_TOO_LONG",
            f"Account Name: data value too large: {'x' * 256} (max length=255)",
            ["Name"],
        ),
        (
            "Contact",
            {"LastName": "\U0001f600" * 41},
            "STRING_TOO_LONG",
            f"Last Name: data value too large: {chr(0x1F600) * 41} (max length=80)",
            ["LastName"],
        ),
        (
            "Account",
            {"Name": "x", "NumberOfEmployees": 1431655766},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Employees: value outside of valid range on numeric field: 1431655766",
            ["NumberOfEmployees"],
        ),
        (
            "Item__c",
            {"Key__c": "x", "Rate__c": 1000},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Rate: value outside of valid range on numeric field: 1000.0",
            ["Rate__c"],
        ),
        (
            "Account",
            {"Name": "x", "BillingLatitude": 91},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Billing Latitude: value outside of valid range on numeric field: 91.0",
            ["BillingLatitude"],
        ),
        (
            "Contact",
            {"LastName": "x", "Birthdate": "1066-10-14"},
            "FIELD_INTEGRITY_EXCEPTION",
            "Birthdate: invalid date: 1066-10-14",
            ["Birthdate"],
        ),
        (
            "Contact",
            {"LastName": "x", "Email": "a@b"},
            "INVALID_EMAIL_ADDRESS",
            "Email: invalid email address: a@b",
            ["Email"],
        ),
        (
            "Item__c",
            {"Key__c": "x", "Rank__c": "Old"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Rank: bad value for restricted picklist field: Old",
            ["Rank__c"],
        ),
        (
            "Item__c",
            {"Key__c": "x", "Tags__c": "Red;Pink"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Tags: bad value for restricted picklist field: Pink",
            ["Tags__c"],
        ),
        # What does not refer to anything.
        (
            "Contact",
            {"LastName": "x", "AccountId": "24"},
            "MALFORMED_ID",
            "Account ID: id value of incorrect type: 24",
            ["AccountId"],
        ),
        (
            "Contact",
            {"LastName": "x", "AccountId": "001Lo0zzzzzzzzz"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            [],
        ),
        (
            "Task",
            {"WhatId": NOBODY},
            "FIELD_INTEGRITY_EXCEPTION",
            f"Related To ID: id value of incorrect type: {NOBODY}",
            ["WhatId"],
        ),
    ],
)
def test_a_record_is_refused(
    store: Store, sobject: str, values: dict[str, Any], code: str, message: str, fields: list[str] | None
) -> None:
    before = store.count(sobject)
    with pytest.raises(OrgError) as raised:
        store.create(sobject, values, store.context())
    assert refusal(raised.value) == (400, [(code, message, fields)])
    assert store.count(sobject) == before


def test_all_that_is_wrong_with_the_values_is_told_at_once(store: Store) -> None:
    values = {"LastName": "x", "Email": "nowhere", "FirstName": "y" * 41}
    with pytest.raises(OrgError) as raised:
        store.create("Contact", values, store.context())
    assert [item.code for item in raised.value.items] == ["INVALID_EMAIL_ADDRESS", "STRING_TOO_LONG"]


def test_an_empty_boolean(store: Store) -> None:
    values = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-01-01", "IsPrivate": None}
    with pytest.raises(OrgError) as raised:
        store.create("Opportunity", values, store.context())
    assert refusal(raised.value) == (
        400,
        [("INVALID_TYPE_ON_FIELD_IN_RECORD", "Private: value not of required type: ", ["IsPrivate"])],
    )


@pytest.mark.parametrize(
    ("record_id", "status", "code", "message"),
    [
        ("123", 404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: 123"),
        ("001Lo0zzzzzzzzz", 404, "NOT_FOUND", "The requested resource does not exist"),
        (NOBODY, 404, "NOT_FOUND", "The requested resource does not exist"),
    ],
)
def test_no_record_to_read(store: Store, record_id: str, status: int, code: str, message: str) -> None:
    with pytest.raises(OrgError) as raised:
        store.get("Account", record_id, None, store.context())
    assert refusal(raised.value) == (status, [(code, message, None)])


@pytest.mark.parametrize(
    ("record_id", "status", "code", "message", "fields"),
    [
        (
            "tmp_sf_5aec",
            404,
            "NOT_FOUND",
            "Provided external ID field does not exist or is not accessible: tmp_sf_5aec",
            None,
        ),
        ("001Lo0zzzzzzzzz", 404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []),
        (NOBODY, 400, "MALFORMED_ID", f"Account ID: id value of incorrect type: {NOBODY}", ["Id"]),
    ],
)
def test_no_record_to_change(
    store: Store, record_id: str, status: int, code: str, message: str, fields: list[str] | None
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.update("Account", record_id, {"Name": "x"}, store.context()),
        lambda: store.delete("Account", record_id, store.context()),
    ]
    for call in calls:
        with pytest.raises(OrgError) as raised:
            call()
        assert refusal(raised.value) == (status, [(code, message, fields)])


def test_a_malformed_id_inside_a_record(store: Store) -> None:
    for record_id in ("24", "001Da00000xnAkBAAA"):
        with pytest.raises(OrgError) as raised:
            store.update("Account", record_id, {"Name": "x"}, store.context(), in_url=False)
        message = f"Account ID: id value of incorrect type: {record_id}"
        assert refusal(raised.value) == (400, [("MALFORMED_ID", message, ["Id"])])


def test_a_deleted_record_is_gone_for_all(store: Store, gone: str) -> None:
    context = store.context()
    for call in (
        lambda: store.get("Account", gone, None, context),
        lambda: store.update("Account", gone, {"Name": "x"}, context),
        lambda: store.delete("Account", gone, context),
        lambda: store.upsert("Account", "Id", gone, {"Name": "x"}, context),
    ):
        with pytest.raises(OrgError) as raised:
            call()
        assert refusal(raised.value) == (404, [("ENTITY_IS_DELETED", "entity is deleted", [])])
    with pytest.raises(OrgError) as raised:
        store.create("Contact", {"LastName": "x", "AccountId": gone}, context)
    assert refusal(raised.value) == (400, [("ENTITY_IS_DELETED", "entity is deleted", [])])


@pytest.mark.parametrize(
    ("values", "code", "message", "fields"),
    [
        ({"Name": ""}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"]),
        ({"Id": "x"}, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", None),
        ({"IsDeleted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", READ_ONLY.format("IsDeleted"), ["IsDeleted"]),
        ({"Nope": 1}, "INVALID_FIELD", "No such column 'Nope' on sobject of type Account", None),
        ({"OwnerId": None}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [OwnerId]", ["OwnerId"]),
    ],
)
def test_a_change_is_refused(
    store: Store, account: str, values: dict[str, Any], code: str, message: str, fields: list[str] | None
) -> None:
    with pytest.raises(OrgError) as raised:
        store.update("Account", account, values, store.context())
    assert refusal(raised.value) == (400, [(code, message, fields)])


def test_the_wrong_object_is_referred_to(store: Store, contact: str) -> None:
    with pytest.raises(OrgError) as raised:
        store.create("Contact", {"LastName": "x", "AccountId": contact}, store.context())
    message = f"Account ID: id value of incorrect type: {contact}"
    assert refusal(raised.value) == (400, [("FIELD_INTEGRITY_EXCEPTION", message, ["AccountId"])])


def test_a_value_that_another_record_has(store: Store) -> None:
    first = store.create("Item__c", {"Key__c": "Same"}, store.context())
    second = store.create("Item__c", {"Key__c": "Other"}, store.context())
    expected = f"duplicate value found: Key__c duplicates value on record with id: {first[:15]}"
    with pytest.raises(OrgError) as raised:
        store.create("Item__c", {"Key__c": "SAME"}, store.context())
    assert refusal(raised.value) == (400, [("DUPLICATE_VALUE", expected, [])])
    with pytest.raises(OrgError) as raised:
        store.update("Item__c", second, {"Key__c": "same"}, store.context())
    assert refusal(raised.value) == (400, [("DUPLICATE_VALUE", expected, [])])
    store.update("Item__c", first, {"Key__c": "same"}, store.context())
    store.delete("Item__c", first, store.context())
    store.update("Item__c", second, {"Key__c": "same"}, store.context())


def test_a_user_name_is_taken(store: Store) -> None:
    admin = store.get("User", store.admin_user_id, None, store.context())
    names = [
        "LastName",
        "Username",
        "Email",
        "Alias",
        "CommunityNickname",
        "TimeZoneSidKey",
        "LocaleSidKey",
        "EmailEncodingKey",
        "ProfileId",
        "LanguageLocaleKey",
    ]
    user = {name: admin[name] for name in names}
    with pytest.raises(OrgError) as raised:
        store.create("User", {**user, "Username": store.username.upper()}, store.context())
    assert (raised.value.status, raised.value.code) == (400, "DUPLICATE_USERNAME")
    user_id = store.create("User", {**user, "Username": "new@local-org.example"}, store.context())
    made = store.get("User", user_id, ["IsActive", "UserType", "Name"], store.context())
    assert (made["IsActive"], made["UserType"], made["Name"]) == (False, "Standard", "Admin")
    with pytest.raises(OrgError) as raised:
        store.create("Account", {"Name": "x", "OwnerId": user_id}, store.context())
    message = f"operation performed with inactive user [{user_id[:15]}] as owner of account"
    assert refusal(raised.value) == (400, [("INACTIVE_OWNER_OR_USER", message, [])])


def test_users_are_not_deleted(store: Store) -> None:
    with pytest.raises(OrgError) as raised:
        store.delete("User", store.admin_user_id, store.context())
    message = "entity type cannot be deleted: User"
    assert refusal(raised.value) == (400, [("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])])


@pytest.mark.parametrize(
    ("field", "value", "values", "status", "code", "message"),
    [
        (
            "Nope__c",
            "1",
            {},
            404,
            "NOT_FOUND",
            "Provided external ID field does not exist or is not accessible: Nope__c",
        ),
        (
            "Rank__c",
            "1",
            {},
            404,
            "NOT_FOUND",
            "Provided external ID field does not exist or is not accessible: Rank__c",
        ),
        (
            "Key__c",
            "1",
            {"key__C": "1"},
            400,
            "INVALID_FIELD",
            "The Key__c field should not be specified in the sobject data.",
        ),
        ("Key__c", "", {}, 400, "MISSING_ARGUMENT", "Key__c not specified"),
        ("Id", "azzLo0zzzzzzzzz", {}, 404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        ("Key__c", "x" * 11, {}, 400, "STRING_TOO_LONG", "Key: data value too large: xxxxxxxxxxx (max length=10)"),
    ],
)
def test_an_upsert_is_refused(
    store: Store, field: str, value: str, values: dict[str, Any], status: int, code: str, message: str
) -> None:
    with pytest.raises(OrgError) as raised:
        store.upsert("Item__c", field, value, values, store.context())
    assert (raised.value.status, raised.value.code, raised.value.message) == (status, code, message)


def test_an_upsert_from_values_needs_the_key(store: Store) -> None:
    with pytest.raises(OrgError) as raised:
        store.upsert_from_values("Item__c", "Key__c", {"Rate__c": 1}, store.context())
    assert refusal(raised.value) == (400, [("MISSING_ARGUMENT", "Key__c not specified", [])])


def test_an_object_that_is_not_there(store: Store) -> None:
    for call in (
        lambda: store.create("Accout", {}, store.context()),
        lambda: store.get("Accout", "001", None, store.context()),
        lambda: store.describe("Accout", "68.0"),
        lambda: store.info("Accout", "68.0"),
        lambda: store.count("Accout"),
    ):
        with pytest.raises(OrgError) as raised:
            call()
        assert refusal(raised.value) == (404, [("NOT_FOUND", "The requested resource does not exist", None)])


def test_a_field_that_is_not_there_to_be_read(store: Store, account: str) -> None:
    with pytest.raises(OrgError) as raised:
        store.get("Account", account, ["Name", "Nope"], store.context())
    assert raised.value.code == "INVALID_FIELD"
    assert raised.value.message.startswith("No such column 'Nope' on entity 'Account'.")


def test_a_converted_lead_stays_as_it_is(store: Store) -> None:
    lead = {"LastName": "x", "Company": "y", "IsConverted": True}
    lead_id = store.create("Lead", lead, store.context())
    with pytest.raises(OrgError) as raised:
        store.update("Lead", lead_id, {"Title": "Dr"}, store.context())
    assert raised.value.code == "CANNOT_UPDATE_CONVERTED_LEAD"
