"""DingTalk, with people and accidents. A chat has no threads here: each mention is in a group of its own, else they
would be one burst. A robot message is pushed once, to whoever listens at that moment, and never again.
"""

from __future__ import annotations

import json
import random

from pal_cli.chaos.side import Bot, Door, Json, Shown


class OnDingTalk:
    name = "dingtalk"

    def __init__(self, door: Door) -> None:
        self.door = door
        self._words: dict[str, str] = {}  # by group

    @property
    def base_url(self) -> str:
        return self.door.url

    async def set_up(self, bots: int) -> None:
        self.door.ann = (await self.door.do("person", nick="Ann"))["user"]
        for _ in range(bots):
            app = await self.door.do("app")
            self.door.bots.append(Bot(app["app"], {"client_id": app["app"], "client_secret": app["secret"]}))

    async def mention(self, bot: Bot, word: str) -> None:
        title = f"Team {len(self._words)}"
        group = (await self.door.do("group", title=title, robots=[bot.app], people=[self.door.ann]))["conversation"]
        self._words[group] = word
        await self.door.do("say", app=bot.app, user=self.door.ann, text=f"/echo {word}", conversation=group)

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
        await self.door.do("fault", call="*", **fault)

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

    async def untold(self) -> dict[str, str]:
        """Pushed to nobody, or to a socket that never answered for it."""
        found: dict[str, str] = {}
        for bot in self.door.bots:
            for push in (await self.door.do("line", app=bot.app))["pushes"]:
                if push["type"] == "CALLBACK" and push["acked_after"] is None:
                    word = self._words.get(push["data"].get("conversationId", ""))
                    found |= {} if word is None else {word: f"m:{push['data']['msgId']}"}
        return found

    async def is_listened(self, bot: Bot) -> bool:
        return bool((await self.door.do("line", app=bot.app))["sockets"])

    async def texts(self) -> list[str]:
        found: list[Json] = []
        for group in self._words:
            found += (await self.door.do("messages", conversation=group))["messages"]
        return [json.dumps(message, ensure_ascii=False) for message in found if message["kind"] != "card"]

    async def cards(self) -> list[Shown]:
        found = [one for bot in self.door.bots for one in (await self.door.do("cards", app=bot.app))["cards"]]
        return [
            Shown(word=self._words.get(card["conversation"], ""), text=json.dumps(card["params"], ensure_ascii=False))
            for card in found
            for _ in range(card["deliveries"])
        ]
