"""What every loop is: a step, repeated when something wakes it and at the latest after a pause.

A step that fails is logged and counted, and tried again after the pause: one bad row must not stop everything else.
What ends `run` in any other way than a cancellation ends the server, aloud.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

from pal_server.errors import Unavailable
from pal_server.loops.leader import Leader
from pal_server.metrics import Metrics
from pal_server.storage.store import Store
from pal_server.wakeups.hub import Hub

FAILURES_ALLOWED = 3  # in a row, before the server calls itself not ready

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What loops work with."""

    store: Store
    hub: Hub
    clock: Callable[[], int]
    metrics: Metrics
    leader: Leader
    workspace_id: str


class Loop(ABC):
    """One chore. `name` is stable: it is in metrics, logs and the health check."""

    name: ClassVar[str]
    every: ClassVar[float]  # seconds; the longest pause between two steps
    wakes_on: ClassVar[tuple[str, ...]] = ()  # keys of the hub that end the pause
    needs_leader: ClassVar[bool] = False  # of several servers only one does it

    def __init__(self, context: Context) -> None:
        self.context = context
        self.failures = 0  # in a row

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the hub that end the next pause."""
        return self.wakes_on

    @property
    def pause(self) -> float:
        """Seconds the next pause lasts at the longest."""
        return self.every

    @abstractmethod
    async def step(self) -> bool:
        """Do what is due now. True: there is more, come back at once."""

    async def run(self) -> None:
        """Step for ever."""
        hub = self.context.hub
        while True:
            keys = self.keys
            seen = hub.count(*keys)
            if not await self._try_step():
                await hub.wait(*keys, seen=seen, timeout=self.pause)

    async def _try_step(self) -> bool:
        begun = perf_counter()
        metrics = self.context.metrics
        try:
            if self.needs_leader and not await self.context.leader.holds(self.name):
                return False
            again = await self.step()
        except Unavailable as exc:  # the disk is full, the database restarts: the next step sees
            log.warning("a loop has to wait: %s", exc, extra={"action": "loop.wait", "loop": self.name})
        except Exception:
            log.exception("a step of a loop failed", extra={"action": "loop.step", "loop": self.name})
        else:
            self.failures = 0
            metrics.observe("pal_loop_seconds", "Time of one step.", perf_counter() - begun, loop=self.name)
            return again
        self.failures += 1
        metrics.count("pal_loop_errors_total", "Steps that failed.", loop=self.name)
        return False
