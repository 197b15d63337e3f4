"""A loopback DingTalk for a test: starts the process, speaks to its control door, and waits for what comes.

async with loopback_dingtalk(url) as dingtalk:
    bot = await dingtalk.app()
    alice = await dingtalk.person("Alice")
    room = await dingtalk.group("general", robots=[bot["app"]], people=[alice])
    asked = await dingtalk.say(bot["app"], alice, "hello", conversation=room)
    answer = await dingtalk.said(room, count=1)
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp

Json = dict[str, Any]
T = TypeVar("T")

PATIENCE = 90.0  # seconds; far more than anything here takes, on a busy machine too


class LoopbackDingTalk:
    """`url` is the platform's address, what PAL_DINGTALK_API_URL gets."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def do(self, verb: str, **said: Any) -> Json:
        """One verb of the control door."""
        async with self._session.post(f"{self.url}/control/{verb}", json=said) as response:
            answer: Json = await response.json()
            assert response.status == 200, answer
            return answer

    async def app(self, **more: Any) -> Json:
        return await self.do("app", **more)

    async def person(self, nick: str, **more: Any) -> str:
        return str((await self.do("person", nick=nick, **more))["user"])

    async def group(self, title: str, *, robots: list[str], people: list[str]) -> str:
        return str((await self.do("group", title=title, robots=robots, people=people))["conversation"])

    async def say(self, app: str, user: str, text: str = "", **more: Any) -> Json:
        if isinstance(more.get("data"), bytes):
            more["data"] = base64.b64encode(more["data"]).decode()
        return await self.do("say", app=app, user=user, text=text, **more)

    async def fault(self, call: str, kind: str, **more: Any) -> None:
        await self.do("fault", call=call, kind=kind, **more)

    async def messages(self, conversation: str) -> list[Json]:
        found: list[Json] = (await self.do("messages", conversation=conversation))["messages"]
        return found

    async def direct_messages(self, app: str, user: str) -> list[Json]:
        found: list[Json] = (await self.do("messages", app=app, user=user))["messages"]
        return found

    async def cards(self, app: str) -> list[Json]:
        found: list[Json] = (await self.do("cards", app=app))["cards"]
        return found

    async def calls(self, path: str | None = None, *, app: str | None = None) -> list[Json]:
        found: list[Json] = (await self.do("calls", path=path, app=app))["calls"]
        return found

    async def pushes(self, app: str) -> list[Json]:
        found: list[Json] = (await self.do("line", app=app))["pushes"]
        return [push for push in found if push["type"] != "SYSTEM"]

    # Waiting

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

    async def said(self, conversation: str, *, count: int = 1) -> list[Json]:
        """What was posted in a conversation, once there is as much as `count`."""

        async def look() -> list[Json]:
            found = await self.messages(conversation)
            return found if len(found) >= count else []

        return await self.until(look, what=f"{count} messages")

    async def answered(self, app: str, *, count: int = 1) -> list[Json]:
        """Pushes to this app that were answered, once there are as many as `count`."""

        async def look() -> list[Json]:
            found = [push for push in await self.pushes(app) if push["answer"] is not None]
            return found if len(found) >= count else []

        return await self.until(look, what=f"{count} answered pushes")

    async def connected(self, app: str, *, sockets: int = 1, opened: int = 1) -> Json:
        async def look() -> Json:
            line = await self.do("line", app=app)
            return line if line["sockets"] == sockets and line["opened"] >= opened else {}

        return await self.until(look, what=f"{sockets} sockets of {app}, the {opened}th opened")


@asynccontextmanager
async def loopback_dingtalk(url: str) -> AsyncIterator[LoopbackDingTalk]:
    """The control door of the platform at this address."""
    async with aiohttp.ClientSession(trust_env=False) as session:
        yield LoopbackDingTalk(url, session)
