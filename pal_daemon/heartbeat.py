"""Tells the server we are here, at each interval and whenever something calls for it, and acts on what it answers.

Promise: with every wake-up lost, orders and new work are found at the next beat.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from pal_daemon.bus import ApiProblem, Unreachable, is_shut_out
from pal_daemon.checkouts import Checkouts
from pal_daemon.claims import Claims
from pal_daemon.commands import Commands
from pal_daemon.discovery import discover_runtimes
from pal_daemon.house import House
from pal_daemon.runs import Runs
from pal_server.contract.agents import CheckoutIn, HeartbeatAnswer, HeartbeatRequest, LiveRun, RuntimeStateIn

WITHOUT_SOCKET = 4.0  # seconds between two beats at most while no socket tells that the key is void: we end within five
SETTLE_WITHIN = 10.0  # seconds one stray run may hold a beat up
DISCOVER_EVERY = 300.0  # seconds between looks at which programs are installed

log = logging.getLogger(__name__)


class Heartbeat:
    """`beat` may be called by anybody, `step` and `run` belong to one task."""

    def __init__(self, house: House, runs: Runs, claims: Claims, commands: Commands) -> None:
        self._house = house
        self._runs = runs
        self._claims = claims
        self._commands = commands
        self._now = asyncio.Event()
        self._discovered_at = monotonic()
        self._runtimes: list[RuntimeStateIn] | None = None  # news for the next beat
        self._known: list[RuntimeStateIn] = []
        self._checkouts = Checkouts(house.settings.runs_folder)
        self._used: list[CheckoutIn] | None = None  # as the server knows them
        self._news: list[CheckoutIn] | None = None  # for the next beat
        self._had: tuple[int, list[int]] | None = None  # how many runs had ended, and which there were
        self.agents: frozenset[str] = frozenset()
        self._agents_as_of = float("-inf")  # monotonic seconds
        self.has_socket = False  # written by the wake-up socket
        self.is_heard = True
        self.pending = 0
        self._strays: dict[int, float] = {}  # run → when the server first named it, monotonic seconds

    def begin(self, agents: list[str], runtimes: list[RuntimeStateIn]) -> None:
        """What connecting told."""
        self.agents = frozenset(agents)
        self._known = runtimes

    def beat(self) -> None:
        """Soon instead of at the next interval."""
        self._now.set()

    def is_assigned(self, agent: str, since: float) -> bool:
        """Whether the agent is ours; what we heard before `since` cannot say that it is not."""
        return agent in self.agents or self._agents_as_of < since

    async def run(self) -> None:
        """Beat until cancelled. Raises ApiProblem once nobody listens to this daemon any more."""
        while True:
            self._now.clear()
            try:
                await self.step()
            except (ApiProblem, Unreachable) as error:
                if is_shut_out(error) or (isinstance(error, ApiProblem) and error.code == "not_found"):
                    raise
                self._note_silence(error)
            await self._runs.tidy()
            await self._look_at_runtimes()
            await self._look_at_checkouts()
            try:
                async with asyncio.timeout(self._pause):
                    await self._now.wait()
            except TimeoutError:
                pass

    @property
    def _pause(self) -> float:
        interval = self._house.settings.interval
        return interval if self.has_socket else min(interval, WITHOUT_SOCKET)

    async def step(self) -> HeartbeatAnswer:
        """One beat."""
        asked_at = monotonic()
        request = HeartbeatRequest(
            running=self._runs.running(),
            stalled=self._runs.stalled(),
            runtimes=self._runtimes,
            checkouts=self._news,
        )
        answer = await self._house.bus.heartbeat(self._house.computer, request)
        self._runtimes = None
        self._news = None
        if not self.is_heard:
            self.is_heard = True
            log.info("the server answers again", extra={"action": "heartbeat"})
        self.agents, self._agents_as_of = frozenset(answer.agents), asked_at
        self.pending = answer.pending
        self._claims.is_paused = answer.status == "draining" or self._house.settings.is_drain
        self._commands.take(answer.commands)
        await self._settle_strays(answer.strays)
        if answer.pending or self._claims.is_unheard or not self.has_socket:
            self._claims.look()
        return answer

    async def _settle_strays(self, strays: list[LiveRun]) -> None:
        """What the server goes on believing to be ours, and is not, would hold its lane for ever: say what we know."""
        now = monotonic()
        unknown = {run.id: run for run in strays if self._runs.of_run(run.id) is None and not self._runs.is_opening}
        self._strays = {run: self._strays.get(run, now) for run in unknown}
        for run, since in list(self._strays.items()):
            if now - since >= self._house.settings.stray_after:
                del self._strays[run]
                try:
                    async with asyncio.timeout(SETTLE_WITHIN):
                        await self._runs.disown(unknown[run])
                except TimeoutError:  # the next beats try again
                    log.warning("run %s cannot be settled now", run, extra={"action": "heartbeat", "run": run})

    def _note_silence(self, error: Exception) -> None:
        if self.is_heard:
            log.warning("the server does not answer, runs go on: %s", error, extra={"action": "heartbeat"})
        self.is_heard = False

    async def _look_at_runtimes(self) -> None:
        if monotonic() - self._discovered_at < DISCOVER_EVERY:
            return
        self._discovered_at = monotonic()
        found = await discover_runtimes(self._house.registry)
        if found != self._known:
            self._known = self._runtimes = found

    async def _look_at_checkouts(self) -> None:
        """Whenever runs began or ended: an agent may have changed the branch."""
        now = (self._runs.ended, sorted(self._runs.running()))
        if now == self._had and self._checkouts.knows(now[1]):
            return
        self._had = now
        used = await asyncio.to_thread(self._checkouts.look)
        if used != self._used:
            self._used = self._news = used
