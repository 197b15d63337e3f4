"""Knows whether another process lives, wherever it lives: it holds the other end of a pipe open.

A pid would not do: in a sandbox of its own a process has other ones.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from pathlib import Path
from typing import BinaryIO

from tests.support.patience import LONG_PATIENCE

SCRIPT = "import sys, time; held = open(sys.argv[1], 'w'); held.write('here'); held.flush(); time.sleep(600)"


class Lifeline:
    """`command` is what has to be run, in a session of its own, to be at the other end."""

    def __init__(self, fifo: Path) -> None:
        os.mkfifo(fifo)
        self.command = f"setsid {shlex.quote(sys.executable)} -c {shlex.quote(SCRIPT)} {shlex.quote(str(fifo))}"
        self._fifo = fifo
        self._end: BinaryIO | None = None

    async def begun(self) -> None:
        """Return once the process is there."""
        async with asyncio.timeout(LONG_PATIENCE):
            self._end = await asyncio.to_thread(open, self._fifo, "rb", 0)

    async def gone(self) -> None:
        """Return once it is no more."""
        assert self._end is not None
        async with asyncio.timeout(LONG_PATIENCE):
            await asyncio.to_thread(self._end.read)
        self._end.close()
