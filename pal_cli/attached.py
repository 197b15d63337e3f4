"""A terminal of pal in this terminal: raw keys in, bytes out, size along, until it ends or Ctrl-] leaves it running.

Promises: this terminal is given back as it was, however that ends; a connection that is cut is taken up where it was;
what is typed meanwhile waits for it, all of it, or none when that takes too long; what was on its way is typed once.
Without a terminal of one's own, standard input is typed as it is and the output is written as it comes.
"""

import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import aiohttp

from pal_server.client.aio import Client
from pal_server.client.problems import ApiProblem, Unreachable
from pal_server.client.retry import Pauses, is_worth_repeating
from pal_server.client.terminal.exits import BUG, DONE
from pal_server.client.terminal.line import Line, segment
from pal_server.client.terminal.output import note

LEAVE = b"\x1d"  # Ctrl-]
CHUNK = 65536  # bytes read from the keyboard at once
WAITING = 256  # chunks of a paste that wait to be sent; the reader of the keyboard waits then
KEPT = 1 << 20  # bytes typed that wait for a connection
KEPT_FOR = 60.0  # seconds they wait; later they would be carried out when nobody expects it
NOT_KEPT = "some of what you typed was not kept: look at what is here before you type it again"
CLEAR = b"\x1b[H\x1b[2J"
# What a program may have left switched on: another screen, a hidden cursor, colours, the mouse, bracketed paste.
TIDY = b"\x1b[?1049l\x1b[?25h\x1b[0m\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l"


class _Left(Exception):
    """The person went."""


def attach(line: Line, id: str) -> int:
    """Until it ends; the exit code, 1 when its program failed by itself."""
    terminal = line.get(f"/api/terminals/{segment(id)}")["terminal"]
    is_ours = sys.stdin.isatty() and sys.stdout.isatty()
    if is_ours and terminal["closed_at"] is None:
        note(f"{terminal['id']} on {terminal['computer']}; Ctrl-] leaves it running")
    with _raw_keys() if is_ours else _plain():
        ended = asyncio.run(_Attached(line, terminal["id"], is_ours=is_ours).run())
    if ended is None:
        note(f"left it running: pal attach {id}, pal terminal --close {id}")
        return DONE
    note(_told(ended))
    return DONE if ended.get("reason") or not ended.get("exit") else BUG


def own_size() -> tuple[int, int]:
    """Columns and rows of this terminal, or the usual ones."""
    found = shutil.get_terminal_size((80, 24))
    return found.columns, found.lines


