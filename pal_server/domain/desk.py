"""What a person keeps of their own: read marks, drafts, messages saved for later, preferences, presence."""

import re
from dataclasses import asdict, dataclass
from typing import Any

from pal_server.domain.rooms import Topic
from pal_server.errors import Invalid

DRAFT_LIMIT = 200_000  # characters, as many as a message has
SAVED_LIMIT = 200  # messages a person may keep for later
PROMPTS_LIMIT = 200  # saved prompts of a person
PRESENT_FOR = 90_000  # milliseconds after the last sign of somebody's browser
FONT_SIZES = range(13, 21)  # pixels
UNREAD_MAX = 100  # nobody counts further
WORDS = 200  # characters of a message that a list shows
DAY = 24 * 60  # minutes

_PROMPT_NAME = re.compile(r"[\w][\w.-]{0,39}")  # what can stand after a slash


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWords:
    message_id: int
    sender_kind: str
    sender: str
    sender_name: str
    text: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """A topic as a list shows it to one person."""

    topic: Topic
    last: LastWords | None
    run: tuple[int, str, str] | None  # id, agent, status of the newest one
    agents: tuple[str, ...]
    read: int
    unread: int

    def fact(self) -> dict[str, Any]:
        last, run = self.last, self.run
        return {
            "topic": self.topic.fact(),
            "last": None
            if last is None
            else {
                "message": last.message_id,
                "sender": {"kind": last.sender_kind, "name": last.sender, "display_name": last.sender_name},
                "text": last.text,
                "at": last.at,
            },
            "run": None if run is None else dict(zip(("id", "agent", "status"), run, strict=True)),
            "agents": list(self.agents),
            "read": self.read,
            "unread": self.unread,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    topic_id: int
    content: str
    updated_at: int

    def fact(self) -> dict[str, Any]:
        return {"topic": self.topic_id, "content": self.content, "updated_at": self.updated_at}


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    id: int
    user_id: str
    topic_id: int
    content: str
    place: int
    created_at: int

    def fact(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "topic": self.topic_id,
            "content": self.content,
            "place": self.place,
            "created_at": self.created_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPrompt:
    """What a person says again and again, under a name of their own."""

    name: str
    content: str
    updated_at: int

    def fact(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    theme: str = "system"
    font_size: int = 15
    language: str = "system"
    enter_sends: bool = False
    single_keys: bool = True
    notify_needs: bool = True
    notify_mentions: bool = True
    notify_runs: bool = True
    quiet_from: int | None = None  # minutes after midnight
    quiet_until: int | None = None

    def fact(self) -> dict[str, Any]:
        return asdict(self)


def parse_draft(content: str) -> str:
    if len(content) > DRAFT_LIMIT:
        raise Invalid(f"content has more than {DRAFT_LIMIT} characters", field="content", limit=DRAFT_LIMIT)
    return content


def parse_prompt_name(name: str) -> str:
    """A name that can be typed after a slash, or `Invalid`."""
    if not _PROMPT_NAME.fullmatch(name):
        raise Invalid(
            "the name of a saved prompt has 1 to 40 letters, digits, dots, dashes; no spaces", field="name", value=name
        )
    return name


def check_preferences(wanted: Preferences) -> Preferences:
    """The same, or `Invalid`."""
    if wanted.font_size not in FONT_SIZES:
        raise Invalid(
            f"font_size lies between {FONT_SIZES.start} and {FONT_SIZES.stop - 1} pixels",
            field="font_size",
            value=wanted.font_size,
        )
    for name, minutes in (("quiet_from", wanted.quiet_from), ("quiet_until", wanted.quiet_until)):
        if minutes is not None and not 0 <= minutes < DAY:
            raise Invalid(f"{name} is minutes after midnight, 0 to {DAY - 1}", field=name, value=minutes)
    if (wanted.quiet_from is None) != (wanted.quiet_until is None):
        raise Invalid("quiet hours have a beginning and an end, or neither", field="quiet_until")
    return wanted


def moved(mine: tuple[Saved, ...], *, id: int, place: int) -> tuple[int, ...]:
    """The ids in their new order when one of them goes to `place`; beyond the end is the end."""
    ids = [one.id for one in mine if one.id != id]
    ids.insert(min(max(place, 0), len(ids)), id)
    return tuple(ids)
