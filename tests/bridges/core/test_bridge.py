"""From a platform's event to the answer that is seen there, through every fault in between."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import monotonic
from typing import Any, TypeVar

import pytest

from pal_server.bridges import outbox
from pal_server.bridges.platform import BotSettings
from pal_server.domain import posts
from tests.bridges.core.scene import Scene, poll
from tests.support.patience import AT_ONCE, PATIENCE
from tests.support.platforms.loopback import Loopback
from tests.support.platforms.loopback.platform import LoopbackConnection
from tests.support.server import expect

T = TypeVar("T")
LONG = "\n\n".join(f"paragraph {number}: " + "words " * 12 for number in range(5))


async def test_a_mention_is_answered_once(scene: Scene) -> None:
    async with scene.bridge():
        told = scene.world.say("go")
        await scene.answer("here it is")
        await scene.world.until(lambda: "here it is" in scene.world.texts())
        scene.world.again(told)
        await scene.world.until(lambda: scene.world.cards() and scene.world.cards()[0]["final"])

    assert scene.world.texts() == ["here it is"]
    assert [card["tone"] for card in scene.world.cards()] == ["done"]
    assert scene.world.doubled() == []
    assert scene.world.reactions == {}
    assert {post["state"] for post in await scene.posts()} == {"confirmed"}


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "error_before", "error_after", "limited"])
async def test_a_fault_loses_nothing_and_doubles_nothing(scene: Scene, fault: str) -> None:
    async with scene.bridge():
        scene.world.faults.extend([fault] * 3)
        scene.world.say("go")
        await scene.answer("here it is")
        await scene.world.until(lambda: "here it is" in scene.world.texts())
        await poll(scene.posts, lambda posts: all(post["state"] == "confirmed" for post in posts))

    assert scene.world.texts() == ["here it is"]
    assert scene.world.doubled() == []


async def test_what_cannot_be_found_out_is_said_again_and_marked(scene: Scene) -> None:
    scene.platform = Loopback(without=frozenset({"find"}))
    async with scene.bridge():
        scene.world.say("go")
        await scene.world.until(lambda: len(scene.world.cards()) == 1 and scene.world.reactions != {})
        _, run = await scene.claim()
        expect(
            await scene.server.post(
                "/api/messages", {"room": run["room"], "topic": run["topic"], "content": "told from here"}
            ),
            201,
        )
        await scene.world.until(lambda: any("told from here" in text for text in scene.world.texts()))
        await scene.world.until(lambda: scene.world.cards()[0]["tone"] == "working")
        scene.world.faults.append("cut_after")
        expect(
            await scene.server.post("/api/messages", {"room": run["room"], "topic": run["topic"], "content": "twice"}),
            201,
        )
        await scene.world.until(lambda: len([t for t in scene.world.texts() if "twice" in t]) == 2)

    first, second = [text for text in scene.world.texts() if "twice" in text]
    assert ("may be a repeat" in first, "may be a repeat" in second) == (False, True)
    assert [post["repeated"] for post in await scene.posts(state="doubtful")] == [True]


async def test_a_repeat_that_is_lost_as_well_is_said_once_more(scene: Scene) -> None:
    scene.platform = Loopback(without=frozenset({"find"}))
    async with scene.bridge():
        scene.world.say("go")
        await scene.world.until(lambda: len(scene.world.cards()) == 1 and scene.world.reactions != {})
        _, run = await scene.claim()
        await scene.world.until(lambda: scene.world.cards()[0]["tone"] == "working")
        scene.world.faults.extend(["cut_before", "cut_before"])
        expect(
            await scene.server.post("/api/messages", {"room": run["room"], "topic": run["topic"], "content": "thrice"}),
            201,
        )
        await scene.world.until(lambda: any("thrice" in text for text in scene.world.texts()))
        await poll(lambda: scene.posts(state="doubtful"), bool)

    assert [text.count("may be a repeat") for text in scene.world.texts() if "thrice" in text] == [1]


async def test_what_is_found_after_a_repeat_that_never_came_says_so_too(scene: Scene) -> None:
    """The books say that it may be there twice; so does what is there."""
    scene.platform = LooksLater(without=frozenset({"find"}))
    async with scene.bridge():
        scene.world.say("go")
        await scene.world.until(lambda: len(scene.world.cards()) == 1 and scene.world.reactions != {})
        _, run = await scene.claim()
        await scene.world.until(lambda: scene.world.cards()[0]["tone"] == "working")
        scene.world.faults.extend(["cut_after", "cut_before"])
        expect(
            await scene.server.post("/api/messages", {"room": run["room"], "topic": run["topic"], "content": "once"}),
            201,
        )
        await poll(lambda: asyncio.sleep(0, scene.world.faults), lambda faults: not faults)
        scene.platform.looks()
        await poll(lambda: scene.posts(state="doubtful"), bool)

    assert [text.count("may be a repeat") for text in scene.world.texts() if "once" in text] == [1]


@pytest.mark.parametrize("able", ["", "find"])
async def test_a_platform_that_is_away_for_long_loses_nothing(
    scene: Scene, able: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers nothing, so each send may have arrived. Once it is back everything is there."""
    monkeypatch.setattr(posts, "BACKOFF", (1,) * len(posts.BACKOFF))
    monkeypatch.setattr(outbox, "AWAY", 0.02)
    scene.platform = Loopback(without=frozenset({"find"} - {able}))
    async with scene.bridge():
        scene.world.say("go")
        await scene.world.until(lambda: len(scene.world.cards()) == 1 and scene.world.reactions != {})
        _, run = await scene.claim()
        await scene.world.until(lambda: scene.world.cards()[0]["tone"] == "working")
        scene.world.is_away = True
        for content in ("first", "second"):
            body = {"room": run["room"], "topic": run["topic"], "content": content}
            expect(await scene.server.post("/api/messages", body), 201)
        await scene.world.until(lambda: scene.world.pings > 10 * outbox.ASKS)
        sent = scene.world.sends
        scene.world.is_away = False
        await scene.world.until(lambda: any("second" in text for text in scene.world.texts()))
        await poll(scene.posts, lambda posts: all(post["state"] in ("confirmed", "doubtful") for post in posts))

    assert sent < 5 * outbox.ASKS, "what may be a repeat is not sent to a platform that does not answer"
    first, second = scene.world.texts()
    assert ("first" in first, "second" in second) == (True, True)
    assert first.count("may be a repeat") == (0 if able else 1)  # who can ask knows that it never came


