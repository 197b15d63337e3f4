"""Recorded output of real programs, and spool records made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pal_daemon.runtimes.base import Event, Out, Reader
from pal_daemon.spool import Record, Stream

FOLDER = Path(__file__).with_name("recorded")
EXIT = {
    "code": 0,
    "signal": None,
    "asked": "none",
    "user_ms": 1,
    "system_ms": 1,
    "max_rss_kib": 1,
    "wall_ms": 1,
    "dropped": 0,
    "start_error": None,
    "detail": None,
}


def recorded_lines(path: str) -> list[bytes]:
    """Each with its end, as the program wrote it."""
    return (FOLDER / path).read_bytes().splitlines(keepends=True)


def names(folder: str) -> list[str]:
    return sorted(path.name for path in (FOLDER / folder).iterdir())


def output(*pieces: bytes) -> Iterator[Record]:
    """Records of stdout."""
    end = 0
    for data in pieces:
        end += len(data)
        yield Record(stream=Stream.STDOUT, at=1, data=data, end=end)


def note(stream: Stream, **facts: object) -> Record:
    """A record of the keeper's own."""
    return Record(stream=stream, at=1, data=json.dumps(facts).encode(), end=1)


def exited(**changes: object) -> Record:
    return note(Stream.EXIT, **{**EXIT, **changes})


def read(reader: Reader, records: Iterable[Record]) -> list[Out]:
    return [out for record in records for out in reader.feed(record)]


def events(outs: Iterable[Out], kind: str) -> list[Event]:
    return [out for out in outs if isinstance(out, Event) and out.kind == kind]
