"""Files: artifacts of runs and attachments of messages."""

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


class CleanedAnswer(Answer, frozen=True, kw_only=True):
    removed: int
