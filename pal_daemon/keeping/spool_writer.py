"""Appends records to the spool, within its limit and through a full disk.

Promises: the file only ever grows at its end, so a reader's bytes never change under it. A record that the disk took
half of is finished before anything else is written. Output past the limit, or while the disk is full, is counted and
dropped; notes, receipts and the exit wait in memory for room, and the limit does not apply to the exit.
"""

from __future__ import annotations

import os
import time

from pal_daemon.keeping import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

OWN_ROOM = 4 << 20  # bytes that receipts and notes may use past the limit
HELD = 1 << 20  # bytes of receipts and notes kept in memory while the disk is full


class SpoolWriter:
    """The one writer of one spool. `write` is os.write, or a test's disk."""

    __slots__ = ("_fd", "_is_full", "_is_over", "_limit", "_lost_disk", "_lost_limit", "_tail", "_write", "size")

    def __init__(self, fd: int, *, limit: int, write: Callable[[int, bytes], int] = os.write) -> None:
        self.size = 0  # bytes on disk
        self._fd = fd
        self._limit = limit
        self._write = write
        self._tail = b""  # what the disk has not taken yet, from the middle of a record on
        self._is_full = False
        self._is_over = False
        self._lost_limit = {frames.STDOUT: 0, frames.STDERR: 0}  # bytes
        self._lost_disk = {frames.STDOUT: 0, frames.STDERR: 0}

    @property
    def is_stuck(self) -> bool:
        """The disk is full; call `retry` now and then."""
        return self._is_full

    @property
    def dropped(self) -> int:
        """Bytes of output that are in no record."""
        return sum(self._lost_limit.values()) + sum(self._lost_disk.values())

    def remember(self, memo: bytes) -> None:
        """Append the launcher's memo, which is what whoever reads the spool is to know of the run."""
        self._append(frames.pack_frame(frames.MEMO, memo, at=_now()))

    def output(self, stream: int, data: bytes) -> None:
        """Append what the agent wrote, or count it as dropped."""
        if not self._is_over and self.size + len(self._tail) + len(data) + frames.HEADER.size > self._limit:
            self._is_over = True  # for good: output with holes would read as if it were whole
            self.tell(frames.NOTE, {"kind": "limit", "limit": self._limit, "stream": _name(stream)})
        if self._is_over:
            self._lost_limit[stream] += len(data)
        elif self._is_full and not self.retry():
            self._lost_disk[stream] += len(data)
        else:
            self._append(frames.pack_frame(stream, data, at=_now()))

    def tell(self, stream: int, facts: frames.Facts) -> None:
        """Append a record of the keeper's own."""
        frame = frames.pack_frame(stream, frames.pack_facts(facts), at=_now())
        has_room = self.size + len(frame) <= self._limit + OWN_ROOM and len(self._tail) + len(frame) <= HELD
        if stream == frames.EXIT or has_room:
            self._append(frame)

    def tell_dropped(self) -> None:
        """Append how much output the limit cost, if any; once, before the exit."""
        if self._is_over:
            self._tell_lost("limit", self._lost_limit)

    def retry(self) -> bool:
        """Try to write what is held; True when the disk has taken all of it."""
        if not self._flush():
            return False
        if any(self._lost_disk.values()):
            lost, self._lost_disk = self._lost_disk, dict.fromkeys(self._lost_disk, 0)
            self._tell_lost("disk", lost)
        return not self._is_full

    def sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError:  # a disk that cannot sync still holds what it holds
            pass

    def _tell_lost(self, why: str, lost: dict[int, int]) -> None:
        facts: frames.Facts = {
            "kind": "dropped",
            "why": why,
            "stdout": lost[frames.STDOUT],
            "stderr": lost[frames.STDERR],
        }
        self.tell(frames.NOTE, facts)

    def _append(self, frame: bytes) -> None:
        self._tail = self._tail + frame if self._tail else frame
        if not self._is_full:
            self._flush()

    def _flush(self) -> bool:
        while self._tail:
            try:
                taken = self._write(self._fd, self._tail)
            except OSError:  # full disk, quota, file size limit, broken device: all the same to us
                self._is_full = True
                return False
            self.size += taken
            self._tail = self._tail[taken:]
        self._is_full = False
        return True


def _now() -> int:
    return time.time_ns() // 1_000_000


def _name(stream: int) -> str:
    return "stdout" if stream == frames.STDOUT else "stderr"
