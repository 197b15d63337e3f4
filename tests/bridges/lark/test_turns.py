"""What happens in a turn besides talk: approvals, questions, commands, an offline computer, what is sent by hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from tests.bridges.core.scene import poll
from tests.bridges.lark.scene import LarkScene, a_scene, button, cards, text_of, texts
from tests.support.server import expect, lease_of

Json = dict[str, Any]


@pytest_asyncio.fixture
async def scene(lark: LoopbackLark, tmp_path: Path) -> AsyncIterator[LarkScene]:
    async with a_scene(lark, tmp_path / "home") as made:
        yield made
        await made.lark("calm")


async def asks(scene: LarkScene, **asked: Any) -> Json:
    """The agent of a new turn asks this."""
    await scene.mention("work")
    claimed, run = await scene.claim()
    body = {"key": "k1", **asked, **lease_of(claimed)}
    path = f"/api/runs/{run['id']}/interactions"
    return dict(expect(await scene.server.post(path, body, token=scene.computer.key), 201)["interaction"])


def card_of(messages: list[Json], title: str) -> tuple[str, Json]:
    """Message and card with that title. LookupError when there is none."""
    for message in messages:
        card = json.loads(message["content"]) if message["type"] == "interactive" else {}
        if card and card["header"]["title"]["content"] == title:
            return message["message_id"], card
    raise LookupError(title)


def is_asked(messages: list[Json], title: str) -> bool:
    try:
        return bool(card_of(messages, title))
    except LookupError:
        return False


def shows(messages: list[Json], words: str) -> bool:
    return any(words in message["content"] for message in messages)


async def interaction(scene: LarkScene, asked: Json) -> Json:
    return dict(expect(await scene.server.get(f"/api/interactions/{asked['id']}"), 200)["interaction"])


async def test_an_approval_is_given_by_a_button_and_its_card_says_so(scene: LarkScene) -> None:
    async with scene.bridge():
        await scene.is_listening()
        asked = await asks(scene, kind="approval", title="rm -rf build", body="in the folder")
        seen = await scene.until(lambda seen: is_asked(seen, "rm -rf build"), "the question")
        message, card = card_of(seen, "rm -rf build")
        press = {"message": message, "person": scene.ann, "value": button(card, "Approve")}

        answer = await scene.lark("click", **press)
        second = await scene.lark("click", **press)
        await scene.until(lambda seen: _is_closed(seen, message), "no buttons any more")

    assert (answer["code"], second["code"]) == (200, 200)
    assert (await interaction(scene, asked))["answer"]["decision"] == "approve"
    assert second["data"]["toast"]["type"] != "success"


def _is_closed(messages: list[Json], message: str) -> bool:
    card = next(json.loads(one["content"]) for one in messages if one["message_id"] == message)
    try:
        button(card, "Approve")
    except KeyError:
        return True
    return False


async def test_a_question_is_answered_by_a_form(scene: LarkScene) -> None:
    async with scene.bridge():
        await scene.is_listening()
        asked = await asks(scene, kind="question", title="What name?")
        seen = await scene.until(lambda seen: is_asked(seen, "What name?"), "the question")
        message, card = card_of(seen, "What name?")
        form = next(one for one in card["body"]["elements"] if one["tag"] == "form")
        names = [one["name"] for one in form["elements"] if one["tag"] == "input"]
        submit = form["elements"][-1]["behaviors"][0]["value"]

        await scene.lark("click", message=message, person=scene.ann, value=submit, form_value={names[0]: "pal"})

        found = await poll(lambda: interaction(scene, asked), lambda now: now["status"] != "pending")
    assert found["answer"] == {"answer": "pal"}


@pytest.mark.parametrize("command", ["/help", "/status"])
async def test_a_command_is_answered_in_the_place_and_is_no_work(scene: LarkScene, command: str) -> None:
    async with scene.bridge():
        await scene.is_listening()
        said = await scene.mention(command)

        seen = await scene.until(lambda seen: seen, "the answer")

    assert seen[0]["root_id"] == said["message_id"]
    assert expect(await scene.server.get("/api/deliveries"), 200)["deliveries"] == []


async def test_a_computer_that_is_away_is_named(scene: LarkScene) -> None:
    async with scene.bridge():
        await scene.is_listening()
        scene.server.clock.advance(120)
        await scene.mention("anybody?")

        seen = await scene.until(lambda seen: cards(seen) and shows(seen, "offline"), "the notice")

    assert len(cards(seen)) == 1


async def test_a_failed_run_is_said(scene: LarkScene) -> None:
    async with scene.bridge():
        await scene.is_listening()
        await scene.mention("try")
        claimed, run = await scene.claim()
        expect(
            await scene.server.finish(
                scene.computer, claimed, run, status="failed", exit_code=3, text="", error="it broke"
            ),
            200,
        )

        seen = await scene.until(lambda seen: [c["header"]["template"] for c in cards(seen)] == ["red"], "red")

    assert len(cards(seen)) == 1


async def test_words_are_sent_by_hand_to_whoever_is_named(scene: LarkScene) -> None:
    open_id = (await scene.lark("person", name="Bob"))["open_ids"][scene.app]
    async with scene.bridge():
        await scene.is_listening()
        for to in (scene.team, open_id, scene.ann):
            body = {"platform": "lark", "app_id": scene.app, "to": to, "text": f"to {to}"}
            expect(await scene.server.post("/api/posts", body), 201)

        seen = await scene.until(lambda seen: len(texts(seen)) == 3, "all of them")

    assert {text_of(one) for one in seen} == {f"to {to}" for to in (scene.team, open_id, scene.ann)}
    assert len({one["chat_id"] for one in seen}) == 3


async def test_the_end_of_a_run_is_told_in_the_chosen_chat(scene: LarkScene) -> None:
    watchers = await asyncio.to_thread(scene.world.chat, apps=[scene.app], people=[scene.ann], name="Watchers")
    await scene.bind(notify_chat=watchers)
    async with scene.bridge():
        await scene.is_listening()
        await scene.mention("work")
        await scene.answer("done")

        seen = await scene.until(lambda seen: len(texts(seen)) == 2, "the answer, and that it is done")

    told = {message["chat_id"]: text_of(message) for message in seen if message["type"] == "post"}
    assert told[scene.team] == "done"
    assert told[watchers].startswith("**reviewer** is done")


async def test_a_quoted_answer_of_the_agent_is_for_it_without_a_mention(scene: LarkScene) -> None:
    await scene.lark("app", id=scene.app, hears_all=True)
    await scene.bind(options={"replies": "quote"})
    async with scene.bridge():
        await scene.is_listening()
        said = await scene.mention("what is it?")
        await scene.answer("It is a tree.")
        seen = await scene.until(texts, "the answer")
        (shown,) = [message for message in seen if message["type"] == "post"]
        await poll(scene.posts, lambda posts: {post["state"] for post in posts} == {"confirmed"})
        for answered, words in ((said["message_id"], "thanks"), (shown["message_id"], "which one?")):
            await scene.lark("say", chat=scene.team, person=scene.ann, text=words, reply_to=answered)

        claimed, _ = await scene.claim()
        found = expect(await scene.server.get(f"/api/messages/{claimed['message']}"), 200)["message"]
        parent = expect(await scene.server.get(f"/api/messages/{found['parent']}"), 200)["message"]
        deliveries = expect(await scene.server.get("/api/deliveries"), 200)["deliveries"]

    assert (found["content"], parent["content"]) == ("which one?", "It is a tree.")
    assert [delivery["reason"] for delivery in deliveries] == ["reply", "mention"]  # "thanks" to a person is none


async def test_what_lark_told_is_kept_without_secrets(scene: LarkScene) -> None:
    async with scene.bridge():
        await scene.is_listening()
        await scene.mention("hello")
        await scene.until(cards, "a card")
        events = expect(await scene.server.get("/api/platform-events", platform="lark", limit=20), 200)["events"]
        bots = expect(await scene.server.get("/api/bots"), 200)

    assert json.loads(events[0]["raw"])["event"]["message"]["message_type"] == "text"
    assert f"secret-{scene.app}" not in json.dumps([events, bots])


async def test_an_app_that_is_disabled_shows_and_heals(scene: LarkScene) -> None:
    async def bot() -> Json:
        return dict(await scene.bot(scene.app))

    async with scene.bridge():
        await scene.is_listening()
        await scene.lark("app", id=scene.app, is_active=False)
        await scene.lark("sockets", app=scene.app, do="cut")
        shown = await poll(bot, lambda now: "refuse" in (now["error"] or ""))  # first: the socket ended
        assert shown["state"] == "error"

        await scene.lark("app", id=scene.app, is_active=True)
        await scene.bind()  # saved again: tried at once
        await poll(bot, lambda now: now["state"] == "listening")


async def test_a_wrong_secret_saved_by_a_reload_leaves_the_bot_as_it_is(scene: LarkScene) -> None:
    async with scene.bridge():
        await scene.is_listening()
        wrong = {"app_id": scene.app, "app_secret": "very-wrong"}
        refused = await scene.server.post(
            "/api/bots",
            {"platform": "lark", "app_id": scene.app, "credentials": wrong, "base_url": scene.world.url},
        )
        await scene.mention("still there?")
        await scene.answer("yes")

        seen = await scene.until(texts, "the answer")

    assert refused.status == 400
    assert texts(seen) == ["yes"]
    assert len(await asyncio.to_thread(scene.world.entries, "connected", app=scene.app)) == 1
