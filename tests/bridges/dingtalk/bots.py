"""A DingTalk bot for tests of one connection: an app on the loopback platform, connected, with ears of a list."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges.dingtalk.connection import DingTalkConnection
from pal_server.bridges.dingtalk.places import memo_of
from pal_server.bridges.dingtalk.socket import Patience
from pal_server.bridges.inbound import Place, PlaceKind
from pal_server.bridges.outbound import Outgoing
from pal_server.bridges.platform import BotSettings
from tests.bridges.ears import ListeningEars
from tests.support.patience import PATIENCE

Json = dict[str, Any]

KEY = "k" * 32
QUICK = Patience(
    ping=30.0,
    connect=PATIENCE,
    lived=0.0,
    quiet=600.0,
    drain=1.0,
    again=0.05,
    message=600.0,
    press=0.3,
    finish=PATIENCE,
)


class Bot:
    """One app on the loopback DingTalk with a connection of ours, and somebody to talk to it."""

    def __init__(self, dingtalk: LoopbackDingTalk, given: Json, connection: DingTalkConnection) -> None:
        self.dingtalk = dingtalk
        self.app = str(given["app"])
        self.secret = str(given["secret"])
        self.connection = connection
        self.ears = ListeningEars()
        self.listening: asyncio.Task[None] | None = None
        self.alice = ""
        self.room = ""

    async def mention(self, text: str = "", **more: Any) -> Json:
        return await self.dingtalk.say(self.app, self.alice, text, conversation=self.room, **more)

    async def direct(self, text: str = "", **more: Any) -> Json:
        return await self.dingtalk.say(self.app, self.alice, text, **more)

    def place(self, asked: Json | None = None) -> Place:
        """The group; with the memo that this message left there."""
        return Place(chat=self.room, kind=PlaceKind.GROUP, memo=memo_of(asked) if asked else "")

    def direct_place(self, asked: Json | None = None) -> Place:
        return replace(self.place(asked), chat=f"user:{self.alice}", kind=PlaceKind.DIRECT)

    async def send(self, out: Outgoing) -> Any:
        return await self.connection.send(out)


def settings(dingtalk: LoopbackDingTalk, given: Json, **options: str) -> BotSettings:
    secrets = {"client_id": given["app"], "client_secret": given["secret"]}
    return BotSettings(
        id=f"bot_{given['app']}", app_id=given["app"], secrets=secrets, base_url=dingtalk.url, options=options
    )


@asynccontextmanager
async def a_bot(
    dingtalk: LoopbackDingTalk,
    *,
    is_listening: bool = True,
    patience: Patience = QUICK,
    options: dict[str, str] | None = None,
    **more: Any,
) -> AsyncIterator[Bot]:
    """Connected, in the group `room` together with `alice`."""
    given = await dingtalk.app(**more)
    bot = Bot(dingtalk, given, DingTalkConnection(settings(dingtalk, given, **(options or {})), patience=patience))
    bot.alice = await dingtalk.person("Alice")
    bot.room = await dingtalk.group("general", robots=[bot.app], people=[bot.alice])
    try:
        if is_listening:
            bot.listening = asyncio.create_task(bot.connection.listen(bot.ears), name="listen")
            await bot.ears.is_up()
        yield bot
    finally:
        if bot.listening is not None:
            bot.listening.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await bot.listening
        await bot.connection.close()
