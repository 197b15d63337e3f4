"""Sends the digests of `periodic` members."""

from typing import ClassVar

from pal_server.actions import digests
from pal_server.loops.loop import Loop


class Digests(Loop):
    name: ClassVar[str] = "digests"
    every: ClassVar[float] = 5.0
    needs_leader: ClassVar[bool] = True

    async def step(self) -> bool:
        if not await self.context.store.read(digests.any_due):
            return False
        return await self.context.store.write(digests.send_due) >= digests.STEP_LIMIT
