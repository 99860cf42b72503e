"""How the SOAP API refuses a call as a whole: by a fault, where a record's trouble is an error in its result.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
"""

from typing import Final

from sfconnector.testing._errors import OrgError

LOGIN: Final = "LoginFault"
INVALID_ID: Final = "InvalidIdFault"
UNFIT: Final = "InvalidNewPasswordFault"
INVALID_SOBJECT: Final = "InvalidSObjectFault"
UNEXPECTED: Final = "UnexpectedErrorFault"


class SoapFault(Exception):
    """A fault of Salesforce's own, with an exception code and the type of its detail."""

    def __init__(self, code: str, message: str, kind: str = UNEXPECTED, status: int = 500) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.kind = kind
        self.status = status


class ClientFault(Exception):
    """A fault of who reads the envelope: what came is no request of this API."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def translated(error: OrgError, kind: str = UNEXPECTED) -> SoapFault:
    """Tell a refusal of the org by a fault; the status of a fault is 500 or a worse one."""
    return SoapFault(error.code, error.message, kind, max(error.status, 500))
