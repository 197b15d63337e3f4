"""A platform as whoever tests with it sees it: its control door, and waiting for what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp

Json = dict[str, Any]
T = TypeVar("T")

PATIENCE = 90.0  # seconds; far more than anything here takes, on a busy machine too


class AtTheDoor:
    """`url` is the platform's address."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def do(self, verb: str, **said: Any) -> Json:
        """One verb of the control door."""
        async with self._session.post(f"{self.url}/control/{verb}", json=said) as response:
            answer: Json = await response.json()
            assert response.status == 200, answer
            return answer

    async def fault(self, call: str, kind: str, **more: Any) -> None:
        await self.do("fault", call=call, kind=kind, **more)

    async def until(self, look: Callable[[], Awaitable[T]], *, what: str, within: float = PATIENCE) -> T:
        """The first true answer of `look`, asked again whenever something happened on the platform."""
        seen: Any = None
        try:
            async with asyncio.timeout(within):
                while True:
                    changes = int((await self.do("changed", after=-1, within=0))["changes"])
                    seen = await look()
                    if seen:
                        result: T = seen
                        return result
                    await self.do("changed", after=changes, within=1.0)
        except TimeoutError:
            raise AssertionError(f"not within {within:g} s: {what} (seen last: {seen!r})") from None

    async def connected(self, app: str, *, sockets: int = 1, opened: int = 1) -> Json:
        async def look() -> Json:
            line = await self.do("line", app=app)
            return line if line["sockets"] == sockets and line["opened"] >= opened else {}

        return await self.until(look, what=f"{sockets} sockets of {app}, the {opened}th opened")
