"""What this daemon has begun and not yet ended, one fsynced JSON line per step. Read only at start.

Promises
- When `write` returns, the line is on disk; when it raises JournalFull, the step must not be taken.
- A torn last line (power cut, full disk) is cut off at the next start; what stands before it is kept.
- Lines of ended runs are dropped by rewriting the file now and then, atomically.
- Concurrent writers share one fsync. No secret is written: of a run's token only its hash.

Steps of a run, in order: claimed → spawning → (ending) → done. A `spawning` line means the keeper may have been
started.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import msgspec

COMPACT_AT = 2000  # lines of ended runs before the file is rewritten

Step = Literal["claimed", "spawning", "ending", "done"]
Ending = Literal["kill", "stop", "timeout", "lost"]


class JournalFull(Exception):
    """The line could not be put on disk; the message says why."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of one delivery's attempt. Later lines add to earlier ones of the same (delivery, fence)."""

    step: Step
    delivery: int
    fence: int
    at: int = 0
    computer: str | None = None
    lease_id: str | None = None
    run: int | None = None
    agent: str | None = None
    runtime: str | None = None
    session: str | None = None
    max_duration: int | None = None
    """Milliseconds the run may take."""
    token_hash: str | None = None
    folder: str | None = None
    """Where its program works."""
    boot: str | None = None
    began: float | None = None
    """Seconds of CLOCK_MONOTONIC of `boot`; it goes on counting across daemons."""
    ending: Ending | None = None


class Journal:
    """One file, one writer: the daemon that holds the lock on the folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[tuple[int, int], dict[str, object]] = {}
        self._spawned: set[tuple[int, int]] = set()
        self._dead_lines = 0
        self._size = 0  # bytes known to be whole
        self._fd = -1
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._is_writing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

    def open(self) -> list[Line]:
        """Read what the last daemon left, cut off a torn tail, and be ready to write.

        One line for each attempt not ended, oldest first, with everything known of it; its step is `spawning` when a
        keeper may have been started, else `claimed`.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        data = self._path.read_bytes()
        for raw in data.splitlines(keepends=True):
            line = _parse(raw)
            if line is None and not raw.endswith(b"\n"):
                break
            self._size += len(raw)
            if line is None:  # damage in the middle: the lines around it still count
                self._dead_lines += 1
            else:
                self._apply(line)
        if self._size != len(data):
            os.ftruncate(self._fd, self._size)
        if self._dead_lines:
            self._compact()
        return self.entries()

    def entries(self) -> list[Line]:
        return [
            msgspec.convert({**facts, "step": "spawning" if key in self._spawned else "claimed"}, Line)
            for key, facts in self._entries.items()
        ]

    async def write(self, line: Line) -> None:
        """Put one line on disk. Raises JournalFull; cancelling leaves it undecided whether the line is there."""
        if self._fd < 0:
            raise JournalFull("the journal is closed")
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((msgspec.json.encode(line) + b"\n", written))
        if not self._is_writing:
            self._next_batch()
        await asyncio.shield(written)
        self._apply(line)

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _next_batch(self) -> None:
        batch, self._waiting = self._waiting, []
        if not batch:
            self._is_writing = False
            if self._dead_lines >= COMPACT_AT:
                self._compact()
            return
        self._is_writing = True
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._thread, self._append, b"".join(data for data, _ in batch))
        future.add_done_callback(lambda done: self._written(batch, done))

    def _written(self, batch: list[tuple[bytes, asyncio.Future[None]]], done: asyncio.Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        for _, waiter in batch:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(JournalFull(f"{self._path} cannot be written: {error}"))
                waiter.exception()  # it may be that nobody waits any more
        self._next_batch()

    def _append(self, data: bytes) -> None:
        """In the journal's thread. All or nothing: what a full disk took half of is cut off again."""
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            os.fdatasync(self._fd) if hasattr(os, "fdatasync") else os.fsync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size += len(data)

    def _apply(self, line: Line) -> None:
        key = (line.delivery, line.fence)
        if line.step == "done":
            self._dead_lines += 3
            self._entries.pop(key, None)
            self._spawned.discard(key)
            return
        if line.step == "spawning":
            self._spawned.add(key)
        facts = self._entries.setdefault(key, {})
        facts.update(msgspec.to_builtins(line))

    def _compact(self) -> None:
        """Rewrite the file with the open attempts only. On failure the old file stays as it is."""
        data = b"".join(msgspec.json.encode(entry) + b"\n" for entry in self.entries())
        fresh = self._path.with_suffix(".new")
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, self._path)
            _sync_folder(self._path.parent)
            os.close(self._fd)
            self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND)
        except OSError:
            return
        self._size = len(data)
        self._dead_lines = 0


def _parse(raw: bytes) -> Line | None:
    try:
        return msgspec.json.decode(raw, type=Line)
    except msgspec.MsgspecError:
        return None


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
