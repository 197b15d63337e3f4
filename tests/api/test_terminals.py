"""Terminals over HTTP and WebSockets: one daemon, several viewers, and what happens when either goes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from pal_server.api import terminal_typeahead, terminal_watching
from pal_server.api.terminal_relay import RING, Ring
from tests.support.patience import PATIENCE
from tests.support.server import ProvisionedComputer, ServerUnderTest, expect

BINARY, TEXT = aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT


class Screen:
    """One end of a terminal's socket: its text frames, and its bytes joined."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.seen = b""

    async def frame(self, *, of: str) -> Any:
        """The next text frame of that type; bytes before it are kept."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.socket.receive()
                if message.type is BINARY:
                    self.seen += message.data
                    continue
                assert message.type is TEXT, f"{message.type} {self.socket.close_code} while waiting for {of}"
                frame = json.loads(message.data)
                if frame["type"] == of:
                    return frame

    async def bytes(self, count: int) -> bytes:
        """Everything seen, once it is so many bytes."""
        async with asyncio.timeout(PATIENCE):
            while len(self.seen) < count:
                message = await self.socket.receive()
                assert message.type in (BINARY, TEXT), f"{message.type} {self.socket.close_code}"
                if message.type is BINARY:
                    self.seen += message.data
        return self.seen

    async def say(self, **frame: Any) -> None:
        await self.socket.send_str(json.dumps(frame))


@asynccontextmanager
async def joined(
    server: ServerUnderTest, path: str, *, token: str | None = None, headers: dict[str, str] | None = None
) -> AsyncIterator[Screen]:
    sent = {"Authorization": f"Bearer {token or server.owner}", **(headers or {})}
    async with server.session.ws_connect(server.url + path, headers=sent, max_msg_size=0) as socket:
        yield Screen(socket)


def watching(server: ServerUnderTest, id: str, *, token: str | None = None, after: int | None = None) -> Any:
    return joined(server, f"/api/terminals/{id}/ws{'' if after is None else f'?from={after}'}", token=token)


@asynccontextmanager
async def serving(
    server: ServerUnderTest, computer: ProvisionedComputer, id: str, *, at: int = 0
) -> AsyncIterator[Screen]:
    """A daemon that has the terminal, from position `at` on."""
    async with joined(server, f"/api/daemon/terminals/{id}/ws", token=computer.key) as daemon:
        await daemon.frame(of="begin")
        await daemon.say(type="replay", **{"from": at}, folder="/work")
        await daemon.frame(of="resize")
        yield daemon


async def told(screen: Screen, reason: str | None) -> None:
    """Until the viewer is told this of the terminal's state."""
    while (await screen.frame(of="state"))["reason"] != reason:
        pass


async def opened(server: ServerUnderTest, **more: Any) -> tuple[ProvisionedComputer, str]:
    computer = await server.provision()
    await server.connect(computer)
    body = {"room": "general", "kind": "shell", "cols": 80, "rows": 24, **more}
    terminal = expect(await server.post("/api/terminals", body), 201)["terminal"]
    assert terminal["state"] == "opening"
    return computer, terminal["id"]


async def state_of(server: ServerUnderTest, id: str) -> str:
    return str(expect(await server.get(f"/api/terminals/{id}"), 200)["terminal"]["state"])


async def test_two_viewers_see_the_same_and_who_comes_later_sees_what_was(server: ServerUnderTest) -> None:
    computer, id = await opened(server)

    async with watching(server, id) as early, serving(server, computer, id) as daemon:
        hello = await early.frame(of="hello")
        await daemon.socket.send_bytes(b"$ echo ")
        await daemon.socket.send_bytes(b"hi\r\n")
        first = await early.bytes(11)
        async with watching(server, id) as late, watching(server, id, after=7) as resumed:
            shown = await late.frame(of="hello")
            assert (shown["from"], (await resumed.frame(of="hello"))["from"]) == (0, 7)
            assert await late.bytes(11) == first == b"$ echo hi\r\n"
            assert await resumed.bytes(4) == b"hi\r\n"

    assert (hello["may_type"], hello["cols"], hello["rows"], hello["from"]) == (True, 80, 24, 0)
    assert shown["terminal"]["state"] == "open"


