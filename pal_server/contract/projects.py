"""Projects: what several rooms are about, and what every run in them is told."""

import msgspec

from .base import Answer, Request


class Project(Answer, frozen=True, kw_only=True):
    id: str
    key: str
    """Unique in the workspace; letters in lower case, digits, dashes."""
    name: str
    goal: str
    rules: list[str]
    tech_stack: list[str]
    default_room: str
    created_at: int
    updated_at: int
    archived_at: int | None = None


class ProjectAnswer(Answer, frozen=True, kw_only=True):
    project: Project


class ProjectsAnswer(Answer, frozen=True, kw_only=True):
    projects: list[Project]
    next: str | None = None


class CreateProject(Request, frozen=True, kw_only=True):
    key: str
    name: str = ""
    goal: str = ""
    """What it is for; up to 4,000 characters."""
    rules: list[str] = []
    """What holds for everybody who works on it; up to 50 of up to 1,000 characters."""
    tech_stack: list[str] = []
    room: str | None = None
    """Its default room; else the one called as the key, which is made when there is none."""
    client_id: str | None = None


class ChangeProject(Request, frozen=True, kw_only=True):
    name: str | msgspec.UnsetType = msgspec.UNSET
    goal: str | msgspec.UnsetType = msgspec.UNSET
    rules: list[str] | msgspec.UnsetType = msgspec.UNSET
    tech_stack: list[str] | msgspec.UnsetType = msgspec.UNSET
    room: str | msgspec.UnsetType = msgspec.UNSET
    """Another default room."""
    archived: bool | msgspec.UnsetType = msgspec.UNSET
    """An admin's to change: its rooms are told nothing of it while it is archived."""
