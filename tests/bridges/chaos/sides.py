"""The three loopback platforms behind one shape: people mention bots there, and everything breaks that can."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
            told: Json = await answer.json()
            assert answer.status == 200, (verb, said, told)
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

    async def mention(self, bot: Bot, text: str) -> None:
        """Ann says it to the bot."""

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
        """Nothing goes wrong any more, and what was never acknowledged is told again."""

    async def unheard(self) -> list[str]:
        """What people said that was told to nobody and will not be told again, as its events."""

    async def texts(self) -> list[str]:
        """What bots show, as text, one for each message that is there."""

    async def doubled_cards(self) -> int:
        """Cards that are there twice."""


class OnLark:
    name = "lark"

    def __init__(self, door: Door) -> None:
        self.door = door
        self._told: dict[str, list[str]] = {}

    @property
    def base_url(self) -> str:
        return self.door.url

    async def set_up(self, bots: int) -> None:
        await self.door.do("schedule", after=[1000] * 200)
        for number in range(bots):
            app = f"cli_{number}"
            await self.door.do("app", id=app, secret=f"secret-{app}", name=f"Bot {number}")
            self.door.bots.append(Bot(app, {"app_id": app, "app_secret": f"secret-{app}"}))
        self.door.ann = (await self.door.do("person", name="Ann"))["union_id"]
        for number, bot in enumerate(self.door.bots):
            chat = await self.door.do("chat", apps=[bot.app], people=[self.door.ann], name=f"Team {number}")
            self.door.bots[number] = Bot(bot.app, bot.credentials, chat["chat_id"])

    async def mention(self, bot: Bot, text: str) -> None:
        said = await self.door.do(
            "say", chat=bot.place, person=self.door.ann, text=f"@_user_1 {text}", mentions=[bot.app]
        )
        self._told.setdefault(bot.app, []).extend(said["events"])

    async def again(self, bot: Bot, count: int) -> int:
        events = self._told.get(bot.app, [])[-count:]
        await self.door.do("again", events=events)
        return len(events)

    async def break_call(self, chance: random.Random) -> None:
        slow: Json = {"body": {"code": 99991400, "msg": "slow"}, "headers": {"x-ogw-ratelimit-reset": "0.2"}}
        fault: Json = chance.choice(
            [
                {"do": "cut"},
                {"do": "cut", "when": "after"},
                {"do": "answer", "status": 500, "body": {"code": 2200, "msg": "x"}},
                {"do": "answer", "status": 502, "when": "after", "body": "<html>"},
                {"do": "answer", "status": 429, **slow},
                {"do": "delay", "seconds": 0.3},
            ]
        )
        await self.door.do("fault", path="/open-apis/im/v1/.*", **fault)

    async def break_socket(self, bot: Bot, how: str) -> None:
        await self.door.do("sockets", app=bot.app, do=how)

    async def lose_ack(self, bot: Bot) -> None:
        await self.door.do("lose_acks", app=bot.app, times=1)

    async def expire_token(self, bot: Bot) -> bool:
        await self.door.do("tokens", app=bot.app)
        return True

    async def calm(self) -> None:
        await self.door.do("calm")

    async def unheard(self) -> list[str]:
        return []

    async def texts(self) -> list[str]:
        return [m["content"] for m in await self._posted() if m["type"] != "interactive"]

    async def doubled_cards(self) -> int:
        answers = [m["root_id"] or m["parent_id"] for m in await self._posted() if m["type"] == "interactive"]
        return len(answers) - len(set(answers))

    async def _posted(self) -> list[Json]:
        return [m for m in (await self.door.do("posted"))["messages"] if not m["deleted"]]


class OnSlack:
    name = "slack"

    def __init__(self, door: Door) -> None:
        self.door = door
        self._users: dict[str, str] = {}

    @property
    def base_url(self) -> str:
        return f"{self.door.url}/api/"

    async def set_up(self, bots: int) -> None:
        self.door.ann = (await self.door.do("person", name="Ann", team="T1"))["user"]
        for number in range(bots):
            app = await self.door.do("app", name=f"bot{number}", team="T1")
            members = [self.door.ann, app["bot_user"]]
            made = await self.door.do("channel", name=f"team{number}", team="T1", kind="channel", members=members)
            tokens = {name: app[name] for name in ("bot_token", "app_token")}
            self.door.bots.append(Bot(app["app"], tokens, made["channel"]))
            self._users[app["app"]] = app["bot_user"]

    async def mention(self, bot: Bot, text: str) -> None:
        said = f"<@{self._users[bot.app]}> {text}"
        await self.door.do("say", channel=bot.place, user=self.door.ann, text=said)

    async def again(self, bot: Bot, count: int) -> int:
        return int((await self.door.do("repeat", app=bot.app, count=count, acked_only=True))["repeated"])

    async def break_call(self, chance: random.Random) -> None:
        fault: Json = chance.choice(
            [
                {"kind": "cut"},
                {"kind": "cut_after"},
                {"kind": "http"},
                {"kind": "http_after"},
                {"kind": "text_after", "status": 503},
                {"kind": "ratelimited", "seconds": 1},
                {"kind": "delay", "seconds": 0.3},
            ]
        )
        await self.door.do("fault", method="*", **fault)

    async def break_socket(self, bot: Bot, how: str) -> None:
        await self.door.do("sockets", app=bot.app, do=how)

    async def lose_ack(self, bot: Bot) -> None:
        await self.door.do("sockets", app=bot.app, do="lose_acks", count=1)

    async def expire_token(self, bot: Bot) -> bool:
        return False

    async def calm(self) -> None:
        await self.door.do("no_faults")
        await self.door.do("advance", seconds=100)

    async def unheard(self) -> list[str]:
        return []

    async def texts(self) -> list[str]:
        return [m["text"] for m in await self._posted() if not m.get("blocks")]

    async def doubled_cards(self) -> int:
        threads = [m["thread_ts"] for m in await self._posted() if m.get("blocks")]
        return len(threads) - len(set(threads))

    async def _posted(self) -> list[Json]:
        found: list[Json] = []
        for bot in self.door.bots:
            by = self._users[bot.app]
            found += (await self.door.do("messages", channel=bot.place, by=by))["messages"]
        return found


class OnDingTalk:
    """A chat has no threads here: each mention is in a group of its own, else they would be one burst."""

    name = "dingtalk"

    def __init__(self, door: Door) -> None:
        self.door = door
        self._groups: list[str] = []

    @property
    def base_url(self) -> str:
        return self.door.url

    async def set_up(self, bots: int) -> None:
        self.door.ann = (await self.door.do("person", nick="Ann"))["user"]
        for _ in range(bots):
            app = await self.door.do("app")
            self.door.bots.append(Bot(app["app"], {"client_id": app["app"], "client_secret": app["secret"]}))

    async def mention(self, bot: Bot, text: str) -> None:
        title = f"Team {len(self._groups)}"
        group = (await self.door.do("group", title=title, robots=[bot.app], people=[self.door.ann]))["conversation"]
        self._groups.append(group)
        await self.door.do("say", app=bot.app, user=self.door.ann, text=text, conversation=group)

    async def again(self, bot: Bot, count: int) -> int:
        return int((await self.door.do("repeat", app=bot.app, count=count))["repeated"])

    async def break_call(self, chance: random.Random) -> None:
        fault: Json = chance.choice(
            [
                {"kind": "cut"},
                {"kind": "cut_after"},
                {"kind": "http"},
                {"kind": "http_after"},
                {"kind": "html_after", "status": 502},
                {"kind": "limited", "seconds": 1},
                {"kind": "delay", "seconds": 0.3},
            ]
        )
        await self.door.do("fault", path="*", **fault)

    async def break_socket(self, bot: Bot, how: str) -> None:
        await self.door.do("sockets", app=bot.app, do=how)

    async def lose_ack(self, bot: Bot) -> None:
        await self.door.do("sockets", app=bot.app, do="lose_acks", count=1)

    async def expire_token(self, bot: Bot) -> bool:
        await self.door.do("expire_tokens", app=bot.app)
        return True

    async def calm(self) -> None:
        await self.door.do("no_faults")
        await self.door.do("advance", seconds=100)

    async def unheard(self) -> list[str]:
        """A robot message is pushed once, to whoever listens at that moment."""
        lines = [await self.door.do("line", app=bot.app) for bot in self.door.bots]
        pushes = [push for line in lines for push in line["pushes"] if push["type"] == "CALLBACK"]
        return [json.dumps(push["data"]) for push in pushes if push["acked_after"] is None]

    async def texts(self) -> list[str]:
        found = [m for group in self._groups for m in (await self.door.do("messages", conversation=group))["messages"]]
        return [json.dumps(m, ensure_ascii=False) for m in found if m["kind"] != "card"]

    async def doubled_cards(self) -> int:
        cards = [one for bot in self.door.bots for one in (await self.door.do("cards", app=bot.app))["cards"]]
        return sum(card["deliveries"] > 1 for card in cards)


@asynccontextmanager
async def on_all(*, lark: str, slack: str, dingtalk: str, bots: int) -> AsyncIterator[tuple[Side, ...]]:
    """The platforms at these addresses, with Ann and that many bots on each."""
    async with aiohttp.ClientSession(trust_env=False) as session:
        sides: tuple[Side, ...] = (
            OnLark(Door(url=lark, session=session)),
            OnSlack(Door(url=slack, session=session)),
            OnDingTalk(Door(url=dingtalk, session=session)),
        )
        for side in sides:
            await side.set_up(bots)
        yield sides
