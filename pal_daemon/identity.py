"""Who this daemon is on this computer: one per home, a machine name made once, and a token for its local API."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class HomeInUse(Exception):
    """Another daemon works in this home."""


@contextmanager
def hold_home(folder: Path) -> Iterator[None]:
    """Be the only daemon of this home until the end; the kernel lets go when we die. Raises HomeInUse, OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _lock(fd):
            raise HomeInUse(f"another daemon is running in {folder.parent} (PAL_HOME)")
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(fd)


def machine_name(folder: Path) -> str:
    """What tells this computer and home from every other; made once. A copied home must not be used twice."""
    return _kept_secret(folder / "machine", lambda: "m_" + secrets.token_hex(16))


def local_token(folder: Path) -> str:
    """The credential of the local API, in a file only this user may read."""
    return _kept_secret(folder / "token", lambda: "pal_daemon_" + secrets.token_urlsafe(32))


def seal_key(folder: Path) -> str:
    """What checks of requests are made with (`following`); it never leaves this computer."""
    return _kept_secret(folder / "seal", lambda: secrets.token_hex(32))


def _kept_secret(file: Path, make: Callable[[], str]) -> str:
    try:
        text = file.read_text("ascii").strip()
    except FileNotFoundError:
        text = ""
    if text:
        file.chmod(0o600)
        return text
    text = make()
    fresh = file.with_suffix(".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "w", encoding="ascii") as target:
        target.write(text + "\n")
        target.flush()
        os.fsync(fd)
    os.replace(fresh, file)
    return text


def _lock(fd: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows has no flock; there the local port keeps a second daemon out
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
