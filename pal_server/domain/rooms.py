"""Rooms, topics and members: what they are, what they may be called, and who may see them."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pal_server.domain.chains import HOP_LIMIT
from pal_server.domain.names import AT
from pal_server.errors import Invalid

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.IGNORECASE)
PLACEHOLDER = "New topic"
TITLE_FROM_WORDS = 60  # characters of a title that is made from what was said
TITLE_LIMIT = 200  # characters; longer titles are paragraphs
RULES_LIMIT = 20_000  # characters; they are part of every prompt of the room


class Mode(StrEnum):
    """When an agent gets a delivery for a message in the room."""

    MENTIONS = "mentions"  # when it is mentioned or replied to
    ALL = "all"  # for every message of a person too
    PERIODIC = "periodic"  # one digest per interval, when something is unread
    MUTED = "muted"  # never; mentions are kept in its inbox
    OFF = "off"  # never, and it cannot be mentioned


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    id: str
    workspace_id: str
    name: str
    title: str
    rules: str
    visibility: str
    seq: int
    default_topic: int
    debounce_for: int
    digest_every: int
    max_duration: int | None
    busy: str = "queue"  # what a message does when its agent is at work
    deny_after: int | None = None  # milliseconds after which an approval that nobody gave counts as denied
    approvers: int = 1  # people who have to approve what an agent asks for
    fresh: bool = False  # an answer is held when something newer was said that its agent has not read
    hop_limit: int = HOP_LIMIT  # how often agents pass a message on before a card asks people
    project_id: str | None = None  # what it is about
    created_at: int
    archived_at: int | None
    expires_at: int | None = None  # when it goes, with all that was said

    def fact(self) -> dict[str, Any]:
        """The room as others see it."""
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title,
            "rules": self.rules,
            "visibility": self.visibility,
            "seq": self.seq,
            "default_topic": self.default_topic,
            "busy": self.busy,
            "deny_after": self.deny_after,
            "approvers": self.approvers,
            "fresh": self.fresh,
            "hop_limit": self.hop_limit,
            "project": self.project_id,
            "created_at": self.created_at,
            "archived_at": self.archived_at,
            "expires_at": self.expires_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    id: int
    room_id: str
    title: str
    is_default: bool
    created_at: int
    last_message_at: int | None
    archived_at: int | None
    is_placeholder: bool = False  # nobody has named it yet

    def fact(self) -> dict[str, Any]:
        """The topic as others see it."""
        return {
            "id": self.id,
            "room": self.room_id,
            "title": self.title,
            "is_default": self.is_default,
            "created_at": self.created_at,
            "last_message_at": self.last_message_at,
            "is_placeholder": self.is_placeholder,
            "archived_at": self.archived_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A user, agent or guest in a room. `mode` is an agent's, `role` a user's."""

    room_id: str
    kind: str
    name: str
    display_name: str
    mode: Mode | None
    role: str | None
    runtime: str | None
    joined_at: int

    def fact(self) -> dict[str, Any]:
        """The member as others see it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "display_name": self.display_name,
            "mode": self.mode,
            "role": self.role,
            "runtime": self.runtime,
            "joined_at": self.joined_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMember:
    """What addressing and receipts need to know of an agent in a room."""

    key: str
    display_name: str
    mode: Mode
    enabled: bool
    runtime: str
    concurrency: int
    computer_id: str | None
    computer_name: str | None
    computer_online: bool
    computer_draining: bool


def parse_name(name: str) -> str:
    """A room's name, or `Invalid`: 1 to 64 letters, digits, dots, dashes, underscores, not beginning with a sign."""
    if not NAME.fullmatch(name):
        raise Invalid(
            "a room's name has 1 to 64 letters, digits, dots, dashes or underscores and begins with a letter or digit",
            field="name",
        )
    if name.startswith("room_"):
        raise Invalid("a room's name cannot begin with room_, as ids do", field="name")
    return name


def parse_title(title: str, *, field: str = "title") -> str:
    """A title without surrounding space, or `Invalid`."""
    title = " ".join(title.split())
    if not title:
        raise Invalid(f"{field} is empty", field=field)
    if len(title) > TITLE_LIMIT:
        raise Invalid(f"{field} has more than {TITLE_LIMIT} characters", field=field, limit=TITLE_LIMIT)
    return title


def title_from(words: str) -> str | None:
    """A title made of the first line that says something, without calls by name, cut between words; None for none."""
    for line in words.splitlines():
        text = re.sub(rf"(?<!\S){AT}[A-Za-z0-9][\w.-]*[,:]?(?!\S)", " ", line)
        text = " ".join(text.strip(" #>*`-").split())
        if len(text) > TITLE_FROM_WORDS:
            text = text[:TITLE_FROM_WORDS].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"
        if any(sign.isalnum() for sign in text):
            return text
    return None


def parse_rules(rules: str) -> str:
    """Room rules, or `Invalid` when they would crowd out every prompt."""
    if len(rules) > RULES_LIMIT:
        raise Invalid(f"rules have more than {RULES_LIMIT} characters", field="rules", limit=RULES_LIMIT)
    return rules


def parse_mode(mode: str) -> Mode:
    """A delivery mode, or `Invalid` naming those there are."""
    try:
        return Mode(mode)
    except ValueError:
        raise Invalid(f"mode is one of {', '.join(Mode)}", field="mode", value=mode) from None
