"""Questions to a computer that are answered at once or not at all, over the wake-up socket its daemon holds here.

Nothing of them is stored: who asks is somebody in front of a screen. A computer whose socket is on another server, or
nowhere, is not connected as far as this one knows.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import msgspec

from pal_server.api.answers import encode
from pal_server.contract.events import Find, Found
from pal_server.errors import Unavailable

PATIENCE = 10.0  # seconds; the first look at a very large folder takes a while, later ones do not
COMES_WITHIN = 1.5  # seconds; sockets break and come back within a second
_MOST = 64  # questions one computer may have before it

_decode = msgspec.json.Decoder(Found).decode


class Line:
    """The way to one daemon. Belongs to its socket."""

    def __init__(self, send: Callable[[str], Awaitable[None]]) -> None:
        self._send = send
        self._open: dict[int, asyncio.Future[Found]] = {}
        self._numbers = itertools.count(1)

    async def ask(self, *, agent: str, cwd: str | None, q: str, limit: int) -> Found:
        """Raises `Unavailable` when no answer comes."""
        if len(self._open) >= _MOST:
            raise Unavailable("its computer has too many questions to answer already")
        number = next(self._numbers)
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            async with asyncio.timeout(PATIENCE):
                await self._send(encode(Find(ask=number, agent=agent, cwd=cwd, q=q, limit=limit)).decode())
                return await answer
        except (TimeoutError, ConnectionError) as exc:
            raise Unavailable("its computer did not answer; its daemon may be too old for this") from exc
        finally:
            del self._open[number]

    def hear(self, text: str) -> None:
        """An answer. One that comes too late, or that is none, is forgotten."""
        try:
            found = _decode(text)
        except msgspec.MsgspecError:
            return
        answer = self._open.get(found.ask)
        if answer is not None and not answer.done():
            answer.set_result(found)

    def close(self) -> None:
        for answer in self._open.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError("the daemon went"))


class Lines:
    """The daemons that are connected to this server, by computer; the newest socket counts."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}
        self._came = asyncio.Event()  # set when one comes, and then another one's

    async def reach(self, computer: str) -> Line:
        """Waits a moment for one that is just coming back. Raises `Unavailable` while it is away."""
        try:
            async with asyncio.timeout(COMES_WITHIN):
                while (line := self._lines.get(computer)) is None:
                    await self._came.wait()
                return line
        except TimeoutError as exc:
            raise Unavailable("its computer is not connected now", computer=computer) from exc

    def add(self, computer: str, line: Line) -> None:
        self._lines[computer] = line
        self._came.set()
        self._came = asyncio.Event()

    def remove(self, computer: str, line: Line) -> None:
        line.close()
        if self._lines.get(computer) is line:
            del self._lines[computer]
