"""A person's webhook over HTTP: it is told, signed, and never a way into the server's own network."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.server import MovableClock, ServerUnderTest, expect, start_server


class Receiver:
    """Whoever listens at the address."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, str]] = []  # signature, body
        self.answer = 200
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self.server = TestServer(app, host="127.0.0.1")

    @property
    def url(self) -> str:
        return str(self.server.make_url("/hook"))

    async def _take(self, request: web.Request) -> web.Response:
        self.posts.append((request.headers["X-Pal-Signature"], await request.text()))
        return web.Response(status=self.answer, headers={"Location": self.url})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021"])
async def test_a_server_inside_the_network_is_not_reached(
    server: ServerUnderTest, receiver: Receiver, host: str
) -> None:
    alice = await server.user("alice")
    url = receiver.url.replace("127.0.0.1", host)
    expect(await server.post("/api/webhook", {"url": url}, token=alice), 200)
    await server.send("look @alice")

    await server.step("webhooks")

    assert receiver.posts == []
    found = expect(await server.get("/api/webhook", token=alice), 200)["webhook"]
    assert "inside a network" in found["error"]


async def test_it_is_told_once_it_takes_it_signed_with_its_secret(
    tmp_path: Path, clock: MovableClock, receiver: Receiver
) -> None:
    async with start_server(tmp_path / "home", clock=clock, webhook_hosts=("127.0.0.1",)) as server:
        alice = await server.user("alice")
        made = expect(await server.post("/api/webhook", {"url": receiver.url}, token=alice), 200)
        assert made["secret"] not in json.dumps(expect(await server.get("/api/webhook", token=alice), 200))
        receiver.answer = 307  # elsewhere is not gone to
        await server.send("look @alice")

        await server.step("webhooks")
        await server.step("webhooks")
        assert len(receiver.posts) == 1
        receiver.answer = 204
        clock.advance(60)
        await server.step("webhooks")
        clock.advance(3600)
        await server.step("webhooks")

        assert len(receiver.posts) == 2
        signature, body = receiver.posts[1]
        stamp, _, digest = signature.removeprefix("t=").partition(",v1=")
        mine = hmac.new(made["secret"].encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
        assert hmac.compare_digest(mine, digest)
        told = json.loads(body)
        assert (told["kind"], told["title"]) == ("mention", "look @alice")
        assert expect(await server.get("/api/webhook", token=alice), 200)["webhook"]["error"] is None
