"""Both clients against a real server: what the command line and the daemon stand on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pal_server.client import aio, sync
from pal_server.client.problems import ApiProblem, Unreachable, problem_of
from pal_server.contract.messages import MessagesAnswer, SendMessage, SentAnswer
from pal_server.contract.rooms import CreateRoom, RoomAnswer
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.server import ServerUnderTest, start_server


@pytest.fixture
async def client(server: ServerUnderTest) -> AsyncIterator[aio.Client]:
    async with aio.Client(server.url, server.owner) as opened:
        yield opened


async def test_calls_are_typed_both_ways(client: aio.Client) -> None:
    body = SendMessage(room="general", content="hello")

    sent = await client.call("POST", "/api/messages", body=body, answer=SentAnswer)
    read = await client.call("GET", "/api/messages", query={"room": "general", "q": None}, answer=MessagesAnswer)

    assert read.messages == [sent.message]


async def test_a_refusal_carries_code_and_facts(client: aio.Client) -> None:
    with pytest.raises(ApiProblem) as refused:
        await client.call("POST", "/api/rooms", body=CreateRoom(name="general"), answer=RoomAnswer)

    assert refused.value.code == "already_exists"
    assert refused.value.status == 409
    assert refused.value.request_id


async def test_nobody_there_is_unreachable(server: ServerUnderTest) -> None:
    async with aio.Client("http://127.0.0.1:9", server.owner) as client:
        with pytest.raises(Unreachable):
            await client.call("GET", "/api/rooms", answer=RoomAnswer)
    with pytest.raises(Unreachable, match="refused"):
        await asyncio.to_thread(sync.Client("http://127.0.0.1:9").call, "GET", "/health")
    with pytest.raises(Unreachable, match="not an http address"):
        sync.Client("ftp://somewhere")


async def test_a_refused_websocket_says_why(server: ServerUnderTest) -> None:
    async with aio.Client(server.url, "nobody") as client:
        with pytest.raises(ApiProblem) as refused:
            await client.websocket("/api/daemon/ws")

    assert refused.value.code == "unauthenticated"


async def test_the_light_client_speaks_plain_dictionaries(server: ServerUnderTest) -> None:
    client = sync.Client(server.url, server.owner)

    sent = await asyncio.to_thread(client.call, "POST", "/api/messages", body={"room": "general", "content": "ü"})
    read = await asyncio.to_thread(client.call, "GET", "/api/messages", query={"room": "general", "limit": 1})
    stored = await asyncio.to_thread(client.call, "POST", "/api/artifacts", body=b"bytes", query={"name": "x.bin"})
    with pytest.raises(ApiProblem) as refused:
        await asyncio.to_thread(client.call, "GET", "/api/messages/999")

    assert read["messages"][0] == sent["message"]
    assert stored["artifact"]["size"] == 5
    assert (refused.value.code, refused.value.status) == ("not_found", 404)


async def test_the_light_stream_goes_on_after_a_restart(tmp_path: Path) -> None:
    port = free_port()
    async with start_server(tmp_path / "home", port=port) as first:
        client = sync.Client(first.url, first.owner, sleep=lambda _: None)
        stream = client.stream("/api/events", 0)
        await first.send("before")
        heard = await asyncio.to_thread(next, stream)
        while heard["kind"] != "message.created":
            heard = await asyncio.to_thread(next, stream)

    async with start_server(tmp_path / "home", port=port) as second:
        await second.send("after")
        async with asyncio.timeout(PATIENCE):
            again = await asyncio.to_thread(next, stream)
        await asyncio.to_thread(stream.close)

    assert again["data"]["content"] == "after"
    assert again["position"] == heard["position"] + 1


def test_what_is_no_answer_of_ours_is_told_as_such() -> None:
    gateway = problem_of(502, None)
    page = problem_of(404, "<html>")

    assert (gateway.code, gateway.status) == ("unavailable", 502)
    assert (page.code, page.status) == ("invalid", 404)
    assert problem_of(429, None, retry_after="7").retry_after == 7.0
    assert problem_of(429, None, retry_after="soon").retry_after is None
    assert problem_of(503, "<html>", retry_after="3600").retry_after == 60.0, "the server may be back in a minute"
