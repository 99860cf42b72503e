"""From a SOAP call to its checked answer, and what envelopes can carry."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import requests
from sfconnector_generated.client import decode_either
from sfconnector_generated.errors import ParseError

from sfconnector._extras import optional
from sfconnector._names import check_id, check_name
from sfconnector._records import encode
from sfconnector._results import MOST_BYTES, CallOptions, DuplicateRule, of_kind
from sfconnector._session import Seconds, Session
from sfconnector.errors import InvalidResponseError

if TYPE_CHECKING:
    from sfconnector_generated.client import Request
    from sfconnector_generated.soap import models

T = TypeVar("T")

# What the WSDL puts into each record; the field of that name is called Type.
_OWN: Final = frozenset({"type", "fieldsToNull"})
# https://www.w3.org/TR/xml/#charsets
_UNSENDABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def call(session: Session, build: Callable[[], Request], parse: Callable[[Any], T], *, timeout: Seconds = None) -> T:
    """Make a call and read its answer."""
    response = session.send(built(build), timeout=timeout)
    session.check(response)
    return read(session, response, parse)


def built(build: Callable[[], Request]) -> Request:
    """Build a request.

    Raises:
        ImportError: The extra is not installed.
        ValueError: The message is larger than Salesforce takes.
    """
    optional("zeep", "soap")
    request = build()
    size = len(request.content) if isinstance(request.content, bytes) else 0
    if size > MOST_BYTES:
        raise ValueError(f"the message has {size:,} bytes, and Salesforce takes {MOST_BYTES:,}")
    return request


def read(session: Session, response: requests.Response, parse: Callable[[Any], T]) -> T:
    """Read an answer.

    Raises:
        InvalidResponseError: It is not what the WSDL describes.
    """
    try:
        return parse(decode_either(session, response))
    except ParseError as error:
        raise InvalidResponseError(response, str(error)) from error


def model(cls: Callable[..., T], **values: Any) -> T:
    """Make an instance of a model of the WSDL, which may be that of any org.

    Raises:
        ValueError: The WSDL lacks one of the values, or demands one that is not given.
    """
    fields = attrs.fields_dict(cls)  # type: ignore[arg-type]  # each is a class
    if unknown := sorted(values.keys() - fields.keys()):
        raise ValueError(f"the WSDL that this client was generated from lacks {', '.join(unknown)}")
    needed = {name for name, field in fields.items() if field.default is attrs.NOTHING}
    if missing := sorted(needed - values.keys()):
        raise ValueError(
            f"the WSDL that this client was generated from demands {', '.join(missing)} in {cls.__name__}, "
            "which this client knows nothing of"
        )
    return cls(**values)


def check_sendable(what: str, value: object) -> str:
    """Refuse what is no text, or has characters that XML cannot carry."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is a text, not a {type(value).__name__}")
    if found := _UNSENDABLE.search(value):
        raise ValueError(f"{what} holds {found[0]!r}, a character that XML, and so SOAP API, cannot carry")
    return str.__str__(value)


def record(what: str, sobject: str, fields: object, record_id: str | None = None) -> dict[str, Any]:
    """Write a record as the partner WSDL wants it: everything as text, and the names of the fields to empty."""
    texts: dict[str, Any] = {"type": check_name("the object", sobject)}
    encoded = encode(fields)
    encoded.pop("attributes", None)
    own = [encoded.pop(name) for name in list(encoded) if name.lower() == "id"]
    # The last three characters of an id say nothing new.
    if record_id is not None and any(str(value)[:15] != record_id[:15] for value in own):
        raise ValueError(f"{what}: its own Id is not {record_id}")
    if ids := [record_id] if record_id is not None else own:
        texts["Id"] = check_id(ids[0])
    for name in encoded:
        check_name(f"{what}: the field", name)
        if name in _OWN:
            raise ValueError(f"{what}: {name} is an element of SOAP API's own, not a field")
    if empty := [name for name, value in encoded.items() if value is None]:
        texts["fieldsToNull"] = empty
    return {**texts, **{name: _text(f"{what}: {name}", value) for name, value in encoded.items() if value is not None}}


def _text(what: str, value: object) -> str:
    if isinstance(value, Mapping | list):
        raise TypeError(f"{what} is a field with one value, not with a {type(value).__name__}")
    if isinstance(value, bool):
        return str(value).lower()
    return check_sendable(what, value if isinstance(value, str) else str(value))


def duplicate_rule_header(option: DuplicateRule | None) -> models.DuplicateRuleHeader | None:
    """Write how duplicates are treated, if it is said."""
    from sfconnector_generated.soap.models import DuplicateRuleHeader

    if (option := of_kind(option, DuplicateRule)) is None:
        return None
    return model(
        DuplicateRuleHeader,
        allow_save=option.allow_save is True,
        include_record_details=option.include_record_details is True,
        run_as_current_user=option.run_as_current_user is True,
    )


def call_options_header(option: CallOptions | None) -> models.CallOptions | None:
    """Write who is calling, if it is said."""
    from sfconnector_generated.soap.models import CallOptions as Header

    if (option := of_kind(option, CallOptions)) is None:
        return None
    return model(Header, client=option.client, default_namespace=option.default_namespace)
