"""Tasks: topics with a plan. What a plan may say, who may move a task by hand, and what others see of it.

A task is its topic: title, room and archiving are the topic's own. Its number is the project's, never given again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pal_server.errors import Conflict, Invalid

from .projects import Coded, parse_code, render_code

BODY_LIMIT = 50_000  # characters
LINES_LIMIT = 50  # criteria, paths, references, dependencies
LINE_LIMIT = 1_000  # characters of each
COMMAND_LIMIT = 4_000  # characters of a verification command
NOTE_LIMIT = 2_000  # characters of why it waits
OUTPUT_LIMIT = 20_000  # characters of a verification's output; the end is what helps
SUMMARY_LIMIT = 10_000  # characters of a result
DEPENDENTS_LIMIT = 200  # tasks that come after one: each is told when that is done
PLANNED_LIMIT = 50  # unbegun tasks that one run has planned in a project
VERIFICATIONS_KEPT = 50  # of a task, the newest
DEFAULT_TYPE = "task"

_TYPE = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Status(StrEnum):
    BACKLOG = "backlog"  # planned
    READY = "ready"  # may be started: what it depends on is done, a person says so, or a run of it failed
    IN_PROGRESS = "in_progress"  # an agent works in its topic or is about to
    WAITING = "waiting"  # for a person; says why
    REVIEW = "review"  # its last run succeeded, and nothing is queued
    DONE = "done"  # a person says so, or its verification passed
    FAILED = "failed"  # given up, by a person or its agent
    CANCELLED = "cancelled"  # not wanted any more


class Waiting(StrEnum):
    """What a waiting task waits for."""

    INTERACTION = "interaction"  # an answer in its topic
    AGENT_BLOCKED = "agent_blocked"  # its agent cannot go on, or needs to know something
    ERROR = "error"  # a run of it was interrupted, or could not be started
    BY_HAND = "by_hand"  # what the person who moved it there wrote


class Outcome(StrEnum):
    """How the last work on it ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    DEAD = "dead"  # it could not be started


