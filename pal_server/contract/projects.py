"""Projects: what several rooms are about, and what every run in them is told."""

from typing import Literal

import msgspec

from .base import Answer, Page, Request

DecisionStatus = Literal["proposed", "approved", "rejected", "superseded"]


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


class Doc(Answer, frozen=True, kw_only=True):
    """A context document, without its text."""

    project: str
    name: str
    size: int
    """Characters of the whole; a prompt has at most 8,000 of one and 32,000 of all."""
    inject: bool
    """Every run of the project is told it, unless it is archived."""
    written_by: str
    created_at: int
    updated_at: int
    archived_at: int | None = None


class DocsAnswer(Answer, frozen=True, kw_only=True):
    docs: list[Doc]
    next: str | None = None


class DocAnswer(Answer, frozen=True, kw_only=True):
    doc: Doc
    content: str


class WriteDoc(Request, frozen=True, kw_only=True):
    """Anew, or in place of what stood there; an archived one is back."""

    content: str
    """Up to 200,000 characters."""
    inject: bool | msgspec.UnsetType = msgspec.UNSET
    """As it is, of a new one true."""


class ChangeDoc(Request, frozen=True, kw_only=True):
    inject: bool | msgspec.UnsetType = msgspec.UNSET
    archived: bool | msgspec.UnsetType = msgspec.UNSET


class Decision(Answer, frozen=True, kw_only=True):
    id: int
    project: str
    code: str
    """`D-3`; unique in the project, and never given to another."""
    title: str
    rationale: str
    status: DecisionStatus
    proposed_by: str
    supersedes: str | None = None
    """The code of the one it takes the place of once it is approved."""
    superseded_by: str | None = None
    decided_by: str | None = None
    decided_at: int | None = None
    reason: str | None = None
    room: str | None = None
    topic: int | None = None
    message: int | None = None
    """Its card."""
    interaction: int | None = None
    """What its card asks; answering it is answering the decision."""
    created_at: int
    updated_at: int


class DecisionAnswer(Answer, frozen=True, kw_only=True):
    decision: Decision


class DecisionsAnswer(Answer, frozen=True, kw_only=True):
    decisions: list[Decision]
    next: str | None = None


class DecisionsQuery(Page, frozen=True, kw_only=True):
    q: str | None = None
    """Found in titles and reasons, in any case."""
    status: DecisionStatus | None = None


class AllDecisionsQuery(DecisionsQuery, frozen=True, kw_only=True):
    project: str | None = None
    """Of this project alone."""


class ProposeDecision(Request, frozen=True, kw_only=True):
    title: str
    """In a line of up to 200 characters."""
    rationale: str = ""
    """Why, in up to 10,000 characters."""
    topic: int | None = None
    """Where its card stands: a topic in a room of the project. A run's own; else one of the default room."""
    supersedes: str | None = None
    """The code of an approved one that holds no longer once this is approved."""
    client_id: str | None = None


class AnswerDecision(Request, frozen=True, kw_only=True):
    decision: Literal["approve", "deny"]
    reason: str | None = None


class SupersedeDecision(Request, frozen=True, kw_only=True):
    by: str | None = None
    """The code of an approved one that holds in its place."""
