"""From a mention on Slack to one complete answer there: real server, daemon, bridge process and SDK."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.faults import kill
from tests.support.platforms.slack.loopback import LoopbackSlack
from tests.support.stack import Stack

Json = dict[str, Any]

PATIENCE = 30.0  # seconds


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One server for all tests of this file; each has an agent, an app and people of its own."""
    started = Stack(tmp_path_factory.mktemp("slack")).start()
    yield started
    started.close()


class Talk:
    """One agent with an app of its own on Slack, Alice who may use it, and a channel with both."""

    def __init__(self, stack: Stack, slack: LoopbackSlack) -> None:
        self.stack = stack
        self.slack = slack
        self.agent = ""
        self.given: Json = {}
        self.alice = ""
        self.channel = ""

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

        return await self.slack.until(look, what=f"{count} answers", within=PATIENCE)

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

        return await self.slack.until(look, what="one card that is done", within=PATIENCE)

    async def button(self, thread: str, label: str) -> tuple[str, str]:
        """(ts, action id) of a button with this label."""

        async def look() -> tuple[str, str] | None:
            for card in await self.cards(thread):
                for block in card["blocks"]:
                    for element in block.get("elements", ()):
                        if element.get("type") == "button" and label in element["text"]["text"]:
                            return str(card["ts"]), str(element["action_id"])
            return None

        found = await self.slack.until(look, what=f"a button {label}", within=PATIENCE)
        assert found is not None
        return found

    async def press(self, thread: str, label: str, *, by: str = "", **more: Any) -> None:
        ts, action_id = await self.button(thread, label)
        app = self.given["app"]
        await self.slack.do(
            "click", app=app, channel=self.channel, ts=ts, user=by or self.alice, action_id=action_id, **more
        )

    def deliveries(self) -> list[Json]:
        found: list[Json] = self.stack.api.get("/api/deliveries", agent=self.agent)["deliveries"]
        return found


def bridge_pid(stack: Stack) -> int:
    """The process of the server's that holds Slack's bots."""
    threads = Path(f"/proc/{stack.server.pid}/task").iterdir()
    children = [pid for thread in threads for pid in (thread / "children").read_text().split()]
    [found] = [pid for pid in children if b"bridges" in (line := command_line(pid)) and b"slack" in line]
    return int(found)


def command_line(pid: str) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest_asyncio.fixture
async def talk(stack: Stack, slack: LoopbackSlack) -> AsyncIterator[Talk]:
    yield Talk(stack, slack)


async def test_a_mention_is_one_delivery_one_card_and_one_complete_answer(talk: Talk) -> None:
    await talk.begin("reply")

    ts = await talk.mention("hello")

    [answer] = await talk.answers(ts)
    await talk.done(ts)
    [delivery] = talk.deliveries()
    assert answer == f"answer to {delivery['message']}"
    assert delivery["status"] == "acked"


async def test_slack_s_own_repeats_and_one_after_six_hours_add_nothing(talk: Talk) -> None:
    await talk.begin("reply")
    app = talk.given["app"]
    await talk.slack.do("sockets", app=app, do="lose_acks", count=2)  # of the mention and of its twin

    ts = await talk.mention("hello")
    await talk.answers(ts)
    await talk.slack.do("advance", seconds=3.4)
    await talk.slack.acked(app, count=2)
    await talk.slack.do("advance", seconds=6 * 3600)
    await talk.slack.do("repeat", app=app, count=2)
    await talk.slack.acked(app, count=2)

    assert len(talk.deliveries()) == 1
    assert len(await talk.answers(ts)) == 1
    assert len(await talk.cards(ts)) == 1


@pytest.mark.parametrize("fault", ["cut_after", "http"])
async def test_a_lost_answer_of_slack_doubles_nothing(talk: Talk, fault: str) -> None:
    await talk.begin("reply")
    await talk.slack.fault("chat.postMessage", fault, app=talk.given["app"])

    ts = await talk.mention("hello")
    await talk.answers(ts)
    await talk.done(ts)

    assert len(await talk.posts(ts)) == 2  # the card and the answer


async def test_too_fast_is_waited_for_and_nothing_is_lost(talk: Talk) -> None:
    await talk.begin("reply")
    await talk.slack.fault("chat.postMessage", "ratelimited", app=talk.given["app"], count=3, seconds=1)

    ts = await talk.mention("hello")

    assert len(await talk.answers(ts)) == 1
    assert len(await talk.cards(ts)) == 1


