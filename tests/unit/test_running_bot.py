"""One bot of a bridge, without a platform and without a server: what it does about words it could not take."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import time
from typing import Any, cast

from pal_server.bridges.bot import MARGIN, RunningBot
from pal_server.bridges.bridge import Bridge
from pal_server.bridges.inbound import Attachment, Event, Person, Place, PlaceKind, Said
from pal_server.bridges.platform import BotSettings, Capabilities, Ears, Platform, ReadInPart
from pal_server.client.aio import ApiProblem, Client
from pal_server.contract import bridges as wire
from tests.support.patience import PATIENCE

PLACE = Place(chat="g1", kind=PlaceKind.GROUP)
SAID = Said(event="e1", place=PLACE, person=Person(id="ann"), at=1, message="m1", text="are you there?")
FILE = {"key": "k", "name": "a.png", "mime": "image/png"}


@dataclass(slots=True)
class Server:
    """Notes what is said and what files are handed in; only `lease` counts, and events that are `refused` do not."""

    lease: str = "lease-1"
    heard: list[str] = field(default_factory=list)
    handed_in: list[wire.HandInFiles] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    refused: set[str] = field(default_factory=set)
    code: str = "conflict"

    async def call(self, method: str, path: str, *, body: Any, answer: Any) -> wire.HeardAnswer:
        if body.lease_id != self.lease:
            raise ApiProblem(status=409, code="lease_lost", message="another has it")
        if isinstance(body, wire.HandInFiles):
            self.handed_in.append(body)
        elif body.event in self.refused:
            raise ApiProblem(status=400 if self.code == "invalid" else 409, code=self.code, message="not this one")
        else:
            self.heard.append(body.event)
        self.changed.set()
        return wire.HeardAnswer(id=1, outcome="done")

    async def until_handed_in(self) -> wire.HandInFiles:
        async with asyncio.timeout(PATIENCE):
            while not self.handed_in:
                self.changed.clear()
                await self.changed.wait()
        return self.handed_in[0]


class Beaten:
    """It has one bot for a bridge, which was deaf for an hour, and a clock that is ahead; nothing is to be sent."""

    def __init__(self, *, ahead: int) -> None:
        self.now = int(time() * 1000) + ahead
        self.deaf_since = self.now - 3_600_000

    async def call(self, method: str, path: str, *, body: Any, answer: Any) -> Any:
        if not isinstance(body, wire.BridgeBeat):
            await asyncio.Event().wait()
        return wire.BeatAnswer(bots=[held("lease-1", credentials={}, deaf_since=self.deaf_since)], now=self.now)


@dataclass(slots=True)
class Chat:
    """A platform and its connection: `history` is what can be read back, or what comes of the try."""

    history: list[Event] | Exception = field(default_factory=list)
    read_since: list[int] = field(default_factory=list)
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(read_back=True))
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    name: str = "chatter"
    working: str = ""

    async def open(self, bot: BotSettings) -> "Chat":
        return self

    async def listen(self, ears: Ears) -> None:
        ears.up()
        self.is_open.set()
        await asyncio.Event().wait()

    async def read_back(self, places: tuple[Place, ...], *, since: int) -> tuple[Event, ...]:
        self.read_since.append(since)
        if isinstance(self.history, Exception):
            raise self.history
        return tuple(self.history)

    async def fetch(self, message: str, attachment: Attachment) -> AsyncIterator[bytes]:
        raise KeyError("an answer of no shape that is known")
        yield b""

    async def name_of(self, person: Person) -> str:
        return ""

    async def close(self) -> None: ...


async def started(server: Server, chat: Chat, *, lost: asyncio.Event | None = None) -> RunningBot:
    """A bot that listens, with nothing to make up for."""
    bot = RunningBot(
        held=held(server.lease),
        settings=BotSettings(id="bot-1", app_id="app-1", secrets={}),
        platform=cast(Platform, chat),
        client=cast(Client, server),
        lost=(lost or asyncio.Event()).set,
    )
    await bot.start()
    await asyncio.wait_for(chat.is_open.wait(), PATIENCE)
    await until(lambda: bot.report().deaf_since is None)
    return bot


def held(lease: str, **more: Any) -> wire.HeldBot:
    return wire.HeldBot(id="bot-1", app_id="app-1", lease_id=lease, revision=1, **more)


async def until(check: Callable[[], object]) -> None:
    pause = asyncio.Event()  # never set
    async with asyncio.timeout(PATIENCE):
        while not check():
            with suppress(TimeoutError):
                await asyncio.wait_for(pause.wait(), 0.01)


async def test_a_gap_that_nobody_can_read_is_named(monkeypatch: Any) -> None:
    monkeypatch.setattr("pal_server.bridges.bot.READ_BACK_PAUSES", ())
    server, chat = Server(), Chat()
    bot = await started(server, chat)
    try:
        chat.history = KeyError("a history of no shape that is known")
        bot.keep(held("lease-1", deaf_since=1))

        await until(lambda: bot.report().deaf_since is None)

        assert "what was said then is not known" in (bot.report().error or "")
    finally:
        await bot.stop()


async def test_a_gap_is_read_in_the_time_of_the_platform() -> None:
    """The server's clock is eight hours ahead, as this computer's was once: it names a moment that is to come."""
    ahead = 8 * 3_600_000
    server, chat, stop = Beaten(ahead=ahead), Chat(), asyncio.Event()
    running = asyncio.create_task(Bridge(platform=cast(Platform, chat), client=cast(Client, server)).run(stop))
    try:
        await until(lambda: chat.read_since)
    finally:
        stop.set()
        await running

    assert server.deaf_since - ahead - 2 * MARGIN < chat.read_since[0] < server.deaf_since - ahead + PATIENCE * 1000


async def test_a_gap_is_read_though_the_platform_tells_nothing_for_hours(monkeypatch: Any) -> None:
    monkeypatch.setattr("pal_server.bridges.bot.READ_BACK_PAUSES", (0.0,))
    server, chat = Server(), Chat()
    bot = await started(server, chat)
    try:
        chat.history = OSError("HTTP 503")
        bot.keep(held("lease-1", deaf_since=100_000))
        await until(lambda: len(chat.read_since) > 50)
        meanwhile = bot.report()
        chat.history = [SAID]

        await until(lambda: bot.report().deaf_since is None)

        assert (meanwhile.listening, meanwhile.deaf_since) == (True, 100_000)
        assert meanwhile.error == "what was said while it was deaf is not read back yet: HTTP 503"
        assert (server.heard, bot.report().error) == (["e1"], None)
    finally:
        await bot.stop()


async def test_gaps_that_wait_are_read_as_one(monkeypatch: Any) -> None:
    """Sockets that break every minute of a bad day leave one thing to do, not hundreds."""
    server, chat = Server(), Chat()
    bot = await started(server, chat)
    try:
        chat.history = OSError("HTTP 503")
        monkeypatch.setattr("pal_server.bridges.bot.READ_BACK_PAUSES", (3600.0,))
        for since in (300_000, 100_000, 200_000):
            tries = len(chat.read_since)
            bot.keep(held("lease-1", deaf_since=since))
            await until(lambda tries=tries: len(chat.read_since) > tries)
        chat.history = []
        bot.keep(held("lease-1", deaf_since=400_000))

        await until(lambda: bot.report().deaf_since is None)

        assert chat.read_since[-4:] == [240_000, 40_000, 40_000, 40_000]
    finally:
        await bot.stop()


async def test_one_word_the_server_will_not_have_costs_no_other(monkeypatch: Any) -> None:
    monkeypatch.setattr("pal_server.bridges.bot.READ_BACK_PAUSES", (0.0, 0.0))
    server, chat = Server(refused={"e1"}), Chat()
    bot = await started(server, chat)
    try:
        chat.history = [SAID, replace(SAID, event="e2", message="m2")]
        bot.keep(held("lease-1", deaf_since=1))

        await until(lambda: bot.report().deaf_since is None)

        assert set(server.heard) == {"e2"}
        assert (bot.report().error or "").endswith("1 of what was said was not taken: not this one")
    finally:
        await bot.stop()


async def test_what_the_server_calls_wrong_is_named_as_nobody_else_is_told() -> None:
    server, chat = Server(refused={"e1"}, code="invalid"), Chat()
    bot = await started(server, chat)
    try:
        await bot.hear(SAID)

        assert bot.report().error == "something that was said was refused: That could not be taken."
    finally:
        await bot.stop()


async def test_places_that_are_not_looked_into_are_named(monkeypatch: Any) -> None:
    """A thread may be older than the gap: its chat's own history does not tell of it."""
    monkeypatch.setattr("pal_server.bridges.bot.PLACES", 2)
    server, chat = Server(), Chat()
    bot = await started(server, chat)
    try:
        for thread in ("t1", "t2", "t3"):
            await bot.hear(replace(SAID, event=thread, place=replace(PLACE, thread=thread)))
        bot.keep(held("lease-1", deaf_since=1))

        await until(lambda: bot.report().deaf_since is None)

        assert "only the 2 places where people spoke last were looked into" in (bot.report().error or "")
    finally:
        await bot.stop()


