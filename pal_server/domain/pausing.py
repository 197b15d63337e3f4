"""Runs that wait for a limit to pass: the program waits by itself, or a new attempt begins when it has passed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .runs import Ending, Run, Status

ATTEMPTS_MAX = 10  # attempts of one delivery that a limit ended; then a person is asked
LATEST = 8 * 24 * 60 * 60 * 1000  # milliseconds ahead; the longest limits are weekly, what lies beyond is a mistake
_WORKS = frozenset({"message", "reasoning", "tool_call", "tool_result", "command", "file_change"})  # it goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """What the newest events say: the program waits, until `resume_at` if it knows, or works."""

    is_paused: bool
    resume_at: int | None = None  # UTC milliseconds


def pause_in(events: Iterable[Mapping[str, Any]], *, is_paused: bool) -> Pause | None:
    """The last word of these run events on whether the program waits for a limit; None when they say nothing new.

    `status` with `{"state": "paused", "resume_at": …}` pauses, `{"state": "resumed"}` or work ends that.
    """
    found: Pause | None = None
    for event in events:
        kind = event["kind"]
        if kind == "status":
            state = event["data"].get("state")
            if state == "paused":
                found = Pause(is_paused=True, resume_at=_moment(event["data"].get("resume_at")))
            elif state == "resumed" and (is_paused or found is not None):
                found = Pause(is_paused=False)
        elif kind in _WORKS and (found.is_paused if found is not None else is_paused):
            found = Pause(is_paused=False)
    return found


def goes_on_at(run: Run, ending: Ending, *, ends_as: Status, ended_before: int, now: int) -> int | None:
    """When another attempt begins by itself after a run that a limit ended, in UTC milliseconds; None when a person has
    to say so. `ended_before` counts earlier attempts that a limit ended.
    """
    if ends_as is not Status.FAILED or ending.error_kind != "rate_limit" or ending.resume_at is None:
        return None
    if run.wanted is not None or ended_before >= ATTEMPTS_MAX or ending.resume_at > now + LATEST:
        return None
    return max(ending.resume_at, now)


def _moment(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else None
