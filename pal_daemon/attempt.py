"""One attempt, from claim to end.

The order that makes it safe: claimed (journal) → run opened (server) → spawning (journal) → keeper started → reports
→ finish (server) → done (journal). Whatever dies in between, the next daemon knows from journal, spool and server
what may be started (nothing twice) and what is to be reported. A cancelled attempt leaves its keeper running: that
is how the daemon goes away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic

from pal_daemon import endings, git_state, keeper_client
from pal_daemon.account_keys import kept_values
from pal_daemon.attachments import fetch_attachments
from pal_daemon.bus import is_lease_lost
from pal_daemon.endings import End
from pal_daemon.equipment import take_back
from pal_daemon.folders import remove_run_folder, run_folder
from pal_daemon.following import Following
from pal_daemon.house import House, hash_token
from pal_daemon.journal import Ending, JournalFull, Line
from pal_daemon.keeper_client import Keeper, KeeperFailed, KeeperGone, KeeperRefused
from pal_daemon.keeping.tree import boot_id
from pal_daemon.leases import HeldLease
from pal_daemon.patience import until_answered
from pal_daemon.planning import plan_start
from pal_daemon.process_tree import sweep
from pal_daemon.rebuilding import note_runtime
from pal_daemon.redaction import Redactor, is_shaped, secrets_of
from pal_daemon.reports import Reports
from pal_daemon.run_secrets import keep_values, values_of
from pal_daemon.runtimes.base import STOP, Answer, CannotStart, Outcome, Runtime
from pal_daemon.starts import find_keeper
from pal_server.client.problems import ApiProblem
from pal_server.contract.deliveries import ReleaseDelivery, Work
from pal_server.contract.runs import OpenedAnswer, OpenRun, ReportPid

FULL_DISK_PAUSE = 30_000  # milliseconds a delivery rests that was given back because our disk is full
POLITE_FOR = 2.0  # seconds a program has for ending its turn when asked in its own words; signals follow
NOT_TAKEN = frozenset((400, 413))  # a server of another version, or a word that breaks its rules
LEAVE_FOR = 60.0  # seconds a program that has done its work has for going; some need several to clear up
HAND_OVER_AGAIN = 0.5  # seconds before somebody's answer is handed once more to a keeper that did not take it
STAY_FOR = 1.0  # the same for one that is known not to go by itself
LOOK_FOR = 1.0  # seconds a start waits for git to say how the folder stands; it takes some hundredths
LATE = 4.0  # seconds after which a kill that had no effect is done without the keeper; all is over within 10 s

log = logging.getLogger(__name__)


class Attempt:
    """One delivery under one lease. `carry_out` or `take_up` is its one task; others ask it to end or to answer."""

    def __init__(self, house: House, lease: HeldLease, *, agent: str, runtime: str, session: str | None) -> None:
        self.house = house
        self.lease = lease
        self.agent = agent
        self.runtime_name = runtime
        self.session = session
        self.run: int | None = None
        self.ending: Ending | None = None
        self.is_opening = True  # the server may know a run of ours whose number we do not know yet
        self.end: End | None = None
        self._work: Work | None = None
        self._keeper: Keeper | None = None
        self._is_settled = asyncio.Event()  # the keeper is there, or will never be
        self._must_end = asyncio.Event()
        self._may_leave = asyncio.Event()  # it has done its work, and its input is closed
        self._stays = False  # and is known not to go by that
        self._following: Following | None = None
        self._answering = 0  # answers that are handed over and not yet noted as such at the server
        self._has_answered = asyncio.Event()
        self._has_answered.set()
        self._secrets: tuple[str, ...] = ()  # values that no event may have
        self._token_hash: str | None = None
        self._folder_of_work = ""  # where the program works; what it asks for is asked for there
        self._max_duration: float | None = None  # seconds
        self._began = monotonic()

    # The two ways an attempt begins

    @classmethod
    def of_claim(cls, house: House, lease: HeldLease, work: Work) -> Attempt:
        agent = work.agent
        attempt = cls(house, lease, agent=agent.key, runtime=agent.runtime, session=work.session)
        attempt._work = work
        attempt._max_duration = agent.max_duration / 1000 if agent.max_duration else None
        return attempt

    @classmethod
    def of_journal(cls, house: House, line: Line) -> Attempt:
        lease = HeldLease(delivery=line.delivery, lease_id=line.lease_id or "", fence=line.fence)
        attempt = cls(house, lease, agent=line.agent or "", runtime=line.runtime or "", session=line.session)
        attempt.run = line.run
        attempt.is_opening = False
        attempt.ending = line.ending
        attempt._token_hash = line.token_hash
        attempt._folder_of_work = line.folder or ""
        attempt._max_duration = line.max_duration / 1000 if line.max_duration else None
        if line.began is not None and line.boot == boot_id():
            attempt._began = line.began
        return attempt

    async def carry_out(self) -> None:
        """From a claim to its end. Cancel it and the agent goes on without us."""
        work = self._work
        assert work is not None
        try:
            await self._note("claimed", agent=self.agent, runtime=self.runtime_name, session=self.session)
        except JournalFull as error:
            self._is_settled.set()
            await self._give_back(f"the daemon's disk takes no more: {error}")
            return
        self.house.troubles.pop("journal", None)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_cancel, asyncio.create_task(self.lease.hold(self.house.bus), name="lease"))
            opened = await self._open()
            if opened is None:
                self._is_settled.set()
                await self._note_done()
                return
            reports = Reports(self.house.bus, opened.run.id, self.lease, last_seq=opened.run.last_seq)
            await self._see_through(reports, opened=opened, work=work)

    async def take_up(self, *, last_seq: int, last_source: int | None) -> None:
        """What an earlier daemon began: read its spool from the start, report what the server lacks, and go on."""
        assert self.run is not None
        self._secrets = values_of(self._folder) + kept_values(self.house.settings)
        self._keeper = await find_keeper(self._folder)
        self._is_settled.set()
        if self._token_hash and self._keeper is not None:
            self.house.tokens[self._token_hash] = self.run
        reports = Reports(self.house.bus, self.run, self.lease, last_seq=last_seq, last_source=last_source)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_cancel, asyncio.create_task(self.lease.hold(self.house.bus), name="lease"))
            await self._see_through(reports, opened=None, work=None)

    # What others ask of it

    async def ask_to_end(self, how: Ending) -> bool:
        """Stop or kill; False when it had ended already. The wish is on disk before it is acted on."""
        if self.has_exited:
            return False
        if self.ending is None or how == "kill":
            self.ending = how
            try:
                await self._note("ending", ending=how)
            except JournalFull:  # a wish that is not on disk is still a wish
                log.warning("the journal is full", extra={"action": "end", "run": self.run})
        await self._is_settled.wait()
        if self._keeper is None:
            return True
        if how != "stop":
            self._must_end.set()
        elif await self._end_politely():
            return True
        try:
            await (self._keeper.stop() if how == "stop" else self._keeper.kill())
        except KeeperGone:
            self._must_end.set()  # it may be gone, or stand still: whoever waits for that looks
        return True

    async def _end_politely(self) -> bool:
        """Tell the program to end its turn, where it understands that; whether it has ended in time."""
        following = self._following
        data = None if following is None else await following.render_stop()
        if following is None or data is None or not await self.give_answer(STOP, data):
            return False
        try:
            async with asyncio.timeout(POLITE_FOR):
                await following.has_ended.wait()
        except TimeoutError:
            return False
        return True

    async def give_answer(self, name: str, data: bytes) -> bool:
        """Hand the program bytes under a name that makes a repeat harmless; False when it reads no more."""
        await self._is_settled.wait()
        if self._keeper is None or self.has_exited:
            return False
        try:
            await self._keeper.input(name, data)
        except (KeeperGone, KeeperRefused):
            return False
        return True

    async def hand_over(self, name: str, data: bytes) -> bool:
        """As `give_answer`, and for as long as its keeper lives, which may stand still; its input may be full."""
        await self._is_settled.wait()
        while self._keeper is not None and not self.has_exited:
            try:
                await self._keeper.input(name, data)
                return True
            except KeeperRefused as refused:
                if refused.code != "full":
                    return False
            except KeeperGone as gone:
                if keeper_client.living_keeper(self._folder) is None:
                    return False
                log.info("not handed over yet: %s", gone, extra={"action": "answer", "run": self.run})
            await asyncio.sleep(HAND_OVER_AGAIN)
        return False

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While somebody hands the program an answer and notes that at the server: the end is told after it."""
        self._answering += 1
        self._has_answered.clear()
        try:
            yield
        finally:
            self._answering -= 1
            if not self._answering:
                self._has_answered.set()

    async def render_answer(self, answer: Answer) -> bytes | None:
        """A person's answer as the program wants it; None when it cannot be told."""
        await self._is_settled.wait()
        return None if self._following is None else await self._following.render_answer(answer)

    async def render_steer(self, text: str, *, key: str) -> bytes | None:
        await self._is_settled.wait()
        return None if self._following is None else await self._following.render_steer(text, key=key)

    @property
    def runtime(self) -> Runtime | None:
        return self.house.registry.get(self.runtime_name)

    @property
    def has_exited(self) -> bool:
        return self.end is not None or (self._following is not None and self._following.exit is not None)

    @property
    def silent_for(self) -> float:
        """Seconds since the program's last byte; 0 while nothing is followed."""
        is_live = self._following is not None and not self.has_exited
        return monotonic() - self._following.heard_at if is_live and self._following is not None else 0.0

    @property
    def is_live(self) -> bool:
        return self.run is not None and self.end is None

    async def wait_begun(self) -> None:
        """Return once the process was started, or never will be."""
        await self._is_settled.wait()

    # Opening

    async def _open(self) -> OpenedAnswer | None:
        """The run as the server opened it; None when the lease is no longer ours and nothing was started."""
        request = OpenRun(
            delivery_id=self.lease.delivery,
            lease_id=self.lease.id,
            fence=self.lease.fence,
            dry_run=self.house.settings.is_dry_run,
        )
        try:
            opened = await until_answered(lambda: self.house.bus.open_run(request))
        except Exception as error:
            if not is_lease_lost(error):
                log.error(
                    "the server opens no run: %s", error, extra={"action": "open", "delivery": self.lease.delivery}
                )
            return None
        finally:
            self.is_opening = False
        self.run = opened.run.id
        return opened

    async def _give_back(self, reason: str) -> None:
        """Nothing was begun and nothing can be: somebody else may have the delivery."""
        self.house.troubles["journal"] = reason
        log.error("a delivery is given back: %s", reason, extra={"action": "release", "delivery": self.lease.delivery})
        request = ReleaseDelivery(
            lease_id=self.lease.id, fence=self.lease.fence, reason=reason, delay_for=FULL_DISK_PAUSE, burn_attempt=False
        )
        try:
            await until_answered(lambda: self.house.bus.release(self.lease.delivery, request))
        except Exception as error:
            log.warning("giving back failed: %s", error, extra={"action": "release", "delivery": self.lease.delivery})

    # From the start of the keeper to the end

    async def _see_through(self, reports: Reports, *, opened: OpenedAnswer | None, work: Work | None) -> None:
        """Start or follow the program, report everything, finish. Nothing is said once the lease is lost."""
        async with AsyncExitStack() as stack:
            sending = asyncio.create_task(reports.run(), name=f"reports of run {self.run}")
            stack.push_async_callback(_cancel, sending)
            stack.push_async_callback(_cancel, asyncio.create_task(self._watch_lease(), name="lost lease"))
            stack.push_async_callback(_cancel, asyncio.create_task(self._watch_limit(), name="time limit"))
            stack.push_async_callback(_cancel, asyncio.create_task(self._watch_keeper(), name="forced end"))
            stack.push_async_callback(_cancel, asyncio.create_task(self._watch_leaving(), name="leaving"))
            if opened is not None and work is not None:
                end = await self._start(reports, opened, work)
            else:
                end = None
            if end is None:
                self._following = self._new_following(reports)
            self._is_settled.set()
            self.end = await self._with_effects(end or await self._follow())
            if self._token_hash:
                self.house.tokens.pop(self._token_hash, None)
            await self._has_answered.wait()
            assert self.run is not None
            await asyncio.to_thread(take_back, self.house.settings, self.run)
            reports.step(self._finish)
            reports.close()
            await sending
            await self._note_done()
        log.info(
            "run %s of %s ended: %s", self.run, self.agent, self.end.status, extra={"action": "end", "run": self.run}
        )

    async def _with_effects(self, end: End) -> End:
        """Nobody knows how far an interrupted run came: what git shows of it goes with its end."""
        if end.status != "interrupted":
            return end
        return replace(end, effects={"git": await asyncio.to_thread(git_state.effects_of, self._folder)})

    async def _finish(self) -> None:
        assert self.run is not None
        assert self.end is not None
        try:
            await self._report_end(self.end)
        except ApiProblem as problem:
            if problem.status not in NOT_TAKEN:
                raise
            log.warning(
                "the end of run %s is not taken as it is and said without its details: %s",
                self.run,
                problem,
                extra={"action": "finish", "run": self.run},
            )
            await self._report_end(endings.end_without_details(self.end, reason=str(problem)))

    async def _report_end(self, end: End) -> None:
        assert self.run is not None
        await self.house.bus.finish(self.run, end.render(lease_id=self.lease.id, fence=self.lease.fence))

    async def _start(self, reports: Reports, opened: OpenedAnswer, work: Work) -> End | None:
        """Start the keeper; the end when there is nothing to follow."""
        if self.house.settings.is_dry_run:
            return End(status="dry_run")
        if self._folder.exists():  # of another bus with the same numbers; at our start nothing lived in it
            await asyncio.to_thread(remove_run_folder, self._folder)
        try:
            work = await fetch_attachments(self.house.bus, work, self._folder)
            spec = await asyncio.to_thread(plan_start, self.house, work, opened)
        except CannotStart as reason:
            return endings.end_before_start(reason)
        except Exception as error:  # an edge: a plugin's code
            log.exception("a runtime could not plan its start", extra={"action": "start", "runtime": self.runtime_name})
            return endings.end_before_start(error)
        if self.lease.is_over and not await self._is_still_ours():
            return endings.end_without_trace()
        if self.ending is not None or self.lease.lost.is_set():
            return endings.end_of_process(
                None, at=None, ending=self.ending, outcome=Outcome(), stderr="", agent=self.agent
            )
        kept = kept_values(self.house.settings)
        own = [value for value in secrets_of(spec.env) if value not in kept]
        self._secrets = (*own, *kept)
        self._token_hash = hash_token(opened.token)
        self._folder_of_work = spec.cwd
        self._began = monotonic()
        looking = asyncio.create_task(asyncio.to_thread(_look_at, spec.cwd), name=f"folder of run {self.run}")
        try:
            await self._note(
                "spawning",
                run=self.run,
                token_hash=self._token_hash,
                folder=spec.cwd,
                boot=boot_id(),
                began=self._began,
                max_duration=int(self._max_duration * 1000) if self._max_duration else None,
            )
        except JournalFull as error:
            return endings.end_before_start(error)
        keep_look = await _in_time(looking)
        self.house.tokens[self._token_hash] = opened.run.id
        try:
            self._keeper = await _unbroken(keeper_client.launch(self._folder, spec))
        except (KeeperFailed, OSError) as error:
            return endings.end_before_start(error)
        await asyncio.to_thread(self._remember, keep_look, [value for value in own if not is_shaped(value)])
        agent = self._keeper.agent
        if agent is not None:
            log.info(
                "run %s of %s started", self.run, self.agent, extra={"action": "start", "run": self.run, "pid": agent}
            )
            reports.step(lambda: self._report_pid(agent))
        return None

    def _remember(self, keep_look: Callable[[Path], None], secrets: list[str]) -> None:
        """What a later daemon and later orders about this run need; orders without it are refused with a word."""
        keep_look(self._folder)
        try:
            keep_values(self._folder, secrets)
            note_runtime(self._folder, self.runtime_name)
        except OSError as error:
            log.warning("what the run is read by is not noted: %s", error, extra={"action": "start", "run": self.run})

    async def _is_still_ours(self) -> bool:
        """We were away for longer than the lease, asleep or stopped: ask before anything is started."""
        try:
            await until_answered(lambda: self.lease.renew(self.house.bus))
        except Exception:
            self.lease.lost.set()
            return False
        return True

    async def _report_pid(self, pid: int) -> None:
        assert self.run is not None
        await self.house.bus.report_pid(self.run, ReportPid(lease_id=self.lease.id, fence=self.lease.fence, pid=pid))

    async def _follow(self) -> End:
        """See the program to its end."""
        assert self._following is not None
        await self._following.to_the_end()
        return self._following.end(ending=self.ending, agent=self.agent, now=self.house.clock())

    def _new_following(self, reports: Reports) -> Following:
        assert self.run is not None
        runtime = self.runtime
        return Following(
            run=self.run,
            session=self.session,
            folder=self._folder,
            works_in=self._folder_of_work,
            reader=runtime.reader() if runtime is not None else None,
            bus=self.house.bus,
            lease=self.lease,
            reports=reports,
            say=self.hand_over,
            close_input=self._close_input,
            redactor=Redactor(self._secrets),
            seal=self.house.seal,
        )

    async def _close_input(self, stays: bool) -> None:
        self._stays = stays
        self._may_leave.set()
        if self._keeper is None:
            return
        try:
            await self._keeper.close_input()
        except (KeeperGone, KeeperRefused):
            pass

    # What goes on beside it

    async def _watch_lease(self) -> None:
        """Somebody else has the attempt: end our process and say nothing."""
        await self.lease.lost.wait()
        log.warning(
            "run %s is no longer ours, its process is ended", self.run, extra={"action": "lost", "run": self.run}
        )
        await self.ask_to_end("lost")

    async def _watch_limit(self) -> None:
        """End a run that takes longer than it may. Counted on the monotonic clock, across daemons."""
        if self._max_duration is None:
            return
        await self._is_settled.wait()
        await asyncio.sleep(max(self._began + self._max_duration - monotonic(), 0.0))
        log.warning("run %s is over its time limit", self.run, extra={"action": "limit", "run": self.run})
        await self.ask_to_end("timeout")

    async def _watch_leaving(self) -> None:
        """A program that has done its work and does not go is ended: its run would never be over."""
        await self._may_leave.wait()
        await asyncio.sleep(STAY_FOR if self._stays else LEAVE_FOR)
        if self._keeper is None or self.has_exited:
            return
        if not self._stays:
            log.warning("run %s is done and does not leave", self.run, extra={"action": "leave", "run": self.run})
        try:
            await self._keeper.stop()
        except KeeperGone:
            self._must_end.set()

    async def _watch_keeper(self) -> None:
        """A keeper that was told to kill and stands still is ended itself, then everything it leaves."""
        await self._must_end.wait()
        await asyncio.sleep(LATE)
        pid = keeper_client.living_keeper(self._folder)
        if pid is not None and not self.has_exited:
            keeper_client.kill_keeper(self._folder, pid)
            await asyncio.to_thread(sweep, self._folder)

    # Notes

    @property
    def _folder(self) -> Path:
        assert self.run is not None
        return run_folder(self.house.settings, self.run)

    async def _note(self, step: str, **facts: object) -> None:
        line = Line(
            step=step,  # type: ignore[arg-type]  # the callers are in this file
            delivery=self.lease.delivery,
            fence=self.lease.fence,
            lease_id=self.lease.id,
            at=self.house.clock(),
            computer=self.house.computer,
            **facts,  # type: ignore[arg-type]
        )
        await self.house.journal.write(line)

    async def _note_done(self) -> None:
        """A `done` that cannot be written costs the next daemon a look, nothing else."""
        try:
            await self._note("done")
        except JournalFull as error:
            self.house.troubles["journal"] = str(error)


