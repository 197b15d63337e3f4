"""Whoever connects and says nothing, or stops in the middle, does not hold a connection for ever."""

import asyncio
import gzip
import json
import logging
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pal_server.api.open_files import EVERY, LEFT, OpenFiles
from tests.support.patience import PATIENCE
from tests.support.server import MovableClock, ServerUnderTest

SHORT = 0.2  # seconds; the limits in these tests


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pal_server.api.http_server.FIRST_REQUEST_WITHIN", SHORT)
    monkeypatch.setattr("pal_server.api.http_server.LINGER_FOR", SHORT)
    monkeypatch.setattr("pal_server.api.incoming.STALLED_AFTER", SHORT)


@asynccontextmanager
async def raw(server: ServerUnderTest, said: bytes) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.app.port)
    writer.write(said)
    try:
        yield reader
    finally:
        writer.close()


def head(server: ServerUnderTest, first: str, **more: str) -> bytes:
    headers = {"Host": f"127.0.0.1:{server.app.port}", "Authorization": f"Bearer {server.owner}", **more}
    lines = [first, *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """Until the server closes, which has to come."""
    return await asyncio.wait_for(reader.read(), PATIENCE)


def error_in(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])["error"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("said", [b"", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "], ids=["nothing", "half"])
async def test_a_connection_without_a_complete_head_is_closed(server: ServerUnderTest, said: bytes) -> None:
    async with raw(server, said) as reader:
        assert await all_of(reader) == b""


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("path", ["/api/rooms", "/api/artifacts?name=x.txt"])
async def test_a_body_that_stops_coming_is_refused_and_the_connection_closed(
    server: ServerUnderTest, path: str
) -> None:
    async with raw(server, head(server, f"POST {path} HTTP/1.1", Content_Length="1000") + b'{"name"') as reader:
        answer = await all_of(reader)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert "stopped coming" in error_in(answer)["message"]


@pytest.mark.usefixtures("impatient")
async def test_a_stream_with_nothing_to_tell_stays_open(server: ServerUnderTest) -> None:
    async with raw(server, head(server, "GET /api/events HTTP/1.1")) as reader:
        await asyncio.wait_for(reader.readuntil(b": position"), PATIENCE)
        async with raw(server, b"") as silent:
            await all_of(silent)  # by then the stream is older than every limit

        await server.send("still there?")

        await asyncio.wait_for(reader.readuntil(b"still there?"), PATIENCE)


@pytest.mark.parametrize(
    "sent",
    [b"not compressed at all", gzip.compress(b"{}" * 99, mtime=0)[:9] + b"\xff" * 40],
    ids=["from the start", "in the middle"],
)
async def test_a_broken_compressed_body_is_refused_without_a_traceback(
    server: ServerUnderTest, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    about = {"Content_Type": "application/json", "Content_Encoding": "gzip", "Content_Length": str(len(sent))}

    async with raw(server, head(server, "POST /api/rooms HTTP/1.1", **about) + sent) as reader:
        answer = await all_of(reader)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert error_in(answer)["message"] == "The body cannot be read: Can not decode content-encoding: gzip."
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_websocket_path_without_an_upgrade_says_what_it_is(server: ServerUnderTest) -> None:
    refused = await server.get("/api/ws")

    assert (refused.status, refused.code, refused.facts) == (400, "invalid", {"field": "Upgrade"})
    assert "Upgrade: websocket" in refused.body["error"]["message"]


async def test_running_out_of_files_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = MovableClock(0)
    files = OpenFiles(limit=lambda: 100, monotonic=lambda: clock() / 1000)

    with caplog.at_level(logging.ERROR):
        for number in (7, 99 - LEFT, 100 - LEFT, 99, 99):
            files.opened(number)
        said_at_once = len(caplog.records)
        clock.advance(EVERY)
        files.opened(99)

    assert (said_at_once, len(caplog.records)) == (1, 2)
    assert "of 100 files" in caplog.records[0].getMessage()


async def test_a_server_of_few_files_says_so(
    server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (LEFT, limit[1]))

    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            async with raw(server, head(server, "GET /health HTTP/1.1", Connection="close")) as reader:
                await all_of(reader)

    assert [getattr(record, "action", None) for record in caplog.records] == ["server.out_of_files"]
