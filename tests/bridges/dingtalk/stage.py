"""The whole way: a real server, the bridge process it starts, the loopback DingTalk; the test plays the agent."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges.bridge import Bridge
from pal_server.bridges.registry import load
from pal_server.client.aio import Client
from tests.bridges.core.scene import ShiftedClock, poll
from tests.support.server import ProvisionedComputer, ServerUnderTest, expect, lease_of, start_server

Json = dict[str, Any]


@dataclass(slots=True)
class Stage:
    """Alice may operate. The app's bot is bound to the agent `reviewer` on the computer `laptop`, and in a group."""

    server: ServerUnderTest
    dingtalk: LoopbackDingTalk
    computer: ProvisionedComputer
    app: str
    secret: str
    alice: str
    room: str

    async def mention(self, text: str = "", **more: Any) -> Json:
        return await self.dingtalk.say(self.app, self.alice, text, conversation=self.room, **more)

    async def claim(self) -> Any:
        """The next delivery, as the daemon gets it, and its run."""
        claimed = await poll(lambda: self.server.claim(self.computer), bool)
        return claimed[0], (await self.server.open_run(self.computer, claimed[0]))["run"]

    async def answer(self, text: str) -> Any:
        """The agent does what waits first, and says this."""
        claimed, run = await self.claim()
        expect(await self.server.finish(self.computer, claimed, run, text=text), 200)
        return run

    async def bot(self) -> Any:
        [bot] = expect(await self.server.get("/api/bots"), 200)["bots"]
        return bot

    async def listening(self) -> None:
        """The bot's status follows its bridge by a beat; the socket itself is there when it says so."""
        await self.dingtalk.connected(self.app)
        await poll(self.bot, lambda bot: bot["state"] == "listening")

    async def posts(self) -> list[Any]:
        found: list[Any] = expect(await self.server.get("/api/posts", limit=200), 200)["posts"]
        return found

    async def settled(self) -> list[Any]:
        """All posts, once none is on its way."""
        return await poll(
            self.posts,
            lambda posts: bool(posts) and not {post["state"] for post in posts} & {"pending", "sending"},
        )

    async def deliveries(self) -> list[Any]:
        found: list[Any] = expect(await self.server.get("/api/deliveries"), 200)["deliveries"]
        return found

    async def texts(self) -> list[str]:
        """What was said in the group, cards aside."""
        return [message["text"] for message in await self.dingtalk.messages(self.room) if message["via"] != "card"]

    async def said(self, words: str) -> None:
        async def look() -> bool:
            return any(words in text for text in await self.texts())

        await self.dingtalk.until(look, what=f"the group to be told {words!r}")

    async def card(self, words: str) -> Json:
        """The only card, once it says this or has a button for it."""

        async def look() -> Json:
            cards = await self.dingtalk.cards(self.app)
            assert len(cards) <= 1, "one card per turn"
            return cards[0] if cards and words in "".join(cards[0]["params"].values()) else {}

        return await self.dingtalk.until(look, what=f"a card that says {words!r}")

    async def asks(self, run: Any, claimed: Any, **question: Any) -> Any:
        """The agent at work asks; the interaction."""
        body = {"key": "k", **question, **lease_of(claimed)}
        path = f"/api/runs/{run['id']}/interactions"
        return expect(await self.server.post(path, body, token=self.computer.key), 201)["interaction"]

    async def interaction(self, id: int) -> Any:
        return expect(await self.server.get(f"/api/interactions/{id}"), 200)["interaction"]

    async def card_of(self, words: str, says: str = "") -> Json:
        """The card of a question about these words, once it says that too."""

        async def look() -> Json:
            cards = await self.dingtalk.cards(self.app)
            asked = [card for card in cards if words in card["params"]["msgTitle"]]
            return next((card for card in asked if says in "".join(card["params"].values())), {})

        return await self.dingtalk.until(look, what=f"a card about {words!r} that says {says!r}")


def button(card: Json, label: str) -> str:
    """What a press of it brings."""
    buttons = json.loads(card["params"]["sys_full_json_obj"])["msgButtons"]
    return str(next(one["id"] for one in buttons if label in one["text"]))


@pytest_asyncio.fixture
async def stage(tmp_path: Path, dingtalk: LoopbackDingTalk) -> AsyncIterator[Stage]:
    """With the bridge in the test's own process, which costs a fraction of one of its own."""
    async with _a_stage(tmp_path / "home", dingtalk, bridges=False) as made:
        token = await made.server.token("owner", kind="bridge")
        stop = asyncio.Event()
        async with Client(made.server.url, token, timeout=45.0) as client:
            running = asyncio.create_task(Bridge(platform=load("dingtalk"), client=client).run(stop), name="bridge")
            try:
                await made.listening()
                yield made
            finally:
                stop.set()
                await running


@pytest_asyncio.fixture
async def stage_with_a_process(tmp_path: Path, dingtalk: LoopbackDingTalk) -> AsyncIterator[Stage]:
    """With the bridge that the server starts, as it runs in the end."""
    async with _a_stage(tmp_path / "home", dingtalk, bridges=True) as made:
        await made.listening()
        yield made


@asynccontextmanager
async def _a_stage(home: Path, dingtalk: LoopbackDingTalk, *, bridges: bool) -> AsyncIterator[Stage]:
    given, alice = await dingtalk.app(), await dingtalk.person("Alice")
    room = await dingtalk.group("Builders", robots=[given["app"]], people=[alice])
    async with start_server(home, clock=ShiftedClock(), with_loops=True, bridges=bridges) as server:
        computer = await server.provision()
        await server.connect(computer)
        await server.agent("reviewer", computer=computer)
        body = {
            "platform": "dingtalk",
            "app_id": given["app"],
            "credentials": {"client_id": given["app"], "client_secret": given["secret"]},
            "agent": "reviewer",
            "base_url": dingtalk.url,
            "verify": False,  # which one test does by itself
        }
        expect(await server.post("/api/bots", body), 200)
        person = {"platform": "dingtalk", "external_id": alice, "name": "Alice"}
        expect(await server.post("/api/identities", person), 200)
        yield Stage(
            server=server,
            dingtalk=dingtalk,
            computer=computer,
            app=given["app"],
            secret=given["secret"],
            alice=alice,
            room=room,
        )
