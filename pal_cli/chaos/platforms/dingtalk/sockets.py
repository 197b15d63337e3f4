"""Stream mode: tickets that open one socket, pushes to one socket each, answers, and repeats of events alone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from pal_cli.chaos.platforms.dingtalk.world import App, World

Json = dict[str, Any]

TICKET_LIVES = 90.0  # seconds
CUT_AFTER = 10.0  # seconds from the announcement of an end until it
ACK_WITHIN = 5.0  # seconds until an event counts as not acknowledged
REPEATS = (10.0, 60.0, 300.0)  # seconds until each repeat of an event; robot messages have none
MESSAGES = "/v1.0/im/bot/messages/get"
PRESSES = "/v1.0/card/instances/callback"


@dataclass(eq=False)
class Socket:
    ws: web.WebSocketResponse
    request: web.Request
    topics: set[tuple[str, str]]
    number: int
    is_frozen: bool = False  # answers nothing, not even pings, and keeps the connection
    is_deaf: bool = False  # answers pings, and passes nothing on

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


class Line:
    """Everything between one app and its sockets, with what a test breaks of it."""

    def __init__(self, app: App, world: World) -> None:
        self._app = app
        self._world = world
        self._tickets: dict[str, tuple[float, set[tuple[str, str]]]] = {}
        self._by_id: dict[str, Push] = {}
        self._next = 0
        self.sockets: list[Socket] = []
        self.pushes: list[Push] = []
        self.tickets = 0  # ever given
        self.opened = 0  # sockets ever
        self.lose_acks = 0  # of the next ones, as if they had not come
        self.is_refusing = False  # new sockets, after their ticket was given
        self.is_closing = False  # each new socket, as soon as it is open
        self.held: list[Push] | None = None  # a list while a test holds them back
        self.on_answer: Callable[[Push], None] = lambda push: None

    # Opening

    def ticket(self, topics: set[tuple[str, str]]) -> str:
        ticket = uuid.uuid4().hex
        self._tickets[ticket] = (self._world.clock.now() + TICKET_LIVES, topics)
        self.tickets += 1
        self._world.note()
        return ticket

    def has(self, ticket: str) -> bool:
        return ticket in self._tickets

    async def serve(self, ticket: str, request: web.Request) -> web.StreamResponse:
        until, topics = self._tickets.pop(ticket)
        if until <= self._world.clock.now() or self.is_refusing:
            return web.Response(status=401)
        ws = web.WebSocketResponse(autoping=False, max_msg_size=0)
        await ws.prepare(request)
        self.opened += 1
        socket = Socket(ws, request, topics, self.opened)
        self.sockets.append(socket)
        self._world.note()
        try:
            if self.is_closing:
                await ws.close()
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
            self._answered(json.loads(message.data))

    def _answered(self, said: Json) -> None:
        message_id = str((said.get("headers") or {}).get("messageId"))
        push = self._by_id.get(message_id)
        if push is None or push.state == "acked":
            return
        if self.lose_acks:
            self.lose_acks -= 1
            return
        after = round(self._world.clock.now() - push.sent_at, 4)
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
        if self.held is None:
            self.send(push)
        else:
            self.held.append(push)
            self._world.note()
        return push

    def send(self, push: Push) -> None:
        """To one of the sockets that subscribed; what nobody listens for is gone, events aside."""
        message_id = uuid.uuid4().hex
        push.ids.append(message_id)
        self._by_id[message_id] = push
        push.sent_at = self._world.clock.now()
        ready = [socket for socket in self.sockets if not socket.ws.closed and socket.takes(push)]
        if ready:
            self._next += 1
            self._write(ready[self._next % len(ready)], self._frame(push, message_id))
        elif push.kind != "EVENT":
            push.state = "lost"
        if push.kind == "EVENT" and len(push.ids) <= len(REPEATS):
            self._world.clock.after(ACK_WITHIN + REPEATS[len(push.ids) - 1], lambda: self._repeat(push, message_id))
        self._world.note()

    def _repeat(self, push: Push, message_id: str) -> None:
        if push.state != "acked" and push.ids[-1] == message_id:
            self.send(push)

    def _frame(self, push: Push, message_id: str) -> Json:
        headers = {
            "topic": push.topic,
            "messageId": message_id,
            "contentType": "application/json",
            "time": str(int(self._world.clock.now() * 1000)),
            "appId": self._app.id,
            "connectionId": f"c{self.opened}",
            **push.headers,
        }
        data = json.dumps(push.data, ensure_ascii=False)
        return {"specVersion": "1.0", "type": push.kind, "headers": headers, "data": data}

    def _write(self, socket: Socket, frame: Json) -> None:
        if (socket.is_deaf and frame["type"] != "SYSTEM") or socket.is_frozen:
            return

        async def write() -> None:
            with contextlib.suppress(ConnectionError):
                await socket.ws.send_json(frame)

        task = asyncio.get_running_loop().create_task(write(), name="write a frame")
        task.add_done_callback(lambda done: done.cancelled() or done.result())

    def ping(self) -> Push:
        return self.push(Push("SYSTEM", "ping", {"opaque": uuid.uuid4().hex}))

    # What a test does to it

    def release(self, *, is_reversed: bool) -> None:
        held, self.held = self.held or [], None
        for push in reversed(held) if is_reversed else held:
            self.send(push)

    def announce(self, reason: str) -> None:
        """`disconnect` to each socket; those that are still there ten seconds later are cut."""
        for socket in list(self.sockets):
            push = Push("SYSTEM", "disconnect", {"reason": reason})
            message_id = uuid.uuid4().hex
            push.ids.append(message_id)
            self._by_id[message_id] = push
            self.pushes.append(push)
            self._write(socket, self._frame(push, message_id))
            self._world.clock.after(CUT_AFTER, lambda socket=socket: _cut(socket))  # type: ignore[misc]

    async def end(self, *, how: str) -> None:
        """cut: the connection is gone · close: a close frame comes first."""
        for socket in list(self.sockets):
            if how == "close":
                await socket.ws.close()
            else:
                _cut(socket)


def _cut(socket: Socket) -> None:
    if socket.request.transport is not None:
        socket.request.transport.abort()
