"""What a daemon does beside its runs: a disk that is full for a while is no reason to end."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pal_daemon.probes import Probes
from pal_daemon.runs import Runs
from tests.support.patience import PATIENCE

FULL = OSError(errno.ENOSPC, "No space left on device")


class Logins:
    """The first look finds no room for an account's home."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.looks = 0
        self.looked_again = asyncio.Event()

    async def all(self) -> list[Any]:
        self.looks += 1
        if self.looks == 1:
            self.changed.set()
            raise FULL
        self.looked_again.set()
        return []


async def test_logins_are_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pal_daemon.probes.LOOK_EVERY", 0.0)
    logins = Logins()
    watching = asyncio.create_task(Probes(cast(Any, SimpleNamespace()), cast(Any, logins)).watch())
    try:
        await asyncio.wait_for(logins.looked_again.wait(), PATIENCE)
        assert not watching.done()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_what_cannot_be_cleared_up_is_left_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[set[int]] = []

    def full(settings: object, *, live: set[int]) -> int:
        tried.append(live)
        raise FULL

    monkeypatch.setattr("pal_daemon.runs.remove_old_runs", full)
    house = SimpleNamespace(settings=SimpleNamespace(folder=tmp_path))

    await Runs(cast(Any, house), ended=lambda: None).tidy()

    assert tried == [set()]
