"""Projects: what several rooms are about, and what every run in them is told."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pal_server.errors import Conflict, Invalid

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
NAME_LIMIT = 200  # characters
GOAL_LIMIT = 4_000  # characters; goal, rules and stack are whole in every prompt of the project
RULES_LIMIT = 50
RULE_LIMIT = 1_000  # characters
STACK_LIMIT = 50
STACK_WORD_LIMIT = 100  # characters


class Coded(StrEnum):
    """What has a code of its project: the letter before the number."""

    TASK = "T"
    DECISION = "D"
    REQUIREMENT = "R"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    id: str
    workspace_id: str
    key: str  # unique in the workspace
    name: str
    goal: str
    rules: tuple[str, ...]
    tech_stack: tuple[str, ...]
    default_room: str
    created_by: str
    created_at: int
    updated_at: int
    archived_at: int | None

    def fact(self) -> dict[str, Any]:
        """The project as others see it."""
        return {
            "id": self.id,
            "key": self.key,
            "name": self.name,
            "goal": self.goal,
            "rules": list(self.rules),
            "tech_stack": list(self.tech_stack),
            "default_room": self.default_room,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "archived_at": self.archived_at,
        }


def need_open(project: Project) -> None:
    if project.archived_at is not None:
        raise Conflict(f"the project {project.key} is archived: take it back first", project=project.key)


def render_code(kind: Coded, number: int) -> str:
    """`D-3`."""
    return f"{kind}-{number}"


def parse_code(code: str, *, kind: Coded) -> int | None:
    """The number of `D-3`, `d-3` or `3`; None for what is no code of this kind."""
    number = re.fullmatch(rf"(?:{kind}-)?([1-9][0-9]{{0,17}})", code, re.IGNORECASE | re.ASCII)
    return int(number[1]) if number else None


def parse_key(key: str) -> str:
    """A project's key in lower case, or `Invalid`: 1 to 32 letters, digits or dashes, not beginning with a dash."""
    key = key.lower()
    if not KEY.fullmatch(key):
        raise Invalid(
            "a project's key has 1 to 32 letters, digits or dashes and begins with a letter or digit", field="key"
        )
    return key


def parse_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_LIMIT:
        raise Invalid(f"name has 1 to {NAME_LIMIT} characters", field="name", limit=NAME_LIMIT)
    return name


def parse_goal(goal: str) -> str:
    if len(goal) > GOAL_LIMIT:
        raise Invalid(f"goal has more than {GOAL_LIMIT} characters", field="goal", limit=GOAL_LIMIT)
    return goal.strip()


def parse_rules(rules: Sequence[str]) -> tuple[str, ...]:
    """Rules without surrounding space and without empty ones."""
    return _lines(rules, field="rules", most=RULES_LIMIT, longest=RULE_LIMIT)


def parse_stack(words: Sequence[str]) -> tuple[str, ...]:
    """Names of languages, frameworks and services, without empty ones."""
    return _lines(words, field="tech_stack", most=STACK_LIMIT, longest=STACK_WORD_LIMIT)


def _lines(texts: Sequence[str], *, field: str, most: int, longest: int) -> tuple[str, ...]:
    kept = tuple(" ".join(text.split()) for text in texts if text.strip())
    if len(kept) > most or any(len(text) > longest for text in kept):
        raise Invalid(f"{field} are at most {most} texts of 1 to {longest} characters", field=field, limit=most)
    return kept
