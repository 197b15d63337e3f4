"""The access token of one app: asked for once, renewed before its end, forgotten when DingTalk will not have it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

EARLY = 300.0  # seconds before its end at which a token is renewed


class Tokens:
    """`ask` gets (token, seconds it is good for). Many may wait for one token; it is asked for once."""

    def __init__(self, ask: Callable[[], Awaitable[tuple[str, float]]]) -> None:
        self._ask = ask
        self._token = ""
        self._until = 0.0  # monotonic seconds
        self._asking = asyncio.Lock()

    async def get(self) -> str:
        if not self._is_good():
            async with self._asking:
                if not self._is_good():
                    self._token, good_for = await self._ask()
                    self._until = time.monotonic() + max(good_for - EARLY, good_for / 2)
        return self._token

    def forget(self, token: str) -> None:
        """This one was refused. Another that came meanwhile stays."""
        if token == self._token:
            self._token = ""

    def _is_good(self) -> bool:
        return bool(self._token) and time.monotonic() < self._until
