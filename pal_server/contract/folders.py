"""Folders where agents work, as their computers tell."""

from .base import Answer, Request


class PathsQuery(Request, frozen=True, kw_only=True):
    """Which files of an agent's folder are meant by these letters; without any, the first ones."""

    agent: str
    q: str = ""
    limit: int = 20
    """At most 100."""


class PathsAnswer(Answer, frozen=True, kw_only=True):
    agent: str
    computer: str
    paths: list[str]
    """Below the agent's folder, the best first."""
    total: int
    """How many files were looked through."""
