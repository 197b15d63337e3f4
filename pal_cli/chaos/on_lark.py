"""Lark, with people and accidents. What gets no acknowledgement is told again, so no word may ever be missing."""

from __future__ import annotations

import random

from pal_cli.chaos.side import Bot, Door, Json, Shown


class OnLark:
    name = "lark"

    def __init__(self, door: Door) -> None:
        self.door = door
        self._told: dict[str, list[str]] = {}  # events of each app
        self._words: dict[str, str] = {}  # by message

    @property
    def base_url(self) -> str:
        return self.door.url

    async def set_up(self, bots: int) -> None:
        await self.door.do("schedule", after=[1000] * 200)
        apps = [f"cli_{number}" for number in range(bots)]
        for app in apps:
            await self.door.do("app", id=app, secret=f"secret-{app}", name=app)
        self.door.ann = (await self.door.do("person", name="Ann"))["union_id"]
        for app in apps:
            chat = await self.door.do("chat", apps=[app], people=[self.door.ann], name=f"Team of {app}")
            credentials = {"app_id": app, "app_secret": f"secret-{app}"}
            self.door.bots.append(Bot(app, credentials, chat["chat_id"]))

    async def mention(self, bot: Bot, word: str) -> None:
        text = f"@_user_1 /echo {word}"
        said = await self.door.do("say", chat=bot.place, person=self.door.ann, text=text, mentions=[bot.app])
        self._told.setdefault(bot.app, []).extend(said["events"])
        self._words[said["message_id"]] = word

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

    async def untold(self) -> dict[str, str]:
        return {}

    async def is_listened(self, bot: Bot) -> bool:
        return True

    async def texts(self) -> list[str]:
        return [message["content"] for message in await self._posted() if message["type"] != "interactive"]

    async def cards(self) -> list[Shown]:
        return [
            Shown(word=self._words.get(message["root_id"] or message["parent_id"] or "", ""), text=message["content"])
            for message in await self._posted()
            if message["type"] == "interactive"
        ]

    async def _posted(self) -> list[Json]:
        return [message for message in (await self.door.do("posted"))["messages"] if not message["deleted"]]
