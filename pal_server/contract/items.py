"""What has a code in a project."""

from .base import Answer
from .projects import Decision
from .tasks import Task


class ItemAnswer(Answer, frozen=True, kw_only=True):
    """One of these, by the letter of its code."""

    task: Task | None = None
    decision: Decision | None = None
