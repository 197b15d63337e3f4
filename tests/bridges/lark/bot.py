"""One app on the loopback Lark with a connection of ours, ears that keep what they hear, and somebody to talk to it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from pal_server.bridges.inbound import Event, Heard, Place, PlaceKind, Said
from pal_server.bridges.lark.connection import LarkConnection
from pal_server.bridges.outbound import PostText
from pal_server.bridges.platform import BotSettings, Dropped, NotStored
from tests.support.patience import PATIENCE

Json = dict[str, Any]
_numbers = itertools.count(1)


class KeepingEars:
    """Keeps events in a list; the next `refuses` are not stored; while `hold` is set nothing is."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.states: list[str] = []
        self.signs = 0
        self.asked = 0
        self.refuses = 0
        self.answer = Heard()
        self.hold: asyncio.Event | None = None
        self._more = asyncio.Event()

    async def hear(self, event: Event) -> Heard:
        self.asked += 1
        self._more.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.refuses:
            self.refuses -= 1
            raise NotStored("the server is away")
        self.heard.append(event)
        self._more.set()
        return self.answer

    def up(self, *, detail: str = "") -> None:
        self.states.append("up")
        self._more.set()

    def alive(self) -> None:
        self.signs += 1

    def down(self, reason: str) -> None:
        self.states.append("down")

    def lost(self, what: str) -> None:
        self.states.append("lost")

    async def until(self, look: Callable[[], object], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not look():
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE:g} s: {what}; heard {self.heard}, {self.states}") from None

    async def events(self, count: int = 1) -> list[Event]:
        await self.until(lambda: len(self.heard) >= count, f"{count} events")
        return self.heard

    def texts(self) -> list[str]:
        return [event.text for event in self.heard if isinstance(event, Said)]


class Bot:
    """The loopback's calls block, so they go through a thread: `await bot.lark("say", …)`."""

    def __init__(self, platform: LoopbackLark, app: str, ann: str, chat: str, connection: LarkConnection) -> None:
        self.platform = platform
        self.app = app
        self.ann = ann
        self.chat = chat
        self.connection = connection
        self.ears = KeepingEars()
        self.listening: asyncio.Task[None] | None = None

    @property
    def place(self) -> Place:
        return Place(chat=self.chat, kind=PlaceKind.GROUP)

    async def lark(self, verb: str, **asked: Any) -> Json:
        return await asyncio.to_thread(self.platform.do, verb, **asked)

    async def mention(self, text: str, **more: Any) -> Json:
        asked = {"text": f"@_user_1 {text}", "chat": self.chat, "person": self.ann, **more}
        return await self.lark("say", mentions=[self.app], **asked)

    async def wait_for(self, kind: str, *, count: int = 1, **facts: Any) -> list[Json]:
        return await asyncio.to_thread(self.platform.wait_for, kind, count=count, app=self.app, **facts)

    async def entries(self, kind: str, **facts: Any) -> list[Json]:
        return await asyncio.to_thread(self.platform.entries, kind, app=self.app, **facts)

    async def posted(self) -> list[Json]:
        return await asyncio.to_thread(self.platform.posted, self.app)

    async def listen(self) -> None:
        """As the core does: again and again, but without waiting in between."""
        while True:
            try:
                await self.connection.listen(self.ears)
            except Dropped:
                self.ears.down("dropped")

    def text(self, text: str, **more: Any) -> PostText:
        return PostText(**{"key": f"key{next(_numbers):029d}", "place": self.place, "text": text, **more})


def settings(platform: LoopbackLark, app: str, **options: str) -> BotSettings:
    secrets = {"app_id": app, "app_secret": f"secret-{app}"}
    return BotSettings(id="bot1", app_id=app, secrets=secrets, base_url=platform.url, options=options)


@asynccontextmanager
async def a_bot(
    platform: LoopbackLark, *, is_listening: bool = True, quiet_for: float = 600.0, **more: Any
) -> AsyncIterator[Bot]:
    """Connected, in a group together with Ann."""
    app = f"cli_b{next(_numbers):05d}"
    await asyncio.to_thread(platform.app, app, **{"name": f"Bot {app}", **more})
    ann = await asyncio.to_thread(platform.person, "Ann")
    chat = await asyncio.to_thread(platform.chat, apps=[app], people=[ann])
    bot = Bot(platform, app, ann, chat, LarkConnection(settings(platform, app), quiet_for=quiet_for))
    try:
        if is_listening:
            bot.listening = asyncio.create_task(bot.listen(), name="listen")
            await bot.ears.until(lambda: "up" in bot.ears.states or bot.listening is None, "up")
        yield bot
    finally:
        if bot.listening is not None:
            bot.listening.cancel()
            await asyncio.wait([bot.listening])
        await bot.connection.close()
