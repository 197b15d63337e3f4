"""Reads what a keeper's `keeping.tail_writer` keeps of a terminal, by position."""

from __future__ import annotations

import os
from pathlib import Path

from pal_daemon.keeping.tail_writer import PREFIX

TRIES = 10  # looks at files that are replaced while we look


def bounds(folder: Path) -> tuple[int, int]:
    """The positions of the oldest byte that is kept and of the next one that will be."""
    for _ in range(TRIES):
        starts = _starts(folder)
        if not starts:
            break
        try:
            return starts[0], starts[-1] + (folder / f"{PREFIX}{starts[-1]}").stat().st_size
        except FileNotFoundError:
            continue
    return 0, 0


def read_tail(folder: Path, *, position: int, length: int) -> tuple[int, bytes]:
    """At most `length` bytes from `position` on, and where they really begin: later, when those before are gone.

    Nothing when there is no more. Reads from the page cache, so it does so on the loop.
    """
    for _ in range(TRIES):
        starts = _starts(folder)
        if not starts:
            break
        at = max(position, starts[0])
        start = max(one for one in starts if one <= at)
        try:
            fd = os.open(folder / f"{PREFIX}{start}", os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            return at, os.pread(fd, length, at - start)
        finally:
            os.close(fd)
    return position, b""


def _starts(folder: Path) -> list[int]:
    names = (name.removeprefix(PREFIX) for name in os.listdir(folder) if name.startswith(PREFIX))
    return sorted(int(name) for name in names if name.isdecimal())