async def test_a_file_another_bridge_sent_is_not_sent_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "TRIED", 0)  # as one that never heard of it
    scene.world.files["k1"] = b"\x89PNG"
    async with scene.bridge():
        scene.world.say("look", files=[{"key": "k1", "name": "a.png", "mime": "image/png"}])
        claimed, run = await scene.claim()
        await scene.world.until(lambda: scene.world.cards() and scene.world.cards()[0]["tone"] == "working")
        message = expect(await scene.server.get(f"/api/messages/{claimed['message']}"), 200)["message"]
        sent = message["files"][0]["id"]
        scene.world.faults.append("cut_after")
        body = {"room": run["room"], "topic": run["topic"], "content": "", "files": [sent]}
        expect(await scene.server.post("/api/messages", body), 201)
        await scene.world.until(lambda: any(one.kind == "file" for one in scene.world.shown.values()))
        await poll(scene.posts, lambda posts: all(post["state"] == "confirmed" for post in posts))

    assert [one.now["name"] for one in scene.world.shown.values() if one.kind == "file"] == ["a.png"]


class BreaksOnce(Loopback):
    """Its first bot cannot be opened."""

    opened = 0

    async def open(self, bot: BotSettings) -> LoopbackConnection:
        self.opened += 1
        if self.opened == 1:
            raise OSError("too many open files")
        return LoopbackConnection(bot, find=True)


class LooksLater(Loopback):
    """It cannot say what was posted, until it can."""

    async def open(self, bot: BotSettings) -> LoopbackConnection:
        return LoopbackConnection(bot, find=True)

    def looks(self) -> None:
        self.capabilities = replace(self.capabilities, find=True)


async def test_a_permission_that_is_taken_away_loses_no_answer(scene: Scene) -> None:
    async with scene.bridge():
        await scene.world.until(lambda: "app-1" in scene.world.connected)
        scene.world.faults.extend(["refused:scope"] * 2)
        scene.world.say("go")
        posts = await poll(scene.posts, lambda posts: any(post["error"] for post in posts))
        refused = await poll(scene.bot, lambda bot: bool(bot["error"]))

    assert {post["state"] for post in posts} <= {"pending", "sending", "confirmed"}
    assert [post["kind"] for post in posts if post["error"]] == ["card"]
    assert refused["state"] == "listening"


async def test_a_long_text_comes_in_parts_and_a_very_long_one_as_a_file(scene: Scene) -> None:
    async with scene.bridge():
        scene.world.say("go")
        await scene.answer(LONG)
        await scene.world.until(lambda: any("paragraph 4" in text for text in scene.world.texts()))
        scene.world.say("more")
        await scene.answer("x " * 3_000)
        await scene.world.until(lambda: any(one.kind == "file" for one in scene.world.shown.values()))

    parts = [text for text in scene.world.texts() if "paragraph" in text]
    assert "".join("".join(parts).split()) == "".join(LONG.split())
    assert all(len(text) <= 200 for text in scene.world.texts())
    (file,) = [one.now for one in scene.world.shown.values() if one.kind == "file"]
    assert file == {"name": "whole.md", "size": len(("x " * 3_000).strip())}


