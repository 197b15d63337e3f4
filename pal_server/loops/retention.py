"""Removes what nobody can use any more: ended tokens and old client ids."""

from typing import ClassVar

from pal_server.actions import client_ids, tokens
from pal_server.loops.loop import Loop

TOKENS_FOR = 30 * 24 * 3_600_000  # milliseconds an ended token stays listed
CLIENT_IDS_FOR = 30 * 24 * 3_600_000  # milliseconds in which a repeated request is known for one


class Retention(Loop):
    name: ClassVar[str] = "retention"
    every: ClassVar[float] = 600.0
    needs_leader: ClassVar[bool] = True

    async def step(self) -> bool:
        now = self.context.clock()
        await self.context.store.write(tokens.forget, before=now - TOKENS_FOR)
        forgotten = await self.context.store.write(client_ids.forget, before=now - CLIENT_IDS_FOR)
        return forgotten >= client_ids.FORGET_LIMIT