async def test_the_working_reaction_comes_and_goes(talk: Talk) -> None:
    await talk.begin("wait")

    ts = await talk.mention("hello")

    async def works() -> bool:
        return bool(await talk.reactions(ts))

    await talk.slack.until(works, what="a reaction", within=PATIENCE)
    [delivery] = talk.deliveries()
    talk.stack.let_go(delivery["message"])
    await talk.answers(ts)
    assert await talk.reactions(ts) == {}


async def test_a_direct_message_is_answered_outside_of_threads(talk: Talk) -> None:
    await talk.begin("reply")
    direct = (await talk.slack.do("direct", between=[talk.alice, talk.bot]))["channel"]

    await talk.slack.say(direct, talk.alice, "hello")

    async def answered() -> list[Json]:
        return [m for m in await talk.slack.messages(direct, by=talk.bot) if not m.get("blocks")]

    [answer] = await talk.slack.until(answered, what="an answer", within=PATIENCE)
    assert answer["text"].startswith("answer to")
    assert "thread_ts" not in answer


async def test_a_stranger_is_refused_once_and_creates_nothing(talk: Talk) -> None:
    await talk.begin("reply")
    bob = await talk.slack.person("Bob")
    await talk.slack.do("join", channel=talk.channel, user=bob)

    one = await talk.slack.say(talk.channel, bob, f"<@{talk.bot}> hello")
    await talk.answers(str(one["ts"]))
    two = await talk.slack.say(talk.channel, bob, f"<@{talk.bot}> hello?")
    await talk.slack.acked(str(talk.given["app"]), count=4)
    mine = await talk.mention("hello")
    await talk.answers(mine)

    [refusal] = await talk.posts(str(one["ts"]))
    assert "may not talk" in refusal["text"]
    assert await talk.posts(str(two["ts"])) == []
    assert len(talk.deliveries()) == 1


async def test_a_question_is_answered_in_its_card_and_a_forged_press_is_not(talk: Talk) -> None:
    await talk.begin(runtime="demo")

    ts = await talk.mention("/ask which colour?")
    card, action_id = await talk.button(ts, "Send")
    forged = {"app": talk.given["app"], "channel": talk.channel, "ts": card, "user": talk.alice}
    await talk.slack.do("click", **forged, action_id=action_id, value="forged.1")
    await talk.slack.acked(str(talk.given["app"]), count=3)
    [pending] = talk.stack.api.get("/api/interactions", status="pending")["interactions"]
    written = {"pal:field:answer": {"value": {"type": "plain_text_input", "value": "green"}}}
    await talk.press(ts, "Send", state=written)

    async def is_closed() -> bool:
        [shown] = [m for m in await talk.cards(ts) if m["ts"] == card]
        return "pal:press" not in str(shown["blocks"])

    await talk.slack.until(is_closed, what="the card without buttons", within=PATIENCE)
    answered = talk.stack.api.get(f"/api/interactions/{pending['id']}")["interaction"]
    assert answered["answer"] == {"answer": "green"}
    assert "green" in (await talk.answers(ts))[0]


async def test_files_go_both_ways(talk: Talk) -> None:
    await talk.begin(runtime="demo")

    said = await talk.slack.say_with_file(
        talk.channel, talk.alice, f"<@{talk.bot}> /files", name="notes.txt", data=b"hello file"
    )

    ts = str(said["ts"])
    await talk.answers(ts)
    [delivery] = talk.deliveries()
    message = talk.stack.api.get(f"/api/messages/{delivery['message']}")["message"]
    assert [file["name"] for file in message["files"]] == ["notes.txt"]


async def test_a_dead_bridge_reads_back_what_it_missed(talk: Talk) -> None:
    """The bridge is dead while something is said, and Slack has given up telling it."""
    await talk.begin("reply")
    ts = await talk.mention("hello")
    await talk.answers(ts)
    pid = bridge_pid(talk.stack)
    os.kill(pid, signal.SIGSTOP)
    later = await talk.mention("meanwhile")
    for seconds in (4, 61, 301, 4):
        await talk.slack.do("advance", seconds=seconds)
    kill(pid)

    assert len(await talk.answers(later)) == 1
