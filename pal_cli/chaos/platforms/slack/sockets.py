"""Socket Mode: tickets, sockets, envelopes, the three seconds an answer may take, and repeats."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from pal_cli.chaos.platforms.slack.world import App, World

Json = dict[str, Any]

ACK_WITHIN = 3.0  # seconds
REPEATS = (0.2, 60.0, 300.0)  # seconds until each repeat of an event nobody acknowledged
TICKET_LIVES = 30.0  # seconds
MOST_SOCKETS = 10


@dataclass(eq=False)
class Socket:
    ws: web.WebSocketResponse
    request: web.Request
    number: int
    is_frozen: bool = False  # answers nothing, not even pings, and keeps the connection
    is_deaf: bool = False  # answers pings, and passes nothing on


@dataclass
class Envelope:
    """One event, interaction or command on its way to one app."""

    app: str
    kind: str
    payload: Json
    attempt: int = 0
    ids: list[str] = field(default_factory=list)
    sent_at: float = 0.0
    acked_after: float | None = None  # seconds after it was sent
    answer: Json | None = None  # what came along with the acknowledgement
    late_acks: int = 0  # after three seconds, which count for nothing
    state: str = "sent"  # sent | acked | lost

    def shown(self) -> Json:
        return {
            "app": self.app,
            "type": self.kind,
            "payload": self.payload,
            "attempts": self.attempt + 1,
            "ids": self.ids,
            "acked_after": self.acked_after,
            "answer": self.answer,
            "late_acks": self.late_acks,
            "state": self.state,
        }


class Line:
    """Everything between one app and its sockets, with what a test breaks of it."""

    def __init__(self, app: App, world: World) -> None:
        self._app = app
        self._world = world
        self.tickets: dict[str, float] = {}  # good until
        self.sockets: list[Socket] = []
        self.envelopes: list[Envelope] = []
        self._by_id: dict[str, Envelope] = {}
        self.opened = 0  # sockets ever
        self.lose_acks = 0  # of the next ones, as if they had not come
        self.is_refusing = False  # new sockets, after their ticket was given
        self.held: list[Envelope] | None = None  # a list while a test holds them back
        self._next = 0

    # Opening

    def ticket(self) -> str:
        ticket = uuid.uuid4().hex
        self.tickets[ticket] = self._world.clock.now() + TICKET_LIVES
        return ticket

    def redeem(self, ticket: str) -> bool:
        return self.tickets.pop(ticket, 0.0) > self._world.clock.now()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(autoping=False, max_msg_size=0)
        await ws.prepare(request)
        self.opened += 1
        socket = Socket(ws, request, self.opened)
        self.sockets.append(socket)
        await ws.send_json(
            {
                "type": "hello",
                "num_connections": len(self.sockets),
                "debug_info": {"host": "loopback", "build_number": 1, "approximate_connection_time": 18060},
                "connection_info": {"app_id": self._app.id},
            }
        )
        self._world.note()
        try:
            async for message in ws:
                await self._heard(socket, message)
        finally:
            self.sockets.remove(socket)
            self._world.note()
        return ws

    async def _heard(self, socket: Socket, message: Any) -> None:
        if socket.is_frozen:
            return
        if message.type == WSMsgType.PING:
            await socket.ws.pong(message.data)
        elif message.type == WSMsgType.TEXT:
            self._acked(json.loads(message.data))

    def _acked(self, said: Json) -> None:
        envelope = self._by_id.get(str(said.get("envelope_id")))
        if envelope is None or envelope.state == "acked":
            return
        if self.lose_acks:
            self.lose_acks -= 1
            return
        after = round(self._world.clock.now() - envelope.sent_at, 4)
        if after > ACK_WITHIN or said["envelope_id"] != envelope.ids[-1]:
            envelope.late_acks += 1
        else:
            envelope.acked_after, envelope.answer, envelope.state = after, said.get("payload"), "acked"
        self._world.note()

    # Sending

    def push(self, kind: str, payload: Json) -> Envelope:
        envelope = Envelope(self._app.id, kind, payload)
        self.envelopes.append(envelope)
        if self.held is None:
            self.send(envelope)
        else:
            self.held.append(envelope)
            self._world.note()
        return envelope

    def send(self, envelope: Envelope) -> None:
        """Give it to one of the sockets, and look again when its time to answer is over."""
        envelope_id = str(uuid.uuid4())
        envelope.ids.append(envelope_id)
        self._by_id[envelope_id] = envelope
        envelope.sent_at = self._world.clock.now()
        frame: Json = {
            "envelope_id": envelope_id,
            "type": envelope.kind,
            "payload": envelope.payload,
            "accepts_response_payload": envelope.kind != "events_api",
        }
        if envelope.kind == "events_api":
            frame |= {"retry_attempt": envelope.attempt, "retry_reason": "timeout" if envelope.attempt else ""}
        ready = [socket for socket in self.sockets if not socket.ws.closed]
        if ready:
            self._next += 1
            self._write(ready[self._next % len(ready)], frame)
        self._world.clock.after(ACK_WITHIN if ready else 0.05, self._look_again(envelope, envelope_id))
        self._world.note()

    def _write(self, socket: Socket, frame: Json) -> None:
        if socket.is_deaf or socket.is_frozen:
            return

        async def write() -> None:
            with contextlib.suppress(ConnectionError):
                await socket.ws.send_json(frame)

        task = asyncio.get_running_loop().create_task(write(), name="write an envelope")
        task.add_done_callback(lambda done: done.cancelled() or done.result())

    def _look_again(self, envelope: Envelope, envelope_id: str) -> Callable[[], None]:
        def look() -> None:
            if envelope.state == "acked" or envelope.ids[-1] != envelope_id:
                return
            if envelope.kind != "events_api" or envelope.attempt >= len(REPEATS):
                envelope.state = "lost"
                self._world.note()
                return
            envelope.attempt += 1
            self._world.clock.after(REPEATS[envelope.attempt - 1], lambda: self._repeat(envelope))

        return look

    def _repeat(self, envelope: Envelope) -> None:
        if envelope.state != "acked":
            self.send(envelope)

    # What a test does to it

    def release(self, *, is_reversed: bool) -> None:
        held, self.held = self.held or [], None
        for envelope in reversed(held) if is_reversed else held:
            self.send(envelope)

    async def announce(self, reason: str) -> None:
        """`disconnect`, as before a socket is renewed or when Socket Mode was switched off."""
        for socket in list(self.sockets):
            await socket.ws.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "loopback"}})

    async def end(self, *, how: str) -> None:
        """cut: the connection is gone · close: a close frame comes first."""
        for socket in list(self.sockets):
            if how == "close":
                await socket.ws.close()
            elif socket.request.transport is not None:
                socket.request.transport.abort()
