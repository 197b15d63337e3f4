"""Finds out for certain whether an earlier daemon's run was started, and makes sure it is not started later.

A daemon may die at the very moment it starts a keeper. A keeper creates its spool first and starts nothing when
there is one, so whoever creates the spool decides: if it is us, nothing was started and nothing ever will be.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from time import monotonic

from pal_daemon.keeper_client import Keeper, attach
from pal_daemon.keeping.tree import all_pids, read_proc

LOOK_AGAIN = 0.02  # seconds
START_FOR = 3.0  # seconds a keeper has to show itself where processes cannot be listed


async def find_keeper(folder: Path) -> Keeper | None:
    """The run's keeper if it lives, also one that is just starting; after None nothing of this run will start."""
    if (keeper := await attach(folder)) is not None:
        return keeper
    if await asyncio.to_thread(_seal, folder):
        return None
    give_up_at = monotonic() + START_FOR
    while not (folder / "keeper.pid").exists():
        is_starting = await asyncio.to_thread(_is_starting, folder)
        if is_starting is None:
            is_starting = monotonic() < give_up_at
        if not is_starting and not (folder / "keeper.pid").exists():
            return None
        await asyncio.sleep(LOOK_AGAIN)
    return await attach(folder)


def _seal(folder: Path) -> bool:
    """Create the spool in the keeper's place; False when a keeper was quicker."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        fd = os.open(folder / "spool", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    os.close(fd)
    return True


def _is_starting(folder: Path) -> bool | None:
    """Whether a keeper process of this folder exists; None when processes cannot be listed."""
    if not os.path.isdir("/proc/self"):
        return None
    name = os.fsencode(folder.resolve())
    return any(read_proc(f"/proc/{pid}/cmdline").rstrip(b"\0").endswith(b"\0" + name) for pid in all_pids())
