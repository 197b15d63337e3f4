"""The sockets between a platform and one app, and what a test breaks of them.

What goes over them, and what an answer counts for, is the platform's to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiohttp import WSMsgType, web

from pal_cli.chaos.platforms.changes import Changes

Json = dict[str, Any]


@dataclass(eq=False, kw_only=True)
class Socket:
    ws: web.WebSocketResponse
    request: web.Request
    is_frozen: bool = False  # answers nothing, not even pings, and keeps the connection
    is_deaf: bool = False  # answers pings, and passes nothing on

    def cut(self) -> None:
        if self.request.transport is not None:
            self.request.transport.abort()


S = TypeVar("S", bound=Socket)
Sent = TypeVar("Sent")  # what goes to the app: a push, an envelope


class Wire(ABC, Generic[S, Sent]):
    def __init__(self, world: Changes) -> None:
        self._world = world
        self._turn = 0
        self.sockets: list[S] = []
        self.opened = 0  # sockets ever
        self.lose_acks = 0  # of the next ones, as if they had not come
        self.is_refusing = False  # new sockets, after their ticket was given
        self.held: list[Sent] | None = None  # a list while a test holds them back

    @abstractmethod
    def send(self, sent: Sent) -> None:
        """Give it to one of the sockets, as often as it is sent."""

    @abstractmethod
    def answered(self, said: Json) -> None:
        """The app said this."""

    async def greet(self, socket: S) -> None:
        """What a new socket is told first."""

    async def hold(self, request: web.Request, make: Callable[[web.WebSocketResponse], S]) -> web.WebSocketResponse:
        """Open a socket and hear what the app says, until it ends."""
        ws = web.WebSocketResponse(autoping=False, max_msg_size=0)
        await ws.prepare(request)
        self.opened += 1
        socket = make(ws)
        self.sockets.append(socket)
        try:
            await self.greet(socket)
            self._world.note()
            async for message in ws:
                await self._heard(socket, message)
        finally:
            self.sockets.remove(socket)
            self._world.note()
        return ws

    async def _heard(self, socket: S, message: Any) -> None:
        if socket.is_frozen:
            return
        if message.type == WSMsgType.PING:
            await socket.ws.pong(message.data)
        elif message.type == WSMsgType.TEXT:
            self.answered(json.loads(message.data))

    def is_ack_lost(self) -> bool:
        """Whether the answer that has just come is one of those to be lost."""
        if self.lose_acks:
            self.lose_acks -= 1
            return True
        return False

    def send_or_hold(self, sent: Sent) -> None:
        if self.held is None:
            self.send(sent)
        else:
            self.held.append(sent)
            self._world.note()

    def write(self, ready: list[S], frame: Json, *, is_of_the_socket: bool = False) -> None:
        """To one of these, in turns: each thing goes to one socket of the app."""
        self._turn += 1
        self.write_to(ready[self._turn % len(ready)], frame, is_of_the_socket=is_of_the_socket)

    def write_to(self, socket: S, frame: Json, *, is_of_the_socket: bool = False) -> None:
        """A deaf socket passes on what is about the socket itself, and nothing else."""
        if socket.is_frozen or (socket.is_deaf and not is_of_the_socket):
            return

        async def write() -> None:
            with contextlib.suppress(ConnectionError):
                await socket.ws.send_json(frame)

        task = asyncio.get_running_loop().create_task(write(), name="write a frame")
        task.add_done_callback(lambda done: done.cancelled() or done.result())

    # What a test does to it

    def freeze(self, *, is_frozen: bool = True) -> None:
        for socket in self.sockets:
            socket.is_frozen = is_frozen

    def deafen(self, *, is_deaf: bool = True) -> None:
        for socket in self.sockets:
            socket.is_deaf = is_deaf

    def release(self, *, is_reversed: bool) -> None:
        held, self.held = self.held or [], None
        for sent in reversed(held) if is_reversed else held:
            self.send(sent)

    async def end(self, *, how: str) -> None:
        """cut: the connection is gone · close: a close frame comes first."""
        for socket in list(self.sockets):
            if how == "close":
                await socket.ws.close()
            else:
                socket.cut()
