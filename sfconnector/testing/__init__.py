"""A Salesforce org for tests: `LocalOrg`, and the pytest fixture ``local_org``.

It comes with the extra ``sfconnector[testing]``. In other languages, start it with ``python -m sfconnector.testing``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfconnector.testing._apex import ApexRequest, ApexResponse
    from sfconnector.testing._bulk import BulkSteering
    from sfconnector.testing._faults import Fault, Faults
    from sfconnector.testing._org import LocalOrg
    from sfconnector.testing._outbox import ChatterPost, Email, Notification, Outbox
    from sfconnector.testing._requests import LoggedRequest, RequestLog
    from sfconnector.testing._streaming._selection import ChangeDataCapture
    from sfconnector.testing._streaming._steering import StreamingSteering

__all__ = [
    "ApexRequest",
    "ApexResponse",
    "BulkSteering",
    "ChangeDataCapture",
    "ChatterPost",
    "Email",
    "Fault",
    "Faults",
    "LocalOrg",
    "LoggedRequest",
    "Notification",
    "Outbox",
    "RequestLog",
    "StreamingSteering",
]

_MODULES = {
    "ApexRequest": "_apex",
    "ApexResponse": "_apex",
    "BulkSteering": "_bulk",
    "ChangeDataCapture": "_streaming._selection",
    "ChatterPost": "_outbox",
    "Email": "_outbox",
    "Fault": "_faults",
    "Faults": "_faults",
    "LocalOrg": "_org",
    "LoggedRequest": "_requests",
    "Notification": "_outbox",
    "Outbox": "_outbox",
    "RequestLog": "_requests",
    "StreamingSteering": "_streaming._steering",
}
# Third-party packages that the extra brings; a missing module of ours is another matter.
_EXTRA = ("starlette", "uvicorn", "httptools", "lark", "yaml", "jwt", "cryptography")


def __getattr__(name: str) -> Any:
    # pytest imports this package for everyone who has it installed: nothing heavy before it is used.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    try:
        module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise ImportError(
            f"sfconnector.testing.{name} needs the package {error.name!r}, which is not installed; "
            'run: pip install "sfconnector[testing]"'
        ) from error
    return getattr(module, name)
