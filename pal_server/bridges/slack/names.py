"""Names of people and channels, asked once and remembered for an hour."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from .web import Failed, Web

KEEP_FOR = 3600.0  # seconds
KEEP_UNKNOWN_FOR = 60.0  # seconds until somebody who could not be named is asked for again
MOST = 10_000  # names


class Names:
    def __init__(self, web: Web) -> None:
        self._web = web
        self._known: dict[str, tuple[str, float]] = {}  # by id: name, good until (monotonic seconds)

    async def of(self, users: Iterable[str], *, within: float) -> dict[str, str]:
        """Names by id of people and channels: those known after `within` seconds; nobody waits longer for a name."""
        wanted = list(dict.fromkeys(user for user in users if user))
        missing = [user for user in wanted if not self._is_known(user)]
        if missing:
            try:
                async with asyncio.timeout(within):
                    await asyncio.gather(*(self._ask(user) for user in missing))
            except TimeoutError:
                pass  # ids stand where names would
        return {user: name for user in wanted if (name := self._known.get(user, ("", 0.0))[0])}

    def known(self, user: str) -> str:
        """Without asking; empty when it is not known."""
        return self._known.get(user, ("", 0.0))[0]

    def learn(self, user: str, name: str) -> None:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[user] = (name, time.monotonic() + (KEEP_FOR if name else KEEP_UNKNOWN_FOR))

    def _is_known(self, user: str) -> bool:
        return self._known.get(user, ("", 0.0))[1] > time.monotonic()

    async def _ask(self, user: str) -> None:
        name = ""
        try:
            if user.startswith(("U", "W")):
                name = shown_name((await self._web.call("users.info", user=user)).get("user") or {})
            elif user.startswith(("C", "G")):
                name = title((await self._web.call("conversations.info", channel=user)).get("channel") or {})
        except Failed:
            pass  # nobody misses a message because of a name
        self.learn(user, name)


def shown_name(user: dict[str, Any]) -> str:
    """As people see it: the display name, else the real one."""
    profile = user.get("profile") or {}
    return str(
        profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name") or ""
    )


def title(channel: dict[str, Any]) -> str:
    """`#general`; a group conversation has no name worth showing."""
    name = str(channel.get("name") or "")
    return f"#{name}" if name and not channel.get("is_mpim") else ""
