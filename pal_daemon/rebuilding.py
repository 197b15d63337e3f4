"""Reads the log of an ended run once more, for a server whose copy is damaged: from the spool it still lies in, else
from what the program itself wrote down of the conversation.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from pal_daemon.losses import losses_in
from pal_daemon.redaction import Redactor
from pal_daemon.reports import JOINED_BYTES, TEXT_CHARS
from pal_daemon.runtimes.base import Event, KeepsTranscripts, Reader
from pal_daemon.spool import Record, Stream, read_spool
from pal_server.contract.runs import RunEventIn

RUNTIME = "runtime"  # in the run's folder: the name of its runtime
HOMES = ("HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME")  # variables that say where programs keep their transcripts
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


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a program's own transcript is: `data` of a rebuild command."""

    runtime: str
    session: str
    since: int
    until: int
    home: str | None = None
    env: dict[str, str] = {}


def parse_place(data: Mapping[str, object]) -> Place | None:
    try:
        return msgspec.convert(data, Place)
    except msgspec.ValidationError:
        return None


def has_spool(run_folder: Path) -> bool:
    spool = run_folder / "spool"
    return spool.is_file() and spool.stat().st_size > 0


def retell(
    keeper: KeepsTranscripts, place: Place, *, env: Mapping[str, str], redactor: Redactor
) -> Iterator[RunEventIn]:
    """The run's events as its program's transcript tells them. Raises CannotRebuild when it tells nothing."""
    own = {name: env[name] for name in HOMES if name in env and not place.home}
    home = None if place.home is None else os.path.expanduser(place.home)
    homes = {} if home is None else {"CLAUDE_CONFIG_DIR": home, "CODEX_HOME": home}
    told = keeper.retell(place.session, env={**own, **place.env, **homes}, since=place.since, until=place.until)
    seq = 0
    for one in told:
        for event in (*redactor.events(one.event), *redactor.rest()):
            for text in _pieces(event):
                seq += 1
                data = dict(event.data)
                yield RunEventIn(seq=seq, kind=event.kind, at=one.at, text=text, lane=event.lane, data=data)
    if not seq:
        raise CannotRebuild("neither what the program said nor its own transcript is on this computer any more")


def read_again(spool: Path, *, reader: Reader, redactor: Redactor) -> Iterator[RunEventIn]:
    """The run's events, numbered from 1. Blocks while it reads."""
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
        for out in (*losses_in(record), *_understand(reader, record)):
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
