"""The sizes and rates the platform holds robots to."""

from __future__ import annotations

import json
from typing import Any

from pal_cli.chaos.platforms.clock import Clock

Json = dict[str, Any]

MOST_MESSAGE = 20_000  # bytes
ANSWERS = 20  # a minute over the session webhooks of one conversation
SILENCE = 600.0  # seconds afterwards
CALLS = 20  # a second of one API by one app
PICTURES = ("jpg", "jpeg", "gif", "png", "bmp")
FILES = ("doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "pdf", "rar")
MOST_FILE = 20 << 20  # bytes


class Rates:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, ...], list[float]] = {}
        self._silent_until: dict[str, float] = {}
        self.is_on = True

    def is_silent(self, conversation: str) -> bool:
        """Whether the webhook is closed; the answer that is one too many closes it."""
        now = self._clock.now()
        if not self.is_on:
            return False
        if self._silent_until.get(conversation, 0.0) > now:
            return True
        if self._is_too_much(("session", conversation), most=ANSWERS, within=60.0):
            self._silent_until[conversation] = now + SILENCE
            return True
        return False

    def is_too_fast(self, app: str, path: str) -> bool:
        return self.is_on and self._is_too_much((app, path), most=CALLS, within=1.0)

    def _is_too_much(self, key: tuple[str, ...], *, most: int, within: float) -> bool:
        now = self._clock.now()
        seen = [at for at in self._seen.get(key, []) if at > now - within]
        self._seen[key] = [*seen, now]
        return len(seen) >= most


def size_of(body: Json) -> int:
    return len(json.dumps(body, ensure_ascii=False).encode())
