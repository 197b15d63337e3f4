"""What waits for the agent's stdin. Each id is written once, in order, without ever waiting for the agent to read."""

from __future__ import annotations

import os

from pal_daemon.keeping.requests import INPUT

IDS = 10_000  # the newest ids remembered; a repeat comes within seconds of its first time


class AgentInput:
    """The queue before one pipe. `fd` is -1 once the pipe is closed."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.waiting = 0  # bytes
        self._queue: list[tuple[str, int, memoryview]] = []  # id, its whole length, what is left of it
        self._ids: dict[str, None] = {}
        self._is_ending = False

    @property
    def is_open(self) -> bool:
        return self.fd >= 0 and not self._is_ending

    def put(self, name: str, data: bytes) -> str:
        """`queued`, `known` (the same id again, nothing is written twice), `closed` or `full`."""
        if name in self._ids:
            return "known"
        if not self.is_open:
            return "closed"
        if self.waiting + len(data) > INPUT:
            return "full"
        self._ids[name] = None
        if len(self._ids) > IDS:
            del self._ids[next(iter(self._ids))]
        self._queue.append((name, len(data), memoryview(data)))
        self.waiting += len(data)
        return "queued"

    def end(self) -> None:
        """End of file once everything queued is written."""
        self._is_ending = True

    def write(self) -> list[tuple[str, int]]:
        """Move what the pipe takes; id and length of each input that is now whole in the pipe.

        Raises BrokenPipeError when nobody will read it any more.
        """
        written = []
        while self._queue and self.fd >= 0:
            name, length, rest = self._queue[0]
            try:
                taken = os.write(self.fd, rest) if rest else 0
            except BlockingIOError:
                break
            self.waiting -= taken
            if taken < len(rest):
                self._queue[0] = (name, length, rest[taken:])
                continue
            del self._queue[0]
            written.append((name, length))
        return written

    @property
    def wants_to_write(self) -> bool:
        return bool(self._queue)

    @property
    def is_finished(self) -> bool:
        """Everything is written and the end was asked for: close it."""
        return self._is_ending and not self._queue

    def close(self) -> list[str]:
        """Close the pipe; the ids that never arrived whole."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1
        self.waiting = 0
        lost = [name for name, _, _ in self._queue]
        self._queue.clear()
        return lost
