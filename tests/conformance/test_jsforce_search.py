"""jsforce searches the local org, and sees what Salesforce's documentation shows."""

from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]


def found(answer: dict[str, Any], *fields: str) -> list[tuple[Any, ...]]:
    """The object and some fields of each record."""
    return [(record["attributes"]["type"], *(record[field] for field in fields)) for record in answer["searchRecords"]]


def test_searches(jsforce: Run) -> None:
    seen = jsforce("search")
    acme = seen["acme"]

    assert ("Account", acme) in found(seen["plain"], "Id")
    account = next(record for record in seen["plain"]["searchRecords"] if record["Id"] == acme)
    assert account == {
        "attributes": {"type": "Account", "url": f"/services/data/v68.0/sobjects/Account/{acme}"},
        "Id": acme,
    }
    # The account's name is a field of its contacts.
    assert [record["attributes"]["type"] for record in seen["plain"]["searchRecords"]] == ["Account", "Contact"]

    assert found(seen["fields"], "LastName") == [("Contact", "Oneida"), ("Contact", "O'Neil")]
    assert [record["Account"] and record["Account"]["Name"] for record in seen["fields"]["searchRecords"]] == [
        None,
        "Acme & Söhne",
    ]
    assert found(seen["phrase"], "Id", "Name") == [("Account", acme, "Acme & Söhne")]
    assert found(seen["phone"], "Name") == [("Account", "Acme & Söhne")]
    assert found(seen["email"], "Email") == [("Contact", "o.neil@acme.example")]
    assert found(seen["wildcard"], "LastName") == [("Contact", "Oneida")]
    assert seen["nothing"] == {"searchRecords": []}
    assert [record["Name"] for record in seen["old"]] == ["Acme & Söhne"]

    assert found(seen["parameters"], "Name") == [("Account", "Acme & Söhne")]
    assert found(seen["body"], "LastName") == [("Contact", "Oneida")]
    (suggested,) = seen["suggestions"]["autoSuggestResults"]
    assert (suggested["Name"], seen["suggestions"]["hasMoreResults"]) == ("Acme & Söhne", False)
    assert {"Account", "Contact"} <= set(seen["scope"])
    (layout,) = seen["layout"]
    assert (layout["objectType"], layout["searchColumns"][0]["name"]) == ("Account", "Name")

    refused = {name: outcome["error"] for name, outcome in seen["refused"].items()}
    assert {name: error["name"] for name, error in refused.items()} == {
        "unescaped": "MALFORMED_SEARCH",
        "unclosed": "MALFORMED_SEARCH",
        "short": "INVALID_SEARCH",
        "object": "INVALID_TYPE",
        "field": "INVALID_FIELD",
        "empty": "MALFORMED_SEARCH",
    }
    assert "sObject type 'Acount' is not supported." in refused["object"]["message"]
