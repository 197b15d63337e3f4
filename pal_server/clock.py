"""The server's clock: the wall clock's time, at the speed of a clock that nobody sets.

Leases, log-in codes and digests compare times. If the wall clock jumps (a laptop wakes with a wrong one, somebody sets
it), all leases would end at once or never. So the clock moves with the monotonic one and follows the wall clock by at
most one part in a hundred: it never goes back, and a jump of an hour is caught up with in about four days. Nor does it
when the server is started again: it goes on from what is stored.
"""

import threading
import time
from collections.abc import Callable

FARTHEST = 24 * 3_600_000  # milliseconds between a moment of before and the wall clock that are of one mistake
SLEW = 100  # one part in so many; a lease of 60 s is wrong by 0.6 s at most


class Clock:
    """Call it: UTC milliseconds. Never goes back. May be called from any thread."""

    def __init__(self, *, monotonic: Callable[[], int] | None = None, wall: Callable[[], int] = time.time_ns) -> None:
        """Both sources count nanoseconds."""
        self._monotonic = monotonic or boot_time_ns
        self._wall = wall
        self._lock = threading.Lock()
        self._seen = self._monotonic()
        self._time = wall()

    def go_on_from(self, moment: int) -> None:
        """Be there or later: `moment`, UTC milliseconds, is where it stood when the server ended. Of one that is
        farther ahead the wall clock is believed, which somebody has set right since.
        """
        with self._lock:
            ahead = moment * 1_000_000 - self._time
            if 0 < ahead <= FARTHEST * 1_000_000:
                self._time += ahead

    def __call__(self) -> int:
        with self._lock:
            seen = self._monotonic()
            passed = max(0, seen - self._seen)
            self._seen = seen
            off = self._wall() - (self._time + passed)
            most = passed // SLEW
            self._time += passed + max(-most, min(most, off))
            return self._time // 1_000_000


def boot_time_ns() -> int:
    """A clock that also runs while the computer sleeps, where there is one: leases end in the sleep, as they should."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns() if clock is None else time.clock_gettime_ns(clock)
