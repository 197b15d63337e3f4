"""Removes files that have ended: rows first, then bytes that no row names, also of uploads that came to nothing."""

import asyncio
from pathlib import Path
from typing import ClassVar

from pal_server.actions import files
from pal_server.domain.actors import system
from pal_server.loops.loop import Context, Loop
from pal_server.storage.blobs import Blobs

SWEEP_EVERY = 6  # steps between comparisons of the whole disk with the rows
CHECKED_AT_ONCE = 500  # contents


class Files(Loop):
    name: ClassVar[str] = "files"
    every: ClassVar[float] = 600.0
    needs_leader: ClassVar[bool] = True

    def __init__(self, context: Context, *, root: Path) -> None:
        super().__init__(context)
        self._blobs = Blobs(root)
        self._steps = 0

    async def step(self) -> bool:
        store, workspace_id = self.context.store, self.context.workspace_id
        if await store.read(files.any_ended, workspace_id=workspace_id):
            cleaned = await store.write(files.cleanup, actor=system(workspace_id))
            await asyncio.to_thread(self._blobs.remove_unused, cleaned.unused)
            return not cleaned.is_all
        if self._steps % SWEEP_EVERY == 0:
            await self._sweep()
        self._steps += 1
        return False

    async def _sweep(self) -> None:
        old = await asyncio.to_thread(lambda: list(self._blobs.list_old()))
        for begin in range(0, len(old), CHECKED_AT_ONCE):
            part = old[begin : begin + CHECKED_AT_ONCE]
            unused = await self.context.store.read(files.unused, hashes=part)
            await asyncio.to_thread(self._blobs.remove_unused, unused)
