"""Socket Mode: tickets, sockets, envelopes, the three seconds an answer may take, and repeats."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.slack.world import App, World
from pal_cli.chaos.platforms.wire import Socket, Wire

Json = dict[str, Any]

ACK_WITHIN = 3.0  # seconds
REPEATS = (0.2, 60.0, 300.0)  # seconds until each repeat of an event nobody acknowledged
TICKET_LIVES = 30.0  # seconds
MOST_SOCKETS = 10


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


class Line(Wire[Socket, Envelope]):
    """Everything between one app and its sockets, with what a test breaks of it."""

    def __init__(self, app: App, world: World) -> None:
        super().__init__(world)
        self._app = app
        self._clock = world.clock
        self.tickets: dict[str, float] = {}  # good until
        self.envelopes: list[Envelope] = []
        self._by_id: dict[str, Envelope] = {}

    # Opening

    def ticket(self) -> str:
        ticket = uuid.uuid4().hex
        self.tickets[ticket] = self._clock.now() + TICKET_LIVES
        return ticket

    def redeem(self, ticket: str) -> bool:
        return self.tickets.pop(ticket, 0.0) > self._clock.now()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        return await self.hold(request, lambda ws: Socket(ws=ws, request=request))

    async def greet(self, socket: Socket) -> None:
        await socket.ws.send_json(
            {
                "type": "hello",
                "num_connections": len(self.sockets),
                "debug_info": {"host": "loopback", "build_number": 1, "approximate_connection_time": 18060},
                "connection_info": {"app_id": self._app.id},
            }
        )

    def answered(self, said: Json) -> None:
        envelope = self._by_id.get(str(said.get("envelope_id")))
        if envelope is None or envelope.state == "acked":
            return
        if self.is_ack_lost():
            return
        after = round(self._clock.now() - envelope.sent_at, 4)
        if after > ACK_WITHIN or said["envelope_id"] != envelope.ids[-1]:
            envelope.late_acks += 1
        else:
            envelope.acked_after, envelope.answer, envelope.state = after, said.get("payload"), "acked"
        self._world.note()

    # Sending

    def push(self, kind: str, payload: Json) -> Envelope:
        envelope = Envelope(self._app.id, kind, payload)
        self.envelopes.append(envelope)
        self.send_or_hold(envelope)
        return envelope

    def send(self, envelope: Envelope) -> None:
        """Give it to one of the sockets, and look again when its time to answer is over."""
        envelope_id = str(uuid.uuid4())
        envelope.ids.append(envelope_id)
        self._by_id[envelope_id] = envelope
        envelope.sent_at = self._clock.now()
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
            self.write(ready, frame)
        self._clock.after(ACK_WITHIN if ready else 0.05, self._look_again(envelope, envelope_id))
        self._world.note()

    def _look_again(self, envelope: Envelope, envelope_id: str) -> Callable[[], None]:
        def look() -> None:
            if envelope.state == "acked" or envelope.ids[-1] != envelope_id:
                return
            if envelope.kind != "events_api" or envelope.attempt >= len(REPEATS):
                envelope.state = "lost"
                self._world.note()
                return
            envelope.attempt += 1
            self._clock.after(REPEATS[envelope.attempt - 1], lambda: self._repeat(envelope))

        return look

    def _repeat(self, envelope: Envelope) -> None:
        if envelope.state != "acked":
            self.send(envelope)

    # What a test does to it

    async def announce(self, reason: str) -> None:
        """`disconnect`, as before a socket is renewed or when Socket Mode was switched off."""
        for socket in list(self.sockets):
            await socket.ws.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "loopback"}})
