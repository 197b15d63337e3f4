"""A loopback Slack for a test: starts the process, speaks to its control door, and waits for what comes.

async with loopback_slack() as slack:
    bot = await slack.app("helper")
    room = await slack.channel("general", members=[alice, bot["bot_user"]])
    asked = await slack.do("say", channel=room, user=alice, text=f"<@{bot['bot_user']}> hello")
    answer = await slack.said(room, by=bot["bot_user"], count=1)
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from pal_cli.chaos.platforms.at_the_door import AtTheDoor

Json = dict[str, Any]

TEAM = "T1"


class LoopbackSlack(AtTheDoor):
    """`url` is the platform's address, `api_url` what PAL_SLACK_API_URL gets."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        super().__init__(url, session)
        self.api_url = f"{url}/api/"

    async def app(self, name: str = "helper", *, team: str = TEAM, **more: Any) -> Json:
        return await self.do("app", name=name, team=team, **more)

    async def person(self, name: str, *, team: str = TEAM, **more: Any) -> str:
        return str((await self.do("person", name=name, team=team, **more))["user"])

    async def channel(self, name: str, *, members: list[str], team: str = TEAM, kind: str = "channel") -> str:
        return str((await self.do("channel", name=name, team=team, kind=kind, members=members))["channel"])

    async def say(self, channel: str, user: str, text: str, **more: Any) -> Json:
        return await self.do("say", channel=channel, user=user, text=text, **more)

    async def say_with_file(self, channel: str, user: str, text: str, *, name: str, data: bytes, **more: Any) -> Json:
        files = [{"name": name, "data": base64.b64encode(data).decode()}]
        return await self.do("say", channel=channel, user=user, text=text, files=files, **more)

    async def messages(self, channel: str, **more: Any) -> list[Json]:
        found: list[Json] = (await self.do("messages", channel=channel, **more))["messages"]
        return found

    async def calls(self, method: str | None = None, *, app: str | None = None) -> list[Json]:
        found: list[Json] = (await self.do("calls", method=method, app=app))["calls"]
        return found

    async def envelopes(self, app: str) -> list[Json]:
        found: list[Json] = (await self.do("line", app=app))["envelopes"]
        return found

    # Waiting

    async def said(self, channel: str, *, by: str, count: int = 1, **more: Any) -> list[Json]:
        """What this bot has posted in a channel, once there are as many as `count`."""

        async def look() -> list[Json]:
            found = await self.messages(channel, by=by, **more)
            return found if len(found) >= count else []

        return await self.until(look, what=f"{count} messages of {by}")

    async def acked(self, app: str, *, count: int = 1) -> list[Json]:
        """Envelopes of this app that were acknowledged, once there are as many as `count`."""

        async def look() -> list[Json]:
            found = [e for e in await self.envelopes(app) if e["state"] == "acked"]
            return found if len(found) >= count else []

        return await self.until(look, what=f"{count} acknowledged envelopes")


@asynccontextmanager
async def loopback_slack(url: str) -> AsyncIterator[LoopbackSlack]:
    """The control door of the platform at this address."""
    async with aiohttp.ClientSession(trust_env=False) as session:
        yield LoopbackSlack(url, session)
