"""The long connections: handing out their address, pushing events, taking acks, pushing again.

An event goes to one of its app's sockets at random and is pushed again, with the same ids, until an ack with code 200
came in time. What had no socket waits for the next one.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import WSMsgType, web

from pal_cli.chaos.platforms.lark import shapes
from pal_cli.chaos.platforms.lark.frames import CONTROL, DATA, Frame, decode, encode
from pal_cli.chaos.platforms.lark.journal import Journal
from pal_cli.chaos.platforms.lark.world import App, World

Json = dict[str, Any]
ACK_WITHIN = 3_000  # milliseconds
PUSH_AGAIN = (15_000, 300_000, 3_600_000, 21_600_000)  # milliseconds after a push without an ack
SERVICE = 33554678


@dataclass(eq=False, slots=True, kw_only=True)
class Socket:
    """`mode` is live, deaf (answers pings, delivers nothing) or frozen (reads and answers nothing)."""

    app_id: str
    id: str
    ws: web.WebSocketResponse
    request: web.Request
    mode: str = "live"
    thaws: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, kw_only=True)
class Event:
    """One event for one app. `due_at` is when it is pushed again, None when it is over or held back."""

    id: str
    app_id: str
    kind: str
    body: Json
    frame_id: str
    parts: int = 1
    pushes: int = 0
    pushed_at: int = 0
    due_at: int | None = None
    is_acked: bool = False
    answered: asyncio.Future[Json] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Sockets:
    """All connections and all events of the platform."""

    def __init__(self, world: World, journal: Journal) -> None:
        self.events: dict[str, Event] = {}
        self.push_again: tuple[int, ...] = PUSH_AGAIN
        self.refusals: list[tuple[int, dict[str, str]]] = []  # for the next handshakes
        self.losses: dict[str, int] = {}  # app → how many of its next acks are not counted
        self._world = world
        self._journal = journal
        self._sockets: list[Socket] = []
        self._tickets: dict[str, str] = {}
        self._looks = asyncio.Event()

    def of(self, app_id: str) -> list[Socket]:
        return [socket for socket in self._sockets if socket.app_id == app_id]

    # --- the address

    async def endpoint(self, request: web.Request) -> web.Response:
        """POST /callback/ws/endpoint: a single-use address for an app with the right secret."""
        asked = await request.json()
        app = self._world.apps.get(asked.get("AppID", ""))
        if app is None or app.secret != asked.get("AppSecret"):
            return web.json_response({"code": 10014, "msg": "app secret invalid"})
        if not app.is_active:
            return web.json_response({"code": 10013, "msg": "app is disabled"})
        ticket = self._world.new_id("ticket")
        self._tickets[ticket] = app.id
        query = urlencode(
            {"device_id": self._world.new_id("device"), "service_id": SERVICE, "ticket": ticket, "aid": "552564"}
        )
        data: Json = {"URL": f"ws://{request.host}/ws/v2?{query}"}
        if app.config is not None:
            data["ClientConfig"] = app.config
        return web.json_response({"code": 0, "msg": "success", "data": data})

    # --- one connection

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """GET /ws/v2: the socket itself, until one side ends it."""
        app_id = self._tickets.pop(request.query.get("ticket", ""), "")
        if self.refusals:
            status, headers = self.refusals.pop(0)
            return web.Response(status=status, headers=headers)
        if not app_id:
            return _refusal(514, "ticket invalid", 1000040340)
        if len(self.of(app_id)) >= self._world.apps[app_id].most_sockets:
            return _refusal(514, "too many connections", 1000040350)
        ws = web.WebSocketResponse(autoping=False, max_msg_size=1 << 20)
        await ws.prepare(request)
        socket = Socket(app_id=app_id, id=request.query["device_id"], ws=ws, request=request)
        self._sockets.append(socket)
        self._journal.write("connected", app=app_id, socket=socket.id)
        try:
            await self._push_waiting(app_id)
            async for message in ws:
                if socket.mode == "frozen":
                    await socket.thaws.wait()
                if message.type is WSMsgType.PING:
                    await ws.pong(message.data)
                elif message.type is WSMsgType.BINARY:
                    await self._heard(socket, decode(message.data))
        finally:
            self._sockets.remove(socket)
            self._journal.write("disconnected", app=app_id, socket=socket.id)
        return ws

    async def _heard(self, socket: Socket, frame: Frame) -> None:
        if frame.method == CONTROL:
            self._journal.write("ping", app=socket.app_id, socket=socket.id)
            config = self._world.apps[socket.app_id].config
            payload = json.dumps(config).encode() if config else b""
            pong = Frame(method=CONTROL, service=SERVICE, headers={"type": "pong"}, payload=payload)
            await socket.ws.send_bytes(encode(pong))
            return
        event = next((e for e in self.events.values() if e.frame_id == frame.headers["message_id"]), None)
        if event is not None:
            self._acked(event, frame)

    def _acked(self, event: Event, frame: Frame) -> None:
        answer = json.loads(frame.payload)
        after = self._world.now() - event.pushed_at
        counted = answer.get("code") == 200 and after <= ACK_WITHIN
        if counted and self.losses.get(event.app_id, 0):
            self.losses[event.app_id] -= 1
            counted = False
        data = json.loads(base64.b64decode(answer["data"])) if answer.get("data") else None
        facts = {"app": event.app_id, "event": event.id, "type": event.kind, "code": answer.get("code"), "data": data}
        self._journal.write("ack", **facts, after=after, counted=counted, biz_rt=frame.headers.get("biz_rt"))
        if counted:
            event.is_acked = True
            event.due_at = None
        if not event.answered.done():
            event.answered.set_result({"code": answer.get("code"), "data": data, "after": after})

    # --- events

    def add(self, app: App, kind: str, body: Json, *, event_id: str = "", parts: int = 1) -> Event:
        """A new event for `app`, not pushed yet."""
        event_id = event_id or self._world.new_id("ev")
        whole = shapes.envelope(self._world, app, kind, body, event_id=event_id)
        frame_id = self._world.new_id("frame")
        event = Event(id=event_id, app_id=app.id, kind=kind, body=whole, frame_id=frame_id, parts=parts)
        self.events[event_id] = event
        return event

    async def push(self, event: Event) -> bool:
        """Push it now. False when its app has no socket; it is then pushed to the next one."""
        if event.kind != "card.action.trigger" and event.pushes <= len(self.push_again) - 1:
            event.due_at = self._world.now() + self.push_again[event.pushes]
        else:
            event.due_at = None
        sockets = self.of(event.app_id)
        if not sockets:
            event.due_at = 0  # at once, when there is one
            return False
        socket = random.choice(sockets)
        event.pushes += 1
        event.pushed_at = self._world.now()
        self._journal.write("pushed", app=event.app_id, event=event.id, socket=socket.id, mode=socket.mode)
        if socket.mode == "live":
            await self._send(socket, event)
        self._looks.set()
        return True

    async def _send(self, socket: Socket, event: Event) -> None:
        data = json.dumps(event.body, ensure_ascii=False).encode()
        size = -(-len(data) // event.parts)
        order = list(range(event.parts))
        random.shuffle(order)  # parts come in any order
        for seq in order:
            headers = {
                "type": "event",
                "message_id": event.frame_id,
                "trace_id": event.id,
                "sum": str(event.parts),
                "seq": str(seq),
            }
            frame = Frame(method=DATA, service=SERVICE, headers=headers, payload=data[seq * size : (seq + 1) * size])
            with suppress(ConnectionError):
                await socket.ws.send_bytes(encode(frame))

    async def send_raw(self, app_id: str, headers: dict[str, str], payload: bytes) -> None:
        """A data frame of any shape, to all sockets of the app."""
        for socket in self.of(app_id):
            await socket.ws.send_bytes(encode(Frame(method=DATA, service=SERVICE, headers=headers, payload=payload)))

    async def _push_waiting(self, app_id: str) -> None:
        for event in list(self.events.values()):
            if event.app_id == app_id and not event.is_acked and event.due_at == 0:
                await self.push(event)

    async def push_due(self) -> None:
        """For ever: push again what got no ack, by the platform's clock."""
        while True:
            now = self._world.now()
            waiting = [event for event in self.events.values() if event.due_at]
            for event in waiting:
                if event.due_at and event.due_at <= now:
                    await self.push(event)
            soonest = min((event.due_at for event in waiting if event.due_at), default=now + 60_000)
            self._looks.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._looks.wait(), max(0.01, (soonest - self._world.now()) / 1000))

    def look_again(self) -> None:
        """The clock was moved."""
        self._looks.set()

    # --- what a test does to sockets

    async def treat(self, app_id: str, do: str) -> int:
        """cut (no goodbye), close (1000), deaf, frozen or live: to all sockets of the app. How many they were."""
        sockets = self.of(app_id)
        for socket in sockets:
            if do == "cut":
                if socket.request.transport is not None:
                    socket.request.transport.abort()
                socket.thaws.set()
            elif do == "close":
                await socket.ws.close()
            else:
                socket.mode = do
                (socket.thaws.clear if do == "frozen" else socket.thaws.set)()
        return len(sockets)


def _refusal(status: int, why: str, code: int) -> web.Response:
    headers = {"Handshake-Status": str(status), "Handshake-Msg": why, "Handshake-Autherrcode": str(code)}
    return web.Response(status=403, headers=headers)
