"""Asks the server for work, as much as there is room for, whenever somebody says look.

Promise: a `look` that comes while we are asking leads to another question, so nothing slips between answer and waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from pal_daemon.bus import ApiProblem, Unreachable, is_shut_out, is_worth_repeating
from pal_daemon.house import House
from pal_daemon.runs import Runs
from pal_server.contract.deliveries import ClaimDeliveries, ClaimedDelivery, ReleaseDelivery

log = logging.getLogger(__name__)


class Claims:
    """`look` may be called by anybody, `step` and `run` belong to one task."""

    def __init__(self, house: House, runs: Runs, *, is_ours: Callable[[str, float], bool]) -> None:
        """`is_ours` tells whether an agent is assigned here, as far as heard since a moment (monotonic seconds)."""
        self._house = house
        self._runs = runs
        self._is_ours = is_ours
        self._looks = asyncio.Event()
        self.is_unheard = False  # an answer was lost, and with it perhaps deliveries under our lease
        self.is_paused = False  # draining: finish, claim nothing

    def look(self) -> None:
        self._looks.set()

    async def run(self) -> None:
        """Claim on every look. Raises ApiProblem when the key is no longer good."""
        while True:
            await self._looks.wait()
            self._looks.clear()
            try:
                while await self.step():
                    pass
            except Unreachable as error:
                log.debug("claiming waits for the server: %s", error)
            except ApiProblem as error:
                if is_shut_out(error):
                    raise
                log.warning("claiming failed: %s", error, extra={"action": "claim", "code": error.code})

    async def step(self) -> bool:
        """Claim once and begin what was given. True when there is more to claim now."""
        free = self._runs.free
        if self.is_paused or not free:
            return False
        agent = self._house.settings.legacy_agent
        asked_at = monotonic()
        held = sorted(attempt.lease.delivery for attempt in self._runs) if self.is_unheard else None
        request = ClaimDeliveries(limit=free, agents=[agent] if agent else None, held=held)
        try:
            answer = await self._house.bus.claim(request)
        except (Unreachable, ApiProblem) as error:  # a proxy gives up while the server goes on
            self.is_unheard = self.is_unheard or is_worth_repeating(error)
            raise
        self.is_unheard = False
        for claimed in answer.deliveries:
            if self._is_ours(claimed.agent, asked_at):
                self._runs.begin(claimed, now=answer.now, asked_at=asked_at)
            else:
                await self._give_back(claimed)
        return answer.more and bool(answer.deliveries)

    async def _give_back(self, claimed: ClaimedDelivery) -> None:
        """Its agent was taken from this computer between the claim and now."""
        request = ReleaseDelivery(
            lease_id=claimed.lease.id,
            fence=claimed.lease.fence,
            reason=f"{claimed.agent} is not assigned to this computer any more",
            burn_attempt=False,
        )
        try:
            await self._house.bus.release(claimed.id, request)
        except (ApiProblem, Unreachable) as error:  # the lease lapses by itself
            log.info("not released: %s", error, extra={"action": "release", "delivery": claimed.id})
