"""A loopback platform as people and accidents see it: they mention bots there, and everything breaks that can."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

Json = dict[str, Any]
MOST_WAITING = 6  # faults no call has met yet; with more of them nothing would ever get through
MOST_CUTS = 4  # of one bot's socket: a connection that never lasts is tried once a minute


@dataclass(frozen=True, slots=True)
class Bot:
    app: str
    credentials: dict[str, str]
    place: str = ""  # the chat it is called in; empty where each mention has its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A card as it is there now, for the word that called the bot."""

    word: str
    text: str


@dataclass(slots=True, kw_only=True)
class Door:
    """One platform's control door, and what has been done through it. `struck` counts faults by kind."""

    url: str
    session: aiohttp.ClientSession
    bots: list[Bot] = field(default_factory=list)
    ann: str = ""
    ordered: int = 0
    struck: dict[str, int] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)

    async def do(self, verb: str, **said: Any) -> Json:
        async with self.session.post(f"{self.url}/control/{verb}", json=said) as answer:
            answer.raise_for_status()
            told: Json = await answer.json()
            return told

    def count(self, kind: str, times: int = 1) -> None:
        self.struck[kind] = self.struck.get(kind, 0) + times

    def may_cut(self, bot: Bot) -> bool:
        self.cuts[bot.app] = self.cuts.get(bot.app, 0) + 1
        return self.cuts[bot.app] <= MOST_CUTS

    async def can_take_fault(self) -> bool:
        return int((await self.do("waiting_faults"))["faults"]) < MOST_WAITING

    async def met(self) -> int:
        """Faults of the HTTP API that some call has met."""
        return self.ordered - int((await self.do("waiting_faults"))["faults"])


class Side(Protocol):
    name: str
    door: Door

    @property
    def base_url(self) -> str: ...

    async def set_up(self, bots: int) -> None: ...

    async def mention(self, bot: Bot, word: str) -> None:
        """Ann says `/echo` and the word to the bot."""

    async def again(self, bot: Bot, count: int) -> int:
        """The last events once more; how many."""

    async def break_call(self, chance: random.Random) -> None:
        """The next call of the platform's API goes wrong."""

    async def break_socket(self, bot: Bot, how: str) -> None:
        """cut or close."""

    async def lose_ack(self, bot: Bot) -> None: ...

    async def expire_token(self, bot: Bot) -> bool:
        """False where tokens do not."""

    async def calm(self) -> None:
        """Nothing goes wrong any more, and what was never acknowledged is told again, where the platform does that."""

    async def untold(self) -> dict[str, str]:
        """Words the platform got no acknowledgement for and will tell no more, each with its event's name in pal."""

    async def is_listened(self, bot: Bot) -> bool:
        """Whether the bot has a socket open at this moment."""

    async def texts(self) -> list[str]:
        """What bots show, as text, one for each message that is there."""

    async def cards(self) -> list[Shown]:
        """The bots' cards, one for each that is seen."""
