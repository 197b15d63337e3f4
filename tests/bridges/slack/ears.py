"""A bridge's ears for tests of one connection: they store what they hear in a list, or refuse to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from pal_server.bridges.inbound import Event, Heard
from pal_server.bridges.outbound import Outgoing
from pal_server.bridges.platform import BotSettings, NotStored
from pal_server.bridges.slack.connection import SlackConnection
from pal_server.bridges.slack.pulse import Pulse
from pal_server.bridges.slack.socket import Patience
from tests.support.platforms.slack.loopback import LoopbackSlack

Json = dict[str, Any]

WITHIN = 15.0  # seconds; far more than anything here takes
QUICK = Patience(ping=0.3, connect=2.0, hello=2.0, look=0.1, give_up=3.0, quiet=60.0, fresh=0.5)


class ListeningEars:
    """`refuses` of the next events are not stored; `takes` seconds go by before an event is."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.states: list[str] = []
        self.lives = 0
        self.refuses = 0
        self.answer = Heard()
        self.hold: asyncio.Event | None = None
        self.began = asyncio.Event()  # something came to be stored
        self._changed = asyncio.Condition()

    async def hear(self, event: Event) -> Heard:
        self.began.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.refuses:
            self.refuses -= 1
            raise NotStored("the server is away")
        async with self._changed:
            self.heard.append(event)
            self._changed.notify_all()
        return self.answer

    def up(self, *, detail: str = "") -> None:
        self._say("up")

    def alive(self) -> None:
        self.lives += 1

    def down(self, reason: str) -> None:
        self._say("down")

    def _say(self, state: str) -> None:
        self.states.append(state)
        task = asyncio.get_running_loop().create_task(self._tell(), name="tell of a state")
        task.add_done_callback(lambda done: done.cancelled() or done.result())

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, look: Any, what: str) -> None:
        try:
            async with asyncio.timeout(WITHIN), self._changed:
                await self._changed.wait_for(look)
        except TimeoutError:
            raise AssertionError(f"not within {WITHIN:g} s: {what}; heard {self.heard}, states {self.states}") from None

    async def events(self, count: int = 1) -> list[Event]:
        await self.until(lambda: len(self.heard) >= count, f"{count} events")
        return self.heard

    async def is_up(self, times: int = 1) -> None:
        await self.until(lambda: self.states.count("up") >= times, f"up {times} times")


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
