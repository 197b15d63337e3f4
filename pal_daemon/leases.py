"""Keeps a lease alive while its attempt goes on, counted on the monotonic clock alone.

Promises: renewed at a third of its length, so two renewals may be lost; a clock that jumps changes nothing. Whoever
loses a lease is told once, through `lost`, and the loop ends. A server that is away loses nobody a lease by itself:
a started run's delivery stays ours until somebody takes it.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from pal_daemon.bus import ApiProblem, Bus, is_lease_lost, is_worth_repeating
from pal_daemon.patience import new_pauses
from pal_server.contract.deliveries import Lease, UnderLease

RENEW_AT = 1 / 3  # of the lease's length
SHORTEST = 0.2  # seconds between renewals, whatever length the server says
GONE = frozenset(("not_found", "conflict", "already_claimed"))

log = logging.getLogger(__name__)


class HeldLease:
    """One attempt's lease. `lost` is set when it belongs to somebody else."""

    def __init__(self, *, delivery: int, lease_id: str, fence: int) -> None:
        self.delivery = delivery
        self.id = lease_id
        self.fence = fence
        self.lost = asyncio.Event()
        self._length = 0.0  # seconds
        self._until = 0.0  # monotonic seconds; 0 when nobody knows, as after a restart

    @classmethod
    def of_claim(cls, delivery: int, lease: Lease, *, now: int, asked_at: float) -> HeldLease:
        """`now` is the server's clock in the answer, `asked_at` our monotonic one when the question left."""
        held = cls(delivery=delivery, lease_id=lease.id, fence=lease.fence)
        held._extend(lease, now=now, asked_at=asked_at)
        return held

    @property
    def under(self) -> UnderLease:
        return UnderLease(lease_id=self.id, fence=self.fence)

    @property
    def is_over(self) -> bool:
        """Whether it may have lapsed, as far as we can tell; the server's word is what counts."""
        return monotonic() >= self._until

    async def renew(self, bus: Bus) -> None:
        """Ask once. Raises what the server says."""
        asked_at = monotonic()
        answer = await bus.renew(self.delivery, self.under)
        self._extend(answer.lease, now=answer.now, asked_at=asked_at)

    async def hold(self, bus: Bus) -> None:
        """Renew until the lease is lost; cancel to let go of it."""
        pauses = new_pauses()
        while True:
            await asyncio.sleep(max(self._until - self._length * (1 - RENEW_AT) - monotonic(), 0.0))
            try:
                await self.renew(bus)
                pauses.reset()
            except Exception as error:
                if is_lease_lost(error) or (isinstance(error, ApiProblem) and error.code in GONE):
                    log.warning("the lease is no longer ours", extra={"action": "lease", "delivery": self.delivery})
                    self.lost.set()
                    return
                if not is_worth_repeating(error):
                    log.warning("the lease cannot be renewed: %s", error, extra={"delivery": self.delivery})
                await asyncio.sleep(pauses.next())

    def _extend(self, lease: Lease, *, now: int, asked_at: float) -> None:
        self._length = max((lease.until - now) / 1000, SHORTEST)
        self._until = asked_at + self._length
