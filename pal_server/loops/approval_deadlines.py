"""Denies what nobody has approved in time, in rooms that say so."""

from typing import ClassVar

from pal_server.actions import interactions
from pal_server.loops.loop import Loop


class ApprovalDeadlines(Loop):
    name: ClassVar[str] = "approval_deadlines"
    every: ClassVar[float] = 2.0
    needs_leader: ClassVar[bool] = True

    async def step(self) -> bool:
        if not await self.context.store.read(interactions.any_overdue):
            return False
        return await self.context.store.write(interactions.deny_overdue) >= interactions.DENY_LIMIT
