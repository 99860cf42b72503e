"""What the SOAP endpoints take for a request, and what they refuse."""

import gzip
import zlib

import pytest
import requests
from soap_api import Fault, SoapApi, fault

ENTITIES = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def call(soap: SoapApi) -> str:
    return soap.envelope("getServerTimestamp")


@pytest.mark.parametrize("doctype", ["<!DOCTYPE a>", ENTITIES, EXTERNAL])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_types_are_refused(soap: SoapApi, doctype: str, encoding: str) -> None:
    text = call(soap).replace('encoding="UTF-8"?>', f'encoding="{encoding}"?>{doctype}')
    refused = fault(soap.post(text.encode(encoding)))
    assert refused == Fault(500, "soapenv:Client", "DOCTYPE is disallowed")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings(soap: SoapApi, encoding: str) -> None:
    soap.version, soap.token = "64.0", None
    password = soap.org.password + soap.org.security_token
    text = soap.envelope("login", username=soap.org.username, password=password)
    response = soap.post(text.replace("UTF-8", encoding, 1).encode(encoding))
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "Premature end of file."),
        ("<a", "unclosed token: line 1, column 0"),
        ("<a>&b;</a>", "undefined entity"),
        ("<a/>", "Expected a SOAP envelope, and found {}a"),
        (
            '<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"/>',
            "Expected a SOAP envelope, and found {http://www.w3.org/2003/05/soap-envelope}Envelope",
        ),
    ],
)
def test_what_is_no_envelope(soap: SoapApi, content: str, message: str) -> None:
    refused = fault(soap.post(content))
    assert (refused.status, refused.code) == (500, "soapenv:Client")
    assert refused.message.startswith(message)


@pytest.mark.parametrize("body", ["<e:Body/>", "<e:Body><u:logout/><u:logout/></e:Body>", ""])
def test_a_body_holds_one_call(soap: SoapApi, body: str) -> None:
    text = call(soap).replace("<e:Body><u:getServerTimestamp></u:getServerTimestamp></e:Body>", body)
    assert fault(soap.post(text)).code == "soapenv:Client"


def test_calls_that_are_not_there(soap: SoapApi) -> None:
    message = "No operation available for request {}, please check the WSDL for the service."
    assert soap.fault("nothing") == Fault(500, "soapenv:Client", message.format("{urn:partner.soap.sforce.com}nothing"))
    plain = call(soap).replace("<u:getServerTimestamp></u:getServerTimestamp>", "<getServerTimestamp/>")
    assert fault(soap.post(plain)) == Fault(500, "soapenv:Client", message.format("{}getServerTimestamp"))


def test_what_the_org_does_not_know_it_refuses(soap: SoapApi) -> None:
    code, kind = "sf:FUNCTIONALITY_NOT_ENABLED", "UnexpectedErrorFault"
    assert soap.fault("queryMore", queryLocator="x") == Fault(
        501, code, "The local org does not support the SOAP call queryMore.", kind
    )
    metadata = f"{soap.org.url}/services/Soap/m/68.0"
    response = soap.http.post(metadata, data=call(soap), timeout=30)
    assert fault(response) == Fault(501, code, "The local org does not support /services/Soap/m.", kind)


@pytest.mark.parametrize(("flavor", "other"), [("partner", "enterprise"), ("enterprise", "partner")])
def test_each_endpoint_has_its_own_namespace(soap: SoapApi, flavor: str, other: str) -> None:
    soap.flavor = flavor
    text = call(soap).replace(f"urn:{flavor}.", f"urn:{other}.")
    refused = fault(soap.post(text))
    assert refused.message == (
        f"No operation available for request {{urn:{other}.soap.sforce.com}}getServerTimestamp, please check the WSDL "
        "for the service."
    )


@pytest.mark.parametrize("version", ["30.0", "69.0", "v68.0", "68.1", "", "68.0/a/b"])
def test_versions_that_are_not_there(soap: SoapApi, version: str) -> None:
    soap.version = version
    assert soap.fault("getServerTimestamp") == Fault(
        500, "sf:UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL", "UnexpectedErrorFault"
    )


@pytest.mark.parametrize("path", ["31.0", "68", "68.0/", "68.0/00D000000000001"])
def test_paths(soap: SoapApi, path: str) -> None:
    soap.version = path
    assert len(soap("getServerTimestamp")) == 1


def test_an_address_that_ends_with_a_slash(soap: SoapApi) -> None:
    url = f"{soap.org.url}//services/Soap/u/68.0"
    response = soap.http.post(url, data=call(soap), timeout=30)
    assert response.status_code == 200, response.text


def test_compressed_requests(soap: SoapApi) -> None:
    content = call(soap).encode()
    assert soap.post(gzip.compress(content), **{"Content-Encoding": "gzip"}).status_code == 200
    assert soap.post(zlib.compress(content), **{"Content-Encoding": "deflate"}).status_code == 200
    for coding in ("gzip", "br"):
        assert fault(soap.post(content, **{"Content-Encoding": coding})).code == "soapenv:Client"


def test_requests_without_end(soap: SoapApi) -> None:
    large = gzip.compress(b" " * (50 * 1024 * 1024 + 1))
    refused = fault(soap.post(large, **{"Content-Encoding": "gzip"}))
    assert (refused.code, refused.kind) == ("sf:EXCEEDED_MAX_SIZE_REQUEST", "UnexpectedErrorFault")


def test_other_verbs(soap: SoapApi) -> None:
    assert fault(soap.http.get(soap.url, timeout=30)).code == "soapenv:Client"
    response = requests.put(soap.url, data=call(soap), timeout=30)
    assert fault(response).code == "soapenv:Client"


def test_the_order_of_headers_and_their_namespaces_do_not_matter(soap: SoapApi) -> None:
    assert soap.token is not None
    session = f"<u:SessionHeader><u:sessionId>{soap.token}</u:sessionId></u:SessionHeader>"
    bare = f"<CallOptions><client>c/1</client></CallOptions><SessionHeader><sessionId> {soap.token}</sessionId>"
    text = call(soap).replace(session, f"{bare}</SessionHeader><Unknown/>")
    assert soap.post(text).status_code == 200
