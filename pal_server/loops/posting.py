"""Turns what happens in topics that are shown outside into posts, and the steps of live runs into their cards."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import ClassVar

from pal_server.actions import bots, posting
from pal_server.errors import Conflict, Unavailable
from pal_server.loops.loop import Context, Loop

STEPS_EVERY = 1.0  # seconds between two looks at what live runs do
DEAF_EVERY = 5.0  # seconds between two looks for bridges that have gone silent
TRIES = 3  # of an event by itself, before it is set aside
APART = 5_000  # milliseconds between two of them, at least

log = logging.getLogger(__name__)


class Posting(Loop):
    """Where nothing is shown outside it sleeps until the first link, so that others pay nothing for it.

    After a failure events are shown one by one. The one that fails by itself as well is set aside, aloud and with a
    notice in its place, so that a defect costs one event and not all that follow. Tries are those of one event: what
    several servers do at a time, and what is over after a moment, sets nothing aside.
    """

    name: ClassVar[str] = "posting"
    every: ClassVar[float] = 15.0

    def __init__(self, context: Context, *, url: Callable[[], str]) -> None:
        super().__init__(context)
        self._url = url
        self._is_needed = False
        self._has_turns = False
        self._refreshed_at = 0.0
        self._looked_at = 0.0
        self._alone = 0  # events that are still shown one by one
        self._failing: int | None = None  # position of the event that failed by itself last
        self._failed = 0  # tries of it by itself
        self._tried_at = 0  # the last of them, by the loop's clock
        self._unshown: set[int] = set()  # deliveries whose steps cannot be shown

    @property
    def keys(self) -> tuple[str, ...]:
        return (f"events:{self.context.workspace_id}",) if self._is_needed else ("links",)

    @property
    def pause(self) -> float:
        return STEPS_EVERY if self._has_turns else DEAF_EVERY if self._is_needed else self.every

    async def step(self) -> bool:
        store, workspace_id = self.context.store, self.context.workspace_id
        standing = await store.read(posting.standing, workspace_id=workspace_id)
        self._is_needed, self._has_turns = standing.is_needed, standing.has_turns
        if not standing.is_needed:
            return False
        now = monotonic()
        if now - self._looked_at >= DEAF_EVERY:
            self._looked_at = now
            await store.write(bots.mark_deaf, workspace_id=workspace_id)
        try:
            if standing.is_behind and not self._waits(standing.next_at):
                return await self._show(standing.next_at)
            if standing.has_turns and now - self._refreshed_at >= STEPS_EVERY:
                self._refreshed_at = now
                await self._refresh()
        except Conflict:  # a bridge settled a post at this moment, or another server was quicker: look again
            return True
        return False

    async def _refresh(self) -> None:
        """Show what live runs do. A card that cannot be shown leaves the others alone; its end is told by the log."""
        store, workspace_id = self.context.store, self.context.workspace_id
        behind = await store.read(posting.turns_behind, workspace_id=workspace_id)
        turns = [delivery for delivery in behind if delivery not in self._unshown]
        if turns and not await self._try_refresh(turns) and len(turns) > 1:
            for delivery in turns:
                await self._try_refresh([delivery])

    async def _try_refresh(self, deliveries: list[int]) -> bool:
        """`Conflict`, `Unavailable`."""
        store, workspace_id = self.context.store, self.context.workspace_id
        try:
            await store.write(posting.refresh, workspace_id=workspace_id, deliveries=deliveries, url=self._url())
        except (Conflict, Unavailable):
            raise
        except Exception:  # a defect
            log.exception("steps cannot be shown", extra={"action": "posting.refresh", "deliveries": deliveries})
            if len(deliveries) == 1:
                self._unshown.add(deliveries[0])
            return False
        return True

    async def _show(self, next_at: int | None) -> bool:
        """Show what happened, from the event at this position on. `Conflict`, `Unavailable`."""
        store, workspace_id = self.context.store, self.context.workspace_id
        limit = 1 if self._alone else posting.AT_ONCE
        try:
            await store.write(posting.step, workspace_id=workspace_id, url=self._url(), limit=limit)
        except Unavailable:
            raise
        except Exception:  # a defect: whatever else happened is shown all the same
            standing = await store.read(posting.standing, workspace_id=workspace_id)
            if standing.next_at != next_at:  # another server was quicker
                return True
            log.exception("what happened cannot be shown outside", extra={"action": "posting.step", "events": limit})
            if not self._alone:
                self._alone = posting.AT_ONCE
                return True
            return next_at is not None and await self._count(next_at)
        self._alone = max(0, self._alone - 1)
        return True

    def _waits(self, next_at: int | None) -> bool:
        """Whether the next event has failed by itself a moment ago."""
        return next_at is not None and next_at == self._failing and 0 <= self.context.clock() - self._tried_at < APART

    async def _count(self, position: int) -> bool:
        """An event failed by itself; the last of its tries sets it aside. `Conflict`, `Unavailable`."""
        store, workspace_id = self.context.store, self.context.workspace_id
        if position != self._failing:
            self._failing, self._failed = position, 0
        self._failed += 1
        self._tried_at = self.context.clock()
        if self._failed < TRIES:
            return False
        await store.write(posting.set_aside, workspace_id=workspace_id, position=position)
        log.error("an event is not shown", extra={"action": "posting.set_aside", "position": position})
        self.context.metrics.count("pal_posting_set_aside_total", "Events that could not be shown outside.")
        self._alone = max(0, self._alone - 1)
        return True
