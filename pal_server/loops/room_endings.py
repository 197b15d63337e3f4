"""Lets rooms for a while disappear."""

from typing import ClassVar

from pal_server.actions import endings
from pal_server.loops.loop import Loop


class RoomEndings(Loop):
    name: ClassVar[str] = "room_endings"
    every: ClassVar[float] = 5.0
    needs_leader: ClassVar[bool] = True

    async def step(self) -> bool:
        if not await self.context.store.read(endings.any_due):
            return False
        return await self.context.store.write(endings.end_due) >= endings.STEP_LIMIT
