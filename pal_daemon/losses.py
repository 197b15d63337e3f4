"""What a spool could not take of a program's output, as people are told: silence in the log of a run has a reason."""

from __future__ import annotations

from pal_daemon.runtimes.base import Event
from pal_daemon.spool import Record, Stream

MIB = 1 << 20


def losses_in(record: Record) -> list[Event]:
    """An event for what the keeper notes as lost in this record; of other records none. Pure, as readers are."""
    if record.stream is not Stream.NOTE:
        return []
    facts = record.facts
    match facts.get("kind"), facts.get("why"):
        case "limit", _:
            limit = int(str(facts.get("limit") or 0)) // MIB
            text = (
                f"It has said more than {limit} MiB. What it says from here on is not recorded, and it can ask nothing"
            )
            return [Event(kind="error", text=text)]
        case "dropped", "disk":
            text = f"The disk was full: {_bytes(record)} of what it said are lost, and what it asked in them"
            return [Event(kind="error", text=text)]
        case "dropped", _:
            return [Event(kind="error", text=f"{_bytes(record)} more of what it said were not recorded")]
        case _:
            return []


def _bytes(record: Record) -> str:
    lost = sum(int(str(record.facts.get(stream) or 0)) for stream in ("stdout", "stderr"))
    return f"{lost:,} bytes"
