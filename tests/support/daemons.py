"""A fake bus, and daemons that run inside the test's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pal_daemon.daemon import run_daemon
from pal_daemon.settings import Settings
from tests.support.fake_bus import KEY, FakeBus
from tests.support.patience import LONG_PATIENCE

UNHURRIED = (
    "pal_daemon.attempt.LOOK_FOR",
    "pal_daemon.discovery.LOOK_FOR",
    "pal_daemon.git_state.LOOK_FOR",
    "pal_daemon.logins.LOOK_FOR",
    "pal_daemon.probes.OFFER_FOR",
    "pal_daemon.runtimes.acp_client.offer.TALK_FOR",
    "pal_daemon.runtimes.offer.TALK_FOR",
    "pal_daemon.runtimes.program_probe.ASK_FOR",
    "pal_daemon.runtimes.way_in.LOOK_FOR",
)


class RunningDaemon:
    """A daemon as a task of the test. `leave` is SIGTERM, `vanish` gives it no say."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stop = asyncio.Event()
        self.url = ""
        self.task: asyncio.Task[int] = asyncio.create_task(self._run())
        self._ready = asyncio.Event()

    async def _run(self) -> int:
        return await run_daemon(self.settings, stop=self.stop, ready=self._on_ready)

    def _on_ready(self, url: str) -> None:
        self.url = url
        self._ready.set()

    async def ready(self) -> RunningDaemon:
        waiting = asyncio.create_task(self._ready.wait())
        try:
            async with asyncio.timeout(LONG_PATIENCE):
                await asyncio.wait((waiting, self.task), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self.task.done():
            self.task.result()
        return self

    async def end(self) -> int:
        async with asyncio.timeout(LONG_PATIENCE):
            return await self.task

    async def leave(self) -> int:
        self.stop.set()
        return await self.end()

    async def vanish(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs have long to say what they are and how things stand; a test that is about too long says how long."""
    for name in UNHURRIED:
        monkeypatch.setattr(name, LONG_PATIENCE)


@pytest.fixture
async def bus() -> AsyncIterator[FakeBus]:
    fake = FakeBus()
    await fake.start()
    yield fake
    await fake.close()


@pytest.fixture
def settings(tmp_path: Path, bus: FakeBus) -> Settings:
    return Settings(home=tmp_path / "home", server=bus.url, key=KEY, interval=0.3, local_port=0)


@pytest.fixture
async def start_daemon(settings: Settings) -> AsyncIterator[Callable[..., Awaitable[RunningDaemon]]]:
    daemons: list[RunningDaemon] = []

    async def start(**changes: Any) -> RunningDaemon:
        daemon = RunningDaemon(replace(settings, **changes))
        daemons.append(daemon)
        return await daemon.ready()

    yield start
    for daemon in daemons:
        await daemon.vanish()
    await end_keepers(settings)


async def end_keepers(settings: Settings) -> None:
    """Whatever a test left running."""
    from pal_daemon.folders import known_run_folders
    from pal_daemon.keeper_client import KeeperGone, attach

    for folder in known_run_folders(settings):
        keeper = await attach(folder)
        if keeper is not None:
            try:
                await keeper.kill()
            except KeeperGone:
                pass
