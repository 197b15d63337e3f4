"""The sockets of one bot in Stream mode: each opened by us, its frames read by us, answered by the SDK.

Robot messages are pushed once and never again, so no moment without a socket is given away: one that is announced to
end, or that has been silent for long, is replaced by a new one before it goes, and after a cut the next is opened at
once. What was pushed outlives the socket that brought it until it is stored.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote_plus

from pal_server.bridges.platform import Dropped, Ears

from . import sdk
from .hosts import proxy_for
from .web import Failed, Web

if TYPE_CHECKING:
    from dingtalk_stream import DingTalkStreamClient
    from websockets.asyncio.client import ClientConnection

Json = dict[str, Any]

MOST_FRAME = 4 << 20  # bytes
MOST_WAITING = 1_000  # messages that are not stored yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds."""

    ping: float = 10.0  # between pings, and for the pong: a frozen peer is found out after twice as long
    connect: float = 10.0  # until a socket is open
    lived: float = 5.0  # a socket that ended sooner is not replaced at once
    quiet: float = 900.0  # without a message, until the socket is replaced: it may be deaf
    drain: float = 10.0  # in which a socket that was replaced may still bring something
    again: float = 1.0  # until what was not stored is tried again, doubled up to `again_most`
    again_most: float = 15.0
    message: float = 3_600.0  # for how long a message is tried to be stored
    press: float = 30.0  # the same of a press, which would surprise if it counted later
    finish: float = 0.4  # for what is being stored when the bot ends


