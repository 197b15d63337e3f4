"""Tasks: topics with a plan."""

from typing import Literal

import msgspec

from .base import Answer, Page, Request
from .messages import Message, Receipt
from .words import TaskOutcome, TaskStatus, Waiting


class TaskResult(Answer, frozen=True, kw_only=True):
    status: Literal["done", "blocked", "needs_input"]
    summary: str
    blockers: list[str] = []
    next_steps: list[str] = []
    run: int | None = None
    """The run that reported it; null: a person wrote it."""


class Task(Answer, frozen=True, kw_only=True):
    id: str
    code: str
    """T-3: unique in its project, never given again."""
    project: str
    """The project's key."""
    topic: int
    """Its conversation: what is said there works as in any topic."""
    room: str
    title: str
    """The topic's title."""
    body: str = ""
    acceptance: list[str] = []
    """What has to be true for it to be done."""
    verification: str = ""
    """A command line for a shell, run in the folder of who verifies."""
    verification_required: bool = False
    """It cannot be done before its verification passed, after its newest run began."""
    paths: list[str] = []
    references: list[str] = []
    owner: str | None = None
    agent: str | None = None
    type: str = "task"
    order: float = 0
    depends_on: list[str] = []
    """Codes of what comes before, in the same project."""
    blocked_by: list[str] = []
    """Those of them that are not done."""
    is_ready: bool = False
    """In the backlog or ready, with nothing before it that is not done."""
    status: TaskStatus
    waiting_reason: Waiting | None = None
    waiting_note: str = ""
    last_outcome: TaskOutcome | None = None
    """How the last work on it ended."""
    result: TaskResult | None = None
    verified_at: int | None = None
    """When its verification passed; null after one that did not, or when the command has changed since."""
    created_at: int
    updated_at: int
    archived_at: int | None = None


class TaskAnswer(Answer, frozen=True, kw_only=True):
    task: Task


class TasksAnswer(Answer, frozen=True, kw_only=True):
    tasks: list[Task]
    next: str | None = None


class TasksQuery(Page, frozen=True, kw_only=True):
    project: str | None = None
    topic: int | None = None
    status: TaskStatus | None = None
    agent: str | None = None
    owner: str | None = None
    type: str | None = None
    q: str = ""
    """Part of a title or body, whatever its case."""
    archived: bool = False
    """Those that are archived, instead of all others."""


class TaskQuery(Request, frozen=True, kw_only=True):
    project: str | None = None
    """Whose code it is; without it `T-3` has to be one project's only, and inside a run it is the run's project's."""


class VerificationsQuery(Page, frozen=True, kw_only=True):
    project: str | None = None


class Planned(Request, frozen=True, kw_only=True):
    """What may be said of a task; what is left out stays as it is."""

    body: str | msgspec.UnsetType = msgspec.UNSET
    acceptance: list[str] | msgspec.UnsetType = msgspec.UNSET
    verification: str | msgspec.UnsetType = msgspec.UNSET
    verification_required: bool | msgspec.UnsetType = msgspec.UNSET
    paths: list[str] | msgspec.UnsetType = msgspec.UNSET
    references: list[str] | msgspec.UnsetType = msgspec.UNSET
    owner: str | msgspec.UnsetType | None = msgspec.UNSET
    agent: str | msgspec.UnsetType | None = msgspec.UNSET
    type: str | msgspec.UnsetType = msgspec.UNSET
    order: float | msgspec.UnsetType = msgspec.UNSET
    depends_on: list[str] | msgspec.UnsetType = msgspec.UNSET


class CreateTask(Planned, frozen=True, kw_only=True):
    title: str
    project: str | None = None
    """Inside a run: else its room's."""
    room: str | None = None
    """A room of the project; else its default one."""
    status: Literal["backlog", "ready"] | None = None
    client_id: str | None = None


class PromoteTopic(Planned, frozen=True, kw_only=True):
    """A topic of a project's room becomes a task; its title stays."""

    client_id: str | None = None


class ChangeTask(Planned, frozen=True, kw_only=True):
    project: str | None = None
    """Whose code it is, as in `TaskQuery`."""
    title: str | msgspec.UnsetType = msgspec.UNSET
    result: str | msgspec.UnsetType | None = msgspec.UNSET
    """Its summary; null takes the result away."""
    status: TaskStatus | msgspec.UnsetType = msgspec.UNSET
    """A move by hand, kept until the next run starts."""
    waiting_note: str = ""
    """Why it waits; the status `waiting` needs one."""
    archived: bool | msgspec.UnsetType = msgspec.UNSET


class StartTask(Request, frozen=True, kw_only=True):
    project: str | None = None
    agent: str | None = None
    """Else the task's own."""
    text: str = ""
    """What is said to the agent; the plan is in its prompt anyway."""
    force: bool = False
    """Also while it comes after something that is not done."""
    client_id: str | None = None


class StartedTask(Answer, frozen=True, kw_only=True):
    task: Task
    message: Message
    delivery: int
    receipt: Receipt


class Verification(Answer, frozen=True, kw_only=True):
    id: int
    command: str
    exit_code: int
    passed: bool
    output: str
    """The end of what it printed."""
    by: str
    """Who ran it."""
    run: int | None = None
    created_at: int


class RecordVerification(Request, frozen=True, kw_only=True):
    command: str
    """What was run: the task's verification as it is."""
    exit_code: int
    output: str = ""
    project: str | None = None
    client_id: str | None = None


class VerifiedAnswer(Answer, frozen=True, kw_only=True):
    task: Task
    verification: Verification


class VerificationsAnswer(Answer, frozen=True, kw_only=True):
    verifications: list[Verification]
    next: str | None = None
