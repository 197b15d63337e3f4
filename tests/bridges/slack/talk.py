"""One agent with an app on the loopback Slack and a real server behind it, and what people and the bot do there."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack
from tests.support.patience import LONG_PATIENCE
from tests.support.stack import Stack, eventually

Json = dict[str, Any]


class Talk:
    """One agent with an app of its own on Slack, Alice who may use it, and a channel with both."""

    def __init__(self, stack: Stack, slack: LoopbackSlack) -> None:
        self.stack = stack
        self.slack = slack
        self.agent = ""
        self.given: Json = {}
        self.alice = ""
        self.channel = ""
        self.patience = LONG_PATIENCE  # seconds for one thing

    @property
    def bot(self) -> str:
        return str(self.given["bot_user"])

    async def begin(self, *does: str, runtime: str = "command", level: str = "operate", **more: Any) -> Talk:
        self.agent = self.stack.agent(self.stack.room(), *does, runtime=runtime, **more)
        self.given = await self.slack.app(self.agent)
        self.alice = await self.slack.person("Alice")
        self.channel = await self.slack.channel("builders", members=[self.alice, self.bot])
        self.save()
        self.allow(self.alice, level=level)
        await self.slack.connected(str(self.given["app"]))
        return self

    def save(self, **more: Any) -> Json:
        body = {
            "platform": "slack",
            "credentials": {name: self.given[name] for name in ("bot_token", "app_token")},
            "agent": self.agent,
            "base_url": self.slack.api_url,
            **more,
        }
        return self.stack.api.post("/api/bots", body)

    def allow(self, person: str, **more: Any) -> None:
        self.stack.api.post("/api/identities", {"platform": "slack", "external_id": person, **more})

    async def mention(self, text: str, **more: Any) -> str:
        said = await self.slack.say(self.channel, self.alice, f"<@{self.bot}> {text}", **more)
        return str(said["ts"])

    async def posts(self, thread: str) -> list[Json]:
        """What the bot shows in the thread."""
        return await self.slack.messages(self.channel, thread_ts=thread, by=self.bot)

    async def answers(self, thread: str, count: int = 1) -> list[str]:
        """Its texts there, cards left out, once there are as many and no reaction is left."""

        async def look() -> list[str]:
            found = [m["text"] for m in await self.posts(thread) if not m.get("blocks") and not m.get("files")]
            return found if len(found) >= count and not await self.reactions(thread) else []

        return await self.slack.until(look, what=f"{count} answers", within=self.patience)

    async def cards(self, thread: str) -> list[Json]:
        return [m for m in await self.posts(thread) if m.get("blocks")]

    async def reactions(self, ts: str) -> Json:
        [message] = [m for m in await self.slack.messages(self.channel) if m["ts"] == ts]
        return dict(message.get("reactions") or {})

    async def done(self, thread: str) -> Json:
        """The one card of the thread, once it says done."""

        async def look() -> Json:
            cards = await self.cards(thread)
            return cards[0] if len(cards) == 1 and ":white_check_mark:" in str(cards[0]["blocks"]) else {}

        return await self.slack.until(look, what="one card that is done", within=self.patience)

    async def button(self, thread: str, label: str) -> tuple[str, str]:
        """(ts, action id) of a button with this label."""

        async def look() -> tuple[str, str] | None:
            for card in await self.cards(thread):
                for block in card["blocks"]:
                    for element in block.get("elements", ()):
                        if element.get("type") == "button" and label in element["text"]["text"]:
                            return str(card["ts"]), str(element["action_id"])
            return None

        found = await self.slack.until(look, what=f"a button {label}", within=self.patience)
        assert found is not None
        return found

    async def press(self, thread: str, label: str, *, by: str = "", **more: Any) -> None:
        ts, action_id = await self.button(thread, label)
        app = self.given["app"]
        await self.slack.do(
            "click", app=app, channel=self.channel, ts=ts, user=by or self.alice, action_id=action_id, **more
        )

    async def waiting(self, count: int) -> list[Json]:
        """Deliveries of the agent, once there are as many and each is shown in its card."""

        async def look() -> list[Json]:
            found = self.deliveries()
            shown = await self.slack.messages(self.channel, by=self.bot)
            return found if len(found) == count and len(shown) == count else []

        return await self.slack.until(look, what=f"{count} deliveries", within=self.patience)

    async def all_shown(self, chat: str) -> bool:
        """Whether nothing is on its way to that chat, as the server knows it."""
        posts = self.stack.api.get("/api/posts", platform="slack", limit=200)["posts"]
        return not {post["state"] for post in posts if post["chat"] == chat} & {"pending", "sending"}

    def deliveries(self) -> list[Json]:
        found: list[Json] = self.stack.api.get("/api/deliveries", agent=self.agent)["deliveries"]
        return found


def bridge_pid(stack: Stack) -> int:
    """The process of the server's that holds Slack's bots, once there is one: a killed one is started again."""

    def look() -> list[str]:
        children: list[str] = []
        for thread in Path(f"/proc/{stack.server.pid}/task").iterdir():
            with suppress(OSError):  # it has ended meanwhile
                children += (thread / "children").read_text().split()
        return [pid for pid in children if b"bridges" in (line := command_line(pid)) and b"slack" in line]

    [found] = eventually("a bridge of Slack", look)
    return int(found)


def command_line(pid: str) -> bytes:
    """Empty when it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
