"""A proxy between daemon and server that a test tells what goes wrong with the bytes.

It reads HTTP/1.1 well enough to know each request and each answer by name, so a test can stop exactly one of them:
before the server has it (`at="request"`) or before the daemon hears of it (`at="answer"`), do something to either side,
and then let it go or drop it. It runs in a thread of its own; every method may be called from the test's thread.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, TypeVar

from tests.support.patience import LONG_PATIENCE

T = TypeVar("T")
Side = Literal["request", "answer"]
PIECE = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class _Head:
    """A request's or an answer's first line and headers, as they came."""

    raw: bytes
    first: str
    headers: dict[str, str]

    @property
    def is_upgrade(self) -> bool:
        return self.headers.get("upgrade", "").lower() == "websocket"


@dataclass(slots=True)
class Hold:
    """One request that is stopped on its way, once. What comes after it passes."""

    pattern: re.Pattern[str]
    at: Side
    having: bytes
    loop: asyncio.AbstractEventLoop
    is_taken: bool = False
    _reached: threading.Event = field(default_factory=threading.Event)
    _decided: asyncio.Event = field(default_factory=asyncio.Event)
    _goes_on: bool = False

    def wait_reached(self, *, within: float = LONG_PATIENCE) -> None:
        """Return once it stands here."""
        assert self._reached.wait(within), f"no {self.at} of {self.pattern.pattern} came within {within:g} s"

    @property
    def is_reached(self) -> bool:
        return self._reached.is_set()

    def let_go(self) -> None:
        self._decide(True)

    def drop(self) -> None:
        """Cut the connection it came on; the other side never sees it."""
        self._decide(False)

    async def stand(self) -> bool:
        """In the proxy's loop: whether it goes on."""
        self._reached.set()
        await self._decided.wait()
        return self._goes_on

    def _decide(self, goes_on: bool) -> None:
        self._goes_on = goes_on
        self.loop.call_soon_threadsafe(self._decided.set)


@dataclass(slots=True)
class _Silence:
    """Whether the bytes of one WebSocket get lost."""

    is_on: bool = False


class _Cut(Exception):
    """This connection is over."""


