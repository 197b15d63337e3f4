"""What runs used."""

from typing import Literal

from .base import Answer, Page


class Used(Answer, frozen=True, kw_only=True):
    """Sums over ended runs. What a run did not say is not in them; the counts beside tell how many said it."""

    key: str
    """An agent, a room's id, a project's id (empty: rooms of none), or a day as days since 1970."""
    name: str
    """The agent, the room's name, the project's key, or the date as 2026-11-20."""
    runs: int
    failed: int
    """Failed and interrupted ones."""
    input_tokens: int
    output_tokens: int
    with_tokens: int
    """Runs that said how many tokens they used."""
    cost_usd: float
    with_cost: int
    """Runs that said what they cost."""
    duration_ms: int


class UsageAnswer(Answer, frozen=True, kw_only=True):
    usage: list[Used]
    total: Used
    """Of the whole time, whatever the page."""
    since: int
    until: int
    next: str | None = None


class UsageQuery(Page, frozen=True, kw_only=True):
    by: Literal["agent", "room", "project", "day"] = "agent"
    agent: str | None = None
    room: str | None = None
    project: str | None = None
    since: int | None = None
    """Runs that ended from then on; 30 days ago, when left out."""
    until: int | None = None
    utc_offset: int = 0
    """Minutes the reader's clock is ahead of UTC: where a day begins."""
