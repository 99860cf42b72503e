"""Names of channels, checked before anything is sent."""

from __future__ import annotations

import re
from typing import Final

# https://developer.salesforce.com/docs/platform/change-data-capture/guide/cdc-subscribe-channels.html
# https://developer.salesforce.com/docs/platform/api-streaming/guide/code-sample-push-topic-filters.html
_FORMS: Final = (
    (r"/data/[A-Za-z]\w*", "/data/AccountChangeEvent, /data/ChangeEvents or /data/Sales__chn"),
    (r"/event/[A-Za-z]\w*", "/event/Order__e or /event/Orders__chn"),
    (r"/topic/[A-Za-z0-9_]+(\?\S.*)?", "/topic/NewAccounts or /topic/NewAccounts?Industry='Energy'"),
    (r"/u/[\w.-]+(/[\w.-]+)*", "/u/notifications/Invoices"),
)
_CHANGES: Final = re.compile(r"/data/\w*(ChangeEvents?|__chn)", re.ASCII)


def check_channel(channel: object) -> str:
    """Refuse what cannot be a channel.

    Raises:
        TypeError: It is no text.
        ValueError: It is of no form that Salesforce has.
    """
    if not isinstance(channel, str):
        raise TypeError(f"a channel is a text such as /data/AccountChangeEvent, not a {type(channel).__name__}")
    if not channel.isprintable() or not any(re.fullmatch(form, channel, re.ASCII) for form, _ in _FORMS):
        forms = ", ".join(examples for _, examples in _FORMS)
        raise ValueError(f"{channel!r} is no channel: write one such as {forms}")
    if channel.startswith("/data/") and _CHANGES.fullmatch(channel) is None:
        name = channel.removeprefix("/data/").removesuffix("c" if channel.endswith("__c") else "")
        raise ValueError(f"{channel!r} is no channel of change events: is /data/{name}ChangeEvent meant?")
    return channel


def bare(channel: str) -> str:
    """Give a channel without the filter that a PushTopic's may have: so Salesforce names it in replay maps."""
    return channel.partition("?")[0]
