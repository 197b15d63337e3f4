"""How often something happened on a platform, for those who wait for something."""

from __future__ import annotations

import asyncio


class Changes:
    def __init__(self) -> None:
        self.changes = 0
        self._moved = asyncio.Condition()

    def note(self) -> None:
        """Something happened; those who wait look again."""
        self.changes += 1
        asyncio.get_running_loop().create_task(self._tell(), name="tell of a change").add_done_callback(_raise)

    async def changed(self, after: int, *, within: float) -> int:
        """Their number, once there are more than `after` or `within` seconds are over."""
        try:
            async with asyncio.timeout(within), self._moved:
                await self._moved.wait_for(lambda: self.changes > after)
        except TimeoutError:
            pass
        return self.changes

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()


def _raise(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.result()
