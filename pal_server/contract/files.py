"""Files: artifacts of runs and attachments of messages."""

from typing import Literal

from .base import Answer, Page, Request


class File(Answer, frozen=True, kw_only=True):
    id: str
    name: str
    title: str
    mime: str
    size: int
    sha256: str
    url: str
    room: str | None = None
    run: int | None = None
    made_by: str = ""
    """Whose credential brought it: `user:…`, `run:12`."""
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None


class ArtifactAnswer(Answer, frozen=True, kw_only=True):
    artifact: File


class ArtifactsAnswer(Answer, frozen=True, kw_only=True):
    artifacts: list[File]
    next: str | None = None


class UploadQuery(Request, frozen=True, kw_only=True):
    """The body is the file itself; what describes it is in the query."""

    name: str
    mime: str | None = None
    title: str = ""
    ttl: int | None = None
    """Seconds."""
    card: bool = False
    """From a run: its topic shows the file, with a preview."""
    room: str | None = None
    client_id: str | None = None


class ArtifactsQuery(Page, frozen=True, kw_only=True):
    q: str | None = None
    """In name or title."""
    room: str | None = None
    """Id or name."""
    run: int | None = None
    mime: str | None = None
    """What the media type begins with: `image/`."""
    state: Literal["live", "ended"] | None = None
    """Ended ones are revoked or expired and not cleaned up yet."""


class CleanedAnswer(Answer, frozen=True, kw_only=True):
    removed: int
