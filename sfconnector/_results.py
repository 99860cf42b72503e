"""What the facade answers, and the options that a call can carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import attrs

from sfconnector.errors import ErrorDetail

if TYPE_CHECKING:
    from sfconnector_generated.rest.models import SaveError
    from sfconnector_generated.types import Unset

Option = TypeVar("Option", "DuplicateRule", "CallOptions")
R = TypeVar("R")

# Of one call, as the documentation has it:
# https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections-create.html
MOST_RECORDS: Final = 200
# Beyond this much text a request has to be a multipart one.
# https://developer.salesforce.com/docs/platform/api-rest/guide/dome-sobject-insert-update-blob.html
MOST_BYTES: Final = 50_000_000

_FLAG = attrs.validators.optional(attrs.validators.instance_of(bool))


def _word(_: object, attribute: attrs.Attribute[str | None], value: object) -> None:
    # What a header separates its options by would start another option.
    if value is not None and (not isinstance(value, str) or not value.strip() or set(value) & set(",;=\r\n")):
        raise ValueError(f"{attribute.name} {value!r} is blank, or holds what separates the options of a header")


def error_details(errors: Iterable[SaveError] | Unset | None) -> tuple[ErrorDetail, ...]:
    """Give what Salesforce lists for a record, or for a run of an action, as entries like all others."""
    return tuple([_detail(each) for each in errors or ()])


def _detail(error: SaveError) -> ErrorDetail:
    # Only SOAP API tells it, by a WSDL that knows of it.
    if told := getattr(error, "duplicate_result", None):
        from sfconnector import _duplicates

        return ErrorDetail(error.status_code, error.message, tuple(error.fields or ()), _duplicates.read(told))
    return ErrorDetail(error.status_code, error.message, tuple(error.fields or ()))


@attrs.frozen
class SaveResult:
    """A record was created."""

    id: str
    success: bool = True
    errors: tuple[ErrorDetail, ...] = ()


@attrs.frozen
class UpsertResult:
    """A record was upserted; ``created`` is false where it was there before.

    ``id`` is ``None`` only from API versions before 46.0, which answer an update with nothing.
    """

    id: str | None
    created: bool


@attrs.frozen
class RecordResult(Generic[R]):
    """What came of one record among many.

    Attributes:
        index: The position of the record in the input, counted from 0.
        record: The record, or the id, that was handed in: the same object.
        id: The id of the record; ``None`` where it was not saved.
        success: Whether the record was saved or deleted.
        created: Whether the record is new.
        errors: Why it was not saved, as Salesforce listed it.
    """

    index: int
    # Records are data, and results end up in logs.
    record: R = attrs.field(repr=False)
    id: str | None
    success: bool
    created: bool = False
    errors: tuple[ErrorDetail, ...] = ()


@attrs.frozen
class Unfinished:
    """What became of the records without a result, where many were to be saved and something came in between.

    Attributes:
        unsent_from: The position from which on nothing was sent; the number of records where all were sent.
        in_doubt: Positions of records that were sent and may have been saved: look before sending them again.
        refused: Positions of records that were sent and provably not saved.
        failures: The results of the records that failed, as far as the error does not hold them.
    """

    unsent_from: int
    in_doubt: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    failures: tuple[RecordResult[Any], ...] = attrs.field(default=(), repr=False)


@attrs.frozen
class DuplicateRule:
    """How a save treats the org's duplicate rules.

    Args:
        allow_save: Save the record although an alert rule finds duplicates.
        include_record_details: Answer with all fields of the duplicates found.
        run_as_current_user: Apply the sharing rules of the current user.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm
    """

    allow_save: bool | None = attrs.field(default=None, validator=_FLAG)
    include_record_details: bool | None = attrs.field(default=None, validator=_FLAG)
    run_as_current_user: bool | None = attrs.field(default=None, validator=_FLAG)

    @property
    def header(self) -> str:
        options = {
            "allowSave": self.allow_save,
            "includeRecordDetails": self.include_record_details,
            "runAsCurrentUser": self.run_as_current_user,
        }
        return "; ".join(f"{name}={str(value).lower()}" for name, value in options.items() if value is not None)


@attrs.frozen
class CallOptions:
    """Who is calling, for a partner application.

    Args:
        client: The client's name, as the org's logs show it.
        default_namespace: The namespace prefix that field and object names may leave out.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_calloptions.htm
    """

    client: str | None = attrs.field(default=None, validator=_word)
    default_namespace: str | None = attrs.field(default=None, validator=_word)

    @property
    def header(self) -> str:
        options = {"client": self.client, "defaultNamespace": self.default_namespace}
        return ", ".join(f"{name}={value}" for name, value in options.items() if value is not None)


def header(option: Option | None, kind: type[Option]) -> str | None:
    """Write an option as its header, if it says anything."""
    option = of_kind(option, kind)
    return None if option is None else option.header or None


def of_kind(option: Option | None, kind: type[Option]) -> Option | None:
    """Refuse what is another option than the one that is meant."""
    if option is not None and not isinstance(option, kind):
        raise TypeError(f"a {kind.__name__} is needed, not a {type(option).__name__}")
    return option
