"""The state machine of a run: one agent process for one attempt.

starting ─▶ running ⇄ waiting (interaction) · paused (rate limit) ─▶ succeeded | failed | cancelled | interrupted
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pal_server.errors import Conflict, Invalid

from .deliveries import Status as DeliveryStatus

TEXT_LIMIT = 100_000  # characters of a final text; the rest is in the run's events
STDERR_LIMIT = 8_000  # characters; the last lines are what helps


class Status(StrEnum):
    STARTING = "starting"  # the server knows of it, the process may not be there yet
    RUNNING = "running"  # the process lives
    WAITING = "waiting"  # the process lives and waits for a person
    PAUSED = "paused"  # the process lives and waits for a limit to pass
    SUCCEEDED = "succeeded"  # exit 0
    FAILED = "failed"  # another exit, or a signal nobody asked for
    CANCELLED = "cancelled"  # a person ended it
    INTERRUPTED = "interrupted"  # nobody knows how it ended
    DRY_RUN = "dry_run"  # recorded, never started


LIVE = frozenset({Status.STARTING, Status.RUNNING, Status.WAITING, Status.PAUSED})
ENDS = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.INTERRUPTED, Status.DRY_RUN})

_DELIVERY = {
    Status.SUCCEEDED: DeliveryStatus.ACKED,
    Status.CANCELLED: DeliveryStatus.ACKED,
    Status.DRY_RUN: DeliveryStatus.ACKED,
    Status.FAILED: DeliveryStatus.FAILED,
    Status.INTERRUPTED: DeliveryStatus.INTERRUPTED,
}


class Wanted(StrEnum):
    STOP = "stop"  # a polite interrupt; the session can be resumed
    KILL = "kill"  # the process tree, now
    RESTART = "restart"  # kill, then a new run for the same message


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    id: int
    workspace_id: str
    room_id: str
    topic_id: int
    message_id: int | None
    delivery_id: int | None
    agent: str
    computer_id: str | None
    session_id: str
    status: Status
    lease_id: str | None
    fence: int | None
    pid: int | None
    exit_code: int | None
    signal: str | None
    error_kind: str | None
    error: str | None
    stderr: str | None
    restart_of: int | None
    wanted: Wanted | None
    stalled_since: int | None
    result: dict[str, Any] | None
    posted: bool
    last_seq: int
    last_source: int | None
    usage: dict[str, Any] | None
    resume_at: int | None = None  # when it goes on after a limit, itself or as a new attempt
    created_at: int
    started_at: int | None
    ended_at: int | None

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    def fact(self) -> dict[str, Any]:
        """The run as others see it."""
        begun = self.started_at or self.created_at
        return {
            "id": self.id,
            "delivery": self.delivery_id,
            "agent": self.agent,
            "computer": self.computer_id,
            "room": self.room_id,
            "topic": self.topic_id,
            "message": self.message_id,
            "session": self.session_id,
            "status": self.status,
            "pid": self.pid,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "error_kind": self.error_kind,
            "error": self.error,
            "stderr": self.stderr,
            "restart_of": self.restart_of,
            "stalled_since": self.stalled_since,
            "result": self.result,
            "last_seq": self.last_seq,
            "last_source": self.last_source,
            "usage": self.usage,
            "resume_at": self.resume_at,
            "wanted": self.wanted,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "duration_ms": None if self.ended_at is None else max(0, self.ended_at - begun),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    run_id: int
    seq: int
    kind: str
    at: int
    text: str | None
    lane: str
    data: str  # JSON text

    def fact(self) -> dict[str, Any]:
        """The event but for its `data`, which is JSON text already."""
        return {
            "run": self.run_id,
            "seq": self.seq,
            "kind": self.kind,
            "at": self.at,
            "text": self.text,
            "lane": self.lane,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One agent's conversation in one topic; a new generation begins it anew."""

    id: str
    topic_id: int
    agent: str
    computer_id: str | None
    generation: int
    native_session: str | None
    seen_message: int
    profile: str | None = None  # the agent's when it began; see domain/profiles.py
    is_outdated: bool = False  # the agent's profile is another one now, as of when that was asked
    created_at: int

    def is_on(self, computer_id: str | None) -> bool:
        """Whether the program's own conversation can lie on this computer: it stays where it was begun."""
        return self.computer_id in (None, computer_id)

    def fact(self) -> dict[str, Any]:
        """The session as others see it."""
        return {
            "id": self.id,
            "topic": self.topic_id,
            "agent": self.agent,
            "computer": self.computer_id,
            "generation": self.generation,
            "native_session": self.native_session,
            "is_outdated": self.is_outdated,
            "created_at": self.created_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a daemon says of a run's end."""

    status: Status
    exit_code: int | None = None
    signal: str | None = None
    error_kind: str | None = None
    error: str | None = None
    stderr: str | None = None
    text: str | None = None
    usage: dict[str, Any] | None = None
    ended_at: int | None = None
    effects: dict[str, Any] | None = None
    resume_at: int | None = None  # UTC milliseconds, with the error kind rate_limit


def parse_end(status: str | None, *, exit_code: int | None = None, signal: str | None = None) -> Status:
    """A final run status, or `Invalid`. Without one it follows from how the process ended."""
    if status is None and (exit_code is not None or signal is not None):
        return Status.SUCCEEDED if exit_code == 0 and signal is None else Status.FAILED
    if status not in ENDS:
        raise Invalid(f"a run ends as one of {', '.join(sorted(ENDS))}", field="status", value=status)
    return Status(status)


def delivery_status(end: Status) -> DeliveryStatus:
    """What a run's end makes of its delivery."""
    return _DELIVERY[end]


def end_of(ending: Ending, *, wanted: Wanted | None) -> Status:
    """What a run ended as: a person's wish explains a signal or an exit that would look like a failure."""
    if wanted is not None and ending.status in (Status.FAILED, Status.INTERRUPTED):
        return Status.CANCELLED
    return ending.status


def need_live(run: Run) -> None:
    if not run.is_live:
        raise Conflict(f"the run has ended: it is {run.status}", run=run.id, status=run.status)


def clip(text: str, *, limit: int, note: str) -> str:
    """The beginning of a text that is too long, with a note that says so."""
    return text if len(text) <= limit else f"{text[:limit].rstrip()}\n\n{note}"
