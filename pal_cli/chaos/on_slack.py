"""Slack, with people and accidents. What gets no acknowledgement is told again, so no word may ever be missing."""

from __future__ import annotations

import json
import random

from pal_cli.chaos.side import Bot, Door, Json, Shown

TEAM = "T1"


class OnSlack:
    name = "slack"

    def __init__(self, door: Door) -> None:
        self.door = door
        self._users: dict[str, str] = {}  # the bot's user, by app
        self._words: dict[str, str] = {}  # by channel and message

    @property
    def base_url(self) -> str:
        return f"{self.door.url}/api/"

    async def set_up(self, bots: int) -> None:
        self.door.ann = (await self.door.do("person", name="Ann", team=TEAM))["user"]
        for number in range(bots):
            app = await self.door.do("app", name=f"bot{number}", team=TEAM)
            members = [self.door.ann, app["bot_user"]]
            made = await self.door.do("channel", name=f"team{number}", team=TEAM, kind="channel", members=members)
            tokens = {name: app[name] for name in ("bot_token", "app_token")}
            self.door.bots.append(Bot(app["app"], tokens, made["channel"]))
            self._users[app["app"]] = app["bot_user"]

    async def mention(self, bot: Bot, word: str) -> None:
        text = f"<@{self._users[bot.app]}> /echo {word}"
        said = await self.door.do("say", channel=bot.place, user=self.door.ann, text=text)
        self._words[f"{bot.place} {said['ts']}"] = word

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
        await self.door.do("fault", call="*", **fault)

    async def break_socket(self, bot: Bot, how: str) -> None:
        await self.door.do("sockets", app=bot.app, do=how)

    async def lose_ack(self, bot: Bot) -> None:
        await self.door.do("sockets", app=bot.app, do="lose_acks", count=1)

    async def expire_token(self, bot: Bot) -> bool:
        return False

    async def calm(self) -> None:
        await self.door.do("no_faults")
        await self.door.do("advance", seconds=100)

    async def untold(self) -> dict[str, str]:
        return {}

    async def is_listened(self, bot: Bot) -> bool:
        return True

    async def texts(self) -> list[str]:
        return [message["text"] for _, message in await self._posted() if not message.get("blocks")]

    async def cards(self) -> list[Shown]:
        return [
            Shown(
                word=self._words.get(f"{place} {message.get('thread_ts')}", ""),
                text=json.dumps(message["blocks"], ensure_ascii=False),
            )
            for place, message in await self._posted()
            if message.get("blocks")
        ]

    async def _posted(self) -> list[tuple[str, Json]]:
        """Each with its channel."""
        found: list[tuple[str, Json]] = []
        for bot in self.door.bots:
            said = await self.door.do("messages", channel=bot.place, by=self._users[bot.app])
            found += [(bot.place, message) for message in said["messages"]]
        return found
