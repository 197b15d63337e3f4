"""Gives up terminals that did not open in time, and has those closed that nobody used for long."""

from typing import ClassVar

from pal_server.actions import terminals
from pal_server.domain.terminals import Policy
from pal_server.loops.loop import Context, Loop


class TerminalReaper(Loop):
    name: ClassVar[str] = "terminal_reaper"
    every: ClassVar[float] = 5.0
    needs_leader: ClassVar[bool] = True

    def __init__(self, context: Context, *, policy: Policy) -> None:
        super().__init__(context)
        self._policy = policy

    async def step(self) -> bool:
        if not await self.context.store.read(terminals.any_overdue, policy=self._policy):
            return False
        return await self.context.store.write(terminals.reap, policy=self._policy) >= terminals.REAP_LIMIT
