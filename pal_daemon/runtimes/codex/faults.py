"""What Codex says when something fails → words pal has for it. Pure."""

from __future__ import annotations

import json
from typing import Any

from pal_daemon.runtimes.capping import cap_text

ERROR_CHARS = 2000  # of what Codex says about its failure


def understand_error(error: object) -> tuple[str, str, int | None]:
    """Text, word of `Run.error_kind` and HTTP status of an error."""
    if not isinstance(error, dict):
        return "the turn failed without a word", "agent", None
    text, info = str(error.get("message") or "the turn failed without a word"), error.get("codexErrorInfo")
    status = None
    for part in info.values() if isinstance(info, dict) else ():
        status = part.get("httpStatusCode") if isinstance(part, dict) else status
    try:
        inner = json.loads(text)["error"]
        text = str(inner.get("message") or text)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    kind = "agent"
    if status == 429 or info in ("usageLimitExceeded", "rateLimitExceeded"):
        kind = "rate_limit"
    elif status in (401, 403) or info == "unauthorized":
        kind = "auth"
    return cap_text(text, limit=ERROR_CHARS), kind, status


def end_of_used_up(windows: list[Any]) -> int | None:
    """UTC ms at which the last of the used up windows begins anew."""
    ends = [
        window["resetsAt"] * 1000
        for window in windows
        if isinstance(window, dict) and isinstance(window.get("resetsAt"), int) and window.get("usedPercent") == 100
    ]
    return max(ends, default=None)


def windows_of(limits: object) -> list[dict[str, object]]:
    """The windows of a subscription: how much of each is used, and when it begins anew in UTC ms."""
    return [
        {
            "name": name,
            "used_percent": window.get("usedPercent"),
            "resets_at": end * 1000 if isinstance(end := window.get("resetsAt"), int) else None,
        }
        for name in ("primary", "secondary")
        if isinstance(window := limits.get(name) if isinstance(limits, dict) else None, dict)
    ]
