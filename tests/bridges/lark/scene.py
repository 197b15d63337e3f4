"""A real server, the loopback Lark, and a bridge between them; the agent is played by the test.

`ann` may operate the bot `app`, bound to the agent `reviewer`; both are in the group `team`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from pal_server.bridges.lark import PLATFORM
from tests.bridges.core.scene import Scene, ShiftedClock
from tests.support.server import expect, start_server

Json = dict[str, Any]
_numbers = itertools.count(1)


@dataclass(slots=True)
class LarkScene(Scene):
    """`world` is the loopback Lark; its calls block, so they go through a thread (`lark`)."""

    app: str = ""
    ann: str = ""
    team: str = ""

    async def lark(self, verb: str, **asked: Any) -> Json:
        return await asyncio.to_thread(self.world.do, verb, **asked)

    async def bind(self, agent: str = "reviewer", *, app_id: str = "", **more: Any) -> Any:
        app_id = app_id or self.app
        body = {
            "platform": "lark",
            "app_id": app_id,
            "credentials": {"app_id": app_id, "app_secret": f"secret-{app_id}"},
            "agent": agent,
            "base_url": self.world.url,
            "verify": False,
            **more,
        }
        return expect(await self.server.post("/api/bots", body), 200)

    async def allow(self, person: str = "", **more: Any) -> None:
        body = {"platform": "lark", "external_id": person or self.ann, "name": "Ann", **more}
        expect(await self.server.post("/api/identities", body), 200)

    async def mention(self, text: str, **more: Any) -> Json:
        asked = {"text": f"@_user_1 {text}", "chat": self.team, "person": self.ann, **more}
        return await self.lark("say", mentions=[self.app], **asked)

    async def posted(self) -> list[Json]:
        return await asyncio.to_thread(self.world.posted, self.app)

    async def until(self, look: Callable[[list[Json]], Any], what: str = "") -> list[Json]:
        """What the bot posted, as soon as `look` likes it."""
        return await asyncio.to_thread(self.world.wait_posted, look, app=self.app, what=what)

    async def is_listening(self) -> None:
        await asyncio.to_thread(self.world.wait_for, "connected", app=self.app)


def texts(messages: list[Json]) -> list[str]:
    """What the bot said, without cards and what was taken back."""
    return [text_of(message) for message in messages if message["type"] == "post" and not message["deleted"]]


def text_of(message: Json) -> str:
    lines = json.loads(message["content"])["zh_cn"]["content"]
    return "\n".join(element["text"] for line in lines for element in line if element["tag"] == "md")


def cards(messages: list[Json]) -> list[Json]:
    """The cards as they are now."""
    return [json.loads(m["content"]) for m in messages if m["type"] == "interactive" and not m["deleted"]]


def colours(messages: list[Json]) -> list[str]:
    return [card["header"]["template"] for card in cards(messages)]


def button(card: Json, label: str) -> Json:
    """The value of the button with that label. KeyError when there is none."""
    todo: list[Any] = [card]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            if one.get("tag") == "button" and one["text"]["content"].lower().startswith(label.lower()):
                return dict(one["behaviors"][0].get("value") or {})
            todo += one.values()
        elif isinstance(one, list):
            todo += one
    raise KeyError(label)


@asynccontextmanager
async def a_scene(world: LoopbackLark, home: Path, **settings: Any) -> AsyncIterator[LarkScene]:
    app = f"cli_s{next(_numbers):05d}"
    await asyncio.to_thread(world.app, app, name="Reviewer")
    ann = await asyncio.to_thread(world.person, "Ann")
    team = await asyncio.to_thread(world.chat, apps=[app], people=[ann])
    async with start_server(home, clock=ShiftedClock(), with_loops=True, **{"bridges": False, **settings}) as server:
        computer = await server.provision()
        await server.connect(computer)
        await server.agent("reviewer", computer=computer)
        scene = LarkScene(server=server, world=world, computer=computer, platform=PLATFORM, app=app, ann=ann, team=team)
        await scene.bind()
        await scene.allow()
        yield scene
