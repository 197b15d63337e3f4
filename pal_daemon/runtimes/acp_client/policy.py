"""What may be done without asking a person, and which of an agent's options says so. Pure.

A plan mode is advice to a model and no lock: what a policy forbids is refused here, whatever the agent thinks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from pal_daemon.runtimes.profile import Mode

Decision = Literal["allow", "refuse", "ask"]
EDITS = frozenset(("edit", "delete", "move"))
CHANGES = EDITS | {"execute"}  # what a command does nobody knows before


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A choice the agent offers. `kind` is allow_once, allow_always, reject_once or reject_always."""

    id: str
    name: str
    kind: str


def parse_options(given: object) -> tuple[Option, ...]:
    options = [option for option in given if isinstance(option, dict)] if isinstance(given, list) else []
    return tuple(_option(option) for option in options if isinstance(option.get("optionId"), str))


def decide(mode: Mode, *, kind: str) -> Decision:
    """For a tool call of this kind, when its agent asks."""
    match mode:
        case Mode.BYPASS:
            return "allow"
        case Mode.ACCEPT_EDITS:
            return "allow" if kind in EDITS else "ask"
        case Mode.PLAN | Mode.READ_ONLY:
            return "refuse" if kind in CHANGES else "ask"
        case Mode.ASK | Mode.AUTO:
            return "ask"
        case _:
            assert_never(mode)


def choose(options: Sequence[Option], *, is_allowed: bool, said: str | None = None) -> Option | None:
    """The option that says it: the one a person named, else the one that holds for this call alone.

    What is refused is never answered with an option that allows; None when there is nothing to refuse with.
    """
    wanted = "allow" if is_allowed else "reject"
    fitting = [option for option in options if option.kind.startswith(wanted)]
    word = (said or "").strip().casefold()
    for option in fitting:
        if word and word in (option.name.casefold(), option.id.casefold()):
            return option
    if word == "always":
        fitting.sort(key=lambda option: not option.kind.endswith("always"))
    else:
        fitting.sort(key=lambda option: not option.kind.endswith("once"))
    return fitting[0] if fitting else None


def _option(given: dict[str, Any]) -> Option:
    return Option(
        id=given["optionId"], name=str(given.get("name") or given["optionId"]), kind=str(given.get("kind") or "")
    )
