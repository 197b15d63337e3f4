"""Reads what a keeper wrote: bytes → records, and the tail of a spool as it grows.

A record's `end` is where the next one begins; give it back as `offset` to go on from there, in this process or another.
Every reader of a spool gets the same records. A last record that is not whole yet, or never will be, is not given out.
"""

from __future__ import annotations

import json
import os
from binascii import crc32
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from pal_daemon.keeping import frames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

CHUNK = 1 << 18  # bytes read at once; with one unfinished record that is all a reader holds

Fact = str | int | bool | list[int] | None


class Stream(StrEnum):
    """Where a record comes from."""

    MEMO = "memo"  # what the launcher wants the reader to know, if anything; always the first
    STARTED = "started"  # the agent runs: pid, pgid, start_ticks, boot, keeper
    STDOUT = "stdout"  # raw bytes as read, lines may be cut anywhere
    STDERR = "stderr"  # the same
    INPUT = "input"  # receipt: all bytes of input `id` are in the agent's pipe
    NOTE = "note"  # what the keeper did or lost, by `kind`: signal, left_over, input_lost, limit, dropped
    EXIT = "exit"  # how it ended; always the last


STREAMS = {
    frames.MEMO: Stream.MEMO,
    frames.STARTED: Stream.STARTED,
    frames.STDOUT: Stream.STDOUT,
    frames.STDERR: Stream.STDERR,
    frames.INPUT: Stream.INPUT,
    frames.NOTE: Stream.NOTE,
    frames.EXIT: Stream.EXIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One thing that happened. `at` is UTC milliseconds, `end` the offset of the next record in the file."""

    stream: Stream
    at: int
    data: bytes
    end: int

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The payload of every stream but stdout, stderr and memo."""
        facts: dict[str, Fact] = json.loads(self.data)
        return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Who the agent process is. Pid, ticks and boot together name it for ever."""

    pid: int
    pgid: int  # its session too
    start_ticks: int  # since boot; 0 where there is no /proc
    boot: str
    keeper: int  # pid


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a run's process ended. Exactly one of code, signal and start_error is not None."""

    code: int | None
    signal: int | None
    asked: str  # none, stop, kill, or terminate: the keeper itself was asked to go
    user_ms: int  # of the whole tree, as far as it was reaped
    system_ms: int
    max_rss_kib: int  # of the largest process; never below the keeper's own, which it was forked from
    wall_ms: int  # of the main process
    dropped: int  # bytes of output that are in no record
    start_error: (
        str | None
    )  # missing_program, not_executable, missing_interpreter, missing_cwd, forbidden_cwd, exec_failed
    detail: str | None  # a sentence to start_error


def parse_memo(record: Record) -> dict[str, object]:
    """What `LaunchSpec.memo` was when the run was started."""
    memo: dict[str, object] = json.loads(record.data)
    return memo


def parse_started(record: Record) -> Started:
    return Started(**json.loads(record.data))


def parse_exit(record: Record) -> Exit:
    return Exit(**json.loads(record.data))


class SpoolReader:
    """Bytes in, records out. Feed it what follows `offset`, in pieces of any size."""

    def __init__(self, *, offset: int = 0) -> None:
        """`offset` is 0 or the `end` of a record."""
        self.offset = offset  # the end of the last record given out
        self.is_damaged = False  # what follows is no record and never becomes one; nothing is given out any more
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Record]:
        """The records that `data` completes. Take them all before feeding again."""
        self._buffer += data
        start = 0
        while not self.is_damaged and (record := self._parse(start)) is not None:
            start += record.end - self.offset
            self.offset = record.end
            yield record
        del self._buffer[:start]

    @property
    def position(self) -> int:
        """The offset of the byte to feed next."""
        return self.offset + len(self._buffer)

    def _parse(self, start: int) -> Record | None:
        if len(self._buffer) - start < frames.HEADER.size:
            return None
        magic, version, code, length, at, checksum = frames.HEADER.unpack_from(self._buffer, start)
        if magic != frames.MAGIC or version != frames.VERSION or code not in STREAMS or length > frames.MAX_PAYLOAD:
            self.is_damaged = True
            return None
        body = start + frames.HEADER.size
        if len(self._buffer) < body + length:
            return None
        data = bytes(self._buffer[body : body + length])
        if crc32(data, crc32(self._buffer[start : start + frames.CHECKED])) != checksum:
            self.is_damaged = True
            return None
        end = self.offset + frames.HEADER.size + length
        return Record(stream=STREAMS[code], at=at, data=data, end=end)


def read_spool(path: Path, *, offset: int = 0) -> Iterator[Record]:
    """The whole records that are in the file now; none when there is no file."""
    reader = SpoolReader(offset=offset)
    try:
        file = open(path, "rb", buffering=0)  # noqa: SIM115  closed below; the with would hide the except
    except FileNotFoundError:
        return
    with file:
        file.seek(offset)
        while data := file.read(CHUNK):
            yield from reader.feed(data)


class Growth(Protocol):
    """Says when there is more to read; `pal_daemon.keeper_client.Watch` is one."""

    async def wait(self, *, beyond: int) -> bool:
        """Return True when the spool may have more than `beyond` bytes, False once nobody writes it any more."""
        ...


async def follow(path: Path, *, offset: int = 0, growth: Growth | None = None) -> AsyncIterator[Record]:
    """Every record from `offset` on, as they come; ends after the exit record.

    Ends without one when the keeper is gone and left none, or the spool is damaged; without `growth` at the end
    of what is there now. Reads small pieces from the page cache, so it does so on the loop.
    """
    reader = SpoolReader(offset=offset)
    fd = os.open(path, os.O_RDONLY)
    try:
        is_growing = True
        while True:
            while data := os.pread(fd, CHUNK, reader.position):
                for record in reader.feed(data):
                    yield record
                    if record.stream is Stream.EXIT:
                        return
            if reader.is_damaged or not is_growing or growth is None:
                return
            is_growing = await growth.wait(beyond=reader.position)
    finally:
        os.close(fd)
