"""The platform's own time: as fast as the wall's, and forward by hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable


class Clock:
    """`now` in seconds since 1970. What is due runs in order of its moment, also when time is moved past it."""

    def __init__(self) -> None:
        self._ahead = 0.0  # seconds in front of the wall
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._changed = asyncio.Event()

    def now(self) -> float:
        return time.time() + self._ahead

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now() + seconds, next(self._numbers), what))
        self._changed.set()

    def advance(self, seconds: float) -> None:
        """From one due moment to the next, so that what follows from one of them is due when it would be."""
        target = self.now() + seconds
        while self._due and self._due[0][0] <= target:
            self._ahead += max(0.0, self._due[0][0] - self.now())
            heapq.heappop(self._due)[2]()
        self._ahead += max(0.0, target - self.now())
        self._changed.set()

    async def run(self) -> None:
        """For as long as the platform lives."""
        while True:
            self._changed.clear()
            while self._due and self._due[0][0] <= self.now():
                heapq.heappop(self._due)[2]()
            wait = self._due[0][0] - self.now() if self._due else None
            try:
                await asyncio.wait_for(self._changed.wait(), None if wait is None else max(wait, 0.001))
            except TimeoutError:
                continue