class Line:
    """One open socket and the SDK's client that answers on it."""

    def __init__(self, ws: ClientConnection, sdk: DingTalkStreamClient, *, now: float) -> None:
        self.ws = ws
        self.sdk = sdk
        self.opened_at = now
        self.heard_at = now
        self.is_announced = False  # DingTalk said that it ends
        self.changed = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    @property
    def is_cut(self) -> bool:
        return any(task.done() for task in self.tasks)

    async def close(self, *, within: float) -> None:
        """With a word of farewell where the other side still listens."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(within):
                await self.ws.close()
        except TimeoutError:
            self.ws.transport.abort()


class Socket:
    """`take` gets (topic, data) of what DingTalk pushes and gives the code and body of the acknowledgement."""

    def __init__(self, *, web: Web, take: sdk.Take, log: logging.Logger, patience: Patience) -> None:
        self._web = web
        self._take = take
        self._log = log
        self._quiet_log = logging.getLogger(f"{log.name}.sdk")
        self._quiet_log.setLevel(logging.ERROR)  # below that it logs tickets and what people say
        self._quiet_log.filters = list(log.filters)
        self._patience = patience
        self._lines: set[Line] = set()
        self._drains: set[asyncio.Task[None]] = set()
        self._taking: set[asyncio.Task[None]] = set()
        self._ears: Ears | None = None

    async def run(self, ears: Ears) -> NoReturn:
        """Until cancelled. Raises Dropped and BadCredentials; leaves no task and no socket."""
        self._ears = ears
        try:
            line = await self._open()
            ears.up()
            while True:
                line = await self._next(line, ears)
        finally:
            await self._close()

    async def _next(self, line: Line, ears: Ears) -> Line:
        """The socket that is to be listened on from now on: the same while it is well."""
        loop = asyncio.get_running_loop()
        try:
            quiet = line.heard_at + self._patience.quiet - loop.time()
            async with asyncio.timeout(max(quiet, 0.0)):
                await line.changed.wait()
        except TimeoutError:
            self._log.info("nothing was heard for long: another socket takes this one's place")
        line.changed.clear()
        if not line.is_cut:
            return await self._replaced(line)
        await self._end(line)
        if loop.time() - line.opened_at < self._patience.lived:
            raise Dropped("DingTalk closes the socket as soon as it is open")
        ears.down("the socket is gone, another is on its way")
        fresh = await self._open()
        ears.up(detail="connected again")
        return fresh

    async def _replaced(self, line: Line) -> Line:
        """A new socket in front of one that still works; where none is to be had, the old one goes on."""
        try:
            fresh = await self._open()
        except Dropped as dropped:
            self._log.warning("no other socket is to be had yet: %s", dropped)
            line.heard_at = asyncio.get_running_loop().time() - self._patience.quiet + self._patience.again
            return line
        drain = asyncio.create_task(self._drain(line), name="dingtalk: drain")
        self._drains.add(drain)
        drain.add_done_callback(self._drains.discard)
        return fresh

    async def _drain(self, line: Line) -> None:
        await asyncio.wait(line.tasks, timeout=self._patience.drain, return_when=asyncio.FIRST_COMPLETED)
        await self._end(line)

    async def _open(self) -> Line:
        """A ticket, and a socket for it. Raises Dropped, or BadCredentials for an app DingTalk will not have."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        client = sdk.client(client_id=self._web.client_id, take=self._take, log=self._quiet_log)
        try:
            told = await self._web.ticket(sdk.subscriptions(client), agent=sdk.agent())
            endpoint, ticket = str(told["endpoint"]), str(told["ticket"])
        except Failed as failed:
            raise failed.for_listening() from failed
        except KeyError as odd:
            raise Dropped("DingTalk gave no ticket for a socket") from odd
        if not self._web.hosts.socket(endpoint):
            raise Dropped("DingTalk named a socket that is not encrypted")
        uri = f"{endpoint}?ticket={quote_plus(ticket)}"
        try:
            ws = await connect(
                uri,
                proxy=proxy_for(endpoint),
                open_timeout=self._patience.connect,
                close_timeout=self._patience.finish,
                ping_interval=None,  # pinged below, where a pong can be told of
                max_size=MOST_FRAME,
                logger=self._quiet_log,
            )
        except (OSError, TimeoutError, WebSocketException) as broken:
            raise Dropped(f"the socket DingTalk named does not open: {type(broken).__name__}") from None
        return self._begun(ws, client)

    def _begun(self, ws: ClientConnection, client: DingTalkStreamClient) -> Line:
        line = Line(ws, client, now=asyncio.get_running_loop().time())
        client.websocket = ws
        for work, name in ((self._read(line), "dingtalk: read"), (self._ping(line), "dingtalk: ping")):
            task = asyncio.create_task(work, name=name)
            task.add_done_callback(lambda _: line.changed.set())
            line.tasks.append(task)
        self._lines.add(line)
        return line

    async def _read(self, line: Line) -> None:
        """Until the socket ends."""
        from websockets.exceptions import ConnectionClosed

        try:
            async for raw in line.ws:
                if self._ears is not None:
                    self._ears.alive()
                await self._frame(line, raw)
        except ConnectionClosed:
            return

    async def _frame(self, line: Line, raw: str | bytes) -> None:
        try:
            frame = json.loads(raw)
            kind = frame["type"]
        except (ValueError, KeyError, TypeError):
            self._log.warning("DingTalk sent a frame that is none")
            return
        if kind == "SYSTEM":
            await self._route(line, frame)
            return
        line.heard_at = asyncio.get_running_loop().time()
        if len(self._taking) >= MOST_WAITING:
            self._log.error("a message is lost: %d others are not stored yet", len(self._taking))
            if self._ears is not None:
                self._ears.lost(f"a message is lost: {len(self._taking)} before it are not stored yet")
            return
        task = asyncio.create_task(self._route(line, frame), name="dingtalk: take")
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)

    async def _route(self, line: Line, frame: Json) -> None:
        """The SDK's part: find who takes it, and acknowledge. Its own task for this hides every error."""
        from websockets.exceptions import ConnectionClosed

        try:
            if await line.sdk.route_message(frame) == sdk.DISCONNECT:
                line.is_announced = True
                line.changed.set()
        except ConnectionClosed:
            self._log.info("what was pushed is taken; the socket it came on is gone, so it is not acknowledged")
        except (ValueError, KeyError, TypeError, AttributeError):
            self._log.exception("DingTalk sent a frame of no shape that is known")

    async def _ping(self, line: Line) -> None:
        """Until no pong comes: a peer that froze keeps its connection open."""
        from websockets.exceptions import ConnectionClosed

        while True:
            await asyncio.sleep(self._patience.ping)
            try:
                async with asyncio.timeout(self._patience.ping):
                    await (await line.ws.ping())
            except (ConnectionClosed, TimeoutError):
                return
            if self._ears is not None:
                self._ears.alive()

    async def _end(self, line: Line) -> None:
        self._lines.discard(line)
        await line.close(within=self._patience.finish)

    async def _close(self) -> None:
        """What is being stored gets a moment; then everything ends. DingTalk tells none of it again."""
        if self._taking:
            await asyncio.wait(self._taking, timeout=self._patience.finish)
        lost = len(self._taking)
        for task in (*self._taking, *self._drains):
            task.cancel()
        await asyncio.gather(*self._taking, *self._drains, return_exceptions=True)
        await asyncio.gather(*(self._end(line) for line in [*self._lines]), return_exceptions=True)
        if lost:
            self._log.error("%d messages are lost: they were pushed and could not be stored before the end", lost)
