"""How events leave the server: as SSE or over a WebSocket, written straight to the transport.

aiohttp's own writers make a task switch and a copy for each message and reader. Here frames are made once for all
readers; aiohttp still does the beginning (headers, handshake) and the end.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from aiohttp import HttpVersion11, web
from aiohttp.web_request import BaseRequest

from pal_server.api.stream import BEHIND
from pal_server.storage.store import Event

RETRY = 1000  # milliseconds a browser waits before it comes back


class _Transport:
    """The part of a door that both kinds share."""

    def __init__(self, http: BaseRequest) -> None:
        transport = http.transport
        if transport is None:
            raise ConnectionResetError("the reader is gone")
        self._transport = cast(asyncio.WriteTransport, transport)  # aiohttp types it as the base class
        self._http = http

    def write(self, frames: bytes, /) -> bool:
        transport = self._transport
        if transport.is_closing():
            return False
        if transport.get_write_buffer_size() > BEHIND:
            transport.abort()
            return False
        transport.write(frames)
        return True

    async def drain(self) -> None:
        await self._http.writer.drain()

    def cut(self) -> None:
        self._transport.abort()


class SseDoor(_Transport):
    """Server-sent events. Over HTTP/1.0, as some proxies speak it, without chunks."""

    def __init__(self, http: BaseRequest, response: web.StreamResponse) -> None:
        super().__init__(http)
        self._response = response
        self._is_chunked = http.version >= HttpVersion11
        self.kind = "sse" if self._is_chunked else "sse-unframed"

    @classmethod
    async def open(
        cls, http: BaseRequest, *, headers: dict[str, str], first: str, position: int | None = None
    ) -> "SseDoor":
        """Send the head and a comment, so that the reader knows the stream is there.

        With `position` also an id without an event: a browser that is cut before its first event comes back to it.
        """
        response = web.StreamResponse(
            headers={**headers, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
        )
        response.force_close()
        await response.prepare(http)
        begin = "" if position is None else f"id: {position}\n"
        await response.write(f": {first}\n{begin}retry: {RETRY}\n\n".encode())
        return cls(http, response)

    @property
    def response(self) -> web.StreamResponse:
        return self._response

    def encode(self, texts: Sequence[tuple[Event, bytes]], /) -> bytes:
        return self.frame(
            b"".join(
                b"id: %d\nevent: %b\ndata: %b\n\n" % (event.position, event.kind.encode(), text)
                for event, text in texts
            )
        )

    def frame(self, content: bytes, /) -> bytes:
        return b"%x\r\n%b\r\n" % (len(content), content) if self._is_chunked else content

    def beat(self) -> bool:
        return self.write(self.frame(b": beat\n\n"))

    async def end(self, last: bytes, /) -> web.StreamResponse:
        """Say `last` and close in good order."""
        if last and self.write(self.frame(last)):
            with suppress(ConnectionError):  # the reader went first
                await self._response.write_eof()
        return self._response


class WebSocketDoor(_Transport):
    """Events as text frames. Pings are aiohttp's, which also finds out that a reader is gone."""

    kind = "ws"

    def __init__(self, http: BaseRequest, socket: web.WebSocketResponse) -> None:
        super().__init__(http)
        self.socket = socket

    def encode(self, texts: Sequence[tuple[Event, bytes]], /) -> bytes:
        return b"".join(text_frame(text) for _, text in texts)

    def beat(self) -> bool:
        return not self._transport.is_closing()


def text_frame(text: bytes, /) -> bytes:
    """One unfragmented, unmasked text frame of RFC 6455."""
    size = len(text)
    if size < 126:
        return b"\x81%c%b" % (size, text)
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text
