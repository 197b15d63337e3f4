"""Health and version."""

from typing import Any

from .base import Answer

PROTOCOL = 1  # raised when a daemon of an older protocol can no longer speak to this server


class Health(Answer, frozen=True, kw_only=True):
    status: str
    checks: dict[str, Any] = {}


class Version(Answer, frozen=True, kw_only=True):
    name: str
    version: str
    protocol: int
    """Raised when a daemon of an older protocol can no longer speak to this server."""