UNBEGUN = frozenset({Status.BACKLOG, Status.READY})
RUN_MAY_SAY = frozenset({Status.WAITING, Status.REVIEW, Status.DONE, Status.FAILED, Status.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """Another task of the project that comes before."""

    number: int
    status: Status

    @property
    def code(self) -> str:
        return render_code(Coded.TASK, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    id: str
    workspace_id: str
    project_id: str
    project: str  # the project's key
    number: int
    topic_id: int
    room_id: str
    title: str
    body: str = ""
    acceptance: tuple[str, ...] = ()
    verification: str = ""  # a command line for a shell, run in the folder of who verifies
    verification_required: bool = False  # it is not done before that passed
    paths: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    owner: str | None = None  # a user's name
    agent: str | None = None  # whom a start is for
    type: str = DEFAULT_TYPE
    order: float = 0
    depends_on: tuple[Dependency, ...] = ()
    status: Status = Status.BACKLOG
    waiting: Waiting | None = None
    note: str = ""  # why it waits
    last_outcome: Outcome | None = None
    result: dict[str, Any] | None = None
    verified_at: int | None = None  # when its verification passed; None after one that did not, or after a change of it
    is_moved: bool = False  # by hand: kept until a run newer than `seen_run` starts
    seen_run: int = 0  # runs of the topic up to this one changed it before, or are none of its business
    created_by: str = ""
    created_at: int = 0
    updated_at: int = 0
    archived_at: int | None = None

    @property
    def code(self) -> str:
        return render_code(Coded.TASK, self.number)

    @property
    def blocked_by(self) -> tuple[Dependency, ...]:
        """What has to be done before."""
        return tuple(one for one in self.depends_on if one.status is not Status.DONE)

    @property
    def is_ready(self) -> bool:
        """Whether it may be started now, as far as other tasks are concerned."""
        return self.status in UNBEGUN and not self.blocked_by and self.archived_at is None

    def fact(self) -> dict[str, Any]:
        """The task as others see it."""
        return {
            "id": self.id,
            "code": self.code,
            "project": self.project,
            "topic": self.topic_id,
            "room": self.room_id,
            "title": self.title,
            "body": self.body,
            "acceptance": list(self.acceptance),
            "verification": self.verification,
            "verification_required": self.verification_required,
            "paths": list(self.paths),
            "references": list(self.references),
            "owner": self.owner,
            "agent": self.agent,
            "type": self.type,
            "order": self.order,
            "depends_on": [one.code for one in self.depends_on],
            "blocked_by": [one.code for one in self.blocked_by],
            "is_ready": self.is_ready,
            "status": self.status,
            "waiting_reason": self.waiting,
            "waiting_note": self.note,
            "last_outcome": self.last_outcome,
            "result": self.result,
            "verified_at": self.verified_at,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "archived_at": self.archived_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One run of a task's verification command, as who ran it reports."""

    id: int
    task_id: str
    command: str
    exit_code: int
    output: str  # the end of it
    by: str  # who ran it, as people see them
    run_id: int | None
    created_at: int

    @property
    def passed(self) -> bool:
        return self.exit_code == 0

    def fact(self) -> dict[str, Any]:
        """The verification as others see it."""
        return {
            "id": self.id,
            "command": self.command,
            "exit_code": self.exit_code,
            "passed": self.passed,
            "output": self.output,
            "by": self.by,
            "run": self.run_id,
            "created_at": self.created_at,
        }


def move(task: Task, *, to: str, note: str, newest_run: int, verified_since: int) -> Task:
    """A move by hand, kept until a run newer than `newest_run` starts. To wait needs a note; to be begun needs nothing
    before it that is not done, as a start does; to be done needs a passed verification where the task asks for one, not
    older than `verified_since` (when its newest run began).
    """
    status = parse_status(to)
    note = note.strip()
    if status is Status.WAITING and not note:
        raise Invalid("say why it waits", field="waiting_note")
    if len(note) > NOTE_LIMIT:
        raise Invalid(f"waiting_note has more than {NOTE_LIMIT} characters", field="waiting_note", limit=NOTE_LIMIT)
    if status is Status.IN_PROGRESS and task.status in UNBEGUN:
        need_startable(task, force=False)
    if status is Status.DONE and task.verification_required and not is_verified(task, since=verified_since):
        raise Conflict(
            f"{task.code} is done once its verification has passed: pal cli tasks verify {task.code}", task=task.code
        )
    is_waiting = status is Status.WAITING
    return replace(
        task,
        status=status,
        waiting=Waiting.BY_HAND if is_waiting else None,
        note=note if is_waiting else "",
        is_moved=True,
        seen_run=newest_run,
    )


def is_verified(task: Task, *, since: int) -> bool:
    """Whether its verification passed at that moment or later."""
    return task.verified_at is not None and task.verified_at >= since


def need_startable(task: Task, *, force: bool) -> None:
    """`Conflict` with what has to be done before, unless forced."""
    if task.blocked_by and not force:
        codes = [one.code for one in task.blocked_by]
        raise Conflict(
            f"{task.code} comes after {', '.join(codes)}: do that first, or start it with force",
            task=task.code,
            blocked_by=codes,
        )


def parse_status(status: str) -> Status:
    if status not in set(Status):
        raise Invalid(f"status is one of {', '.join(Status)}", field="status", value=status)
    return Status(status)


def parse_type(type: str) -> str:
    if not _TYPE.fullmatch(type):
        raise Invalid("type is a word of up to 40 small letters, digits or dashes: task, bug, docs", field="type")
    return type


def parse_body(body: str) -> str:
    if len(body) > BODY_LIMIT:
        raise Invalid(f"body has more than {BODY_LIMIT} characters", field="body", limit=BODY_LIMIT)
    return body.strip()


def parse_command(command: str) -> str:
    if len(command) > COMMAND_LIMIT or "\0" in command:
        raise Invalid(f"verification has more than {COMMAND_LIMIT} characters", field="verification")
    return command.strip()


def parse_lines(lines: Sequence[str], *, field: str) -> tuple[str, ...]:
    """Criteria, paths or references, without surrounding space and without empty ones."""
    kept = tuple(" ".join(line.split()) for line in lines if line.strip())
    if len(kept) > LINES_LIMIT or any(len(line) > LINE_LIMIT for line in kept):
        raise Invalid(f"{field} are at most {LINES_LIMIT} lines of 1 to {LINE_LIMIT} characters", field=field)
    return kept


def parse_order(order: float) -> float:
    if not -1e12 < order < 1e12:  # also refuses what is no number
        raise Invalid("order is a number", field="order")
    return order


def parse_dependencies(codes: Sequence[str]) -> tuple[int, ...]:
    """Numbers, each once, in order."""
    numbers = []
    for code in codes:
        number = parse_code(code, kind=Coded.TASK)
        if number is None:
            raise Invalid(f"{code} is no code of a task, as T-3 is", field="depends_on", value=code)
        numbers.append(number)
    if len(set(numbers)) > LINES_LIMIT:
        raise Invalid(f"a task depends on at most {LINES_LIMIT} others", field="depends_on", limit=LINES_LIMIT)
    return tuple(sorted(set(numbers)))


def written_result(summary: str | None) -> dict[str, Any] | None:
    """A result as a person writes it."""
    if summary is None or not summary.strip():
        return None
    if len(summary) > SUMMARY_LIMIT:
        raise Invalid(f"result has more than {SUMMARY_LIMIT} characters", field="result", limit=SUMMARY_LIMIT)
    return {"status": "done", "summary": summary.strip(), "blockers": [], "next_steps": [], "run": None}
