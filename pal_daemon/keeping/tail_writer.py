"""Keeps the newest of what a terminal prints: bytes as they came, in files named by the position they begin at.

Promises: a file only grows at its end. When one is full the next begins, and only the one before it is kept, so that
there is always at least one file's worth and never more than two. What the disk does not take is lost and has no
position: positions count what is kept. A reader finds its place by the names alone.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "output."
SEGMENT = 1 << 20  # bytes of one file


class TailWriter:
    """The one writer of one terminal's output, in the working directory. `write` is os.write, or a test's disk."""

    __slots__ = ("_fd", "_names", "_segment", "_start", "_write", "dropped", "size")

    def __init__(self, *, segment: int = SEGMENT, write: Callable[[int, bytes], int] = os.write) -> None:
        self.size = 0  # the position of the next byte
        self.dropped = 0  # bytes a full disk has cost
        self._segment = segment
        self._write = write
        self._names: list[str] = []
        self._start = 0
        self._fd = -1
        self._begin()

    def output(self, data: bytes) -> None:
        """Append what was printed, or count it as dropped."""
        if self.size - self._start >= self._segment:
            self._begin()
        while data:
            try:
                taken = self._write(self._fd, data)
            except OSError:  # full disk, quota, broken device: all the same to us
                self.dropped += len(data)
                return
            self.size += taken
            data = data[taken:]

    def _begin(self) -> None:
        """The next file; the one before the last goes. A disk that takes no file keeps writing to the last."""
        name = f"{PREFIX}{self.size}"
        try:
            fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        except OSError:
            return
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._start = fd, self.size
        self._names.append(name)
        for old in self._names[:-2]:
            try:
                os.unlink(old)
            except OSError:  # it is gone, which is what was wanted
                pass
        del self._names[:-2]
