"""A child process of `pal up`: its lines go to the terminal under its name, its end is asked for, then forced."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

from pal_cli.supervised import SUPERVISOR
from pal_server.client.terminal.output import note

STOP_WITHIN = 20.0  # seconds a child may take to end by itself; the server tells its streams to come back
_CHUNK = 65_536  # bytes
_LONGEST_LINE = 1_000_000  # bytes; a longer one is cut, so that no output fills the memory


class Child:
    """One part as a process of its own. `keeps` may take a line for itself by returning True."""

    def __init__(
        self,
        *,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        keeps: Callable[[str], bool] = lambda line: False,
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.env = dict(env)
        self._keeps = keeps
        self._process: asyncio.subprocess.Process | None = None
        self._relaying: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Of the process started last."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process; one that runs is left alone."""
        if self.is_running:
            return
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pal_cli.supervised",
            *self.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**self.env, "PYTHONUNBUFFERED": "1", SUPERVISOR: str(os.getpid())},
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._relaying = asyncio.create_task(self._relay(self._process.stdout), name=f"lines of {self.name}")

    async def wait(self) -> int:
        """Its exit code, once it has ended and all its lines are told."""
        assert self._process is not None
        assert self._relaying is not None
        code = await self._process.wait()
        # Processes it left behind may hold the pipe open: its own lines are there by now.
        await asyncio.wait([self._relaying], timeout=1)
        self._relaying.cancel()
        return code

    async def stop(self, *, at_once: bool = False) -> None:
        """Ask it to end, wait, then force it. A second call with `at_once` cuts the waiting short."""
        if not self.is_running:
            return
        assert self._process is not None
        self._signal(signal.SIGKILL if at_once and os.name == "posix" else signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await self.wait()
        except TimeoutError:
            note(f"the {self.name} does not end by itself and is ended now")
            self._process.kill()
            await self.wait()

    def kill(self) -> None:
        """End it now."""
        if self.is_running and self._process is not None:
            self._process.kill()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        try:
            self._process.send_signal(number)
        except ProcessLookupError:
            pass  # it ended by itself in this moment

    async def _relay(self, stream: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await stream.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._tell(line)
            if len(rest) > _LONGEST_LINE:
                self._tell(rest)
                rest = b""
        if rest:
            self._tell(rest)

    def _tell(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        if not self._keeps(text):
            note(f"{self.name:6} | {text}")
