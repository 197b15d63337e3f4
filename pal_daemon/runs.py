"""All attempts of this daemon: begins them, finds them by run, and takes up what an earlier daemon left.

Promise: the failure of one attempt is logged and costs no other; at most `max_runs` at once are claimed for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

from pal_daemon import endings, git_state
from pal_daemon.attempt import Attempt
from pal_daemon.equipment import take_back_all
from pal_daemon.folders import remove_old_runs, run_folder, runs_with_processes
from pal_daemon.house import House
from pal_daemon.journal import JournalFull, Line
from pal_daemon.keeper_client import KeeperGone, kill_keeper, living_keeper
from pal_daemon.leases import HeldLease
from pal_daemon.patience import until_answered
from pal_daemon.process_tree import find_left_over, sweep
from pal_daemon.starts import find_keeper
from pal_server.contract.agents import LiveRun
from pal_server.contract.deliveries import ClaimedDelivery, ReleaseDelivery

TIDY_EVERY = 3600.0  # seconds
LEAVE_WITHIN = 2.0  # seconds; a start takes some hundredths, a server that is away longer than anybody waits

LATE = 4.0  # seconds a keeper has for a kill, before it is killed itself
LOOK_AGAIN = 0.02  # seconds

log = logging.getLogger(__name__)
Work = Callable[[], Awaitable[None]]


class Runs:
    """Owns the tasks of all attempts. `ended` is called after each end: there may be room for more work."""

    def __init__(self, house: House, *, ended: Callable[[], None]) -> None:
        self._house = house
        self._ended = ended
        self._attempts: dict[Attempt, asyncio.Task[None]] = {}
        self._tidied_at = float("-inf")
        self.ended = 0  # attempts, since the start
        self.failed = 0  # runs that ended other than succeeded, since the start

    def __len__(self) -> int:
        return len(self._attempts)

    def __iter__(self) -> Iterator[Attempt]:
        return iter(tuple(self._attempts))

    @property
    def free(self) -> int:
        return max(self._house.settings.max_runs - len(self._attempts), 0)

    @property
    def is_opening(self) -> bool:
        """The server may know a run of ours that we do not know by its number yet."""
        return any(attempt.is_opening for attempt in self)

    def running(self) -> list[int]:
        return [attempt.run for attempt in self if attempt.run is not None and attempt.end is None]

    def stalled(self) -> list[int]:
        limit = self._house.settings.stalled_after
        return [attempt.run for attempt in self if attempt.run is not None and attempt.silent_for > limit]

    def of_run(self, run: int) -> Attempt | None:
        return next((attempt for attempt in self if attempt.run == run), None)

    def begin(self, claimed: ClaimedDelivery, *, now: int, asked_at: float) -> None:
        """Carry a claimed delivery out, after whatever attempt at it is still under way here has ended."""
        lease = HeldLease.of_claim(claimed.id, claimed.lease, now=now, asked_at=asked_at)
        attempt = Attempt.of_claim(self._house, lease, claimed.work)
        earlier = [task for other, task in self._attempts.items() if other.lease.delivery == claimed.id]
        for other in self:
            if other.lease.delivery == claimed.id and other.end is None:
                other.lease.lost.set()
        self._start(attempt, lambda: _after(earlier, attempt.carry_out))

    async def take_up(self, entries: list[Line], live: list[LiveRun]) -> None:
        """Settle what an earlier daemon began: go on with what lives and is still ours, end the rest.

        Returns when everything that may not go on has ended and everything that may is followed.
        """
        believed = {(run.delivery, run.fence): run for run in live}
        for entry in entries:
            run = believed.pop((entry.delivery, entry.fence), None) if self._is_ours(entry) else None
            if entry.step == "spawning" and run is not None:
                self._go_on(entry, run)
            else:
                await self._drop(entry, run)
        for run in believed.values():
            await self.disown(run)
        await self.end_orphans()

    async def wait_one(self) -> None:
        """Return when one attempt that is under way now has ended, at once when none is."""
        if self._attempts:
            await asyncio.wait(self._attempts.values(), return_when=asyncio.FIRST_COMPLETED)

    async def kill_all(self) -> None:
        """End every process of ours: another daemon has our place, or our computer was struck off."""
        await asyncio.gather(*(attempt.ask_to_end("lost") for attempt in self), return_exceptions=True)

    async def leave(self) -> None:
        """Let go of everything; keepers and agents go on. What is just being started is seen to its start first."""
        starting = [asyncio.create_task(attempt.wait_begun()) for attempt in self]
        if starting:
            await asyncio.wait(starting, timeout=LEAVE_WITHIN)
        for waiting in starting:
            waiting.cancel()
        tasks = tuple(self._attempts.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def tidy(self) -> None:
        """Remove old finished runs now and then."""
        if monotonic() - self._tidied_at < TIDY_EVERY:
            return
        self._tidied_at = monotonic()
        live = {attempt.run for attempt in self if attempt.run is not None}
        try:
            await asyncio.to_thread(remove_old_runs, self._house.settings, live=live)
            await asyncio.to_thread(take_back_all, self._house.settings, live=live)
        except OSError as error:  # what cannot be cleared up now is at the next time
            log.warning("old runs cannot be cleared up: %s", error, extra={"action": "tidy"})

    def _start(self, attempt: Attempt, work: Work) -> None:
        name = f"delivery {attempt.lease.delivery}"
        self._attempts[attempt] = asyncio.create_task(self._see_to(attempt, work), name=name)

    async def _see_to(self, attempt: Attempt, work: Work) -> None:
        try:
            await work()
        except Exception:  # an edge: one attempt's defect must not end the others
            log.exception("an attempt broke off", extra={"action": "run", "run": attempt.run})
            self.failed += 1
        finally:
            del self._attempts[attempt]
            self.ended += 1
        if attempt.end is not None and attempt.end.status not in ("succeeded", "dry_run"):
            self.failed += 1
        self._ended()

    def _is_ours(self, entry: Line) -> bool:
        return entry.computer in (None, self._house.computer)

    def _go_on(self, entry: Line, run: LiveRun) -> None:
        attempt = Attempt.of_journal(self._house, entry)
        self._start(attempt, lambda: attempt.take_up(last_seq=run.last_seq, last_source=run.last_source))

    async def _drop(self, entry: Line, run: LiveRun | None) -> None:
        """The server has given it up, or nothing was ever started: end what lives and forget it."""
        if entry.step == "spawning" and entry.run is not None:
            await self._end_processes(entry.run)
        elif run is not None:
            await self.disown(run)
        elif self._is_ours(entry):
            await self._release(entry)
        try:
            await self._house.journal.write(Line(step="done", delivery=entry.delivery, fence=entry.fence))
        except JournalFull as error:
            self._house.troubles["journal"] = str(error)

    async def _release(self, entry: Line) -> None:
        """Claimed and never begun: nobody has to wait for the lease to lapse."""
        request = ReleaseDelivery(
            lease_id=entry.lease_id or "", fence=entry.fence, reason="the daemon restarted", burn_attempt=False
        )
        try:
            await self._house.bus.release(entry.delivery, request)
        except Exception as error:  # the lease lapses by itself
            log.info("not released: %s", error, extra={"action": "release", "delivery": entry.delivery})

    async def disown(self, run: LiveRun) -> None:
        """A run the server believes we have, and no journal of ours knows: nobody can say what it did."""
        await self._end_processes(run.id)
        end = endings.end_of_unknown(run.status)
        folder = run_folder(self._house.settings, run.id)
        if folder.is_dir():
            end = replace(end, effects={"git": await asyncio.to_thread(git_state.effects_of, folder)})
        request = end.render(lease_id=run.lease_id, fence=run.fence)
        try:
            await until_answered(lambda: self._house.bus.finish(run.id, request))
        except Exception as error:
            log.warning("run %s cannot be finished: %s", run.id, error, extra={"action": "finish", "run": run.id})

    async def end_orphans(self) -> None:
        """End the processes of every run of this home that is not under way here, and nobody else's: neither journal
        nor server know it as ours, or we may run nothing any more.
        """
        ours = {attempt.run for attempt in self}
        for run in await asyncio.to_thread(runs_with_processes, self._house.settings):
            if run not in ours:
                await self._end_processes(run)

    async def _end_processes(self, run: int) -> None:
        folder = run_folder(self._house.settings, run)
        if not folder.is_dir():
            return
        keeper = await find_keeper(folder)
        if keeper is not None:
            log.warning(
                "run %s goes on and is not ours any more: it is ended", run, extra={"action": "end", "run": run}
            )
            try:
                await keeper.kill()
            except KeeperGone:
                pass
        await _see_it_go(folder)
        if await asyncio.to_thread(find_left_over, folder):
            await asyncio.to_thread(sweep, folder)


async def _see_it_go(folder: Path) -> None:
    """Return once the run has no keeper any more. One that was told to kill and stands still is killed itself."""
    force_at, give_up_at = monotonic() + LATE, monotonic() + 2 * LATE
    while (pid := living_keeper(folder)) is not None and monotonic() < give_up_at:
        if monotonic() > force_at:
            kill_keeper(folder, pid)
        await asyncio.sleep(LOOK_AGAIN)


async def _after(earlier: Iterable[asyncio.Task[None]], work: Work) -> None:
    """Do it once the others are over; at most one process works for a delivery."""
    for task in earlier:
        await asyncio.wait((task,))
    await work()