async def test_files_come_in_and_go_out(scene: Scene) -> None:
    scene.world.files["k1"] = b"\x89PNG"
    async with scene.bridge():
        files = [{"key": "k1", "name": "a.png", "mime": "image/png"}, {"key": "k2", "name": "gone.txt"}]
        scene.world.say("look", files=files)
        claimed, run = await scene.claim()
        message = expect(await scene.server.get(f"/api/messages/{claimed['message']}"), 200)["message"]
        assert [file["name"] for file in message["files"]] == ["a.png"]
        assert "gone.txt could not be fetched" in message["content"]

        sent = message["files"][0]["id"]
        body = {"room": run["room"], "topic": run["topic"], "content": "", "files": [sent]}
        expect(await scene.server.post("/api/messages", body), 201)
        await scene.world.until(lambda: any(one.kind == "file" for one in scene.world.shown.values()))

    (file,) = [one.now for one in scene.world.shown.values() if one.kind == "file"]
    assert file == {"name": "a.png", "size": 4}


async def test_a_cut_socket_comes_back_and_the_gap_is_read(scene: Scene) -> None:
    async with scene.bridge() as bridge:
        told = scene.world.say("first")
        await asyncio.wait_for(told.acked.wait(), PATIENCE)
        assert bridge is not None
        scene.world.drop("app-1")
        scene.world.say("said while nobody listened", lost=True)
        for _ in range(2):
            claimed, run = await scene.claim()
            expect(await scene.server.finish(scene.computer, claimed, run, text="ok"), 200)

    said = [delivery["agent"] for delivery in expect(await scene.server.get("/api/deliveries"), 200)["deliveries"]]
    assert said == ["reviewer", "reviewer"]


async def test_a_gap_counts_as_unheard_until_it_is_read(scene: Scene) -> None:
    """What the server knows is all the next bridge has to go by, should this one die before it has read."""
    async with scene.bridge():
        await asyncio.wait_for(scene.world.say("first").acked.wait(), 30)
        scene.world.tells_history = False
        scene.world.drop("app-1")
        await until_bot(scene, lambda bot: bot["state"] == "listening" and bot["deaf_since"] is not None)

        scene.world.tells_history = True
        await until_bot(scene, lambda bot: bot["state"] == "listening" and bot["deaf_since"] is None)


async def test_wrong_credentials_are_shown_and_right_ones_heal(scene: Scene) -> None:
    async with scene.bridge():
        await scene.bind(credentials={"secret": "wrong"})
        await until_bot(scene, lambda bot: bot["state"] == "error")
        assert "refuses this bot" in (await scene.bot())["error"]

        await scene.bind(credentials={"secret": "right"})
        await until_bot(scene, lambda bot: bot["state"] == "listening")
        assert (await scene.bot())["error"] is None


async def test_a_bot_that_broke_while_it_was_opened_is_opened_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many open files, for a moment; its settings may stay as they are for ever."""
    monkeypatch.setattr("pal_server.bridges.bridge.BEAT", 0.02)
    monkeypatch.setattr("pal_server.bridges.bridge.DEFECT_PAUSE", 0.1)
    scene.platform = BreaksOnce()
    async with scene.bridge():
        await until_bot(scene, lambda bot: bot["state"] == "listening")

    assert scene.platform.opened == 2


async def test_one_bot_is_stopped_alone_and_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pal_server.bridges.bridge.BEAT", 25.0)  # not because it is time to look
    await scene.server.agent("other", computer=scene.computer)
    scene.world.secrets["app-2"] = "right"
    second = await scene.bind("other", app_id="app-2")
    async with scene.bridge() as bridge:
        await scene.world.until(lambda: scene.world.connected == {"app-1", "app-2"})
        begun = monotonic()
        expect(await scene.server.post(f"/api/bots/{second['id']}/unbind"), 200)
        await poll(_itself(lambda: len(bridge.bots)), lambda held: held == 1)
        took = monotonic() - begun
        left = scene.world.say("anybody?", bot="app-2")
        scene.world.say("go")
        await scene.answer("still here")
        await scene.world.until(lambda: "still here" in scene.world.texts())

    assert took < AT_ONCE
    assert not left.acked.is_set()


def _itself(look: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    async def ask() -> T:
        return look()

    return ask


async def test_a_bot_that_hangs_delays_no_other(scene: Scene) -> None:
    await scene.server.agent("other", computer=scene.computer)
    scene.world.secrets["app-2"] = "right"
    await scene.bind("other", app_id="app-2")
    async with scene.bridge():
        scene.world.say("go", bot="app-2", chat="slow")
        await scene.world.until(lambda: len(scene.world.cards("slow")) == 1)
        await scene.claim()
        scene.world.faults.append("slow")
        scene.world.say("again", bot="app-2", chat="slow", thread="t2")
        await scene.world.until(lambda: not scene.world.faults)

        scene.world.say("go")
        await scene.world.until(lambda: len(scene.world.cards("g1")) == 1)

        assert scene.world.hanging == 1


async def until_bot(scene: Scene, check: Callable[[Any], bool], *, within: float = PATIENCE) -> None:
    await poll(scene.bot, check, within=within)