class _Attached:
    def __init__(self, line: Line, id: str, *, is_ours: bool) -> None:
        self._place = line.place
        self._path = f"/api/terminals/{segment(id)}/ws?typist={secrets.token_hex(12)}"
        self._is_ours = is_ours
        self._position: int | None = None
        self._may_type = True
        self._keys: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._is_there = asyncio.Event()  # there is a socket to type into
        self._waiting = b""  # typed while there was none
        self._waits_since = 0.0  # of the loop's clock
        self._sent = b""  # typed, and not known to be taken
        self._sent_since = 0.0
        self._taken = 0  # bytes before it
        self._is_counted = False  # the server says what it takes

    async def run(self) -> dict[str, Any] | None:
        """What the server said last; None when the person left."""
        loop = asyncio.get_running_loop()
        main = asyncio.current_task()
        assert main is not None, "it runs as a task"
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, main.cancel)
        if self._is_ours:
            loop.add_signal_handler(signal.SIGWINCH, self._tell_size)
        threading.Thread(target=self._read_keys, args=(loop,), daemon=True).start()
        typing = asyncio.create_task(self._type())
        showing = asyncio.create_task(self._show_all())
        try:
            await asyncio.wait((typing, showing), return_when=asyncio.FIRST_COMPLETED)
            return await showing if showing.done() else await typing
        except _Left:
            return None
        finally:
            for task in (typing, showing):
                task.cancel()
            await asyncio.gather(typing, showing, return_exceptions=True)

    async def _show_all(self) -> dict[str, Any]:
        pauses = Pauses()
        async with Client(self._place.url, self._place.token) as client:
            while True:
                after = "" if self._position is None else f"&from={self._position}"
                try:
                    socket = await client.websocket(self._path + after)
                except (ApiProblem, Unreachable) as error:
                    if self._position is None or not is_worth_repeating(error):
                        raise
                else:
                    pauses.reset()
                    async with socket:
                        if (ended := await self._show(socket)) is not None:
                            return ended
                self._socket = None
                self._is_there.clear()
                self._say("the connection is lost, trying again; what you type waits")
                await asyncio.sleep(pauses.next())

    async def _show(self, socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any] | None:
        """What is said over one connection; None when that was cut."""
        is_first = True
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                _write(message.data)
                self._position = (self._position or 0) + len(message.data)
                continue
            frame: dict[str, Any] = json.loads(message.data)
            match frame["type"]:
                case "closed":
                    return frame
                case "hello":
                    if is_first:
                        self._take_back(frame.get("typed"))
                    is_first = False
                    self._greeted(socket, frame)
                    await self._pass_on()
                case "typed":
                    self._is_counted = True
                    self._heard(frame["bytes"])
                case "state" if frame.get("reason"):
                    self._say(str(frame["reason"]))
        return None

    def _greeted(self, socket: aiohttp.ClientWebSocketResponse, hello: dict[str, Any]) -> None:
        if self._position is not None and hello["from"] != self._position and self._is_ours:
            _write(CLEAR)
        self._position, self._may_type, self._socket = hello["from"], hello["may_type"], socket
        if not self._may_type:
            self._say("you may watch it, and not type")
        self._tell_size()
        self._is_there.set()

    def _tell_size(self) -> None:
        socket = self._socket
        if socket is None or not self._is_ours or not self._may_type:
            return
        cols, rows = own_size()
        frame = json.dumps({"type": "resize", "cols": cols, "rows": rows})
        sending = asyncio.ensure_future(socket.send_str(frame))
        sending.add_done_callback(lambda done: done.cancelled() or done.exception())  # a cut is seen by who reads

    async def _type(self) -> dict[str, Any] | None:
        """What comes from the keyboard; ends with Ctrl-], never with the end of what was piped in."""
        while data := await self._keys.get():
            before, key, _ = data.partition(LEAVE) if self._is_ours else (data, b"", b"")
            if not self._is_ours:  # a pipe can wait for ever
                await self._is_there.wait()
            if not self._waiting:
                self._waits_since = asyncio.get_running_loop().time()
            self._waiting += before
            await self._pass_on()
            if key:
                raise _Left
        return await asyncio.Future()

    def _heard(self, typed: int) -> None:
        """So many bytes have been taken since the first."""
        if (more := typed - self._taken) > 0:
            self._sent, self._taken = self._sent[more:], typed

    def _take_back(self, typed: int | None) -> None:
        """Over a new connection: what was not taken waits again, before what waits already. None: nobody knows."""
        if typed is None:
            if self._sent and self._is_counted:
                self._say(NOT_KEPT)
            self._taken, self._sent = 0, b""
            return
        self._heard(typed)
        if self._sent:
            self._waiting, self._sent, self._waits_since = self._sent + self._waiting, b"", self._sent_since

    async def _pass_on(self) -> None:
        """All that waits, or none of it: half a command is another command."""
        socket, data = self._socket, self._waiting
        if socket is None or not data:
            return
        self._waiting = b""
        if self._is_ours and self._is_too_late(len(data)):
            self._say(NOT_KEPT)
        elif self._may_type:
            if not self._sent:
                self._sent_since = asyncio.get_running_loop().time()
            self._sent += data
            if (over := len(self._sent) - KEPT) > 0:  # an older server never says what it takes
                self._sent, self._taken = self._sent[over:], self._taken + over
            with suppress(ConnectionError):  # it is said again over the next one
                await socket.send_bytes(data)

    def _is_too_late(self, count: int) -> bool:
        return count > KEPT or asyncio.get_running_loop().time() - self._waits_since > KEPT_FOR

    def _read_keys(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread of its own: what is piped in may be a file, which no loop can wait for."""
        with suppress(OSError, RuntimeError):  # the terminal, or the loop, is gone
            while True:
                data = os.read(0, CHUNK)
                asyncio.run_coroutine_threadsafe(self._keys.put(data), loop).result()
                if not data:
                    return

    def _say(self, text: str) -> None:
        if self._is_ours:
            _write(f"\r\n[pal: {text}]\r\n".encode())
        else:
            note(text)


@contextmanager
def _raw_keys() -> Iterator[None]:
    import termios
    import tty

    before = termios.tcgetattr(0)
    try:
        tty.setraw(0, termios.TCSADRAIN)  # its default throws away what was typed already
        yield
    finally:
        _write(TIDY + b"\r\n")
        termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextmanager
def _plain() -> Iterator[None]:
    yield


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _told(ended: dict[str, Any]) -> str:
    if ended.get("reason"):
        return f"it is closed: {ended['reason']}"
    return "it ended" if not ended.get("exit") else f"it ended with exit code {ended['exit']}"
