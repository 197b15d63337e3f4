"""E2E-3: people mention an agent on Lark, Slack and DingTalk, and are told there; real SDKs, real core, real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pal_cli.chaos.platforms.dingtalk.loopback import loopback_dingtalk
from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from pal_cli.chaos.platforms.process import platform_process
from pal_cli.chaos.platforms.slack.loopback import loopback_slack
from pal_server.bridges.platform import Platform
from pal_server.bridges.registry import load
from tests.bridges.core.scene import RealClock, Scene, poll
from tests.bridges.dingtalk.conftest import PROXIES
from tests.bridges.slack.conftest import MEDDLING
from tests.support.platforms.loopback import World, running_world
from tests.support.server import ServerUnderTest, expect, start_server

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """One platform as people see it: Ann mentions the bot, and what bots have shown in the chat."""

    name: str
    app_id: str
    credentials: dict[str, str]
    base_url: str
    ann: str
    eve: str
    mention: Callable[[str, str], Awaitable[Any]]  # who, text
    shown: Callable[[], Awaitable[list[Json]]]
    told: Callable[[], Awaitable[list[Json]]]  # what the bot has written to Ann alone, perhaps among other things


async def on_lark(stack: AsyncExitStack) -> There:
    lark = stack.enter_context(LoopbackLark())
    app, ann, eve = lark.app("cli_a"), lark.person("Ann"), lark.person("Eve")
    chat = lark.chat(apps=[app], people=[ann, eve])

    async def mention(who: str, text: str) -> None:
        await asyncio.to_thread(lark.mention, app, text, chat=chat, person=who)

    async def shown() -> list[Json]:
        return await asyncio.to_thread(lark.posted, app)

    credentials = {"app_id": app, "app_secret": f"secret-{app}"}
    return There(
        name="lark",
        app_id=app,
        credentials=credentials,
        base_url=lark.url,
        ann=ann,
        eve=eve,
        mention=mention,
        shown=shown,
        told=shown,
    )


async def on_slack(stack: AsyncExitStack) -> There:
    slack = await stack.enter_async_context(loopback_slack(stack.enter_context(platform_process("slack"))))
    app = await slack.app("helper")
    ann, eve = await slack.person("Ann"), await slack.person("Eve")
    room = await slack.channel("general", members=[ann, eve, app["bot_user"]])

    async def mention(who: str, text: str) -> None:
        await slack.say(room, who, f"<@{app['bot_user']}> {text}")

    async def shown() -> list[Json]:
        return await slack.messages(room, by=app["bot_user"])

    async def told() -> list[Json]:
        direct = await slack.do("direct", between=[ann, app["bot_user"]])
        return await slack.messages(direct["channel"], by=app["bot_user"])

    credentials = {"bot_token": app["bot_token"], "app_token": app["app_token"]}
    return There(
        name="slack", app_id=app["app"], credentials=credentials, base_url=slack.api_url, ann=ann, eve=eve,
        mention=mention, shown=shown, told=told,
    )  # fmt: skip


async def on_dingtalk(stack: AsyncExitStack) -> There:
    dingtalk = await stack.enter_async_context(loopback_dingtalk(stack.enter_context(platform_process("dingtalk"))))
    app = await dingtalk.app()
    ann, eve = await dingtalk.person("Ann"), await dingtalk.person("Eve")
    room = await dingtalk.group("general", robots=[app["app"]], people=[ann, eve])

    async def mention(who: str, text: str) -> None:
        await dingtalk.say(app["app"], who, text, conversation=room)

    async def shown() -> list[Json]:
        return await dingtalk.messages(room)

    async def told() -> list[Json]:
        return await dingtalk.direct_messages(app["app"], ann)

    credentials = {"client_id": app["app"], "client_secret": app["secret"]}
    return There(
        name="dingtalk", app_id=app["app"], credentials=credentials, base_url=dingtalk.url, ann=ann, eve=eve,
        mention=mention, shown=shown, told=told,
    )  # fmt: skip


@pytest_asyncio.fixture
async def stack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncExitStack]:
    for name in (*PROXIES, *MEDDLING):
        monkeypatch.delenv(name, raising=False)
    async with AsyncExitStack() as made:
        yield made


def times(shown: list[Json], words: str) -> int:
    return sum(words in json.dumps(message, ensure_ascii=False) for message in shown)


async def tell_in_chat(server: ServerUnderTest, there: There) -> None:
    """Ann is the user alice, wants to be told by the bot, and somebody mentions her."""
    alice = await server.user("alice")
    known = {"platform": there.name, "external_id": there.ann, "user": "alice"}
    expect(await server.post("/api/identities", known), 200)
    [place] = expect(await server.get("/api/chat-notices", token=alice), 200)["places"]
    chosen = {"bot": place["bot"], "identity": place["identity"]}
    answer = expect(await server.post("/api/chat-notices", chosen, token=alice), 200)
    assert (answer["notices"]["place"], answer["notices"]["error"]) == (place, None)
    await server.send("look here @alice")


@pytest.mark.parametrize("platform", [on_lark, on_slack, on_dingtalk])
async def test_a_mention_is_answered_once_and_a_stranger_is_refused_once(
    platform: Callable[[AsyncExitStack], Awaitable[There]], stack: AsyncExitStack, tmp_path: Path
) -> None:
    there = await platform(stack)
    world: World = await stack.enter_async_context(running_world())
    server = await stack.enter_async_context(
        start_server(tmp_path / "home", clock=RealClock(), with_loops=True, bridges=False)
    )
    computer = await server.provision()
    await server.connect(computer)
    await server.agent("reviewer", computer=computer)
    real: Platform = load(there.name)
    scene = Scene(server=server, world=world, computer=computer, platform=real)
    body = {"platform": there.name, "app_id": there.app_id, "credentials": there.credentials, "agent": "reviewer"}
    expect(await server.post("/api/bots", {**body, "base_url": there.base_url, "verify": False}), 200)
    expect(await server.post("/api/identities", {"platform": there.name, "external_id": there.ann, "name": "Ann"}), 200)

    async with scene.bridge():
        await poll(lambda: scene.bot(there.app_id), lambda bot: bot["state"] == "listening")
        await there.mention(there.ann, "what is the answer")
        claimed, run = await scene.claim()
        message = expect(await server.get(f"/api/messages/{claimed['message']}"), 200)["message"]
        assert (message["content"], message["sender"]["display_name"]) == ("what is the answer", "Ann")
        expect(await server.finish(computer, claimed, run, text="forty-two it is"), 200)
        await poll(there.shown, lambda shown: times(shown, "forty-two it is") == 1)

        for _ in range(2):
            await there.mention(there.eve, "let me in")
        await poll(there.shown, lambda shown: times(shown, "may not talk with you") == 1)
        await tell_in_chat(server, there)
        await poll(there.told, lambda told: times(told, "look here") == 1)
        settled = await poll(scene.posts, lambda posts: all(post["state"] in ("confirmed", "failed") for post in posts))

    shown = await there.shown()
    assert (times(shown, "forty-two it is"), times(shown, "may not talk with you")) == (1, 1)
    told = await there.told()
    assert (times(told, "From now on I tell you"), times(told, "look here")) == (1, 1)
    assert [(post["kind"], post["error"]) for post in settled if post["state"] == "failed"] == []
    assert len(expect(await server.get("/api/deliveries"), 200)["deliveries"]) == 1
