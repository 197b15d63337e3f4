"""What daemons find out of agent programs: who is logged in, which models, commands, skills and tool servers there are,
how much of a subscription is used.

What was found stays when a later look fails, and is called stale then. A quota is stale also when it is old or when
one of its windows has begun anew since.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pal_server.errors import Invalid

QUOTA_FOR = 60 * 60 * 1000  # milliseconds a quota counts as fresh: an agent that works tells it more often
ENTRIES_LIMIT = 500  # of one list
TEXT_LIMIT = 2_000  # characters of one text in it
ERROR_LIMIT = 500  # characters


class Kind(StrEnum):
    LOGIN = "login"
    MODELS = "models"
    QUOTA = "quota"
    COMMANDS = "commands"  # what the program runs itself when a message begins with a slash
    SKILLS = "skills"
    SERVERS = "servers"  # of tools (MCP)


OF_FOLDER = frozenset({Kind.COMMANDS, Kind.SKILLS, Kind.SERVERS})  # differ with the folder an agent works in


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was looked at. `agent` and `folder` are empty for kinds that do not differ with them."""

    computer: str
    runtime: str
    account: str = ""  # the program's usual login
    agent: str = ""
    folder: str = ""

    def at(self, *, agent: str, folder: str) -> "Subject":
        """For one agent in one folder."""
        return replace(self, agent=agent, folder=folder)

    def for_kind(self, kind: Kind) -> "Subject":
        """Without agent and folder where they make no difference."""
        return self if kind in OF_FOLDER else replace(self, agent="", folder="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`data` is what was found last, `error` why the newest look found nothing; `is_stale` as of when it was read."""

    subject: Subject
    kind: Kind
    data: Any = None
    found_at: int | None = None
    tried_at: int
    error: str | None = None
    is_stale: bool


def is_stale(kind: Kind, *, data: Any, found_at: int | None, error: str | None, now: int) -> bool:
    if error is not None or found_at is None:
        return True
    if kind is not Kind.QUOTA:
        return False
    ends = [window.get("resets_at") for window in data if isinstance(window, dict)]
    return now - found_at > QUOTA_FOR or any(isinstance(end, int) and end <= now for end in ends)


def told_in(events: Iterable[Mapping[str, Any]]) -> dict[Kind, list[dict[str, Any]]]:
    """What these run events say of their program in passing: its commands, its quota. The last word counts."""
    told: dict[Kind, list[dict[str, Any]]] = {}
    for event in events:
        if event["kind"] != "status":
            continue
        match event["data"]:
            case {"state": "introduced", "commands": list(commands)} if commands:
                told[Kind.COMMANDS] = [
                    {
                        "name": str(command.get("name") or "")[:200],
                        "description": str(command.get("description") or "")[:TEXT_LIMIT],
                        "hint": str(command.get("hint") or "")[:200],
                    }
                    for command in commands[:ENTRIES_LIMIT]
                    if isinstance(command, dict) and command.get("name")
                ]
            case {"state": "quota", "windows": list(windows)}:
                told[Kind.QUOTA] = [_window(window) for window in windows[:20] if isinstance(window, dict)]
    return told


def parse_list(entries: list[dict[str, Any]], *, field: str) -> list[dict[str, Any]]:
    """A list that is not too long, of texts that are not too long, or `Invalid`."""
    if len(entries) > ENTRIES_LIMIT:
        raise Invalid(f"{field} has more than {ENTRIES_LIMIT} entries", field=field, limit=ENTRIES_LIMIT)
    for entry in entries:
        for value in entry.values():
            texts = value if isinstance(value, list) else [value]
            if len(texts) > 50 or any(isinstance(text, str) and len(text) > TEXT_LIMIT for text in texts):
                raise Invalid(f"a text in {field} is too long", field=field, limit=TEXT_LIMIT)
    return entries


def _window(window: Mapping[str, Any]) -> dict[str, Any]:
    used, end = window.get("used_percent"), window.get("resets_at")
    return {
        "name": str(window.get("name") or "")[:100],
        "used_percent": float(used) if isinstance(used, int | float) and not isinstance(used, bool) else None,
        "resets_at": end if isinstance(end, int) and not isinstance(end, bool) and 0 < end < 2**53 else None,
    }
