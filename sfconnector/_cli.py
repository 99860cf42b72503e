"""Runs the Salesforce CLI."""

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any, Final

from sfconnector._redact import redact
from sfconnector.errors import AuthenticationError

_FLOW: Final = "SfCli"
# Colours would end up inside the JSON.
_PLAIN: Final = {"NO_COLOR": "1", "FORCE_COLOR": "0", "SF_AUTOUPDATE_DISABLE": "true"}


def run(executable: str, command: tuple[str, ...], alias: str, timeout: float) -> Mapping[str, Any]:
    """Run a command for an org and give its result.

    Raises:
        AuthenticationError: The CLI is missing, slow, does not know the org or answers gibberish.
    """
    arguments = (executable, *command, "--target-org", alias, "--json")
    try:
        done = subprocess.run(  # noqa: S603  # no shell, and the alias is no option
            arguments,
            capture_output=True,
            timeout=timeout,
            env={**os.environ, **_PLAIN},
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except FileNotFoundError:
        hint = "install it from https://developer.salesforce.com/tools/salesforcecli, or give its path as executable="
        raise AuthenticationError(_FLOW, f"there is no Salesforce CLI {executable!r}", hint=hint) from None
    except OSError as error:
        raise AuthenticationError(_FLOW, f"{executable!r} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise AuthenticationError(_FLOW, f"sf {' '.join(command)} did not end within {timeout:g} s") from None
    answer = _json(done.stdout) or _json(done.stderr)
    result = answer.get("result")
    if done.returncode == 0 and isinstance(result, dict):
        return result
    message = " ".join(redact(str(answer.get("message", "")))[:300].split())
    raise AuthenticationError(
        _FLOW,
        message or f"sf {' '.join(command)} ended with {done.returncode} and without a result in JSON",
        error=str(answer.get("name", "")),
        hint=f"try: sf org display --target-org {alias}, and sf org login web --alias {alias} if it knows no such org",
    )


def _json(output: bytes) -> dict[str, Any]:
    # Warnings of the CLI's own may come first.
    try:
        answer = json.loads(output[max(output.find(b"{"), 0) :])
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
