"""The daemon's WebSocket: hears "look" and passes it on; answers what somebody asks who waits for it. Everything else
works without it, only slower.

Promise: whatever was said while the socket was away is looked for as soon as it is back, and once when it goes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

import aiohttp
import msgspec

from pal_daemon.bus import ApiProblem, Bus, Unreachable, is_shut_out
from pal_daemon.claims import Claims
from pal_daemon.heartbeat import Heartbeat
from pal_daemon.patience import new_pauses
from pal_server.client.aio import Client
from pal_server.contract.events import Bye, Find, Found, Look

PATH = "/api/daemon/ws"
PING_EVERY = 25.0  # seconds
SILENCE = 90.0  # seconds without a word before we hang up and come back
PROVEN = 5.0  # seconds a connection has to hold before its end is no reason to wait longer for the next

log = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Look | Find | Bye)


class SentAway(Exception):
    """The server told this daemon to go and not to come back. `code` is the word it used."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class WakeupSocket:
    """One connection at a time; `run` is its task."""

    def __init__(
        self,
        client: Client,
        bus: Bus,
        heartbeat: Heartbeat,
        claims: Claims,
        *,
        find: Callable[[Find], Awaitable[Found]],
    ) -> None:
        self._client = client
        self._bus = bus
        self._heartbeat = heartbeat
        self._claims = claims
        self._find = find

    async def run(self) -> None:
        """Connect for ever. Raises SentAway, or ApiProblem once the key is no longer good."""
        pauses = new_pauses()
        while True:
            try:
                socket = await self._client.websocket(PATH, headers=self._bus.headers)
            except (ApiProblem, Unreachable) as error:
                if is_shut_out(error):
                    raise
                log.debug("no wake-up socket: %s", error)
            else:
                began = monotonic()
                await self._stay(socket)
                if monotonic() - began > PROVEN:
                    pauses.reset()
            await asyncio.sleep(pauses.next())

    async def _stay(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._heartbeat.has_socket = True
        self._look_everywhere()
        answering: set[asyncio.Task[None]] = set()
        try:
            await self._listen(socket, answering)
        finally:
            self._heartbeat.has_socket = False
            for task in answering:
                task.cancel()
            await asyncio.gather(*answering, return_exceptions=True)
            await socket.close()
        self._look_everywhere()

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse, answering: set[asyncio.Task[None]]) -> None:
        """Pass on what comes; return when the connection is over or silent."""
        heard_at = monotonic()
        while monotonic() - heard_at < SILENCE:
            try:
                async with asyncio.timeout(min(PING_EVERY, SILENCE / 3)):
                    message = await socket.receive()
            except TimeoutError:
                try:
                    await socket.send_str('{"type":"ping"}')
                except (OSError, aiohttp.ClientError):
                    return
                continue
            heard_at = monotonic()
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            asked = self._hear(message.data)
            if asked is not None:
                task = asyncio.create_task(self._answer(socket, asked), name=f"answer {asked.ask}")
                answering.add(task)
                task.add_done_callback(answering.discard)
        log.info("the wake-up socket is silent and is opened again", extra={"action": "socket"})

    def _hear(self, text: str) -> Find | None:
        """What is asked, when something is; the rest is passed on."""
        try:
            frame = _decoder.decode(text)
        except msgspec.MsgspecError:  # a pong, or a word of a newer server
            return None
        match frame:
            case Look(what="deliveries"):
                self._claims.look()
            case Look():
                self._heartbeat.beat()
            case Bye(retry=False):
                raise SentAway(frame.code, frame.message)
            case Bye():
                log.info("the server says goodbye: %s", frame.message, extra={"action": "socket"})
            case Find():
                return frame
        return None

    async def _answer(self, socket: aiohttp.ClientWebSocketResponse, asked: Find) -> None:
        try:
            found = await self._find(asked)
        except Exception:  # an edge: a question's defect must not end the daemon
            log.exception("a question could not be answered", extra={"action": "socket"})
            found = Found(ask=asked.ask, error="the daemon failed; its log says why")
        with suppress(OSError, aiohttp.ClientError):  # the socket is gone, and who asked with it
            await socket.send_str(_encoder.encode(found).decode())

    def _look_everywhere(self) -> None:
        self._heartbeat.beat()
        self._claims.look()