async def test_what_a_platform_leaves_out_of_a_gap_is_named() -> None:
    server, chat = Server(), Chat()
    bot = await started(server, chat)
    try:
        chat.history = ReadInPart("3 chats were not looked into", events=(SAID,))
        bot.keep(held("lease-1", deaf_since=1))

        await until(lambda: bot.report().deaf_since is None)

        assert server.heard == ["e1"]
        assert (bot.report().error or "").endswith("3 chats were not looked into")
    finally:
        await bot.stop()


async def test_a_bot_that_is_given_anew_reads_what_the_server_could_not_take() -> None:
    """Its socket stood all the time; a platform that got no acknowledgement soon tells nothing again."""
    server, chat = Server(), Chat()
    bot = await started(server, chat)
    try:
        chat.history = [SAID]
        server.lease = "lease-2"
        bot.keep(held("lease-2", deaf_since=100_000))

        await until(lambda: server.heard)

        assert (server.heard, chat.read_since[-1]) == (["e1"], 40_000)  # a minute earlier: clocks differ
    finally:
        await bot.stop()


async def test_a_message_is_said_though_its_file_breaks_everything() -> None:
    server, chat = Server(), Chat()
    bot = await started(server, chat)
    try:
        bot.keep(held("lease-1", waiting=[wire.WaitingEvent(id=7, ref="m1", files=[FILE], room="room-1")]))

        handed_in = await server.until_handed_in()

        assert (handed_in.files, handed_in.missing) == ([], ["a.png"])
    finally:
        await bot.stop()


async def test_files_are_handed_in_under_the_newest_lease(monkeypatch: Any) -> None:
    """The server was away for longer than the lease: the bot is given anew, and what was fetched is not lost."""
    monkeypatch.setattr("pal_server.bridges.inbox.LEASE_PAUSE", 0.0)
    server, chat, lost = Server(), Chat(), asyncio.Event()
    bot = await started(server, chat, lost=lost)
    try:
        server.lease = "lease-2"
        bot.keep(held("lease-1", waiting=[wire.WaitingEvent(id=7, ref="m1", files=[FILE], room="room-1")]))
        await asyncio.wait_for(lost.wait(), PATIENCE)  # which makes the bridge beat at once
        bot.keep(held("lease-2"))

        assert (await server.until_handed_in()).lease_id == "lease-2"
    finally:
        await bot.stop()
