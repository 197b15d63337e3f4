"""What an agent works with in one run, and what of it changed since the run before in the same session."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

OF_PROGRAM = "what its program chooses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What an attempt is given. `is_afresh`: an earlier conversation is known to be lost before the run begins;
    `has_recap`: the prompt has what was said in it.
    """

    runtime: str
    model: str | None
    effort: str | None
    mode: str
    is_afresh: bool = False
    has_recap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A program's word that it could not go on with its conversation. `is_told`: it heard the recap."""

    reason: str
    is_told: bool


def freeze_turn(turn: Turn) -> str:
    return json.dumps(asdict(turn), sort_keys=True, ensure_ascii=False)


def thaw_turn(text: str) -> Turn:
    return Turn(**json.loads(text))


def changes(before: Turn, now: Turn) -> str | None:
    """In words what the turn goes on with that the one before had otherwise; None when it is the same."""
    told = [
        f"{what} {_shown(is_)} (before: {_shown(was)})"
        for what, was, is_ in (
            ("runtime", before.runtime, now.runtime),
            ("model", before.model, now.model),
            ("effort", before.effort, now.effort),
            ("mode", before.mode, now.mode),
        )
        if was != is_
    ]
    return ", ".join(told) or None


def lost_in(events: Sequence[Mapping[str, Any]]) -> Lost | None:
    """What events say of a conversation that is lost, the first word counts."""
    for event in events:
        data = event["data"]
        if event["kind"] == "status" and data.get("state") == "afresh":
            reason = " ".join(str(data.get("reason") or "").split())
            return Lost(reason=reason[:300], is_told=data.get("recap") is True)
    return None


def _shown(value: str | None) -> str:
    return value or OF_PROGRAM
