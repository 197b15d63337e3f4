"""Share links: making them, and what is behind one."""

from typing import Any, Literal

from .base import Answer, Page, Request
from .files import File
from .runs import RunSummary
from .words import RunStatus, TaskStatus

ShareKind = Literal["topic", "room", "file", "run"]
ShareRights = Literal["view", "comment"]


class Share(Answer, frozen=True, kw_only=True):
    id: str
    kind: ShareKind
    target: str
    """The id of what it shows."""
    rights: ShareRights
    may_trigger: bool
    """A comment may call agents."""
    created_by: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    uses: int = 0
    """How often it was opened."""
    last_used_at: int | None = None


class CreateShare(Request, frozen=True, kw_only=True):
    """One of `topic`, `task`, `room`, `file` and `run`. Comments go to topics and rooms alone."""

    topic: int | None = None
    task: str | None = None
    """By id or code: its topic, above which its plan stands."""
    room: str | None = None
    file: str | None = None
    run: int | None = None
    rights: ShareRights = "view"
    may_trigger: bool = False
    expires_at: int | None = None
    client_id: str | None = None
    """Said again before anybody opened it, the link gets a new token in place of the one whose answer was lost."""


class CreatedShareAnswer(Answer, frozen=True, kw_only=True):
    share: Share
    token: str
    """Shown this once."""
    url: str


class ShareAnswer(Answer, frozen=True, kw_only=True):
    share: Share


class SharesAnswer(Answer, frozen=True, kw_only=True):
    shares: list[Share]
    next: str | None = None


class SharedThing(Answer, frozen=True, kw_only=True):
    """The link as its visitors see it."""

    kind: ShareKind
    title: str
    rights: ShareRights
    may_trigger: bool
    by: str
    """Who shared it."""
    expires_at: int | None = None


class SharedRoom(Answer, frozen=True, kw_only=True):
    id: str
    name: str
    title: str


class SharedTopic(Answer, frozen=True, kw_only=True):
    id: int
    title: str


class SharedTask(Answer, frozen=True, kw_only=True):
    """The plan of a shared topic that is a task."""

    code: str
    status: TaskStatus
    body: str = ""
    acceptance: list[str] = []


class SharedRun(Answer, frozen=True, kw_only=True):
    id: int
    agent: str
    status: RunStatus
    error: str | None = None
    result: dict[str, Any] | None = None
    created_at: int
    started_at: int | None = None
    ended_at: int | None = None
    duration_ms: int | None = None


class SharedAnswer(Answer, frozen=True, kw_only=True):
    """What the link shows; the others are null. Files are under `/api/shared/{token}/files/{file}`."""

    shared: SharedThing
    room: SharedRoom | None = None
    topic: SharedTopic | None = None
    task: SharedTask | None = None
    run: SharedRun | None = None
    summary: RunSummary | None = None
    file: File | None = None


class SharedMessagesQuery(Request, frozen=True, kw_only=True):
    topic: int | None = None
    after: int | None = None
    before: int | None = None
    limit: int = 50


class SharedTopicsQuery(Page, frozen=True, kw_only=True):
    """Oldest first."""


class Comment(Request, frozen=True, kw_only=True):
    """What a guest says. Where a room is shared it goes to `topic`, or the room's default one."""

    name: str
    content: str
    topic: int | None = None
    parent: int | None = None
    client_id: str | None = None
