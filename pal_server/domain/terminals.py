"""Terminals: what they are, how many there may be, and the states they go through.

opening → open → closing → closed, and failed for one that never opened. What has not ended holds its place among the
limits; an agent's terminal holds its lane too, so that no run and no person ever drive one conversation at once.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.errors import Conflict, Forbidden, Invalid

OPEN_WITHIN = 60_000  # milliseconds a computer has to open it
SIDE_MAX = 1000  # columns or rows; more is nobody's screen
REASON_LIMIT = 500  # characters
FOLDER_LIMIT = 4096  # characters, as long as a path may be
LIVES = ("opening", "open", "closing")

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Kind(StrEnum):
    SHELL = "shell"  # the daemon's user's shell
    AGENT = "agent"  # an agent's program in its interactive form, with the agent's own conversation


class State(StrEnum):
    OPENING = "opening"  # its computer is told
    OPEN = "open"
    CLOSING = "closing"  # its computer is told to end it
    CLOSED = "closed"
    FAILED = "failed"  # it never opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How many, for how long, and who. `driver` is the role a user needs to open one and to type."""

    per_topic: int = 8
    per_computer: int = 20
    idle_for: int = 30 * 60_000  # milliseconds without a viewer, a key or a word after which it is closed
    driver: Role = Role.MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    id: str
    workspace_id: str
    room_id: str
    topic_id: int
    computer_id: str
    agent: str | None
    kind: Kind
    folder: str | None
    cols: int
    rows: int
    state: State
    reason: str | None
    exit: int | None
    opened_by: str  # as people see it
    created_at: int
    opened_at: int | None
    closed_at: int | None
    last_used_at: int

    @property
    def lives(self) -> bool:
        return self.state in LIVES

    def fact(self) -> dict[str, Any]:
        """The terminal as others see it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "room": self.room_id,
            "topic": self.topic_id,
            "computer": self.computer_id,
            "agent": self.agent,
            "folder": self.folder,
            "cols": self.cols,
            "rows": self.rows,
            "state": self.state,
            "reason": self.reason,
            "exit": self.exit,
            "opened_by": self.opened_by,
            "created_at": self.created_at,
            "opened_at": self.opened_at,
            "closed_at": self.closed_at,
            "last_used": self.last_used_at,
        }


def parse_kind(kind: str) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise Invalid(f"kind is one of {', '.join(Kind)}", field="kind", value=kind[:64]) from None


def parse_size(cols: int, rows: int) -> tuple[int, int]:
    for field, value in (("cols", cols), ("rows", rows)):
        if not 1 <= value <= SIDE_MAX:
            raise Invalid(f"{field} lies between 1 and {SIDE_MAX}", field=field, value=value)
    return cols, rows


def parse_folder(folder: str | None) -> str | None:
    """An absolute path as the computer has it; whether it exists only that computer knows."""
    if folder is None:
        return None
    if not folder.startswith(("/", "~")) or len(folder) > FOLDER_LIMIT or _CONTROL.search(folder):
        raise Invalid("folder is an absolute path on the computer", field="folder")
    return folder


def may_drive(actor: Actor, *, policy: Policy) -> bool:
    """Whether the actor, who sees the room, may type. Agents, guests and bridges only ever look, or not even that."""
    return actor.kind is ActorKind.USER and actor.is_at_least(policy.driver)


def need_driver(actor: Actor, *, policy: Policy) -> None:
    if not may_drive(actor, policy=policy):
        raise Forbidden(f"to use a terminal needs the role {policy.driver}", needs=policy.driver)


def need_room(*, in_topic: int, on_computer: int, policy: Policy) -> None:
    """Raise `Conflict` when as many live as may."""
    if in_topic >= policy.per_topic:
        raise Conflict(
            f"{in_topic} terminals are open in this topic, which is as many as may be: close one",
            limit=policy.per_topic,
            open=in_topic,
        )
    if on_computer >= policy.per_computer:
        raise Conflict(
            f"{on_computer} terminals are open on this computer, which is as many as may be: close one",
            limit=policy.per_computer,
            open=on_computer,
        )


def opened(t: Terminal, *, folder: str | None, now: int) -> Terminal:
    """Its computer has it. A repeat changes nothing; one that was closed meanwhile stays on its way out."""
    if t.state is not State.OPENING:
        return t
    return replace(t, state=State.OPEN, folder=folder or t.folder, opened_at=now, last_used_at=now)


def closing(t: Terminal, *, reason: str) -> Terminal:
    """Somebody wants its end; who said so first is remembered."""
    if t.state not in (State.OPENING, State.OPEN):
        return t
    return replace(t, state=State.CLOSING, reason=reason[:REASON_LIMIT])


def ended(t: Terminal, *, exit: int | None, reason: str, now: int) -> Terminal:
    """It is gone: closed, or failed when it never opened. A repeat changes nothing."""
    if not t.lives:
        return t
    never_opened = t.state is State.OPENING
    why = t.reason if t.state is State.CLOSING else reason[:REASON_LIMIT] or None
    return replace(t, state=State.FAILED if never_opened else State.CLOSED, exit=exit, reason=why, closed_at=now)


def describe_end(t: Terminal) -> str:
    """For the topic: how it ended, in words."""
    name = describe(t)
    if t.state is State.FAILED:
        return f"{name} could not be opened: {t.reason or 'nobody knows why'}"
    if t.reason:
        return f"{name} was closed: {t.reason}"
    return f"{name} ended" if t.exit in (0, None) else f"{name} ended with exit code {t.exit}"


def describe(t: Terminal) -> str:
    return f"The terminal of {t.agent}" if t.kind is Kind.AGENT else "The shell"