class Proxy:
    """Listens on 127.0.0.1:`port`, speaks to the server at `target`. Use it as a context manager.

    `refuses_sockets`: new WebSockets get 403. `delay`: seconds each piece waits.
    """

    def __init__(self, *, port: int, target: int) -> None:
        self.port = port
        self.target = target
        self.url = f"http://127.0.0.1:{port}"
        self.refuses_sockets = False
        self.delay = 0.0
        self.seen: list[str] = []  # "POST /api/runs", in order
        self._holds: list[Hold] = []
        self._sockets: list[_Silence] = []
        self._is_silent = False
        self._connections: set[asyncio.Task[None]] = set()
        self._half_close = 0
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hold in self._holds:
            hold.drop()
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LONG_PATIENCE)
        self._loop.close()

    # What a test says

    def hold(self, request: str, *, at: Side = "request", having: bytes = b"") -> Hold:
        """Stop the next request like `"POST /api/runs"` whose body, or whose answer's body, has those bytes.

        The path is a pattern that has to match whole.
        """
        hold = Hold(re.compile(request), at, having, self._loop)
        self._holds.append(hold)
        return hold

    def forget(self) -> None:
        """Hold nothing any more; what stands goes on."""
        for hold in self._holds:
            hold.let_go()
        self._do(self._forget())

    def cut(self) -> None:
        """Every connection breaks, in the middle of whatever it carries."""
        self._do(self._cut())

    def go_away(self) -> None:
        """As a server whose computer is off: connections break, new ones are refused."""
        self._do(self._stop_listening())
        self.cut()

    def come_back(self) -> None:
        self._do(self._listen())

    def fall_silent(self) -> None:
        """As a cable that was pulled: connections stay open, no byte passes, nobody is told."""
        self._is_silent = True

    def silence_sockets(self) -> None:
        """The same for the WebSockets that are open now; all else passes."""
        self._do(self._silence_sockets())

    def half_close_next(self, count: int = 1) -> None:
        """The next answers end in the middle of their body: our side of the connection to the daemon is shut."""
        self._half_close = count

    # The way of the bytes

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        upstream: asyncio.StreamWriter | None = None
        try:
            answers, upstream = await asyncio.open_connection("127.0.0.1", self.target)
            while await self._pass_one(reader, writer, answers, upstream):
                pass
        except (_Cut, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            pass  # cut by the test
        finally:
            self._connections.discard(task)
            for side in (writer, upstream):
                if side is not None:
                    side.transport.abort()

    async def _pass_one(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        upstream: asyncio.StreamWriter,
    ) -> bool:
        """One request and its answer; whether the connection goes on."""
        request = await _read_head(reader)
        if request is None:
            return False
        name = " ".join(request.first.split()[:2])
        path = name.partition("?")[0]
        self.seen.append(path)
        body = await reader.readexactly(int(request.headers.get("content-length") or 0))
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            body += await _read_chunks(reader)
        if request.is_upgrade and self.refuses_sockets:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return False
        await self._stand(path, "request", body)
        await self._write(upstream, request.raw + body)
        answer = await _read_head(answers)
        if answer is None:
            raise _Cut
        if answer.first.split()[1] == "101":
            await self._write(writer, answer.raw)
            await self._pipe(reader, upstream, answers, writer)
            return False
        whole = await self._stand_before_answer(path, answer, answers)
        if self._half_close:
            self._half_close -= 1
            await self._half(writer, answer, answers)
        await self._write(writer, answer.raw + whole)
        if answer.headers.get("transfer-encoding", "").lower() == "chunked":
            await self._copy_chunks(answers, writer)
        elif not whole:
            await self._copy(answers, writer, int(answer.headers.get("content-length") or 0))
        return answer.headers.get("connection", "").lower() != "close"

    async def _stand_before_answer(self, path: str, answer: _Head, answers: asyncio.StreamReader) -> bytes:
        """The whole body when it had to stand here, so that the server is through with it; else nothing yet."""
        if not any(hold.at == "answer" and hold.pattern.fullmatch(path) for hold in self._holds if not hold.is_taken):
            return b""
        whole = await answers.readexactly(int(answer.headers.get("content-length") or 0))
        await self._stand(path, "answer", whole)
        return whole

    async def _half(self, writer: asyncio.StreamWriter, answer: _Head, answers: asyncio.StreamReader) -> None:
        length = int(answer.headers.get("content-length") or 0)
        writer.write(answer.raw + await answers.readexactly(length // 2))
        writer.write_eof()
        await asyncio.sleep(0.5)  # one half stays open for a while, as routers do
        raise _Cut

    async def _pipe(
        self,
        reader: asyncio.StreamReader,
        upstream: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        silence = _Silence()
        self._sockets.append(silence)
        ways = [
            asyncio.create_task(self._copy(reader, upstream, None, silence)),
            asyncio.create_task(self._copy(answers, writer, None, silence)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _copy(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        length: int | None,
        silence: _Silence | None = None,
    ) -> None:
        """`length` bytes, or all there are."""
        left = length
        while left is None or left > 0:
            piece = await source.read(PIECE if left is None else min(left, PIECE))
            if not piece:
                if left is None:
                    return
                raise _Cut
            if silence is not None and silence.is_on:
                continue
            await self._write(target, piece)
            left = None if left is None else left - len(piece)

    async def _copy_chunks(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while True:
            size = await source.readuntil(b"\r\n")
            length = int(size.split(b";")[0], 16)
            await self._write(target, size + await source.readexactly(length + 2))
            if not length:
                return

    async def _write(self, target: asyncio.StreamWriter, data: bytes) -> None:
        if self._is_silent:
            await asyncio.get_running_loop().create_future()  # until the connection is cut
        if self.delay:
            await asyncio.sleep(self.delay)
        target.write(data)
        await target.drain()

    async def _stand(self, path: str, at: Side, body: bytes) -> None:
        for hold in self._holds:
            if not hold.is_taken and hold.at == at and hold.pattern.fullmatch(path) and hold.having in body:
                hold.is_taken = True
                if not await hold.stand():
                    raise _Cut

    # Its life, in its loop

    async def _silence_sockets(self) -> None:
        for socket in self._sockets:
            socket.is_on = True

    async def _forget(self) -> None:
        self._holds.clear()

    async def _listen(self) -> None:
        self._is_silent = False
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 20)

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _cut(self) -> None:
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _close(self) -> None:
        await self._stop_listening()
        await self._cut()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(LONG_PATIENCE)


async def _read_head(reader: asyncio.StreamReader) -> _Head | None:
    """None when the other side has hung up between two."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        raw = await reader.readuntil(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        return _Head(raw, first, {name.strip().lower(): value.strip() for name, _, value in pairs})
    return None


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    whole = b""
    while True:
        size = await reader.readuntil(b"\r\n")
        length = int(size.split(b";")[0], 16)
        whole += size + await reader.readexactly(length + 2)
        if not length:
            return whole
