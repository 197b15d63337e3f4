"""Wake-ups within one process.

A wake-up carries no news. Who waits reads the database first, takes the count with it, and waits for the count to move:

    seen = hub.count(key)
    rows = await store.read(…)
    seen = await hub.wait(key, seen=seen, timeout=FLOOR)

Everything here belongs to one event loop. `wake` never blocks, and what nobody waits for costs one dictionary entry.
"""

import asyncio
from collections.abc import Iterable

KEYS = 20_000  # keys remembered; forgetting one wakes its waiters' next compare once for nothing


class Hub:
    """Counts per key, taken from one growing number, so that counts of different keys can be compared."""

    def __init__(self, *, keys: int = KEYS) -> None:
        self._now = 0
        self._forgotten = 0  # every key that is not in `_last` counts as woken then
        self._last: dict[str, int] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._bound = keys

    @property
    def now(self) -> int:
        """The count of all keys: `wait(a, b, seen=now)` returns when either of them is woken from here on."""
        return self._now

    def count(self, *keys: str) -> int:
        """When any of `keys` was woken last."""
        return max((self._last.get(key, self._forgotten) for key in keys), default=0)

    def wake(self, *keys: str) -> None:
        """Whoever waits for one of `keys` looks again. Call on the event loop."""
        for key in keys:
            self._now += 1
            self._last.pop(key, None)
            self._last[key] = self._now
            for waiter in self._waiting.get(key, ()):
                if not waiter.done():
                    waiter.set_result(None)
        if len(self._last) > self._bound:
            self._forget()

    def wake_all(self, keys: Iterable[str], /) -> None:
        self.wake(*keys)

    async def wait(self, *keys: str, seen: int, timeout: float | None = None) -> int:
        """Return as soon as one of `keys` has moved past `seen`, or after `timeout` seconds; their count.

        Compares before it waits, so a wake between the caller's read and this call is not lost. Cancelling is free:
        the waiter leaves no trace.
        """
        if (count := self.count(*keys)) > seen:
            return count
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for key in keys:
            self._waiting.setdefault(key, set()).add(waiter)
        try:
            await asyncio.wait([waiter], timeout=timeout)
        finally:
            waiter.cancel()
            for key in keys:
                waiters = self._waiting[key]
                waiters.discard(waiter)
                if not waiters:
                    del self._waiting[key]
        return self.count(*keys)

    def _forget(self) -> None:
        """Drop the older half. Their counts become the newest of them: a wake-up too many, never one too few."""
        for key in list(self._last)[: len(self._last) // 2]:
            self._forgotten = max(self._forgotten, self._last.pop(key))
