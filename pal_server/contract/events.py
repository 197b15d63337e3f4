"""Events of the workspace log, as streams carry them, and the frames of the daemon's wake-up channel."""

from typing import Any, Literal

from .base import Answer, Request


class Event(Answer, frozen=True, kw_only=True):
    position: int
    kind: str
    """noun.verb in the past: message.created, run.finished."""
    room: str | None = None
    at: int
    data: dict[str, Any] = {}


class EventsQuery(Request, frozen=True, kw_only=True):
    after: int | None = None


class Look(Answer, frozen=True, kw_only=True, tag="look", tag_field="type"):
    """Look again: deliveries or commands may be waiting. Says nothing of what."""

    what: Literal["deliveries", "commands", "assignments"] = "deliveries"


class Find(Answer, frozen=True, kw_only=True, tag="find", tag_field="type"):
    """Which files of this agent's folder are meant? Answered with `found` under the same number."""

    ask: int
    agent: str
    cwd: str | None
    """As its profile says it; null: the folder its computer has for it."""
    q: str
    limit: int


class Found(Request, frozen=True, kw_only=True, tag="found", tag_field="type"):
    """From the daemon."""

    ask: int
    paths: list[str] = []
    total: int = 0
    error: str = ""


class Bye(Answer, frozen=True, kw_only=True, tag="bye", tag_field="type"):
    """The server is going away or this daemon may not go on; `retry` says whether to come back."""

    code: str
    message: str
    retry: bool
