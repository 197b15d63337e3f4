"""One connection to the keeper of a terminal: types, resizes, and hears how much the terminal has printed."""

from __future__ import annotations

import asyncio
import logging
import secrets

FLOOR = 1.0  # seconds; the longest a lost word can delay a reader

log = logging.getLogger(__name__)


class TerminalLine:
    """Made by `Keeper.line`. `hear` has to run; one task types, one waits."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.is_gone = False
        self._reader = reader
        self._writer = writer
        self._size = 0
        self._grew = asyncio.Event()
        self._name = secrets.token_hex(8)  # a keeper takes each name once
        self._typed = 0

    async def hear(self) -> None:
        """Until the keeper hangs up, which it does once the program and all it printed are settled."""
        try:
            while line := await self._reader.readline():
                if line.startswith(b"grew "):
                    self._size = int(line[5:])
                    self._grew.set()
                elif line.startswith(b"error "):
                    log.info("a terminal did not take what came: %s", line[6:].decode().strip())
        except OSError as error:
            log.debug("the line to a keeper broke: %s", error)
        finally:
            self.is_gone = True
            self._grew.set()

    async def type(self, data: bytes) -> None:
        """Bytes for the terminal. Waits while the keeper is busy; what a keeper that is gone would get is lost."""
        self._typed += 1
        await self._say(b"input %s-%d %d\n%s" % (self._name.encode(), self._typed, len(data), data))

    async def resize(self, *, cols: int, rows: int) -> None:
        await self._say(b"resize %d %d\n" % (cols, rows))

    async def wait(self, *, beyond: int) -> None:
        """Return when it has printed more than `beyond` bytes, when the keeper is gone, or after FLOOR.

        Compares before it waits, so what is printed between the caller's read and this call is not missed.
        """
        try:
            async with asyncio.timeout(FLOOR):
                while self._size <= beyond and not self.is_gone:
                    self._grew.clear()
                    await self._grew.wait()
        except TimeoutError:
            return

    async def _say(self, request: bytes) -> None:
        try:
            self._writer.write(request)
            await self._writer.drain()
        except OSError as error:
            log.debug("the line to a keeper broke: %s", error)
