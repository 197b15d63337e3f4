"""The state machine of a delivery. Letters name the transitions, as in `docs/deliveries.md`.

    pending ─A claim▶ claimed ─C start▶ (claimed, started) ─D settle▶ acked | failed | interrupted
       ▲                 │ B release, or the lease is over before the start (E: dead when attempts are spent)
       └─────────────────┘
    pending ─F cancel▶ cancelled (from claimed too, when its words or its agent are deleted before the start)
    pending ─H read▶ acked (a run of its lane has read its words while it worked)
    failed, interrupted, dead, acked ─G retry▶ pending

The lease and its fence say who owns an attempt; the state never does. Deliveries of one lane (topic and agent) take
turns: one is open (claimed, or pending and not waiting), the others wait.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pal_server.errors import AlreadyClaimed, Conflict, LeaseLost

from .addressing import Reason


class Status(StrEnum):
    PENDING = "pending"  # nobody works on it; may be claimed when it does not wait for its lane
    CLAIMED = "claimed"  # one computer has it, under a lease until the run starts, then until the run ends
    ACKED = "acked"  # its run succeeded or was ended by a person
    FAILED = "failed"  # its run failed; only a person tries again
    INTERRUPTED = "interrupted"  # nobody knows how its run ended; a person chooses
    CANCELLED = "cancelled"  # dropped before anybody worked on it
    DEAD = "dead"  # claimed too often without a start


FINAL = frozenset({Status.ACKED, Status.FAILED, Status.INTERRUPTED, Status.CANCELLED, Status.DEAD})
RETRYABLE = frozenset({Status.FAILED, Status.INTERRUPTED, Status.DEAD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    lease_for: int = 30_000  # milliseconds; a daemon renews at a third of it
    max_attempts: int = 5  # claims without a start, before a person is asked


POLICY = Policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    id: int
    workspace_id: str
    room_id: str
    topic_id: int
    message_id: int
    agent: str
    reason: Reason
    status: Status
    waits: bool
    attempts: int
    max_attempts: int
    not_before: int
    lease_id: str | None
    lease_until: int | None
    fence: int
    started: bool
    computer_id: str | None
    run_id: int | None
    fresh: bool
    chain_id: int
    hop: int
    error: str | None
    steered_into: int | None = None  # the live run that was told its words; once they are read, the run that has them
    read_step: int | None = None  # where in that run they were read
    ahead: int = 0  # what has more goes before older ones of its lane
    created_at: int
    updated_at: int

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    def is_held_under(self, *, lease_id: str, fence: int) -> bool:
        """Whether this lease is, or at the end was, the one that owns the newest attempt."""
        return self.lease_id == lease_id and self.fence == fence

    def fact(self) -> dict[str, Any]:
        """The delivery as others see it; the lease's id is its holder's secret."""
        return {
            "id": self.id,
            "message": self.message_id,
            "room": self.room_id,
            "topic": self.topic_id,
            "agent": self.agent,
            "status": self.status,
            "reason": self.reason,
            "attempts": self.attempts,
            "max_attempts": self.max_attempts,
            "hop": self.hop,
            "run": self.run_id,
            "computer": self.computer_id,
            "lease_until": self.lease_until if self.status is Status.CLAIMED else None,
            "not_before": self.not_before,
            "error": self.error,
            "steered_into": self.steered_into,
            "read_step": self.read_step,
            "ahead": self.ahead,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


def claim(d: Delivery, *, lease_id: str, computer_id: str, now: int, policy: Policy = POLICY) -> Delivery:
    """A: begin an attempt. Each claim has a higher fence, so an older holder can be told apart for ever."""
    if d.status is Status.CLAIMED:
        raise AlreadyClaimed("the delivery is already claimed", delivery=d.id)
    if d.status is not Status.PENDING:
        raise Conflict(f"the delivery is {d.status}", delivery=d.id, status=d.status)
    if d.waits:
        raise Conflict("an earlier delivery of this agent and topic has to end first", delivery=d.id)
    return replace(
        d,
        status=Status.CLAIMED,
        attempts=d.attempts + 1,
        fence=d.fence + 1,
        lease_id=lease_id,
        lease_until=now + policy.lease_for,
        computer_id=computer_id,
        started=False,
        updated_at=now,
    )


def need_lease(d: Delivery, *, lease_id: str, fence: int, now: int) -> None:
    """Raise `LeaseLost` unless the lease owns the current attempt.

    Before the start a lease that is over is lost even if nobody has taken it back yet. After the start only a newer
    attempt or an end takes it away: a run goes on however long its computer cannot be heard.
    """
    if d.status is not Status.CLAIMED or not d.is_held_under(lease_id=lease_id, fence=fence):
        raise LeaseLost("the lease is no longer yours: stop, and do not report", delivery=d.id, fence=d.fence)
    if not d.started and d.lease_until is not None and d.lease_until < now:
        raise LeaseLost("the lease was over before the run started", delivery=d.id, fence=d.fence)


def renew(d: Delivery, *, lease_id: str, fence: int, now: int, policy: Policy = POLICY) -> Delivery:
    need_lease(d, lease_id=lease_id, fence=fence, now=now)
    return replace(d, lease_until=now + policy.lease_for, updated_at=now)


def start(d: Delivery, *, lease_id: str, fence: int, run_id: int, now: int, policy: Policy = POLICY) -> Delivery:
    """C: from here on no timer gives the delivery to anybody again."""
    need_lease(d, lease_id=lease_id, fence=fence, now=now)
    return replace(d, started=True, run_id=run_id, lease_until=now + policy.lease_for, fresh=False, updated_at=now)


def release(
    d: Delivery, *, lease_id: str, fence: int, now: int, delay_for: int = 0, burn_attempt: bool = True, reason: str = ""
) -> Delivery:
    """B: hand an attempt back that has not started."""
    need_lease(d, lease_id=lease_id, fence=fence, now=now)
    if d.started:
        raise Conflict("the run has started: finish it instead of releasing it", delivery=d.id)
    attempts = d.attempts if burn_attempt else d.attempts - 1
    return _give_back(replace(d, attempts=attempts), now=now, delay_for=delay_for, error=reason or None)


def expire(d: Delivery, *, now: int) -> Delivery:
    """B or E: the lease is over and the run has not started. Unchanged when that is not so."""
    if d.status is not Status.CLAIMED or d.started or d.lease_until is None or d.lease_until >= now:
        return d
    return _give_back(d, now=now, delay_for=0, error="the computer claimed it and did not start it in time")


def _give_back(d: Delivery, *, now: int, delay_for: int, error: str | None) -> Delivery:
    spent = d.attempts >= d.max_attempts
    return replace(
        d,
        status=Status.DEAD if spent else Status.PENDING,
        lease_id=None,
        lease_until=None,
        started=False,
        not_before=now + delay_for,
        error=error,
        updated_at=now,
    )


def settle(d: Delivery, *, lease_id: str, fence: int, outcome: Status, error: str | None, now: int) -> Delivery:
    """D: end an attempt. Only the holder of the current lease may.

    A late settle raises `LeaseLost` even when the delivery is claimed again: the lease, not the state, says who owns
    the attempt. The lease stays on the row, so that a repeat is known for what it is.
    """
    need_lease(d, lease_id=lease_id, fence=fence, now=now)
    return replace(d, status=outcome, started=False, error=error, updated_at=now)


def put_back(d: Delivery, *, lease_id: str, fence: int, now: int) -> Delivery:
    """D then G in one: a person restarts a run; the same delivery goes on, ahead of what waits in its lane."""
    need_lease(d, lease_id=lease_id, fence=fence, now=now)
    return replace(
        d,
        status=Status.PENDING,
        started=False,
        lease_id=None,
        lease_until=None,
        not_before=now,
        attempts=0,
        updated_at=now,
    )


def pause(d: Delivery, *, lease_id: str, fence: int, until: int, error: str, now: int) -> Delivery:
    """D then G in one: a limit ended the run; the same delivery goes on when it has passed, ahead of its lane."""
    return replace(put_back(d, lease_id=lease_id, fence=fence, now=now), not_before=until, error=error)


def cancel(d: Delivery, *, now: int) -> Delivery:
    """F: drop it before anybody worked on it. Cancelling twice is fine."""
    if d.status is Status.CANCELLED:
        return d
    if d.status is Status.CLAIMED:
        raise Conflict("the delivery is being worked on: stop or kill its run", delivery=d.id, run=d.run_id)
    if d.status is not Status.PENDING:
        raise Conflict(f"the delivery is {d.status}", delivery=d.id, status=d.status)
    return replace(d, status=Status.CANCELLED, waits=False, updated_at=now)


def withdraw(d: Delivery, *, now: int) -> Delivery:
    """F: as `cancel`, also from a computer that has claimed it and not started: it has lost its lease and starts
    nothing.
    """
    if d.status is Status.CLAIMED and not d.started:
        d = replace(d, status=Status.PENDING, lease_id=None, lease_until=None)
    return cancel(d, now=now)


def give_up(d: Delivery, *, now: int) -> Delivery:
    """I: a person wants no more of an interrupted one."""
    if d.status is not Status.INTERRUPTED:
        raise Conflict(f"only an interrupted delivery is given up; this one is {d.status}", delivery=d.id)
    return replace(d, status=Status.CANCELLED, updated_at=now)


def read_by(d: Delivery, *, run_id: int, step: int, now: int) -> Delivery:
    """H: the live run of its lane has read its words, so it is done with that run."""
    if d.status is not Status.PENDING or d.steered_into != run_id:
        raise Conflict("this run was not told the words of the delivery", delivery=d.id, run=run_id)
    return replace(d, status=Status.ACKED, waits=False, run_id=run_id, read_step=step, updated_at=now)


def go_first(d: Delivery, *, before: Delivery, now: int) -> Delivery:
    """Come before all that wait in its lane; `before` is the first of them."""
    if d.status is not Status.PENDING:
        raise Conflict(f"the delivery is {d.status}: only what waits can be moved", delivery=d.id, status=d.status)
    return replace(d, ahead=before.ahead + 1, waits=before.waits, updated_at=now)


def need_mergeable(d: Delivery, *, into: Delivery) -> None:
    """Raise `Conflict` unless both wait in one lane, and no run was told their words."""
    if d.id == into.id or (d.topic_id, d.agent) != (into.topic_id, into.agent):
        raise Conflict("only deliveries of one agent in one topic can be merged", delivery=d.id, into=into.id)
    for one in (d, into):
        if one.status is not Status.PENDING:
            raise Conflict(f"the delivery is {one.status}: only what waits can be merged", delivery=one.id)
        if one.steered_into is not None:
            raise Conflict("a run was told its words already", delivery=one.id, run=one.steered_into)


def retry(d: Delivery, *, fresh: bool, lane_is_open: bool, now: int, any_end: bool = False) -> Delivery:
    """G: a person wants it done again. Attempts start anew; it waits when its lane is busy.

    `any_end` also accepts what ended well: restarting a finished run. What waits for a moment to pass goes on now.
    """
    if d.status is Status.PENDING and d.not_before > now:
        return replace(d, not_before=now, fresh=fresh or d.fresh, updated_at=now)
    if d.status not in RETRYABLE and not (any_end and d.is_final):
        raise Conflict(
            f"only failed, interrupted and dead deliveries can be retried; this one is {d.status}", delivery=d.id
        )
    return replace(
        d,
        status=Status.PENDING,
        waits=lane_is_open,
        attempts=0,
        fresh=fresh,
        not_before=now,
        lease_id=None,
        lease_until=None,
        error=None,
        steered_into=None,
        read_step=None,
        updated_at=now,
    )
