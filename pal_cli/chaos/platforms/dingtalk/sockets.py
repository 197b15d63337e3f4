"""Stream mode: tickets that open one socket, pushes to one socket each, answers, and repeats of events alone."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.dingtalk.world import App, World
from pal_cli.chaos.platforms.wire import Socket, Wire

Json = dict[str, Any]

TICKET_LIVES = 90.0  # seconds
CUT_AFTER = 10.0  # seconds from the announcement of an end until it
ACK_WITHIN = 5.0  # seconds until an event counts as not acknowledged
REPEATS = (10.0, 60.0, 300.0)  # seconds until each repeat of an event; robot messages have none
MESSAGES = "/v1.0/im/bot/messages/get"
PRESSES = "/v1.0/card/instances/callback"


@dataclass(eq=False, kw_only=True)
class StreamSocket(Socket):
    topics: set[tuple[str, str]]

    def takes(self, push: Push) -> bool:
        wanted = ("EVENT", "*") if push.kind == "EVENT" else (push.kind, push.topic)
        return push.kind == "SYSTEM" or wanted in self.topics


@dataclass
class Push:
    """One frame on its way to one app. `state`: pushed, acked, refused (answered with another code than 200), lost."""

    kind: str
    topic: str
    data: Json
    headers: Json = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)  # messageId of each try
    sent_at: float = 0.0
    acked_after: float | None = None
    answer: Json | None = None
    late_acks: int = 0
    state: str = "pushed"

    def shown(self) -> Json:
        return {
            "type": self.kind,
            "topic": self.topic,
            "data": self.data,
            "ids": self.ids,
            "acked_after": self.acked_after,
            "answer": self.answer,
            "late_acks": self.late_acks,
            "state": self.state,
        }


class Line(Wire[StreamSocket, Push]):
    """Everything between one app and its sockets, with what a test breaks of it."""

    def __init__(self, app: App, world: World) -> None:
        super().__init__(world)
        self._app = app
        self._clock = world.clock
        self._tickets: dict[str, tuple[float, set[tuple[str, str]]]] = {}
        self._by_id: dict[str, Push] = {}
        self.pushes: list[Push] = []
        self.tickets = 0  # ever given
        self.is_closing = False  # each new socket, as soon as it is open
        self.on_answer: Callable[[Push], None] = lambda push: None

    # Opening

    def ticket(self, topics: set[tuple[str, str]]) -> str:
        ticket = uuid.uuid4().hex
        self._tickets[ticket] = (self._clock.now() + TICKET_LIVES, topics)
        self.tickets += 1
        self._world.note()
        return ticket

    def has(self, ticket: str) -> bool:
        return ticket in self._tickets

    async def serve(self, ticket: str, request: web.Request) -> web.StreamResponse:
        until, topics = self._tickets.pop(ticket)
        if until <= self._clock.now() or self.is_refusing:
            return web.Response(status=401)
        return await self.hold(request, lambda ws: StreamSocket(ws=ws, request=request, topics=topics))

    async def greet(self, socket: StreamSocket) -> None:
        if self.is_closing:
            await socket.ws.close()

    def answered(self, said: Json) -> None:
        message_id = str((said.get("headers") or {}).get("messageId"))
        push = self._by_id.get(message_id)
        if push is None or push.state == "acked":
            return
        if self.is_ack_lost():
            return
        after = round(self._clock.now() - push.sent_at, 4)
        if push.kind == "EVENT" and (after > ACK_WITHIN or message_id != push.ids[-1]):
            push.late_acks += 1
        else:
            push.acked_after, push.answer = after, {**said, "data": json.loads(said.get("data") or "null")}
            push.state = "acked" if said.get("code") == 200 else "refused"
            self.on_answer(push)
        self._world.note()

    # Pushing

    def push(self, push: Push) -> Push:
        self.pushes.append(push)
        self.send_or_hold(push)
        return push

    def send(self, push: Push) -> None:
        """To one of the sockets that subscribed; what nobody listens for is gone, events aside."""
        message_id = uuid.uuid4().hex
        push.ids.append(message_id)
        self._by_id[message_id] = push
        push.sent_at = self._clock.now()
        ready = [socket for socket in self.sockets if not socket.ws.closed and socket.takes(push)]
        if ready:
            self.write(ready, self._frame(push, message_id), is_of_the_socket=push.kind == "SYSTEM")
        elif push.kind != "EVENT":
            push.state = "lost"
        if push.kind == "EVENT" and len(push.ids) <= len(REPEATS):
            self._clock.after(ACK_WITHIN + REPEATS[len(push.ids) - 1], lambda: self._repeat(push, message_id))
        self._world.note()

    def _repeat(self, push: Push, message_id: str) -> None:
        if push.state != "acked" and push.ids[-1] == message_id:
            self.send(push)

    def _frame(self, push: Push, message_id: str) -> Json:
        headers = {
            "topic": push.topic,
            "messageId": message_id,
            "contentType": "application/json",
            "time": str(int(self._clock.now() * 1000)),
            "appId": self._app.id,
            "connectionId": f"c{self.opened}",
            **push.headers,
        }
        data = json.dumps(push.data, ensure_ascii=False)
        return {"specVersion": "1.0", "type": push.kind, "headers": headers, "data": data}

    def ping(self) -> Push:
        return self.push(Push("SYSTEM", "ping", {"opaque": uuid.uuid4().hex}))

    # What a test does to it

    def announce(self, reason: str) -> None:
        """`disconnect` to each socket; those that are still there ten seconds later are cut."""
        for socket in list(self.sockets):
            push = Push("SYSTEM", "disconnect", {"reason": reason})
            message_id = uuid.uuid4().hex
            push.ids.append(message_id)
            self._by_id[message_id] = push
            self.pushes.append(push)
            self.write_to(socket, self._frame(push, message_id), is_of_the_socket=True)
            self._clock.after(CUT_AFTER, socket.cut)
