"""What has a code in a project."""

from .base import Answer, Request
from .projects import Decision
from .tasks import Task


class ItemAnswer(Answer, frozen=True, kw_only=True):
    """One of these, by the letter of its code."""

    task: Task | None = None
    decision: Decision | None = None


class ItemsQuery(Request, frozen=True, kw_only=True):
    codes: str
    """Codes with their projects, up to 100, with commas: `shop.T-3,shop.D-1`."""


class FoundItem(Answer, frozen=True, kw_only=True):
    said: str
    """The code as it was asked for."""
    code: str
    project: str
    """The project's id."""
    title: str
    status: str
    room: str | None
    topic: int | None
    message: int | None = None
    """The card of a decision."""


class ItemsAnswer(Answer, frozen=True, kw_only=True):
    """Those that mean something to who asks."""

    items: list[FoundItem]
