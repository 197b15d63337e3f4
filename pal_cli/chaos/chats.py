"""BX-1 on Lark, Slack and DingTalk at once, with their real SDKs: while people talk, everything goes wrong that can.

Calls are cut, delayed, limited and answered wrongly before and after their effect, events come again, acknowledgements
are lost or late, sockets and tokens end, and server, bridges and daemon are killed. Then it is counted in the chats.

What DingTalk told to nobody it will never tell again, and nobody could have heard it. So Ann does there what people do
who get no answer: she says it again, in other words, and the words that were never told are not counted as lost.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

import aiohttp

from pal_cli.chaos.on_dingtalk import OnDingTalk
from pal_cli.chaos.on_lark import OnLark
from pal_cli.chaos.on_slack import OnSlack
from pal_cli.chaos.platforms.process import platform_process
from pal_cli.chaos.side import Bot, Door, Json, Side
from pal_server.client.sync import ApiProblem, Unreachable

BOTS = 4  # on each platform: their limits are one message a second in a chat
LONGER = 300.0  # seconds more than asked for until there were enough faults, and
A_FAULT = 0.5  # for each of them, on a machine that is too busy for as many
PACE = 0.005  # seconds between two faults: pal shall get a word in
MENTION_EVERY = 0.5  # seconds
KILL_EVERY = 5.0  # seconds
AGAIN_EVERY = 1.0  # seconds between two looks for words that were told to nobody
LISTEN_WITHIN = 240.0  # seconds until every bot listens
KILLS = ("bridge", "server", "daemon", "bridge", "pause", "server", "bridge", "daemon", "long pause", "server")
PAUSES = {
    "pause": 0.5,
    "long pause": 4.0,
}  # seconds; a paused server answers late: after 3 s Slack tells an event again


class Pal(Protocol):
    """A pal to break: a server that starts its own bridges, and a daemon. `call` raises while the server is away."""

    def call(
        self, method: str, path: str, *, body: Json | None = None, query: Json | None = None, timeout: float = 60.0
    ) -> Json: ...
    def all_of(self, what: str, **query: object) -> list[Json]: ...
    def start(self, part: str) -> None: ...
    def kill(self, part: str) -> None: ...
    def pause(self, part: str, seconds: float) -> None: ...
    def kill_a_bridge(self, chance: random.Random) -> bool: ...


@dataclass(slots=True, kw_only=True)
class Asked:
    """One thing Ann wants to know, in the words she said it in so far: the newest last."""

    side: Side
    bot: Bot
    words: list[str]


@dataclass(slots=True, kw_only=True)
class Storm:
    """What was said, and what went wrong meanwhile. `events` are pal's names for what DingTalk told to nobody."""

    sides: tuple[Side, ...]
    asked: list[Asked] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    untold: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        return [word for one in self.asked for word in one.words]

    def new_word(self, side: Side) -> str:
        """No word is the beginning of another."""
        return f"{side.name}{len(self.words)}x"

    async def ask(self, side: Side, bot: Bot) -> None:
        word = self.new_word(side)
        self.asked.append(Asked(side=side, bot=bot, words=[word]))
        await side.mention(bot, word)

    async def say_again(self, stored: Mapping[str, bool] | None = None) -> int:
        """What was told to nobody is said anew where somebody listens by now; how much. With `stored`, whatever was not
        acknowledged and is not known to pal either.
        """
        told = 0
        for side in self.sides:
            untold = await side.untold()
            for one in [one for one in self.asked if one.side is side and one.words[-1] in untold]:
                event = untold[one.words[-1]]
                if stored is not None and not stored.get(event) and await side.is_listened(one.bot):
                    one.words.append(self.new_word(side))
                    await side.mention(one.bot, one.words[-1])
                    told += 1
        return told


@asynccontextmanager
async def chat_platforms() -> AsyncIterator[tuple[Side, ...]]:
    """The three, each a process of its own, with Ann and her bots."""
    with ExitStack() as held:
        urls = {
            name: held.enter_context(platform_process(name, is_quiet=True)) for name in ("lark", "slack", "dingtalk")
        }
        async with aiohttp.ClientSession(trust_env=False) as session:
            sides: tuple[Side, ...] = (
                OnLark(Door(url=urls["lark"], session=session)),
                OnSlack(Door(url=urls["slack"], session=session)),
                OnDingTalk(Door(url=urls["dingtalk"], session=session)),
            )
            for side in sides:
                await side.set_up(BOTS)
            yield sides


async def connect(pal: Pal, sides: tuple[Side, ...]) -> None:
    """Four agents, each with a bot on every platform, all of which listen when this returns. TimeoutError otherwise."""
    await asyncio.to_thread(_bind, pal, sides)
    async with asyncio.timeout(LISTEN_WITHIN):
        while True:
            bots = await asyncio.to_thread(pal.all_of, "bots")
            if all(bot["state"] == "listening" for bot in bots):
                return
            await asyncio.sleep(0.1)


