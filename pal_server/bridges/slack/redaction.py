"""Secrets are taken out of what the SDK logs."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

PATTERN = re.compile(r"\bx(?:ox[a-z]|app)-[\w.-]+|ticket=[\w%.-]+|hooks\.slack\.com/\S+")
HIDDEN = "[secret]"


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    for secret in secrets:
        if len(secret) >= 6:
            text = text.replace(secret, HIDDEN)
    return PATTERN.sub(HIDDEN, text)


class Redacted(logging.Filter):
    """On a logger; also what exceptions say is cleaned."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if record.exc_info:
            said += f" ({record.exc_info[0].__name__ if record.exc_info[0] else 'error'})"
            record.exc_info, record.exc_text = None, None  # the SDK's tracebacks hold addresses with tickets
        record.msg, record.args = redacted(said, self._secrets), ()
        return True
