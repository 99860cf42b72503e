"""What the facade answers, and the options that a call can carry."""

from __future__ import annotations

import attrs

from sfconnector.errors import ErrorDetail


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
class DuplicateRule:
    """How a save treats the org's duplicate rules.

    Args:
        allow_save: Save the record although an alert rule finds duplicates.
        include_record_details: Answer with all fields of the duplicates found.
        run_as_current_user: Apply the sharing rules of the current user.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm
    """

    allow_save: bool | None = None
    include_record_details: bool | None = None
    run_as_current_user: bool | None = None

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

    client: str | None = None
    default_namespace: str | None = None

    @property
    def header(self) -> str:
        options = {"client": self.client, "defaultNamespace": self.default_namespace}
        return ", ".join(f"{name}={value}" for name, value in options.items() if value is not None)


def header(option: DuplicateRule | CallOptions | None) -> str | None:
    """Write an option as its header, if it is given."""
    return None if option is None else option.header
