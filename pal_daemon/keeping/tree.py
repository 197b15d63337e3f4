"""Looks at processes through /proc, and asks the kernel for two favours.

Standard library only, and little of it: the keeper imports this. Without /proc (macOS) every look is empty.
"""

from __future__ import annotations

import os

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def prctl(option: int, value: int) -> bool:
    """Whether the kernel took it. Through the C half of ctypes: the Python half costs 3 ms."""
    try:
        import _ctypes

        program = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # None is the program itself, as for dlopen(3)
        function = _ctypes.dlsym(program, "prctl")
        return int(_ctypes.call_function(function, (option, value, 0, 0, 0))) == 0
    except (ImportError, AttributeError, OSError):
        return False


def read_proc(path: str) -> bytes:
    """A small file below /proc; empty when the process is gone or not ours."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(fd, 65536):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(fd)


def boot_id() -> str:
    """Changes with every start of the computer; start ticks count from there. Empty without /proc."""
    return read_proc("/proc/sys/kernel/random/boot_id").strip().decode()


def stat_fields(pid: int) -> list[bytes]:
    """/proc/PID/stat from the state on: state, ppid, pgrp, session … start ticks at 19. Empty when gone."""
    return read_proc(f"/proc/{pid}/stat").rpartition(b")")[2].split()


def start_ticks(pid: int) -> int:
    """When the process started, in ticks since boot. With the pid it names one process for ever. 0 when unknown."""
    fields = stat_fields(pid)
    return int(fields[19]) if len(fields) > 19 else 0


def descendants(root: int) -> list[int]:
    """Every process below `root`, zombies too, parents first. A moment's picture: repeat until it is empty."""
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children(waiting.pop())
        found += below
        waiting += below
    return found


def children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    if not os.path.exists(f"/proc/{pid}/task/{pid}/children"):  # a kernel without CONFIG_PROC_CHILDREN
        return [other for other in all_pids() if _parent(other) == pid]
    return [int(child) for tid in threads for child in read_proc(f"/proc/{pid}/task/{tid}/children").split()]


def all_pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _parent(pid: int) -> int:
    fields = stat_fields(pid)
    return int(fields[1]) if len(fields) > 1 else 0
