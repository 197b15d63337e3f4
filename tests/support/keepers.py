"""Runs kept by real keepers, ended with the test whatever it did."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING

import pytest

from pal_daemon.keeper_client import KeeperGone, KeeperRefused, LaunchSpec, attach, launch
from pal_daemon.process_tree import sweep
from pal_daemon.spool import Stream, follow, parse_exit
from tests.support.patience import LONG_PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from pal_daemon.keeper_client import Keeper
    from pal_daemon.spool import Exit, Record


class KeptRun:
    """A run and what its spool has said so far."""

    def __init__(self, keeper: Keeper, records: AsyncIterator[Record]) -> None:
        self.keeper = keeper
        self.records: list[Record] = []
        self._tail = records

    async def until(self, is_it: Callable[[Record], bool]) -> Record:
        """Read on to the first record that `is_it`."""
        async with asyncio.timeout(LONG_PATIENCE):
            async for record in self._tail:
                self.records.append(record)
                if is_it(record):
                    return record
        raise AssertionError(f"the spool ended without it: {self.records[-5:]}")

    async def says(self, text: bytes) -> None:
        """Read on until everything on stdout ends with `text`."""
        if not self.stdout.endswith(text):
            await self.until(lambda record: self.stdout.endswith(text))

    async def end(self) -> Exit:
        return parse_exit(await self.until(lambda record: record.stream is Stream.EXIT))

    @property
    def stdout(self) -> bytes:
        return self.output(Stream.STDOUT)

    def output(self, stream: Stream) -> bytes:
        return b"".join(record.data for record in self.records if record.stream is stream)

    def notes(self, kind: str) -> list[dict[str, object]]:
        facts = [record.facts for record in self.records if record.stream is Stream.NOTE]
        return [note for note in facts if note["kind"] == kind]


class KeptRuns:
    """Starts runs below one directory; `python` runs a script in a lean interpreter."""

    def __init__(self, home: Path, stack: contextlib.AsyncExitStack) -> None:
        self.home = home
        self._stack = stack
        self._count = 0

    async def start(self, *argv: str, **options: object) -> KeptRun:
        self._count += 1
        fields = {"argv": argv, "cwd": str(self.home), "env": {"PATH": os.environ["PATH"]}, **options}
        return await self.follow(await launch(self.home / str(self._count), LaunchSpec(**fields)))

    async def python(self, script: str, **options: object) -> KeptRun:
        return await self.start(sys.executable, "-I", "-S", "-u", "-c", script, **options)

    async def follow(self, keeper: Keeper) -> KeptRun:
        watch = await self._stack.enter_async_context(keeper.watch())
        records = follow(keeper.spool, growth=watch)
        self._stack.push_async_callback(records.aclose)
        return KeptRun(keeper, records)


@pytest.fixture
async def runs(tmp_path: Path) -> AsyncIterator[KeptRuns]:
    home = tmp_path / "runs"
    home.mkdir()
    async with contextlib.AsyncExitStack() as stack:
        yield KeptRuns(home, stack)
    for run_dir in [folder for folder in home.iterdir() if folder.is_dir()]:
        if (keeper := await attach(run_dir)) is not None:
            with contextlib.suppress(KeeperGone, KeeperRefused):
                await keeper.kill()
            await wait_gone(keeper.pid)
        await asyncio.to_thread(sweep, run_dir)


async def wait_gone(pid: int) -> None:
    """Return once no program runs under this pid any more."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(fd, ended.set)
    try:
        async with asyncio.timeout(LONG_PATIENCE):
            await ended.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)


@pytest.fixture
def gone() -> Callable[[int], object]:
    return wait_gone
