"""What goes wrong outside of pal: processes that are killed or stand still, and disks that are full."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.patience import LONG_PATIENCE


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def kill(pid: int) -> None:
    """SIGKILL; that it is gone already is fine."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def processes_of(folder: Path) -> list[int]:
    """Every process with that folder in its environment or command line: keepers, agents and their children."""
    mark = os.fsencode(folder) + b"/"
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdecimal() or int(entry) == os.getpid():
            continue
        with suppress(OSError):
            told = Path(f"/proc/{entry}/environ").read_bytes() + b"\0" + Path(f"/proc/{entry}/cmdline").read_bytes()
            if mark in told and is_alive(int(entry)):
                found.append(int(entry))
    return found


def end_processes_of(folder: Path, *, within: float = LONG_PATIENCE) -> None:
    """Kill all of them, and those they started meanwhile. The folder is a test's own, so nothing else has its name."""
    give_up_at = time.monotonic() + within
    while pids := processes_of(folder):
        for pid in pids:
            kill(pid)
        assert time.monotonic() < give_up_at, f"these do not end: {pids}"
        time.sleep(0.02)


def keeper_of(run_folder: Path) -> int:
    """The pid in `keeper.pid`; 0 while there is none."""
    try:
        return int((run_folder / "keeper.pid").read_text().split()[0])
    except (OSError, IndexError, ValueError):
        return 0


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """A file system of that size. Raises PermissionError where this user may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={megabytes}m"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode:
        raise PermissionError(done.stderr.decode().strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until the disk takes no more byte; the file to delete to make room again."""
    file = folder / "ballast"
    with open(file, "wb", buffering=0) as out, suppress(OSError):
        for size in (1 << 16, 1 << 12, 1 << 8, 1):
            with suppress(OSError):
                while True:
                    out.write(b"\0" * size)
    return file
