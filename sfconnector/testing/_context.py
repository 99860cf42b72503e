"""Who asks, under which API version and with which of Salesforce's call options."""

import attrs


@attrs.frozen(kw_only=True)
class DuplicateRuleHeader:
    """``Sforce-Duplicate-Rule-Header``, and SOAP's header of that name.

    https://developer.salesforce.com/docs/platform/api-rest/guide/headers-duplicaterules.html
    """

    allow_save: bool = False
    include_record_details: bool = False
    run_as_current_user: bool = False


@attrs.frozen(kw_only=True)
class RequestContext:
    """What a request carries besides its record.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers.htm

    Args:
        user_id: 18-character id of the running user: owner, creator and modifier of what is written.
        version: API version such as ``68.0``; it appears in the ``url`` of every record.
        auto_assign: ``Sforce-Auto-Assign``; rules are not run here, the value is kept for the caller.
        duplicate_rule: how duplicate rules are treated.
        skips_duplicate_rules: whether none of them runs, as for records that are merged.
        allow_field_truncation: ``Sforce-Call-Options``/SOAP ``AllowFieldTruncationHeader``: cut long texts
            instead of answering ``STRING_TOO_LONG``.
        set_audit_fields: the permission "Set Audit Fields upon Record Creation": ``CreatedDate`` and its like may be
            given for a new record.
        origin: the API and the client by which the changes come, as ``changeOrigin`` of change events has it.
        all_or_none: whether one refused record of a batch takes back the others.
        saved: the ids of the records that were made in this save, of up to 200 records.
    """

    user_id: str
    version: str = "68.0"
    auto_assign: bool | str = True
    duplicate_rule: DuplicateRuleHeader = DuplicateRuleHeader()
    skips_duplicate_rules: bool = False
    allow_field_truncation: bool = False
    set_audit_fields: bool = False
    all_or_none: bool = False
    origin: str = ""
    saved: set[str] = attrs.field(factory=set, eq=False, repr=False)


def change_origin(api: str, version: str, client: str | None) -> str:
    """Write where changes come from.

    https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_header.htm

    Args:
        api: ``rest``, ``soap`` or ``bulkapi``.
        version: API version, such as ``68.0``.
        client: what the call options name.
    """
    return f"com/salesforce/api/{api}/{version}{f';client={client}' if client else ''}"


def client_of(call_options: str | None) -> str | None:
    """Find the client in a ``Sforce-Call-Options`` header: ``client=Loader/1.0, defaultNamespace=battle``.

    https://developer.salesforce.com/docs/platform/api-rest/guide/headers-calloptions.html
    """
    for option in (call_options or "").split(","):
        name, _, value = option.partition("=")
        if name.strip().lower() == "client":
            return value.strip() or None
    return None
