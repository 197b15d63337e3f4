"""Ports that nobody else is given: not by the system, not by another worker of the tests, and here only once."""

from __future__ import annotations

import os
import random
import socket

FIRST = 10_000
EACH = 2_750  # ports for each worker; all of them lie below those that the system gives out by chance
WORKERS = 8

_chance = random.Random(os.getpid())  # other runs on this machine look elsewhere
_given: set[int] = set()


def free_port() -> int:
    """A port nobody has. A part that is started again finds its own free."""
    first = FIRST + EACH * (_worker() % WORKERS)
    while True:
        port = _chance.randrange(first, first + EACH)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


def _worker() -> int:
    """Which one this is, by pytest-xdist; -1 without workers."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw"))