async def test_what_is_typed_and_resized_goes_to_the_daemon_and_the_size_to_all(server: ServerUnderTest) -> None:
    computer, id = await opened(server)

    async with watching(server, id) as one, watching(server, id) as other, serving(server, computer, id) as daemon:
        for screen in (one, other):
            await screen.frame(of="hello")
        assert (await one.frame(of="state"))["state"] == "open"
        await one.socket.send_bytes(b"ls\r")
        typed = await daemon.bytes(3)
        await one.say(type="resize", cols=120, rows=40)
        sized = await daemon.frame(of="resize")
        told = await other.frame(of="size")
        await one.say(type="resize", cols=0, rows=40)  # nonsense is forgotten
        await one.socket.send_bytes(b"x")
        await daemon.bytes(4)

    assert typed == b"ls\r"
    assert (sized["cols"], sized["rows"]) == (told["cols"], told["rows"]) == (120, 40)
    assert expect(await server.get(f"/api/terminals/{id}"), 200)["terminal"]["cols"] == 120


async def test_what_is_typed_while_it_opens_or_its_computer_is_away_waits_and_comes_in_order(
    server: ServerUnderTest,
) -> None:
    computer, id = await opened(server)

    async with watching(server, id) as screen:
        await screen.frame(of="hello")
        for key in (b"l", b"s", b"\r"):
            await screen.socket.send_bytes(key)
        async with joined(server, f"/api/daemon/terminals/{id}/ws", token=computer.key) as daemon:
            await daemon.frame(of="begin")
            await screen.socket.send_bytes(b"pwd\r")  # the daemon has dialled, and not said yet what it has
            await daemon.say(type="replay", **{"from": 0})
            await daemon.frame(of="resize")
            before = await daemon.bytes(7)
        await told(screen, terminal_watching.AWAY)
        await screen.socket.send_bytes(b"id\r")
        async with serving(server, computer, id) as daemon:
            after = await daemon.bytes(3)
            await told(screen, None)

    assert (before, after) == (b"ls\rpwd\r", b"id\r")


@pytest.mark.parametrize(("name", "value"), [("KEPT_FOR", -1.0), ("LIMIT", 2)])
async def test_what_waits_too_long_or_is_too_much_is_dropped_whole_and_who_typed_it_is_told(
    server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch, name: str, value: float
) -> None:
    computer, id = await opened(server)
    monkeypatch.setattr(terminal_typeahead, name, value)

    async with watching(server, id) as screen:
        await screen.frame(of="hello")
        await screen.socket.send_bytes(b"rm -rf /tmp/x")
        await told(screen, terminal_watching.NOT_KEPT)
        await screen.socket.send_bytes(b"/y\r")  # its end alone is nothing to carry out
        await screen.say(type="resize", cols=100, rows=30)
        await screen.frame(of="size")  # it is read by now
        monkeypatch.undo()
        async with serving(server, computer, id) as daemon:
            await screen.frame(of="state")
            await screen.socket.send_bytes(b"ls\r")
            assert await daemon.bytes(3) == b"ls\r"
            await told(screen, None)


async def test_who_types_over_two_connections_knows_what_was_taken_and_is_heard_over_the_newer(
    server: ServerUnderTest,
) -> None:
    computer, id = await opened(server)
    path = f"/api/terminals/{id}/ws?typist="

    async with serving(server, computer, id) as daemon, joined(server, path + "us") as first:
        unknown = (await first.frame(of="hello"))["typed"]
        await first.socket.send_bytes(b"ls\r")
        taken = (await first.frame(of="typed"))["bytes"]
        async with joined(server, path + "us") as again, joined(server, path + "them") as other:
            known, stranger = [(await one.frame(of="hello"))["typed"] for one in (again, other)]
            await first.socket.send_bytes(b"rm\r")  # what comes late over the one before is said again over the newer
            async with asyncio.timeout(PATIENCE):
                while not first.socket.closed:
                    await first.socket.receive()
            await again.socket.send_bytes(b"pwd\r")
            more = (await again.frame(of="typed"))["bytes"]
            typed = await daemon.bytes(7)

    assert (unknown, taken, known, stranger, more) == (None, 3, 3, None, 7)
    assert typed == b"ls\rpwd\r"


