"""Ends what an agent leaves behind: asks everything below the keeper, waits, then forces it.

The keeper is a child subreaper, so on Linux whoever lost his parent is found below it, in whatever session. Elsewhere
only the agent's process group is reached.
"""

from __future__ import annotations

import os

from pal_daemon.keeping.tree import descendants

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # the public module builds enums: 3 ms

FORCE_FOR = 6.0  # seconds of SIGKILL before we leave without them; with the grace everything is over within 10 s


class Leftovers:
    """Call `step` until it gives True. Times are seconds of one monotonic clock."""

    def __init__(self, *, group: int, now: float, grace: float) -> None:
        """`group` is 0 where every orphan comes to us: a group's number may be somebody else's once it is empty."""
        self._group = group
        self._force_at = now + grace
        self._give_up_at = self._force_at + FORCE_FOR
        self._asked: set[int] = set()
        self._is_group_asked = False
        self._is_forcing = False

    def step(self, now: float, note: list[tuple[str, list[int]]]) -> bool:
        """Look again and signal; True when nothing is left, or nothing more can be done.

        What was signalled for the first time is added to `note` as (signal, pids).
        """
        pids = descendants(os.getpid())
        if not pids and not self._signal_group(0):
            return True
        if now >= self._give_up_at:
            note.append(("none", pids))
            return True
        if now >= self._force_at:
            if not self._is_forcing:
                self._is_forcing = True
                note.append(("SIGKILL", pids))
            self._signal_group(signal.SIGKILL)
            for pid in pids:
                _signal(pid, signal.SIGKILL)
            return False
        fresh = [pid for pid in pids if pid not in self._asked]
        if fresh:
            self._asked.update(fresh)
            note.append(("SIGTERM", fresh))
            for pid in fresh:
                _signal(pid, signal.SIGTERM)
                _signal(pid, signal.SIGCONT)  # a stopped process hears nothing else
        elif not pids and not self._is_group_asked:
            self._is_group_asked = True
            self._signal_group(signal.SIGTERM)
        return False

    def force(self, now: float) -> None:
        """No more grace."""
        self._force_at = min(self._force_at, now)
        self._give_up_at = self._force_at + FORCE_FOR

    def _signal_group(self, number: int) -> bool:
        if not self._group:
            return False
        try:
            os.killpg(self._group, number)
        except OSError:  # no such group any more
            return False
        return True


def kill_below() -> list[int]:
    """SIGKILL to everything below the keeper, once."""
    pids = descendants(os.getpid())
    for pid in pids:
        _signal(pid, signal.SIGKILL)
    return pids


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:  # gone meanwhile, or another user's
        pass
