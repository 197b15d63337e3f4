"""Removes what nobody can use any more: ended tokens, old client ids, platforms' words that nobody will look at."""

from typing import ClassVar

from pal_server.actions import client_ids, inbound, tokens
from pal_server.loops.loop import Loop

TOKENS_FOR = 30 * 24 * 3_600_000  # milliseconds an ended token stays listed
CLIENT_IDS_FOR = 30 * 24 * 3_600_000  # milliseconds in which a repeated request is known for one
WORDS_FOR = 14 * 24 * 3_600_000  # milliseconds for which platforms' own words are kept
WORDS_KEPT = 10_000  # of the newest events


class Retention(Loop):
    name: ClassVar[str] = "retention"
    every: ClassVar[float] = 600.0
    needs_leader: ClassVar[bool] = True

    async def step(self) -> bool:
        now = self.context.clock()
        await self.context.store.write(tokens.forget, before=now - TOKENS_FOR)
        await self.context.store.write(inbound.forget_words, before=now - WORDS_FOR, keep=WORDS_KEPT)
        forgotten = await self.context.store.write(client_ids.forget, before=now - CLIENT_IDS_FOR)
        return forgotten >= client_ids.FORGET_LIMIT
