"""Secrets are taken out of what is logged: the SDK logs tickets, and addresses that let anybody post."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

PATTERN = re.compile(
    r"(?:ticket|access_token|session)=[\w%.~+/=-]+"
    r"|([\"'](?:ticket|clientSecret|appSecret|accessToken|sessionWebhook)[\"']\s*:\s*)[\"'][^\"']*[\"']"
)
HIDDEN = "[secret]"


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    for secret in secrets:
        if len(secret) >= 6:
            text = text.replace(secret, HIDDEN)
    return PATTERN.sub(lambda found: f"{found[1] or ''}{HIDDEN}", text)


class Redacted(logging.Filter):
    """On a logger; also what exceptions say is cleaned."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            said = record.getMessage()
        except (TypeError, ValueError):
            said = f"{record.msg}"  # the SDK has a call whose format does not fit its arguments
        if record.exc_info:
            said += f" ({record.exc_info[0].__name__ if record.exc_info[0] else 'error'})"
            record.exc_info, record.exc_text = None, None  # tracebacks hold addresses with tickets
        record.msg, record.args = redacted(said, self._secrets), ()
        return True
