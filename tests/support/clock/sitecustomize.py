"""Clocks that a test sets: each Python that finds this folder in PYTHONPATH reads its offsets from the file TEST_CLOCK.

The file holds two numbers, seconds by which the wall clock is off and by which the computer has slept. Monotonic time
is left alone, as by somebody who sets the clock.
"""

import os
import time

_FILE = os.environ["TEST_CLOCK"]
_wall, _wall_ns, _clock_ns = time.time, time.time_ns, time.clock_gettime_ns


def _offset(place: int) -> int:
    """Seconds."""
    with open(_FILE, encoding="ascii") as file:
        return int(file.read().split()[place])


def _get_ns(clock: int) -> int:
    slept = _offset(1) if clock == time.CLOCK_BOOTTIME else 0
    return _clock_ns(clock) + slept * 1_000_000_000


time.time = lambda: _wall() + _offset(0)
time.time_ns = lambda: _wall_ns() + _offset(0) * 1_000_000_000
time.clock_gettime_ns = _get_ns
