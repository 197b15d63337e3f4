"""The control socket: takes clients of our own user, moves their bytes, and never waits for one of them."""

from __future__ import annotations

import os
import select
import sys
from _socket import AF_UNIX, SOCK_STREAM, SOL_SOCKET
from _socket import socket as Socket  # noqa: N812  the public module builds enums: 6 ms

from pal_daemon.keeping.requests import RequestParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pal_daemon.keeping.requests import Request

NAME = "control"  # in the run directory; bound by its relative name because a socket's path ends after 108 bytes
CLIENTS = 64  # connections at once; the next one is hung up on
BACKLOG = 64
CHUNK = 65536  # bytes read at once
UNREAD = 65536  # bytes of answers a client may leave unread before we hang up


class _Client:
    __slots__ = ("is_leaving", "is_watching", "out", "parser", "socket", "told")

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.parser = RequestParser()
        self.out = b""
        self.is_watching = False
        self.is_leaving = False
        self.told = -1  # spool size in the last `grew`


class Control:
    """Registers its descriptors with `poll`; the loop hands their events to `on_event`."""

    def __init__(self, poll: select.poll, answer: Callable[[Request], str]) -> None:
        """Bind in the working directory. `answer` gives the reply line for one request, without its end."""
        self._poll = poll
        self._answer = answer
        self._clients: dict[int, _Client] = {}
        self._listener = Socket(AF_UNIX, SOCK_STREAM)
        mask = os.umask(0o177)  # a socket takes its mode from here alone: 0600
        self._listener.bind(NAME)
        os.umask(mask)
        self._listener.listen(BACKLOG)
        self._listener.setblocking(False)
        poll.register(self._listener.fileno(), select.POLLIN)

    def on_event(self, fd: int, event: int) -> bool:
        """Handle it when it is ours."""
        if fd == self._listener.fileno():
            self._accept()
            return True
        client = self._clients.get(fd)
        if client is None:
            return False
        if event & (select.POLLIN | select.POLLHUP | select.POLLERR):
            self._read(client)
        if fd in self._clients and event & select.POLLOUT:
            self._send(client)
        return True

    def tell_size(self, size: int) -> None:
        """Tell watchers the spool has `size` bytes. One that has not read the last word gets the newest later."""
        for client in list(self._clients.values()):
            if client.is_watching and not client.out and client.told != size:
                client.told = size
                client.out = b"grew %d\n" % size
                self._send(client)

    def close(self) -> None:
        """Remove the socket, then hang up: a client that sees the end finds no socket to come back to."""
        try:
            os.unlink(NAME)
        except OSError:
            pass
        self._listener.close()
        for client in list(self._clients.values()):
            client.socket.close()
        self._clients.clear()

    def _accept(self) -> None:
        try:
            fd, _ = self._listener._accept()  # type: ignore[attr-defined]  # the stub leaves it out
        except OSError:
            return
        socket = Socket(AF_UNIX, SOCK_STREAM, 0, fd)
        socket.setblocking(False)
        if len(self._clients) >= CLIENTS or not _is_own_user(socket):
            socket.close()
            return
        self._clients[fd] = _Client(socket)
        self._poll.register(fd, select.POLLIN)

    def _read(self, client: _Client) -> None:
        try:
            data = client.socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up(client)
            return
        if client.is_leaving:
            return
        for request in client.parser.feed(data):
            reply = f"error {request.fault}" if request.fault else self._answer(request)
            client.out += reply.encode() + b"\n"
            client.is_watching |= request.verb == "watch"
            client.is_leaving |= request.is_fatal
        self._send(client)

    def _send(self, client: _Client) -> None:
        try:
            if client.out:
                client.out = client.out[client.socket.send(client.out) :]
        except BlockingIOError:
            pass
        except OSError:
            self._hang_up(client)
            return
        if len(client.out) > UNREAD or (client.is_leaving and not client.out):
            self._hang_up(client)
            return
        self._poll.modify(client.socket.fileno(), select.POLLIN | (select.POLLOUT if client.out else 0))

    def _hang_up(self, client: _Client) -> None:
        fd = client.socket.fileno()
        self._poll.unregister(fd)
        del self._clients[fd]
        client.socket.close()


def _is_own_user(socket: Socket) -> bool:
    """By the kernel's word where it gives it (Linux); elsewhere the socket's mode 0600 alone decides."""
    try:
        from _socket import SO_PEERCRED
    except ImportError:
        return True
    credentials = socket.getsockopt(SOL_SOCKET, SO_PEERCRED, 12)  # pid, uid, gid
    return int.from_bytes(credentials[4:8], sys.byteorder) in (os.geteuid(), 0)
