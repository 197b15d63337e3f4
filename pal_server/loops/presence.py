"""Announces that somebody's browsers have gone."""

from typing import ClassVar

from pal_server.actions import desk
from pal_server.loops.loop import Loop


class Presence(Loop):
    name: ClassVar[str] = "presence"
    every: ClassVar[float] = 5.0
    needs_leader: ClassVar[bool] = True

    async def step(self) -> bool:
        if not await self.context.store.read(desk.any_gone):
            return False
        return await self.context.store.write(desk.end_presence) >= desk.WENT_LIMIT
