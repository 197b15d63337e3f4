"""How often one door may be used by those nobody knows. In memory and bounded: a restart forgives."""

from collections.abc import Callable

from pal_server.domain.actors import Actor, ActorKind
from pal_server.errors import RateLimited

WINDOW = 60_000  # milliseconds
MOST = 20  # things said through one link, or by one guest, in a window; a conversation fits, a flood does not
KEPT = 10_000  # doors remembered


class Pace:
    """Counts uses under keys, which are hashes or ids, never secrets."""

    def __init__(self, *, clock: Callable[[], int], most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._used: dict[str, tuple[int, int]] = {}  # key → uses, end of the window

    def take_for(self, actor: Actor, /) -> None:
        """One use by a guest; everybody else goes at any pace."""
        if actor.kind is ActorKind.GUEST:
            self.take(actor.key)

    def take(self, key: str, /) -> None:
        """One use; `RateLimited` when there were too many."""
        now = self._clock()
        uses, until = self._used.pop(key, (0, 0))
        if now >= until:
            uses, until = 0, now + WINDOW
        if uses >= self._most:
            self._used[key] = (uses, until)
            raise RateLimited("Too much at once for a guest; try again later.", retry_after=(until - now) / 1000)
        self._used[key] = (uses + 1, until)
        while len(self._used) > KEPT:
            del self._used[next(iter(self._used))]
