"""The loopback DingTalk does to the real SDK, as its makers show it, what the real DingTalk does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges.dingtalk import sdk
from tests.support.patience import PATIENCE

sdk.load()  # before the SDK sets up loggers of its own

from dingtalk_stream import (  # noqa: E402
    AckMessage,
    CallbackHandler,
    ChatbotMessage,
    Credential,
    DingTalkStreamClient,
    EventHandler,
)

Json = dict[str, Any]


class Heard:
    """Puts what it is given into a queue; answers with the next of `codes`, 200 when there is none, 0 raises."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.codes: list[int] = []

    async def process(self, message: Any) -> tuple[int, str]:
        await self.queue.put(message)
        code = self.codes.pop(0) if self.codes else AckMessage.STATUS_OK
        if code == 0:
            raise ValueError("a handler that fails")
        return code, "OK"

    async def next(self) -> Any:
        return await asyncio.wait_for(self.queue.get(), PATIENCE)


class Callbacks(Heard, CallbackHandler):
    """What the SDK calls for a topic."""


class Events(Heard, EventHandler):
    """What the SDK calls for events."""


@asynccontextmanager
async def running(
    dingtalk: LoopbackDingTalk, monkeypatch: pytest.MonkeyPatch, *, with_events: bool = False
) -> AsyncIterator[tuple[str, Heard, Heard]]:
    """The SDK's own client by its own `start`: app, what callbacks brought, what events brought."""
    monkeypatch.setattr(DingTalkStreamClient, "OPEN_CONNECTION_API", f"{dingtalk.url}/v1.0/gateway/connections/open")
    given = await dingtalk.app()
    client = DingTalkStreamClient(Credential(given["app"], given["secret"]))
    said, events = Callbacks(), Events()
    client.register_callback_handler(ChatbotMessage.TOPIC, said)
    if with_events:
        client.register_all_event_handler(events)
    before = asyncio.all_tasks()
    task = asyncio.create_task(client.start())
    try:
        await dingtalk.connected(given["app"])
        yield given["app"], said, events
    finally:
        while not task.done():  # one cancellation is swallowed
            task.cancel()
            await asyncio.sleep(0)
        left = [one for one in asyncio.all_tasks() - before if one is not task]
        for one in left:
            one.cancel()
        await asyncio.gather(task, *left, return_exceptions=True)


async def test_a_message_reaches_the_real_client_and_its_answer_comes_back(
    dingtalk: LoopbackDingTalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(dingtalk, monkeypatch) as (app, said, _):
        alice = await dingtalk.person("Alice")

        asked = await dingtalk.say(app, alice, "hello")

        message = ChatbotMessage.from_dict((await said.next()).data)
        [push] = await dingtalk.answered(app)
        assert (message.message_id, message.text.content, message.sender_nick) == (asked["msgId"], " hello", "Alice")
        assert (push["state"], push["answer"]["data"]) == ("acked", {"response": "OK"})


async def test_a_robot_message_is_pushed_once_whatever_becomes_of_it(
    dingtalk: LoopbackDingTalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(dingtalk, monkeypatch) as (app, said, _):
        alice = await dingtalk.person("Alice")
        said.codes = [500, 0]

        await dingtalk.say(app, alice, "refused")
        await said.next()
        await dingtalk.say(app, alice, "raised")
        await said.next()
        await dingtalk.answered(app)
        await dingtalk.do("advance", seconds=600)

        pushes = await dingtalk.pushes(app)
        assert [push["state"] for push in pushes] == ["refused", "pushed"]
        assert [len(push["ids"]) for push in pushes] == [1, 1]


async def test_what_is_said_while_nobody_listens_is_gone(dingtalk: LoopbackDingTalk) -> None:
    given, alice = await dingtalk.app(), await dingtalk.person("Alice")

    await dingtalk.say(given["app"], alice, "anybody?")

    assert [push["state"] for push in await dingtalk.pushes(given["app"])] == ["lost"]


async def test_an_event_comes_until_it_is_acknowledged_and_in_time(
    dingtalk: LoopbackDingTalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(dingtalk, monkeypatch, with_events=True) as (app, _, events):
        await dingtalk.do("sockets", app=app, do="lose_acks", count=2)

        await dingtalk.do("event", app=app, kind="user_add_org", data={"userId": ["1"]})
        ids = [(await events.next()).headers.event_id]
        for seconds in (16, 66):
            await dingtalk.do("advance", seconds=seconds)
            ids.append((await events.next()).headers.event_id)
        await dingtalk.answered(app)
        await dingtalk.do("advance", seconds=600)

        [push] = await dingtalk.pushes(app)
        assert len(set(ids)) == 1
        assert (push["state"], len(push["ids"])) == ("acked", 3)


async def test_a_client_that_wants_no_events_gets_none(
    dingtalk: LoopbackDingTalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(dingtalk, monkeypatch) as (app, said, events):
        await dingtalk.do("event", app=app, kind="user_add_org")
        await dingtalk.say(app, await dingtalk.person("Alice"), "hello")

        await said.next()

        assert events.queue.empty()


async def test_system_pings_are_answered_and_an_announced_end_is_followed_by_a_new_socket(
    dingtalk: LoopbackDingTalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(dingtalk, monkeypatch) as (app, said, _):
        await dingtalk.do("sockets", app=app, do="ping")

        async def pinged() -> bool:
            pushes = (await dingtalk.do("line", app=app))["pushes"]
            return any(push["topic"] == "ping" and push["answer"]["data"] == push["data"] for push in pushes)

        await dingtalk.until(pinged, what="the same opaque back")
        await dingtalk.do("sockets", app=app, do="disconnect")
        await dingtalk.connected(app, opened=2)
        await dingtalk.say(app, await dingtalk.person("Alice"), "still there?")

        assert (await said.next()).data["text"]["content"] == " still there?"


async def test_the_usual_client_reopens_a_socket_that_is_closed_at_once_without_any_delay(
    dingtalk: LoopbackDingTalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(dingtalk, monkeypatch) as (app, _, _):
        await dingtalk.do("sockets", app=app, do="slam")
        await dingtalk.do("sockets", app=app, do="close")

        async def many() -> bool:
            return bool((await dingtalk.do("line", app=app))["tickets"] >= 6)

        await dingtalk.until(many, what="six tickets", within=PATIENCE)  # with its delay of ten seconds it had four


async def test_a_ticket_opens_one_socket_and_not_for_long(dingtalk: LoopbackDingTalk) -> None:
    given = await dingtalk.app()
    body = {
        "clientId": given["app"],
        "clientSecret": given["secret"],
        "subscriptions": [{"type": "EVENT", "topic": "*"}],
        "ua": "",
        "localIp": "",
    }
    async with aiohttp.ClientSession() as session:

        async def ticket() -> str:
            async with session.post(f"{dingtalk.url}/v1.0/gateway/connections/open", json=body) as answer:
                told = await answer.json()
                return f"{told['endpoint']}?ticket={told['ticket']}"

        first, late = await ticket(), await ticket()
        async with session.ws_connect(first):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(first)
        await dingtalk.do("advance", seconds=91)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(late)


async def test_the_usual_client_goes_on_after_a_cancellation(
    dingtalk: LoopbackDingTalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(dingtalk, monkeypatch) as (app, _, _):
        [task] = [one for one in asyncio.all_tasks() if "DingTalkStreamClient.start" in repr(one.get_coro())]

        task.cancel()
        await dingtalk.connected(app, sockets=0)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), 0.2)

        assert not task.done()
