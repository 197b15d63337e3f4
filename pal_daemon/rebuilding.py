"""Reads the log of an ended run once more, from the spool it still lies in, for a server whose copy is damaged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pal_daemon.redaction import Redactor
from pal_daemon.reports import JOINED_BYTES, TEXT_CHARS
from pal_daemon.runtimes.base import Event, Reader
from pal_daemon.spool import Record, Stream, read_spool
from pal_server.contract.runs import RunEventIn

RUNTIME = "runtime"  # in the run's folder: the name of its runtime
PART_EVENTS = 1_000  # of one request
PART_BYTES = 1 << 20


class CannotRebuild(Exception):
    """The message is for the person who asked."""


def note_runtime(run_folder: Path, name: str) -> None:
    """Remember beside the spool how it is read."""
    (run_folder / RUNTIME).write_text(name, "utf-8")


def runtime_of(run_folder: Path) -> str | None:
    try:
        return (run_folder / RUNTIME).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def read_again(spool: Path, *, reader: Reader, redactor: Redactor) -> Iterator[RunEventIn]:
    """The run's events, numbered from 1. Blocks while it reads. Raises CannotRebuild when nothing is there to read."""
    if not spool.is_file() or spool.stat().st_size == 0:
        raise CannotRebuild("what the program said is not on this computer any more")
    seq = 0
    for event, record in _joined(_events(spool, reader=reader, redactor=redactor)):
        for text in _pieces(event):
            seq += 1
            yield RunEventIn(
                seq=seq,
                kind=event.kind,
                at=record.at,
                text=text,
                source=record.end,
                lane=event.lane,
                data=dict(event.data),
            )


def parts(events: Iterable[RunEventIn]) -> Iterator[list[RunEventIn]]:
    """Cut to what a request takes; at least one part, perhaps empty."""
    part: list[RunEventIn] = []
    size = 0
    for event in events:
        weight = len(event.text or "") + len(str(event.data)) + 160
        if part and (len(part) >= PART_EVENTS or size + weight > PART_BYTES):
            yield part
            part, size = [], 0
        part.append(event)
        size += weight
    yield part


def _events(spool: Path, *, reader: Reader, redactor: Redactor) -> Iterator[tuple[Event, Record]]:
    for record in read_spool(spool):
        for out in _understand(reader, record):
            if isinstance(out, Event):
                yield from ((event, record) for event in redactor.events(out))
        if record.stream is Stream.EXIT:
            yield from ((event, record) for event in redactor.rest())


def _understand(reader: Reader, record: Record) -> Iterable[object]:
    try:
        return reader.feed(record)
    except Exception as error:  # an edge: a plugin's code; the live log has the same words
        return [Event(kind="error", text=f"this part of the output could not be read: {error}")]


def _joined(events: Iterator[tuple[Event, Record]]) -> Iterator[tuple[Event, Record]]:
    """Pieces of one text as one event, up to a size; the last record of it is where it ends."""
    held: tuple[Event, Record] | None = None
    for event, record in events:
        if held is not None and _goes_on(held[0], event):
            held = (replace(held[0], text=f"{held[0].text}{event.text}"), record)
            continue
        if held is not None:
            yield held
        held = (event, record)
    if held is not None:
        yield held


def _goes_on(last: Event, new: Event) -> bool:
    alike = (last.kind, last.lane, last.data) == (new.kind, new.lane, new.data)
    return last.is_piece and new.is_piece and alike and len(last.text or "") + len(new.text or "") <= JOINED_BYTES


def _pieces(event: Event) -> list[str | None]:
    """As they are told while the run lives."""
    text = event.text
    if text is None or len(text) <= TEXT_CHARS:
        return [text]
    if event.is_piece:
        return [text[at : at + TEXT_CHARS] for at in range(0, len(text), TEXT_CHARS)]
    return [f"{text[:TEXT_CHARS]}\n[{len(text) - TEXT_CHARS:,} characters more]"]
