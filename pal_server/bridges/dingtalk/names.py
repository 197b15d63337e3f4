"""Display names of people: learnt from what they say, asked for when they only press."""

from __future__ import annotations

import asyncio
import time

from .web import Failed, Web

KEEP_FOR = 3600.0  # seconds
KEEP_UNKNOWN_FOR = 60.0  # seconds until somebody who could not be named is asked for again
MOST = 10_000  # names


class Names:
    def __init__(self, web: Web) -> None:
        self._web = web
        self._known: dict[str, tuple[str, float]] = {}  # by id: name, good until (monotonic seconds)

    def learn(self, user: str, name: str) -> None:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[user] = (name, time.monotonic() + (KEEP_FOR if name else KEEP_UNKNOWN_FOR))

    async def of(self, user: str, *, within: float) -> str:
        """The name, or empty after `within` seconds at most."""
        name, until = self._known.get(user, ("", 0.0))
        if until > time.monotonic() or not user or user.startswith("$"):
            return name  # an encrypted id is nobody in the organisation
        try:
            async with asyncio.timeout(within):
                told = await self._web.old("/topapi/v2/user/get", body={"userid": user})
        except (Failed, TimeoutError):
            self.learn(user, "")
            return ""
        self.learn(user, str((told.get("result") or {}).get("name") or ""))
        return self._known[user][0]
