"""Keeps secrets and data out of logs."""

import logging
import re
from typing import Final

# Compiled on first use, by the re module.
_MASKS: Final = (
    # Session ids: the org's id, "!", and the secret.
    (r"\b(00D[A-Za-z0-9]{9,15})!\S+", r"\1!***"),
    (r"\b(Bearer|OAuth|Basic) +[^\s'\",]+", r"\1 ***"),
    (
        r"(?i)((?:access_token|refresh_token|client_secret|password|assertion|sessionId|X-SFDC-Session)"
        r"[\"']?\s*[=:>]\s*[\"']?)[^\s&\"'<,}]+",
        r"\1***",
    ),
    # Queries of every kind (SOQL, SOSL): they hold data.
    (r"(/services/[^\s\"'?]*\?)[^\s\"']+", r"\1***"),
)


_FORMATTER: Final = logging.Formatter()


def redact(text: str) -> str:
    """Mask tokens, passwords and query strings in a text."""
    for pattern, replacement in _MASKS:
        text = re.sub(pattern, replacement, text)
    return text


class RedactingFilter(logging.Filter):
    """Masks tokens, passwords and query strings in log records.

    The ``sfconnector`` logger has it already. Add it to a handler to clean what urllib3 logs at DEBUG
    level too, which is every URL with the SOQL in it.

    Example:
        >>> import logging
        >>> from sfconnector import RedactingFilter
        >>> handler = logging.StreamHandler()
        >>> handler.addFilter(RedactingFilter())
    """

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if (clean := redact(message)) != message:
            record.msg, record.args = clean, ()
        if record.exc_info:
            record.exc_text = redact(record.exc_text or _FORMATTER.formatException(record.exc_info))
        return True


logger: Final = logging.getLogger("sfconnector")
logger.addFilter(RedactingFilter())