async def test_what_waits_for_a_computer_is_taken_when_that_hears_it(server: ServerUnderTest) -> None:
    computer, id = await opened(server)

    async with joined(server, f"/api/terminals/{id}/ws?typist=us") as first:
        await first.frame(of="hello")
        await first.socket.send_bytes(b"ls\r")
        await first.say(type="resize", cols=100, rows=30)
        await first.frame(of="size")  # it is read by now
        async with joined(server, f"/api/terminals/{id}/ws?typist=us") as again:
            known = (await again.frame(of="hello"))["typed"]
            await again.socket.send_bytes(b"ls\r")  # once more, as none of it was taken
            async with serving(server, computer, id) as daemon:
                await again.frame(of="typed")
                await again.socket.send_bytes(b"id\r")
                assert await daemon.bytes(6) == b"ls\rid\r"

    assert known == 0


async def test_a_viewer_by_role_watches_and_is_heard_by_nobody(server: ServerUnderTest) -> None:
    computer, id = await opened(server)
    reader = await server.user("reader", role="viewer")

    async with serving(server, computer, id) as daemon, watching(server, id, token=reader) as screen:
        hello = await screen.frame(of="hello")
        await screen.socket.send_bytes(b"rm -rf /\r")
        await screen.say(type="resize", cols=10, rows=10)
        refused = await screen.frame(of="state")
        async with watching(server, id) as driver:
            await driver.frame(of="hello")
            await driver.socket.send_bytes(b"id\r")
            typed = await daemon.bytes(3)

    assert hello["may_type"] is False
    assert "not type" in refused["reason"]
    assert typed == b"id\r"
    assert (await server.post("/api/terminals", {"room": "general"}, token=reader)).status == 403
    assert (await server.post(f"/api/terminals/{id}/close", token=reader)).status == 403


async def test_the_end_comes_after_the_last_byte_and_is_stored(server: ServerUnderTest) -> None:
    computer, id = await opened(server)

    async with watching(server, id) as screen:
        async with serving(server, computer, id) as daemon:
            await daemon.socket.send_bytes(b"bye")
            await daemon.say(type="end", exit=3)
            await daemon.frame(of="noted")
        closed = await screen.frame(of="closed")

    assert screen.seen == b"bye"
    assert closed["exit"] == 3
    assert await state_of(server, id) == "closed"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with serving(server, computer, id):
            pass
    assert refused.value.status == 409


async def test_a_viewer_of_what_has_ended_is_told_so(server: ServerUnderTest) -> None:
    computer, id = await opened(server)
    async with serving(server, computer, id) as daemon:
        await daemon.say(type="end", exit=0)
        await daemon.frame(of="noted")

    async with watching(server, id) as screen:
        assert (await screen.frame(of="hello"))["terminal"]["state"] == "closed"
        assert (await screen.frame(of="closed"))["exit"] == 0


async def test_a_daemon_that_comes_back_goes_on_where_it_was(server: ServerUnderTest) -> None:
    computer, id = await opened(server)

    async with watching(server, id) as screen:
        async with serving(server, computer, id) as daemon:
            await daemon.socket.send_bytes(b"before ")
            await screen.bytes(7)
        away = await screen.frame(of="state")
        while away["reason"] is None:
            away = await screen.frame(of="state")
        async with joined(server, f"/api/daemon/terminals/{id}/ws", token=computer.key) as daemon:
            begin = await daemon.frame(of="begin")
            await daemon.say(type="replay", **{"from": 7})
            await daemon.socket.send_bytes(b"after")
            assert await screen.bytes(12) == b"before after"

    assert "away" in away["reason"]
    assert begin["from"] == 7


async def test_a_server_that_knows_nothing_gets_it_from_the_daemon_and_tells_viewers_where_it_begins(
    server: ServerUnderTest,
) -> None:
    computer, id = await opened(server)

    async with watching(server, id) as screen:
        assert (await screen.frame(of="hello"))["from"] == 0
        async with serving(server, computer, id, at=5000) as daemon:
            await daemon.socket.send_bytes(b"tail")
            again = await screen.frame(of="hello")
            assert await screen.bytes(4) == b"tail"

    assert again["from"] == 5000


async def test_the_newest_daemon_of_a_computer_has_the_terminal(server: ServerUnderTest) -> None:
    computer, id = await opened(server)

    async with (
        serving(server, computer, id) as before,
        serving(server, computer, id) as now,
        watching(server, id) as screen,
    ):
        async with asyncio.timeout(PATIENCE):
            while not before.socket.closed:
                await before.socket.receive()
        await screen.frame(of="hello")
        await screen.socket.send_bytes(b"x")
        assert await now.bytes(1) == b"x"


