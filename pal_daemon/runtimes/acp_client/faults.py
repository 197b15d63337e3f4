"""What an agent answers instead of the end of a turn → words pal has for it. Pure."""

from __future__ import annotations

import json
import re

from pal_daemon.runtimes.base import Event, Outcome
from pal_daemon.runtimes.capping import cap_text
from pal_daemon.runtimes.jsonrpc import Failure

ERROR_CHARS = 2000  # of what an agent says about its failure
LIMITED = re.compile(r"rate.?limit|too many requests|quota", re.IGNORECASE)


def understand_failure(failure: Failure) -> tuple[Event, Outcome]:
    """An error instead of an end: whose it is, from the code or from what the agent adds to it."""
    status, message = failure.code, failure.message
    data = failure.data if isinstance(failure.data, dict) else {}
    kind = str(data.get("errorKind") or data.get("errorName") or "")
    try:
        inner = json.loads(message).get("error")
        status, message = int(inner.get("code") or status), str(inner.get("message") or message)
    except (ValueError, AttributeError, TypeError):
        pass
    word = "agent"
    is_nameless = status < -32000 and not data.get("errorKind")  # some agents pass on the words and no status
    if status == 429 or "rate_limit" in kind or (is_nameless and LIMITED.search(message)):
        word = "rate_limit"
    elif status in (401, 403, -32000) or "authentication" in kind:
        word = "auth"
    text = cap_text(message or "the agent failed without a word", limit=ERROR_CHARS)
    is_retryable = word == "rate_limit" or 500 <= status < 600
    event = Event(kind="error", text=text, data={"kind": word, "retryable": is_retryable, "status": status})
    return event, Outcome(error=text, error_kind=word)
