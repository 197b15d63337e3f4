"""A Slack bot for tests of one connection: an app on the loopback platform, connected, with ears that keep a list."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack
from pal_server.bridges.outbound import Outgoing
from pal_server.bridges.platform import BotSettings
from pal_server.bridges.slack.connection import SlackConnection
from pal_server.bridges.slack.pulse import Pulse
from pal_server.bridges.slack.socket import Patience
from tests.bridges.ears import ListeningEars
from tests.support.patience import PATIENCE

Json = dict[str, Any]

QUICK = Patience(ping=1.0, connect=PATIENCE, hello=PATIENCE, look=0.1, give_up=PATIENCE, quiet=600.0, fresh=0.5)


class Bot:
    """One app on the loopback Slack with a connection of ours, and somebody to talk to it."""

    def __init__(self, slack: LoopbackSlack, given: Json, connection: SlackConnection) -> None:
        self.slack = slack
        self.app = str(given["app"])
        self.user = str(given["bot_user"])
        self.bot_id = str(given["bot_id"])
        self.given = given
        self.connection = connection
        self.ears = ListeningEars()
        self.listening: asyncio.Task[None] | None = None
        self.alice = ""
        self.room = ""

    async def mention(self, text: str, **more: Any) -> Json:
        return await self.slack.say(self.room, self.alice, f"<@{self.user}> {text}", **more)

    async def direct(self) -> str:
        return str((await self.slack.do("direct", between=[self.alice, self.user]))["channel"])

    async def send(self, out: Outgoing) -> Any:
        return await self.connection.send(out)


def settings(slack: LoopbackSlack, given: Json, **options: str) -> BotSettings:
    secrets = {"bot_token": given["bot_token"], "app_token": given["app_token"]}
    return BotSettings(id="bot1", app_id=given["app"], secrets=secrets, base_url=slack.api_url, options=options)


@asynccontextmanager
async def a_bot(
    slack: LoopbackSlack,
    *,
    is_listening: bool = True,
    patience: Patience = QUICK,
    pulse: Pulse | None = None,
    **more: Any,
) -> AsyncIterator[Bot]:
    """Connected, in the channel `room` together with `alice`."""
    given = await slack.app(**more)
    bot = Bot(slack, given, SlackConnection(settings(slack, given), patience=patience, pulse=pulse))
    bot.alice = await slack.person("Alice", real_name="Alice A.")
    bot.room = await slack.channel("general", members=[bot.alice, bot.user])
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
