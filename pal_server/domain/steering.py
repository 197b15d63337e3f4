"""What a message does when its agent is at work in the topic: wait, be told to the run, or stop it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pal_server.errors import Invalid

from .runs import Run

_INPUT = "steer-"  # a daemon hands the words of steer command 7 to the program under the name steer-7


class Busy(StrEnum):
    QUEUE = "queue"  # after what runs and what waits already
    STEER = "steer"  # now, into the run, where the program takes text while it works
    INTERRUPT = "interrupt"  # the run is stopped, and this comes next


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A program has read what it was told by a steer command."""

    command: int
    seq: int  # of the run event that says so
    step: int | None  # as the program counts; None when it does not


def parse_busy(busy: str) -> Busy:
    try:
        return Busy(busy)
    except ValueError:
        raise Invalid(f"it is one of {', '.join(Busy)}", field="steer", value=busy) from None


def why_not_steered(run: Run, *, runtime: str, takes_text: bool, is_revoked: bool) -> str | None:
    """What stands against telling a live run something, in words; None when nothing does."""
    if run.wanted is not None:
        return f"its run is being ended ({run.wanted})"
    if run.computer_id is None or is_revoked:
        return "its run is on a computer that cannot be reached any more"
    if not takes_text:
        return f"{runtime} takes no text while it works"
    return None


def reads_in(events: Iterable[Mapping[str, Any]]) -> list[Read]:
    """Those of the run events that say that something told to the run was read."""
    found = []
    for event in events:
        data = event["data"]
        name = data.get("input")
        if event["kind"] != "status" or data.get("state") != "read" or not isinstance(name, str):
            continue
        number = name.removeprefix(_INPUT)
        if name.startswith(_INPUT) and number.isascii() and number.isdigit() and len(number) < 19:
            step = data.get("step")
            found.append(Read(command=int(number), seq=event["seq"], step=step if isinstance(step, int) else None))
    return found
