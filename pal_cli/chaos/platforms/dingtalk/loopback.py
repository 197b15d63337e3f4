"""A loopback DingTalk for a test: starts the process, speaks to its control door, and waits for what comes.

async with loopback_dingtalk(url) as dingtalk:
    bot = await dingtalk.app()
    alice = await dingtalk.person("Alice")
    room = await dingtalk.group("general", robots=[bot["app"]], people=[alice])
    asked = await dingtalk.say(bot["app"], alice, "hello", conversation=room)
    answer = await dingtalk.said(room, count=1)
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from pal_cli.chaos.platforms.at_the_door import AtTheDoor

Json = dict[str, Any]


class LoopbackDingTalk(AtTheDoor):
    """`url` is the platform's address, what PAL_DINGTALK_API_URL gets."""

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


@asynccontextmanager
async def loopback_dingtalk(url: str) -> AsyncIterator[LoopbackDingTalk]:
    """The control door of the platform at this address."""
    async with aiohttp.ClientSession(trust_env=False) as session:
        yield LoopbackDingTalk(url, session)
