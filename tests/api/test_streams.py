"""Streams: everything once and in order, only what one may see, and an end that says so."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from pal_server.client.aio import Client
from tests.support.patience import LONG_PATIENCE, PATIENCE
from tests.support.ports import free_port
from tests.support.server import ServerUnderTest, expect, lease_of, start_server


class Reader:
    """One SSE stream; `next` gives the frames one by one."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.comments: list[str] = []

    async def next(self) -> dict[str, str] | None:
        """The next event's fields, or None at the end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            while raw := await self.response.content.readline():
                line = raw.decode().rstrip("\n")
                name, _, value = line.partition(":")
                if not line and "data" in fields:
                    return fields
                if line.startswith(":"):
                    self.comments.append(value.strip())
                elif name in ("id", "event", "data"):
                    fields[name] = value.removeprefix(" ")
        return None

    async def until(self, kind: str, **wanted: Any) -> Any:
        """The data of the next event of that kind, passing over others."""
        while (frame := await self.next()) is not None:
            event = json.loads(frame["data"])
            if frame["event"] == kind and all(event["data"].get(name) == value for name, value in wanted.items()):
                return event["data"]
        raise AssertionError(f"the stream ended before {kind}")

    async def end(self) -> None:
        while await self.next() is not None:
            pass


@asynccontextmanager
async def listening(
    server: ServerUnderTest, *, token: str | None = None, path: str = "/api/events", **headers: str
) -> AsyncIterator[Reader]:
    sent = {"Authorization": f"Bearer {token or server.owner}", "Accept": "text/event-stream", **headers}
    async with server.session.get(server.url + path, headers=sent) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield Reader(response)


async def test_a_message_is_announced_once_with_the_message_in_it(server: ServerUnderTest) -> None:
    async with listening(server) as stream:
        sent = await server.send("hello")

        frame = await stream.next()

    assert frame is not None
    event = json.loads(frame["data"])
    assert frame["event"] == event["kind"] == "message.created"
    assert int(frame["id"]) == event["position"]
    assert event["data"]["id"] == sent["message"]["id"]
    assert event["data"]["content"] == "hello"


async def test_history_then_tail_from_any_position(server: ServerUnderTest) -> None:
    for number in range(5):
        await server.send(f"message {number}")

    async with listening(server, path="/api/events?after=0") as stream:
        positions = []
        while len(positions) < 4:
            frame = await stream.next()
            assert frame is not None
            positions.append(int(frame["id"]))
    middle = str(positions[-1])
    async with listening(server, **{"Last-Event-ID": middle}) as stream:
        await server.send("the newest")
        rest = []
        while not rest or "the newest" not in rest[-1]["data"]:
            rest.append(await stream.next())

    ids = positions + [int(frame["id"]) for frame in rest]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_a_comment_says_that_history_ends(server: ServerUnderTest) -> None:
    alice = await server.user("alice")
    await server.send("shown")
    await server.room("secret", visibility="private")

    async with listening(server, token=alice, path="/api/events?after=0") as stream:
        await stream.until("message.created")
        before = list(stream.comments)
        await server.send("later")
        await stream.until("message.created", content="later")

    assert [comment.split()[0] for comment in before] == ["position"]
    assert stream.comments == [*before, "beat"]


async def test_a_stream_cut_fifty_times_has_everything_once_and_in_order(server: ServerUnderTest) -> None:
    chance = random.Random(4711)
    seen: list[str] = []
    total = 400

    async def speak() -> None:
        for number in range(total):
            await server.send(f"message {number}")

    async def hear() -> None:
        position = 0
        for _ in range(50):
            position = await hear_some(position, most=chance.randrange(1, 12))
        while len(seen) < total:
            position = await hear_some(position, most=1000)

    async def hear_some(position: int, *, most: int) -> int:
        async with listening(server, **{"Last-Event-ID": str(position)}) as stream:
            for _ in range(most):
                if len(seen) == total:
                    break
                frame = await stream.next()
                assert frame is not None
                assert int(frame["id"]) > position
                position = int(frame["id"])
                if frame["event"] == "message.created":
                    seen.append(json.loads(frame["data"])["data"]["content"])
            return position  # leaving cuts the connection, wherever the server is

    async with asyncio.timeout(LONG_PATIENCE):
        await asyncio.gather(speak(), hear())

    assert seen == [f"message {number}" for number in range(total)]


async def test_many_readers_joining_at_any_time_miss_nothing(server: ServerUnderTest) -> None:
    total = 150
    for number in range(20):
        await server.send(f"earlier {number}")

    async def speak() -> None:
        for number in range(total):
            await server.send(f"message {number}")

    async def hear(after: int) -> list[int]:
        heard: list[int] = []
        async with listening(server, path=f"/api/events?after={after}") as stream:
            while True:
                frame = await stream.next()
                assert frame is not None
                heard.append(int(frame["id"]))
                if f"message {total - 1}" in frame["data"]:
                    return heard

    async with asyncio.timeout(LONG_PATIENCE):
        _, *all_heard = await asyncio.gather(speak(), *[hear(after) for after in range(20)])

    for after, heard in enumerate(all_heard):
        assert heard == list(range(after + 1, heard[-1] + 1))


async def test_the_websocket_carries_the_same_events(server: ServerUnderTest) -> None:
    headers = {"Authorization": f"Bearer {server.owner}"}
    async with server.session.ws_connect(server.url + "/api/ws?after=0", headers=headers) as socket:
        sent = await server.send("x" * 70_000 + "ü")
        positions = []
        while True:
            event = json.loads(await socket.receive_str(timeout=PATIENCE))
            positions.append(event["position"])
            if event["kind"] == "message.created":
                break
        await socket.send_str('{"type":"ping"}')
        pong = json.loads(await socket.receive_str(timeout=PATIENCE))

    assert event["data"]["id"] == sent["message"]["id"]
    assert event["data"]["content"].endswith("xü")
    assert positions == list(range(1, len(positions) + 1))
    assert pong == {"type": "pong"}


async def test_nobody_hears_of_rooms_that_are_not_theirs(server: ServerUnderTest) -> None:
    alice = await server.user("alice")
    await server.room("secret", visibility="private")

    async with listening(server, token=alice, path="/api/events?after=0") as stream:
        await server.send("hidden", room="secret")
        await server.send("shown")
        first = await stream.until("message.created")
        await server.post("/api/rooms/secret/users", {"user": "alice"})
        await server.send("now shown", room="secret")
        second = await stream.until("message.created")

    assert first["content"] == "shown"
    assert second["content"] == "now shown"


async def test_a_token_with_fewer_rights_hears_no_more_beside_a_stream_of_its_users_own(
    server: ServerUnderTest,
) -> None:
    bob = await server.user("bob")
    expect(await server.post("/api/rooms", {"name": "secret", "visibility": "private"}, token=bob), 201)
    made = expect(await server.post("/api/tokens", {"name": "narrow", "scopes": ["role:member"]}), 201)

    async with listening(server, token=made["secret"]) as narrow, listening(server) as wide:
        await server.user("carol")  # after which everybody's rights are looked at again
        await server.post("/api/messages", {"room": "secret", "content": "hidden"}, token=bob)
        await server.send("shown")
        to_admin = [(await wide.until("message.created"))["content"] for _ in range(2)]
        to_narrow = await narrow.until("message.created")

    assert to_admin == ["hidden", "shown"]
    assert to_narrow["content"] == "shown"


async def test_a_computer_hears_of_its_agents_rooms_alone(server: ServerUnderTest) -> None:
    computer = await server.provision()
    await server.room("elsewhere")
    await server.agent("reviewer", computer=computer)

    async with listening(server, token=computer.key) as stream:
        await server.user("alice")
        await server.send("not for you", room="elsewhere")
        await server.send("for you")
        frame = await stream.next()

    assert frame is not None
    assert json.loads(frame["data"])["data"]["content"] == "for you"


async def test_a_revoked_token_ends_its_stream(server: ServerUnderTest) -> None:
    token = await server.user("alice")
    headers = {"Authorization": f"Bearer {token}"}

    async with (
        server.session.ws_connect(server.url + "/api/ws", headers=headers) as socket,
        listening(server, token=token) as stream,
    ):
        await server.revoke_tokens()
        await stream.end()
        closed = await socket.receive(timeout=PATIENCE)

    assert stream.comments[-1] == "revoked"
    assert closed.data == 1008


async def test_a_stopping_server_tells_its_streams_to_come_back(tmp_path: Any) -> None:
    async with start_server(tmp_path / "home") as server:
        session = aiohttp.ClientSession()
        headers = {"Authorization": f"Bearer {server.owner}"}
        computer = await server.provision()
        await server.connect(computer)
        socket = await session.ws_connect(server.url + "/api/ws", headers=headers)
        daemon_headers = {"Authorization": f"Bearer {computer.key}"}
        daemon = await session.ws_connect(server.url + "/api/daemon/ws", headers=daemon_headers)
        response = await session.get(server.url + "/api/events", headers=headers)
        stream = Reader(response)

    await stream.end()
    closed = await socket.receive(timeout=PATIENCE)
    said = []
    while (message := await daemon.receive(timeout=PATIENCE)).type is aiohttp.WSMsgType.TEXT:
        said.append(json.loads(message.data))
    await session.close()

    assert stream.comments[-1] == "stopping"
    assert closed.data == 1012
    assert said[-1]["type"] == "bye"
    assert said[-1]["retry"] is True
    assert message.data == 1012


async def test_a_reader_that_stands_still_is_cut_off_and_others_are_not(server: ServerUnderTest) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.app.port, limit=1024)
    writer.write(
        f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {server.owner}\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a reader's transport can be paused

    async with listening(server) as stream:
        last = 0
        for number in range(200):
            last = (await server.send(f"{number} " + "x" * 100_000))["message"]["id"]
            if not server.app.services.tailer.watching.get("sse", 0) > 1:
                break
            await stream.until("message.created")
        else:
            raise AssertionError("it was never cut off")
        heard = await stream.until("message.created", id=last)

    writer.close()
    assert heard["id"] == last


@pytest.mark.parametrize("after", ["-1", "x", "1.5", str(2**63)])
async def test_a_position_is_a_whole_number(server: ServerUnderTest, after: str) -> None:
    by_query = await server.get("/api/events", after=after)
    by_header = await server.request("GET", "/api/events", headers={"Last-Event-ID": after})

    assert by_query.status == by_header.status == 400


async def test_a_position_of_the_future_means_from_now_on(server: ServerUnderTest) -> None:
    async with listening(server, path="/api/events?after=999999") as stream:
        await server.send("hello")

        assert (await stream.until("message.created"))["content"] == "hello"


async def test_the_events_of_a_run_stream_to_its_end(server: ServerUnderTest) -> None:
    computer, claimed, opened = await server.running()
    run = opened["run"]["id"]

    async def add(first: int, *texts: str) -> None:
        events = [
            {"seq": seq, "kind": "output", "at": 1, "text": text, "data": {"n": seq}}
            for seq, text in enumerate(texts, first)
        ]
        body = {**lease_of(claimed), "events": events}
        expect(await server.post(f"/api/runs/{run}/events", body, token=computer.key), 200)

    await add(1, "a", "b")
    async with listening(server, path=f"/api/runs/{run}/events") as stream:
        await add(3, "c")
        frames = [await stream.next() for _ in range(3)]
        await add(3, "c", "d")  # what is sent again is stored once
        await server.finish(computer, claimed, opened["run"])
        frames += [await stream.next(), await stream.next()]
        assert await stream.next() is None

    texts = [json.loads(frame["data"]).get("text") for frame in frames[:-1] if frame]
    assert texts == ["a", "b", "c", "d"]
    assert [frame["id"] for frame in frames[:-1] if frame] == ["1", "2", "3", "4"]
    assert frames[-1] == {"event": "end", "data": '{"status":"succeeded"}'}
    page = await server.get(f"/api/runs/{run}/events", after=1, limit=2)
    assert [event["seq"] for event in page["events"]] == [2, 3]
    assert page["next"] == "3"


async def test_the_resuming_client_survives_a_restart_of_the_server(tmp_path: Any) -> None:
    port = free_port()
    async with start_server(tmp_path / "home", port=port) as first:
        client = Client(first.url, first.owner)
        stream = client.events(after=0)
        await first.send("before")
        heard = await anext(stream)
        while heard.kind != "message.created":
            heard = await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))

    async with start_server(tmp_path / "home", port=port) as second, client:
        await second.send("after")
        async with asyncio.timeout(PATIENCE):
            heard_after = await waiting

    assert heard_after.data["content"] == "after"
    assert heard_after.position == heard.position + 1
