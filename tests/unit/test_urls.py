"""Where requests may go, and which URLs pass for an org."""

from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfconnector._urls import instance_url, login_url, origin_of, short_path, target_on

INSTANCE = "https://acme.my.salesforce.com"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://acme.my.salesforce.com", INSTANCE),
        ("https://acme.my.salesforce.com/", INSTANCE),
        (" https://ACME.my.salesforce.com:443 ", INSTANCE),
        ("https://acme--dev.sandbox.my.salesforce.com", "https://acme--dev.sandbox.my.salesforce.com"),
        ("https://org.example.com:8443", "https://org.example.com:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.8.8.8", "http://127.8.8.8"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_urls_of_orgs_are_cut_to_their_origin(given: str, expected: str) -> None:
    assert instance_url(given) == expected
    assert login_url(given) == expected


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("https://acme.lightning.force.com", "https://acme.my.salesforce.com"),
        ("https://acme.lightning.force.com/lightning/page/home", "https://acme.my.salesforce.com"),
        ("https://acme--dev.sandbox.lightning.force.com", "https://acme--dev.sandbox.my.salesforce.com"),
        ("https://acme-dev-ed.develop.lightning.force.com", "https://acme-dev-ed.develop.my.salesforce.com"),
        ("https://acme.my.salesforce-setup.com/lightning/setup/SetupOneHome/home", "https://acme.my.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce-setup.com", "https://acme--dev.sandbox.my.salesforce.com"),
        ("https://acme--c.vf.force.com", "https://acme.my.salesforce.com"),
        ("https://acme--dev--c.sandbox.vf.force.com", "https://acme--dev.sandbox.my.salesforce.com"),
        ("https://acme--c.na1.visual.force.com", "https://acme.my.salesforce.com"),
        ("https://acme--c.visualforce.com", "https://acme.my.salesforce.com"),
        ("https://acme.file.force.com", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com/lightning/page/home", "https://acme.my.salesforce.com"),
        ("http://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
    ],
)
@pytest.mark.parametrize("check", [instance_url, login_url])
def test_pages_of_an_org_are_refused_with_the_right_url_named(check: object, given: str, right: str) -> None:
    with pytest.raises(ValueError, match=f"write {right}$"):
        check(given)  # type: ignore[operator]


@pytest.mark.parametrize(
    "given",
    [
        "",
        "   ",
        None,
        7,
        "acme.my.salesforce.com",
        "acme",
        "ftp://acme.my.salesforce.com",
        "https://",
        "https://a b.com",
        "https://user:pw@acme.my.salesforce.com",
        "https://acme.my.salesforce.com?x=1",
        "https://acme.my.salesforce.com#x",
        "https://acme.my.salesforce.com:port",
        "https://acme.my.salesforce.com\r\nHost: evil.com",
        "https://[::1",
    ],
)
@pytest.mark.parametrize("check", [instance_url, login_url])
def test_what_is_no_url_of_an_org_is_refused(check: object, given: object) -> None:
    with pytest.raises(ValueError, match="https://MyDomainName") as caught:
        check(given)  # type: ignore[operator]
    assert "pw" not in str(caught.value)


def test_only_sites_have_a_path_and_only_to_log_in() -> None:
    assert login_url("https://acme.my.site.com/partners/") == "https://acme.my.site.com/partners"
    with pytest.raises(ValueError, match="has a path"):
        instance_url("https://acme.my.site.com/partners")


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("/services/data/v68.0/limits", "/services/data/v68.0/limits"),
        ("/services/data/v68.0/query?q=a..b%2F../c", "/services/data/v68.0/query?q=a..b%2F../c"),
        ("/services/data/v68.0/sobjects/Account/Ext__c/a%2Fb", "/services/data/v68.0/sobjects/Account/Ext__c/a%2Fb"),
        ("/services/apexrest/a...b/.well", "/services/apexrest/a...b/.well"),
        (f"{INSTANCE}/services/data", "/services/data"),
        ("https://ACME.my.salesforce.com:443/services/data?a=1", "/services/data?a=1"),
        (INSTANCE, "/"),
    ],
)
def test_paths_and_urls_on_the_instance_are_taken(given: str, target: str) -> None:
    assert target_on(INSTANCE, given) == target


@pytest.mark.parametrize(
    "given",
    [
        "//evil.com/services/data",
        "https://evil.com/services/data",
        "http://acme.my.salesforce.com/services/data",
        "https://acme.my.salesforce.com:8443/services/data",
        "https://acme.my.salesforce.com.evil.com/x",
        "https://acme.my.salesforce.com@evil.com/x",
        "https://user@acme.my.salesforce.com/x",
        "https://evil.com\\@acme.my.salesforce.com/x",
        "https:///services/data",
        "services/data",
        "",
        "javascript:alert(1)",
        "/services/../secur/frontdoor.jsp",
        "/services/%2e%2E/secur",
        "/services/.%2e/secur",
        "/services/./data",
        "/..",
        "/services/data\r\nX-Evil: 1",
        "/services/data\nX",
        "/services/da ta",
        "/services\\data",
        "/services/data#fragment",
        "/services/d\u00e4ta",
        "/services/\x00",
    ],
)
def test_whatever_could_leave_the_instance_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"instance|unsafe"):
        target_on(INSTANCE, given)


@given(st.text(min_size=1, max_size=30).filter(lambda text: text not in {".", ".."}))
def test_quoted_segments_pass_and_come_out_as_they_went_in(segment: str) -> None:
    try:
        quoted = quote(segment, safe="")
    except UnicodeEncodeError:
        return
    target = target_on(INSTANCE, f"/services/data/v68.0/sobjects/Account/Ext__c/{quoted}")
    assert unquote(target.rpartition("/")[2]) == segment


@given(st.text(max_size=40) | st.text(alphabet="/\\.:@%2eE?#evil com\r\n", max_size=40))
def test_no_text_leads_off_the_instance(text: str) -> None:
    try:
        target = target_on(INSTANCE, text)
    except ValueError:
        return
    assert origin_of(INSTANCE + target) == INSTANCE
    path = urlsplit(INSTANCE + target).path
    assert not {".", ".."} & set(unquote(path.replace("%2F", "x").replace("%2f", "x")).split("/"))
    assert target.isascii()
    assert target.isprintable()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (f"{INSTANCE}/services/data/v68.0/query?q=SELECT+Curie", "/query"),
        (f"{INSTANCE}/services/data/v68.0/sobjects/Account/Ext__c/A-42", "/sobjects/Account/Ext__c/A-42"),
        (f"{INSTANCE}/services/data", "/services/data"),
        (f"{INSTANCE}/services/apexrest/orders", "/services/apexrest/orders"),
        (INSTANCE, "/"),
        ("/services/data/v68.0/limits?x=https://y", "/limits"),
        # An encoded line break stays encoded, so that no path can forge a line of a log.
        ("/services/data/v68.0/sobjects/a%0Ab", "/sobjects/a%0Ab"),
    ],
)
def test_short_paths_have_neither_host_nor_query(url: str, path: str) -> None:
    assert short_path(url) == path
