"""Which of several servers does a chore. A single server on its own file always does."""

from pal_server.actions import leaders
from pal_server.storage.store import Store

HOLD_FOR = 30_000  # milliseconds a chore stays with a server that says nothing


class Leader:
    """`holder` is this server's id among all."""

    def __init__(self, *, store: Store, holder: str, is_alone: bool) -> None:
        self._store = store
        self._holder = holder
        self._is_alone = is_alone
        self._held: set[str] = set()

    async def holds(self, chore: str, /) -> bool:
        """Whether this server does the chore now; asking prolongs the hold."""
        if self._is_alone:
            return True
        is_held = await self._store.write(leaders.hold, chore=chore, holder=self._holder, hold_for=HOLD_FOR)
        (self._held.add if is_held else self._held.discard)(chore)
        return is_held

    async def let_go(self) -> None:
        """Leave everything to the others, on the way out."""
        for chore in sorted(self._held):
            await self._store.write(leaders.let_go, chore=chore, holder=self._holder)
        self._held.clear()