async def storm(pal: Pal, sides: tuple[Side, ...], *, seconds: float, faults: int, chance: random.Random) -> Storm:
    """Break things for as long, and until so many things broke. Everything runs again when this returns, calm."""
    made = Storm(sides=sides)
    began_at = monotonic()
    kills: Counter[str] = Counter()
    striking: asyncio.Task[str] | None = None
    looking: asyncio.Task[None] | None = None
    next_kill = began_at + KILL_EVERY
    next_mention = next_look = began_at
    while (took := monotonic() - began_at) < seconds + LONGER + faults * A_FAULT:
        if took > seconds and (faults == 0 or sum((await _struck(sides)).values()) >= faults):
            break
        if monotonic() >= next_mention:
            next_mention = monotonic() + MENTION_EVERY
            side = chance.choice(sides)
            await made.ask(side, chance.choice(side.door.bots))
        if monotonic() >= next_look:
            next_look = monotonic() + AGAIN_EVERY
            if looking is None or looking.done():  # beside the faults: a busy server answers slowly
                await _ended(looking)
                looking = asyncio.create_task(_say_what_was_lost(pal, made), name="say what was lost")
        if monotonic() >= next_kill and (striking is None or striking.done()):
            kills.update([] if striking is None else filter(None, [striking.result()]))
            what = KILLS[sum(kills.values()) % len(KILLS)]
            striking = asyncio.create_task(asyncio.to_thread(_strike, pal, what, chance), name=what)
            next_kill = monotonic() + KILL_EVERY
        side = chance.choice(sides)
        await _disturb(side, chance.choice(side.door.bots), chance)
        await asyncio.sleep(PACE)
    await _ended(looking)
    if striking is not None:
        kills.update(filter(None, [await striking]))
    made.faults = await _struck(sides) + kills
    for side in sides:
        await side.calm()
    return made


async def _ended(task: asyncio.Task[None] | None) -> None:
    """Its end, and what broke it."""
    if task is not None:
        await task


async def _say_what_was_lost(pal: Pal, made: Storm) -> None:
    try:
        stored = await asyncio.to_thread(stored_events, pal)
    except (ApiProblem, Unreachable):
        return  # the server is away: later
    await made.say_again(stored)


def stored_events(pal: Pal) -> dict[str, bool]:
    """Names of events pal knows of DingTalk."""
    found: list[Json] = []
    asked: Json = {"platform": "dingtalk", "limit": 200}
    while True:
        page = pal.call("GET", "/api/platform-events", query=asked)
        found += page["events"]
        if page["next"] is None:
            return {event["event"]: True for event in found}
        asked["after"] = page["next"]


def _bind(pal: Pal, sides: tuple[Side, ...]) -> None:
    [computer] = pal.all_of("computers")
    for number in range(BOTS):
        agent = {"agent_key": f"echo{number}", "runtime": "demo", "computer_id": computer["id"], "concurrency": 4}
        pal.call("POST", "/api/agents/onboard", body=agent)
        for side in sides:
            bot = side.door.bots[number]
            body: Json = {"platform": side.name, "app_id": bot.app, "credentials": bot.credentials}
            more: Json = {"agent": f"echo{number}", "base_url": side.base_url, "verify": False}
            pal.call("POST", "/api/bots", body=body | more)
    for side in sides:
        person = {"platform": side.name, "external_id": side.door.ann, "name": "Ann"}
        pal.call("POST", "/api/identities", body=person)


def _strike(pal: Pal, what: str, chance: random.Random) -> str:
    """Something happens to a process of pal; what that was, or nothing where there was nobody to kill."""
    if what in PAUSES:
        pal.pause("server", PAUSES[what])
        return "late acknowledgement"
    if what == "bridge":
        return "bridge killed" if pal.kill_a_bridge(chance) else ""
    pal.kill(what)
    pal.start(what)
    return f"{what} killed"


async def _disturb(side: Side, bot: Bot, chance: random.Random) -> None:
    """Something goes wrong between the platform and the bridge."""
    door = side.door
    match chance.choices(("again", "call", "ack", "token", "socket"), (5, 12, 1, 1, 1))[0]:
        case "again":
            door.count("same event again", await side.again(bot, chance.randint(1, 5)))
        case "call" if await door.can_take_fault():
            door.ordered += 1
            await side.break_call(chance)
        case "ack":
            await side.lose_ack(bot)
            if again := await side.again(bot, 1):
                door.count("no acknowledgement")
                door.count("same event again", again)
        case "token":
            door.count("expired token", int(await side.expire_token(bot)))
        case "socket" if door.may_cut(bot):
            await side.break_socket(bot, chance.choice(("cut", "close")))
            door.count("socket cut")
        case _:
            await asyncio.sleep(0)  # enough of this kind for now


async def _struck(sides: tuple[Side, ...]) -> Counter[str]:
    done: Counter[str] = Counter()
    for side in sides:
        done.update(side.door.struck)
        done["broken call"] += await side.door.met()
    return done
