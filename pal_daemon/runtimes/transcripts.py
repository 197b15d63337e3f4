"""Reads what programs write down of their conversations: a file of JSON lines, each with its moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

EARLY, LATE = 5_000, 60_000  # milliseconds a line may lie before and after its run: clocks and what is written later
LONGEST = 32 << 20  # bytes of one line


def lines_between(file: Path, *, since: int, until: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines of that time, with their moment in UTC milliseconds; what is none is left out."""
    with file.open("rb") as lines:
        for line in lines:
            said = _parse(line)
            at = None if said is None else _moment(said.get("timestamp"))
            if said is not None and at is not None and since - EARLY <= at <= until + LATE:
                yield at, said


def _parse(line: bytes) -> dict[str, Any] | None:
    if len(line) > LONGEST:
        return None
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return None


def _moment(text: object) -> int | None:
    if not isinstance(text, str):
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return None
