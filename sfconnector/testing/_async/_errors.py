"""How Bulk API 1.0 says no: one exception code and one message, in XML or in JSON.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-reference-errors.html
"""

from typing import Final

CLIENT_INPUT: Final = "ClientInputError"
EXCEEDED_QUOTA: Final = "ExceededQuota"
FEATURE_NOT_ENABLED: Final = "FeatureNotEnabled"
INVALID_BATCH: Final = "InvalidBatch"
INVALID_ENTITY: Final = "InvalidEntity"
INVALID_JOB: Final = "InvalidJob"
INVALID_JOB_STATE: Final = "InvalidJobState"
INVALID_OPERATION: Final = "InvalidOperation"
INVALID_SESSION_ID: Final = "InvalidSessionId"
INVALID_URL: Final = "InvalidUrl"
INVALID_VERSION: Final = "InvalidVersion"
TOO_MANY_LOCK_FAILURES: Final = "TooManyLockFailure"
UNKNOWN: Final = "Unknown"
# Of the codes that Salesforce's own client knows, as is InvalidVersion:
# https://github.com/forcedotcom/wsc/blob/master/src/main/java/com/sforce/async/AsyncExceptionCode.java
UNSUPPORTED_CONTENT_TYPE: Final = "UnsupportedContentType"


class AsyncError(Exception):
    """A refusal: the answer to a request, or the reason for which a batch has failed."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def invalid_batch(message: str) -> AsyncError:
    return AsyncError(INVALID_BATCH, message)


def invalid_job(message: str) -> AsyncError:
    return AsyncError(INVALID_JOB, message)