async def test_more_than_is_kept_is_shown_from_where_it_is_kept(server: ServerUnderTest) -> None:
    computer, id = await opened(server)
    part, parts = bytes(range(256)) * 256, RING // 65536 + 3

    async with serving(server, computer, id) as daemon, watching(server, id) as live:
        await live.frame(of="hello")
        for _ in range(parts):
            await daemon.socket.send_bytes(part)
        await daemon.socket.send_bytes(b"end")
        async with asyncio.timeout(PATIENCE):
            while not live.seen.endswith(b"end"):  # whatever it was told in between
                message = await live.socket.receive()
                live.seen += message.data if message.type is BINARY else b""
        async with watching(server, id) as late:
            hello = await late.frame(of="hello")
            shown = await late.bytes(RING)

    assert hello["from"] == parts * 65536 + 3 - RING
    assert shown == (part * parts + b"end")[-RING:]


async def test_a_socket_is_for_those_who_see_the_room_from_this_site_alone(server: ServerUnderTest) -> None:
    await server.room("secret", visibility="private")
    computer, id = await opened(server, room="secret")
    other = await server.provision("other")
    member = await server.user()

    for path, token, headers, status in (
        (f"/api/terminals/{id}/ws", member, {}, 404),
        (f"/api/terminals/{id}/ws", None, {"Origin": "http://evil.example"}, 403),
        (f"/api/terminals/{id}/ws", computer.key, {}, 403),
        (f"/api/daemon/terminals/{id}/ws", other.key, {}, 404),
        (f"/api/daemon/terminals/{id}/ws", None, {}, 403),
        ("/api/terminals/term_missing/ws", None, {}, 404),
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with joined(server, path, token=token, headers=headers):
                pass
        assert refused.value.status == status


async def test_a_revoked_token_stops_watching(server: ServerUnderTest) -> None:
    computer, id = await opened(server)
    token = await server.user()

    async with serving(server, computer, id), watching(server, id, token=token) as screen:
        await screen.frame(of="hello")
        await server.revoke_tokens()
        async with asyncio.timeout(PATIENCE):
            while not screen.socket.closed:
                await screen.socket.receive()

    assert screen.socket.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_a_revoked_viewer_who_reads_nothing_types_nothing(
    server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    computer, id = await opened(server)
    token = await server.user("driver")
    send, is_held = web.WebSocketResponse.send_bytes, asyncio.Event()

    async def held_up(response: web.WebSocketResponse, data: bytes, **more: Any) -> None:
        if len(data) > 100:
            is_held.set()
            await asyncio.Event().wait()
        await send(response, data, **more)

    async with serving(server, computer, id) as daemon, watching(server, id, token=token) as gone:
        await gone.frame(of="hello")
        monkeypatch.setattr(web.WebSocketResponse, "send_bytes", held_up)
        await daemon.socket.send_bytes(b"x" * 200)
        async with asyncio.timeout(PATIENCE):
            await is_held.wait()
        await server.revoke_tokens()
        await gone.socket.send_bytes(b"rm -rf /\r")
        closed = await gone.socket.receive(timeout=PATIENCE)
        async with watching(server, id) as driver:
            await driver.frame(of="hello")
            await driver.socket.send_bytes(b"ls")
            typed = await daemon.bytes(2)

    assert closed.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert typed == b"ls"


async def test_what_nobody_uses_is_closed_by_the_clock(server: ServerUnderTest) -> None:
    computer, id = await opened(server)
    async with serving(server, computer, id):
        async with watching(server, id) as screen:
            await screen.frame(of="hello")
            if await state_of(server, id) != "open":
                await screen.frame(of="state")
        server.clock.advance(31 * 60)
        await server.connect(computer)
        await server.step("terminal_reaper")

    beat = await server.post(f"/api/computers/{computer.id}/heartbeat", {}, token=computer.key)
    assert await state_of(server, id) == "closing"
    assert [order["kind"] for order in beat["commands"]] == ["terminal_open", "terminal_close"]


def test_a_ring_keeps_the_newest_bytes_by_position() -> None:
    ring = Ring(limit=8)
    ring.add(b"abcdef")
    ring.add(b"ghij")
    ring.restart(8)  # somebody repeats the end
    ring.add(b"IJ")

    assert (ring.start, ring.end) == (2, 10)
    assert ring.read(2, 100) == b"cdefghIJ"
    assert ring.read(9, 1) == b"J"
    ring.restart(100)
    assert (ring.start, ring.end) == (100, 100)