def _look_at(folder: str) -> Callable[[Path], None]:
    """How the folder stands before the start; what remembers it in the run's folder, once that is there.

    A run is never held up by git: what is not known is said so, should anybody have to ask for it.
    """
    try:
        state = git_state.look(Path(folder))
    except git_state.GitFailed as error:
        log.info("the folder is not known: %s", error, extra={"action": "look", "folder": folder})
        return _remember_nothing

    def remember(run_folder: Path) -> None:
        try:
            git_state.keep(run_folder, state)
        except OSError as error:
            log.warning("the folder's state is not kept: %s", error, extra={"action": "look", "folder": folder})

    return remember


async def _in_time(looking: asyncio.Task[Callable[[Path], None]]) -> Callable[[Path], None]:
    """What comes too late would show changes of the run itself as older than it."""
    try:
        async with asyncio.timeout(LOOK_FOR):
            return await asyncio.shield(looking)
    except TimeoutError:
        return _remember_nothing


def _remember_nothing(run_folder: Path) -> None:
    """Nothing is known."""


async def _unbroken(launching: Coroutine[object, object, Keeper]) -> Keeper:
    """A start is seen to its end before a cancel takes effect: it takes milliseconds, and a half start helps nobody."""
    task = asyncio.ensure_future(launching)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,), timeout=LATE)
        raise


async def _cancel(task: asyncio.Task[None]) -> None:
    """End a task that only served another one; its failure has been logged by itself."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
