"""Notes when tokens were last used, in batches: a write for each request would cost more than the request."""

from collections.abc import Callable, Mapping

from pal_server.actions import tokens
from pal_server.loops.loop import Context, Loop


class TokenUse(Loop):
    """`take` gives what was used since it was last asked. A crash loses the newest half minute."""

    name = "token_use"
    every = 30.0

    def __init__(self, context: Context, *, take: Callable[[], Mapping[str, int]]) -> None:
        super().__init__(context)
        self._take = take

    async def step(self) -> bool:
        if used := self._take():
            await self.context.store.write(tokens.touch, used=used)
        return False
