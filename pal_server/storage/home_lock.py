"""One server uses a `PAL_HOME` at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pal_server.errors import Conflict

LOCK_FILE = "server.lock"


@contextmanager
def hold_home(home: Path, /) -> Iterator[None]:
    """Hold `home` for as long as the block runs; `Conflict` when somebody else does. The system lets go when the
    process dies.
    """
    home.mkdir(parents=True, exist_ok=True)
    fd = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise Conflict(f"A pal server is using {home}. Stop it first.", home=str(home)) from exc
        yield
    finally:
        os.close(fd)
