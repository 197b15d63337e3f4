"""The one rule by which work moves a task.

    a card waits for a person                           waiting (interaction)
    its agent says that it is blocked or needs input    waiting (agent_blocked)
    something runs or waits to run                      in_progress
    could not be started, or was interrupted            waiting (error)
    the last run succeeded                              review; done when its agent says so and its verification passed
    the last run failed, was ended or is given up       ready
    what waited was dropped before it ran               ready

A move by hand stands until a run starts after it. The rule is of what is there, not of what happened: applied twice it
gives the same, and nothing depends on how often it is applied.
"""

from dataclasses import dataclass, replace
from typing import Any

from .runs import Status as RunStatus
from .tasks import Outcome, Status, Task, Waiting, is_verified

_STOPPED = frozenset({"blocked", "needs_input"})  # what an agent's result may say of going on


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is going on in a topic."""

    open: int = 0  # deliveries that wait or are worked on
    asks: str | None = None  # the title of a card that waits for a person
    run_id: int = 0  # the newest run; 0: there is none
    run_status: RunStatus | None = None
    run_at: int = 0  # when that was opened
    agent: str = ""  # whose it is
    is_given_up: bool = False  # it was interrupted, and a person does not want it to go on
    result: dict[str, Any] | None = None  # what that run has reported
    died_at: int | None = None  # when a delivery could last not be started

    @property
    def lives(self) -> bool:
        return self.run_status is not None and self.run_status in _LIVE


_LIVE = frozenset({RunStatus.STARTING, RunStatus.RUNNING, RunStatus.WAITING, RunStatus.PAUSED})


def follow(task: Task, work: Work) -> Task:
    """The task as the work in its topic makes it."""
    has_run = work.run_id > task.seen_run
    if task.is_moved and not has_run:
        return task
    result = {**work.result, "run": work.run_id} if has_run and work.result is not None else task.result
    return replace(_moved(task, work, has_run=has_run), is_moved=False, result=result)


def unblocked(task: Task) -> Task:
    """A task of which something it depends on was done just now: with nothing left, what was only planned is ready."""
    is_planned = task.status is Status.BACKLOG and task.archived_at is None
    return replace(task, status=Status.READY) if is_planned and not task.blocked_by else task


def _moved(task: Task, work: Work, *, has_run: bool) -> Task:
    if work.asks is not None:
        return _waits(task, Waiting.INTERACTION, work.asks)
    queued = work.open - (1 if work.lives else 0)
    if has_run and queued <= 0 and work.run_status is not RunStatus.FAILED and _is_stopped(work):
        return _waits(task, Waiting.AGENT_BLOCKED, _why(work))
    if work.open:
        return _in(task, Status.IN_PROGRESS)
    if work.died_at is not None and work.died_at >= max(task.created_at, work.run_at):
        return replace(_waits(task, Waiting.ERROR, "it could not be started"), last_outcome=Outcome.DEAD)
    if not has_run:
        is_dropped = task.status is Status.IN_PROGRESS or task.waiting in (Waiting.INTERACTION, Waiting.ERROR)
        return _in(task, Status.READY) if is_dropped else task
    return _after(task, work)


def _after(task: Task, work: Work) -> Task:
    """The last run has ended, and nothing is queued."""
    match work.run_status:
        case RunStatus.SUCCEEDED:
            is_done = work.result is not None and is_verified(task, since=work.run_at)
            return replace(_in(task, Status.DONE if is_done else Status.REVIEW), last_outcome=Outcome.SUCCEEDED)
        case RunStatus.FAILED:
            return replace(_in(task, Status.READY), last_outcome=Outcome.FAILED)
        case RunStatus.CANCELLED:
            return replace(_in(task, Status.READY), last_outcome=Outcome.CANCELLED)
        case RunStatus.INTERRUPTED if work.is_given_up:
            return replace(_in(task, Status.READY), last_outcome=Outcome.INTERRUPTED)
        case RunStatus.INTERRUPTED:
            note = f"run {work.run_id} of {work.agent} was interrupted"
            return replace(_waits(task, Waiting.ERROR, note), last_outcome=Outcome.INTERRUPTED)
        case _:  # a dry run did nothing
            return _in(task, Status.READY)


def _is_stopped(work: Work) -> bool:
    return work.result is not None and work.result["status"] in _STOPPED


def _why(work: Work) -> str:
    assert work.result is not None
    said = "; ".join(work.result["blockers"]) or work.result["summary"]
    needs = "needs input" if work.result["status"] == "needs_input" else "is blocked"
    return f"{work.agent} {needs}: {said}"[:2_000]


def _in(task: Task, status: Status) -> Task:
    return replace(task, status=status, waiting=None, note="")


def _waits(task: Task, reason: Waiting, note: str) -> Task:
    return replace(task, status=Status.WAITING, waiting=reason, note=note)
