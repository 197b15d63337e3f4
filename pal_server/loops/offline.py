"""Says in the log when a computer is no longer heard of."""

from typing import ClassVar

from pal_server.actions import computers
from pal_server.loops.loop import Loop


class Offline(Loop):
    name: ClassVar[str] = "offline"
    every: ClassVar[float] = 3.0

    async def step(self) -> bool:
        if await self.context.store.read(computers.any_silent):
            await self.context.store.write(computers.mark_offline)
        return False
