"""From a mention in Lark to the answer that is seen there: real server, real bridge, loopback Lark."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from tests.bridges.core.scene import poll
from tests.bridges.lark.scene import LarkScene, a_scene, button, cards, colours, texts
from tests.support.server import expect

Json = dict[str, Any]
CREATES = "/open-apis/im/v1/messages(/[^/]+/reply)?"


@pytest_asyncio.fixture
async def scene(lark: LoopbackLark, tmp_path: Path) -> AsyncIterator[LarkScene]:
    async with a_scene(lark, tmp_path / "home") as made:
        yield made
        await made.lark("calm")


def is_done(messages: list[Json]) -> bool:
    return bool(cards(messages)) and colours(messages) == ["green"] * len(cards(messages))


async def test_a_mention_is_one_delivery_one_card_and_one_answer(scene: LarkScene) -> None:
    async with scene.bridge():
        await scene.is_listening()
        said = await scene.mention("please look")
        await scene.until(cards, "a card")
        await scene.answer("It is **fine**.\n\n| a | b |\n|---|---|\n| 1 | 2 |")
        await scene.until(lambda seen: texts(seen) and is_done(seen), "the answer")
        await scene.lark("again", events=said["events"])
        await scene.lark("clock", ahead=6 * 3_600_000)
        await scene.lark("again", events=said["events"], renamed=True)
        acks = await asyncio.to_thread(scene.world.wait_for, "ack", app=scene.app, code=200, count=3)

        seen = await scene.posted()

    assert len(acks) >= 3
    assert len(texts(seen)) == len(cards(seen)) == 1
    assert texts(seen)[0].startswith("It is **fine**.")
    assert {message["root_id"] for message in seen} == {said["message_id"]}
    deliveries = expect(await scene.server.get("/api/deliveries"), 200)["deliveries"]
    assert [delivery["agent"] for delivery in deliveries] == ["reviewer"]
    assert {post["state"] for post in await scene.posts()} == {"confirmed"}


async def test_the_reaction_is_there_while_the_agent_works(scene: LarkScene) -> None:
    async with scene.bridge():
        await scene.is_listening()
        await scene.mention("work")
        await asyncio.to_thread(scene.world.wait_for, "reacted", app=scene.app, emoji="Typing")
        await scene.answer("done")

        await asyncio.to_thread(scene.world.wait_for, "unreacted", app=scene.app, emoji="Typing")


FAULTS: list[Json] = [
    {"do": "cut", "when": "after"},
    {"do": "answer", "status": 502, "body": "<html>", "when": "after"},
    {"do": "answer", "status": 500, "body": {"code": 2200, "msg": "internal"}},
    {
        "do": "answer",
        "status": 429,
        "body": {"code": 99991400, "msg": "slow"},
        "headers": {"x-ogw-ratelimit-reset": "1"},
    },
]


async def test_faults_while_sending_lose_nothing_and_double_nothing(scene: LarkScene) -> None:
    """Each of the first posts and their repeats meets the next of them; one by one they are in test_sending.py."""
    async with scene.bridge():
        await scene.is_listening()
        for fault in FAULTS:
            await scene.lark("fault", path=CREATES, method="POST", **fault)
        await scene.mention("go")
        await scene.answer("here it is")
        seen = await scene.until(lambda seen: texts(seen) and is_done(seen), "the answer")
        await poll(scene.posts, lambda posts: all(post["state"] == "confirmed" for post in posts))

    assert texts(seen) == ["here it is"]
    assert len(cards(await scene.posted())) == 1


async def test_a_token_taken_back_midway_is_not_noticed(scene: LarkScene) -> None:
    async with scene.bridge():
        await scene.is_listening()
        await scene.mention("go")
        await scene.until(cards, "a card")
        await scene.lark("tokens", app=scene.app)
        await scene.answer("here it is")

        seen = await scene.until(lambda seen: texts(seen) and is_done(seen), "the answer")

    assert texts(seen) == ["here it is"]


async def test_what_was_said_during_a_gap_is_answered(scene: LarkScene) -> None:
    async with scene.bridge():
        await scene.is_listening()
        first = await scene.mention("first")
        await scene.answer("one")
        await scene.until(texts, "one")
    await scene.mention("in the gap", push=False)
    await scene.mention("in its thread", reply_to=first["message_id"], in_thread=True, push=False)
    async with scene.bridge():
        for _ in range(2):
            await scene.answer("two")

        seen = await scene.until(lambda seen: len(texts(seen)) == 3, "all answers")

    assert sorted(texts(seen)) == ["one", "two", "two"]


async def test_a_cut_socket_loses_no_word(scene: LarkScene) -> None:
    async with scene.bridge():
        await scene.is_listening()
        await scene.lark("sockets", app=scene.app, do="cut")
        await scene.mention("while it is away")
        await scene.answer("back")

        seen = await scene.until(texts, "the answer")

    assert texts(seen) == ["back"]


async def test_buttons_stop_a_run_and_only_for_those_who_may(scene: LarkScene) -> None:
    stranger = await asyncio.to_thread(scene.world.person, "Eve")
    async with scene.bridge():
        await scene.is_listening()
        await scene.mention("long work")
        await scene.claim()
        seen = await scene.until(lambda seen: colours(seen) == ["blue"], "it works")
        stop = button(cards(seen)[0], "Stop")
        message = next(one["message_id"] for one in seen if one["type"] == "interactive")

        refused = await scene.lark("click", message=message, person=stranger, value=stop)
        taken = await scene.lark("click", message=message, person=scene.ann, value=stop)
        forged = await scene.lark("click", message=message, person=scene.ann, value={"pal": "stop.999.forged"})

    assert [one["code"] for one in (refused, taken, forged)] == [200] * 3
    assert refused["data"]["toast"]["type"] != "success"
    assert forged["data"]["toast"]["type"] != "success"
    orders = expect(await scene.server.get("/api/runs"), 200)["runs"]
    assert len(orders) == 1


async def test_a_stranger_is_refused_once_and_nothing_is_made(scene: LarkScene) -> None:
    stranger = await asyncio.to_thread(scene.world.person, "Eve")
    async with scene.bridge():
        await scene.is_listening()
        for _ in range(2):
            await scene.mention("let me in", person=stranger)
        acks = await asyncio.to_thread(scene.world.wait_for, "ack", app=scene.app, code=200, count=2)
        seen = await scene.until(lambda seen: seen, "the refusal")

    assert len(acks) == 2
    assert len(seen) == 1
    assert expect(await scene.server.get("/api/deliveries"), 200)["deliveries"] == []


async def test_direct_messages_are_one_conversation(scene: LarkScene) -> None:
    chat = await asyncio.to_thread(scene.world.chat, apps=[scene.app], people=[scene.ann], mode="p2p")
    async with scene.bridge():
        await scene.is_listening()
        for number in range(2):
            await scene.lark("say", chat=chat, person=scene.ann, text=f"hello {number}")
            await scene.answer(f"answer {number}")
            await scene.until(lambda seen, n=number: f"answer {n}" in texts(seen), "the answer")
        runs = expect(await scene.server.get("/api/runs"), 200)["runs"]

    assert len({run["topic"] for run in runs}) == 1


async def test_files_come_in_and_a_kind_that_cannot_be_read_is_said(scene: LarkScene) -> None:
    key = (await scene.lark("upload", kind="image", name="a.png", mime="image/png", hex=b"\x89PNG".hex()))["key"]
    content = {"content": [[{"tag": "at", "user_id": "@_user_1"}, {"tag": "text", "text": " look"}]]}
    content["content"].append([{"tag": "img", "image_key": key}])
    async with scene.bridge():
        await scene.is_listening()
        await scene.mention("", type="post", content=content)
        claimed, _ = await scene.claim()
        message = expect(await scene.server.get(f"/api/messages/{claimed['message']}"), 200)["message"]

    assert [file["size"] for file in message["files"]] == [4]
    assert "look" in message["content"]


async def test_a_long_answer_is_complete(scene: LarkScene) -> None:
    long = "\n\n".join(f"{number} " + "中文" * 400 for number in range(30))
    async with scene.bridge():
        await scene.is_listening()
        await scene.mention("tell me all")
        await scene.answer(long)

        seen = await scene.until(lambda seen: any("29 " in text for text in texts(seen)), "its end")

    assert "".join("".join(texts(seen)).split()) == "".join(long.split())
    assert len(texts(seen)) > 1


async def test_the_server_starts_the_bridge_by_itself(lark: LoopbackLark, tmp_path: Path) -> None:
    """The process that `pal server` starts, which is what runs in the end."""
    async with a_scene(lark, tmp_path / "home", bridges=True) as scene:
        await scene.is_listening()
        await scene.mention("hello")
        await scene.answer("from a process of its own")

        seen = await scene.until(texts, "the answer")

    assert texts(seen) == ["from a process of its own"]


async def test_credentials_are_checked_before_they_are_saved(scene: LarkScene) -> None:
    wrong = {"app_id": scene.app, "app_secret": "very-wrong"}
    answer = await scene.server.post(
        "/api/bots",
        {"platform": "lark", "agent": "reviewer", "credentials": wrong, "base_url": scene.world.url},
    )

    assert answer.status == 400
    assert "very-wrong" not in json.dumps(answer.body)
    right = await scene.bind(verify=True)
    assert right["bot"]["bot_id"] == (await scene.lark("app", id=scene.app))["open_id"]
