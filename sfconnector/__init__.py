"""The synchronous, typed Salesforce SDK.

What stands here is imported when it is first named, so that importing the package costs a program that uses
little of it, such as a test runner that looks for plugins, next to nothing.

Example:
    >>> from sfconnector import Salesforce, auth, soql
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

from sfconnector._version import __version__

if TYPE_CHECKING:
    from sfconnector import auth, errors, streaming
    from sfconnector._bulk.calls import BulkQueryPage
    from sfconnector._bulk.ingest import Ingest
    from sfconnector._bulk.ingest_errors import FailedRow
    from sfconnector._bulk.ingest_jobs import IngestJob
    from sfconnector._bulk.query_jobs import QueryJob
    from sfconnector._bulk_v1._results import RowResult
    from sfconnector._bulk_v1.ingest import BulkV1Ingest
    from sfconnector._bulk_v1.jobs import BulkV1Job, PkChunking
    from sfconnector._bulk_v1.query import BulkV1Query
    from sfconnector._client import Salesforce
    from sfconnector._collections import RecordResults
    from sfconnector._download import FileStream, StoredFile
    from sfconnector._events import RefreshEvent, RequestEvent, ResponseEvent, RetryEvent
    from sfconnector._hooks import Hooks
    from sfconnector._leads import LeadConversion, LeadConvert, LeadResult, LeadResults
    from sfconnector._progress import JobProgress, Progress, ProgressBar, progress_bar
    from sfconnector._query import Query
    from sfconnector._redact import RedactingFilter
    from sfconnector._report_rows import ReportColumn, ReportResult, ReportSummary
    from sfconnector._reports import IncompleteReportWarning, ReportRun
    from sfconnector._results import CallOptions, DuplicateRule, RecordResult, SaveResult, Unfinished, UpsertResult
    from sfconnector._retry import Retry
    from sfconnector._search import Search
    from sfconnector._soap import MergeResult
    from sfconnector._sobjects import SObject
    from sfconnector._soql import soql
    from sfconnector._sosl import sosl
    from sfconnector._streaming.events import ChangeEvent, GapEvent, GenericEvent, PlatformEvent, PushTopicEvent
    from sfconnector._streaming.health import Health
    from sfconnector._streaming.listener import Listener
    from sfconnector._streaming.publishing import PublishResult
    from sfconnector._streaming.stores import FileReplayStore, MemoryReplayStore, ReplayStore
    from sfconnector._streaming.subscription import Subscription
    from sfconnector._subrequests import Subrequest
    from sfconnector._subresults import Subresult
    from sfconnector._transport import Timeout
    from sfconnector._tree import TreeRecord
    from sfconnector._typed import UNSET, CreateOnly, Picklist, ReadOnly, TypedRecord, UpdateOnly
    from sfconnector._usage import Usage

__all__ = [
    "UNSET",
    "BulkQueryPage",
    "BulkV1Ingest",
    "BulkV1Job",
    "BulkV1Query",
    "CallOptions",
    "ChangeEvent",
    "CreateOnly",
    "DuplicateRule",
    "FailedRow",
    "FileReplayStore",
    "FileStream",
    "GapEvent",
    "GenericEvent",
    "Health",
    "Hooks",
    "IncompleteReportWarning",
    "Ingest",
    "IngestJob",
    "JobProgress",
    "LeadConversion",
    "LeadConvert",
    "LeadResult",
    "LeadResults",
    "Listener",
    "MemoryReplayStore",
    "MergeResult",
    "Picklist",
    "PkChunking",
    "PlatformEvent",
    "Progress",
    "ProgressBar",
    "PublishResult",
    "PushTopicEvent",
    "Query",
    "QueryJob",
    "ReadOnly",
    "RecordResult",
    "RecordResults",
    "RedactingFilter",
    "RefreshEvent",
    "ReplayStore",
    "ReportColumn",
    "ReportResult",
    "ReportRun",
    "ReportSummary",
    "RequestEvent",
    "ResponseEvent",
    "Retry",
    "RetryEvent",
    "RowResult",
    "SObject",
    "Salesforce",
    "SaveResult",
    "Search",
    "StoredFile",
    "Subrequest",
    "Subresult",
    "Subscription",
    "Timeout",
    "TreeRecord",
    "TypedRecord",
    "Unfinished",
    "UpdateOnly",
    "UpsertResult",
    "Usage",
    "__version__",
    "auth",
    "errors",
    "progress_bar",
    "soql",
    "sosl",
    "streaming",
]

_HOMES: Final = {
    "_bulk.calls": ["BulkQueryPage"],
    "_bulk.ingest": ["Ingest"],
    "_bulk.ingest_errors": ["FailedRow"],
    "_bulk.ingest_jobs": ["IngestJob"],
    "_bulk.query_jobs": ["QueryJob"],
    "_bulk_v1._results": ["RowResult"],
    "_bulk_v1.ingest": ["BulkV1Ingest"],
    "_bulk_v1.jobs": ["BulkV1Job", "PkChunking"],
    "_bulk_v1.query": ["BulkV1Query"],
    "_client": ["Salesforce"],
    "_collections": ["RecordResults"],
    "_download": ["FileStream", "StoredFile"],
    "_events": ["RefreshEvent", "RequestEvent", "ResponseEvent", "RetryEvent"],
    "_hooks": ["Hooks"],
    "_leads": ["LeadConversion", "LeadConvert", "LeadResult", "LeadResults"],
    "_progress": ["JobProgress", "Progress", "ProgressBar", "progress_bar"],
    "_query": ["Query"],
    "_redact": ["RedactingFilter"],
    "_report_rows": ["ReportColumn", "ReportResult", "ReportSummary"],
    "_reports": ["IncompleteReportWarning", "ReportRun"],
    "_results": ["CallOptions", "DuplicateRule", "RecordResult", "SaveResult", "Unfinished", "UpsertResult"],
    "_retry": ["Retry"],
    "_search": ["Search"],
    "_soap": ["MergeResult"],
    "_sobjects": ["SObject"],
    "_soql": ["soql"],
    "_sosl": ["sosl"],
    "_streaming.events": ["ChangeEvent", "GapEvent", "GenericEvent", "PlatformEvent", "PushTopicEvent"],
    "_streaming.health": ["Health"],
    "_streaming.listener": ["Listener"],
    "_streaming.publishing": ["PublishResult"],
    "_streaming.stores": ["FileReplayStore", "MemoryReplayStore", "ReplayStore"],
    "_streaming.subscription": ["Subscription"],
    "_subrequests": ["Subrequest"],
    "_subresults": ["Subresult"],
    "_transport": ["Timeout"],
    "_tree": ["TreeRecord"],
    "_typed": ["CreateOnly", "Picklist", "ReadOnly", "TypedRecord", "UNSET", "UpdateOnly"],
    "_usage": ["Usage"],
}
_HOME_OF: Final = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in {"auth", "errors", "streaming"}:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    member = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = member
    return member


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
