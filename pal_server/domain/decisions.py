"""Decisions of a project: proposed by anybody who works on it, settled by people, told to every later run."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pal_server.errors import Conflict, Invalid

from .projects import Coded, render_code

TITLE_LIMIT = 200  # characters
RATIONALE_LIMIT = 10_000  # characters
REASON_LIMIT = 2_000  # characters


class Status(StrEnum):
    PROPOSED = "proposed"  # waits for a person
    APPROVED = "approved"  # holds: later runs are told
    REJECTED = "rejected"  # never held
    SUPERSEDED = "superseded"  # held once


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    id: int
    workspace_id: str
    project_id: str
    number: int
    title: str
    rationale: str
    status: Status
    proposed_by: str  # the name of a user or the key of an agent
    proposer: str  # the actor's key
    supersedes: int | None  # the number of the one it takes the place of once it is approved
    superseded_by: int | None
    decided_by: str | None
    decided_at: int | None
    reason: str | None
    room_id: str | None  # where its card is; None once that room has ended
    topic_id: int | None
    message_id: int | None
    interaction_id: int | None
    created_at: int
    updated_at: int

    @property
    def code(self) -> str:
        return render_code(Coded.DECISION, self.number)

    def fact(self) -> dict[str, Any]:
        """The decision as others see it."""
        return {
            "id": self.id,
            "project": self.project_id,
            "code": self.code,
            "title": self.title,
            "rationale": self.rationale,
            "status": self.status,
            "proposed_by": self.proposed_by,
            "supersedes": _code(self.supersedes),
            "superseded_by": _code(self.superseded_by),
            "decided_by": self.decided_by,
            "decided_at": self.decided_at,
            "reason": self.reason,
            "room": self.room_id,
            "topic": self.topic_id,
            "message": self.message_id,
            "interaction": self.interaction_id,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


def decide(d: Decision, *, approve: bool, by: str, reason: str | None, now: int) -> Decision:
    """A person has said yes or no; once, and for a proposal alone."""
    if d.status is not Status.PROPOSED:
        raise Conflict(f"{d.code} is already {d.status}", decision=d.code, status=d.status, decided_by=d.decided_by)
    status = Status.APPROVED if approve else Status.REJECTED
    return replace(d, status=status, decided_by=by, decided_at=now, reason=reason, updated_at=now)


def supersede(d: Decision, *, by: int | None, now: int) -> Decision:
    """It holds no longer; `by` is the number of the one that holds in its place, if there is one."""
    if d.status is not Status.APPROVED:
        raise Conflict(f"{d.code} is {d.status}: only what is approved is superseded", decision=d.code, status=d.status)
    return replace(d, status=Status.SUPERSEDED, superseded_by=by, updated_at=now)


def parse_title(title: str) -> str:
    title = " ".join(title.split())
    if not 1 <= len(title) <= TITLE_LIMIT:
        raise Invalid(f"title has 1 to {TITLE_LIMIT} characters", field="title", limit=TITLE_LIMIT)
    return title


def parse_rationale(rationale: str) -> str:
    if len(rationale) > RATIONALE_LIMIT:
        raise Invalid(f"rationale has more than {RATIONALE_LIMIT} characters", field="rationale", limit=RATIONALE_LIMIT)
    return rationale.strip()


def parse_reason(reason: str | None) -> str | None:
    if reason is not None and len(reason) > REASON_LIMIT:
        raise Invalid(f"reason has more than {REASON_LIMIT} characters", field="reason", limit=REASON_LIMIT)
    return reason.strip() or None if reason else None


def parse_status(status: str) -> Status:
    try:
        return Status(status)
    except ValueError:
        raise Invalid(f"status is one of {', '.join(Status)}", field="status", value=status[:64]) from None


def _code(number: int | None) -> str | None:
    return None if number is None else render_code(Coded.DECISION, number)
