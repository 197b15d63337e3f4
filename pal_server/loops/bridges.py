"""Starts and watches one bridge process for each platform that has bots. What an SDK breaks, it breaks there."""

import asyncio
import logging
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar

from pal_server import tokens as secret_words
from pal_server.actions import bots, tokens
from pal_server.errors import PalError
from pal_server.loops.loop import Context, Loop

PAUSES = (0.5, 2.0, 5.0, 15.0, 60.0)  # seconds until one that died is started again, by how often it died
STEADY = 60.0  # seconds of life after which its deaths are forgotten
END_FOR = 2.0  # seconds it has to end when it is asked

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Child:
    process: asyncio.subprocess.Process
    holder: str  # its name among those who hold bots
    begun_at: float


class Bridges(Loop):
    """A child gets its token over stdin and ends when that closes, so none outlives a server that was killed."""

    name: ClassVar[str] = "bridges"
    every: ClassVar[float] = 2.0
    wakes_on: ClassVar[tuple[str, ...]] = (bots.CHANGED,)

    def __init__(self, context: Context, *, url: Callable[[], str], is_on: bool) -> None:
        super().__init__(context)
        self._url = url
        self._is_on = is_on
        self._children: dict[str, _Child] = {}
        self._deaths: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by platform."""
        return {name: child.process.pid for name, child in self._children.items()}

    async def step(self) -> bool:
        if not self._is_on:
            return False
        wanted = set(await self.context.store.read(bots.platforms, workspace_id=self.context.workspace_id))
        if wanted and not await self.context.leader.holds(self.name):
            wanted = set()  # another server has them
        for name, child in list(self._children.items()):
            if child.process.returncode is not None:
                await self._bury(name, child)
            elif name not in wanted:
                await self._end(name)
        for name in sorted(wanted - set(self._children)):
            if monotonic() >= self._not_before.get(name, 0.0):
                await self._start(name)
        return False

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(self._end(name) for name in list(self._children)))

    async def _start(self, platform: str) -> None:
        secret, secret_hash = secret_words.new_secret(secret_words.BRIDGE)
        await self.context.store.write(
            tokens.issue_for_bridge, workspace_id=self.context.workspace_id, platform=platform, secret_hash=secret_hash
        )
        holder = f"bridge_{secrets.token_hex(8)}"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pal_server.bridges.run",
            "run",
            platform,
            "--holder",
            holder,
            "--server",
            self._url(),
            "--token",
            "-",
            stdin=asyncio.subprocess.PIPE,
        )
        self._children[platform] = _Child(process=process, holder=holder, begun_at=monotonic())
        assert process.stdin is not None, "it was asked for"
        with suppress(ConnectionError):
            process.stdin.write(secret.encode() + b"\n")
            await process.stdin.drain()
        log.info("bridge started", extra={"action": "bridge.start", "platform": platform, "pid": process.pid})

    async def _bury(self, platform: str, child: _Child) -> None:
        del self._children[platform]
        deaths = 0 if monotonic() - child.begun_at > STEADY else self._deaths.get(platform, 0)
        self._deaths[platform] = deaths + 1
        self._not_before[platform] = monotonic() + PAUSES[min(deaths, len(PAUSES) - 1)]
        log.warning(
            "a bridge ended by itself and is started again",
            extra={"action": "bridge.died", "platform": platform, "code": child.process.returncode},
        )
        await self._revoke(platform, holder=child.holder)

    async def _end(self, platform: str) -> None:
        child = self._children.pop(platform)
        process = child.process
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(END_FOR):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        log.info("bridge ended", extra={"action": "bridge.end", "platform": platform})
        await self._revoke(platform, holder=child.holder)

    async def _revoke(self, platform: str, *, holder: str) -> None:
        """A dead bridge does nothing more, and the next one need not wait until its leases are over."""
        with suppress(PalError):
            await self.context.store.write(
                bots.free_of, workspace_id=self.context.workspace_id, platform=platform, holder=holder
            )
            await self.context.store.write(
                tokens.end_of_bridge, workspace_id=self.context.workspace_id, platform=platform
            )
