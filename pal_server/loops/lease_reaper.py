"""Takes back attempts whose lease is over before their run started."""

from typing import ClassVar

from pal_server.actions import deliveries
from pal_server.loops.loop import Loop


class LeaseReaper(Loop):
    """An end is acted on within a few seconds; the contract allows twenty."""

    name: ClassVar[str] = "lease_reaper"
    every: ClassVar[float] = 2.0

    async def step(self) -> bool:
        if not await self.context.store.read(deliveries.any_overdue):
            return False
        return await self.context.store.write(deliveries.expire_overdue) >= deliveries.REAP_LIMIT
