"""Finds and ends what a run left behind when its keeper and the guard above it are gone.

A process is the run's when it is the recorded agent (same pid, start ticks and boot), in that agent's living session
or group, carries the run's marks in its environment, or descends from one of those. Nothing else is ever signalled: a
reused pid has other start ticks, another PAL_HOME's runs carry another PAL_KEEPER, and each signal goes through a
descriptor of the very process that was looked at. Without /proc (macOS) nothing is found.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pal_daemon.keeper_client import living_keeper
from pal_daemon.keeping.tree import all_pids, boot_id, descendants, read_proc, stat_fields
from pal_daemon.spool import Stream, parse_started, read_spool

if TYPE_CHECKING:
    from pathlib import Path

    from pal_daemon.spool import Started

ASK_FOR = 2.0  # seconds between SIGTERM and SIGKILL
FORCE_FOR = 3.0  # seconds for the kernel to carry out a SIGKILL
ROUNDS = 5  # looks; each finds what was forked during the one before


def find_left_over(run_dir: Path) -> list[int]:
    """The pids of this run that are alive, without ourselves and who started us."""
    run_dir = run_dir.resolve()
    found = set(_marked(run_dir)) | set(_of_session(_read_started(run_dir)))
    for pid in tuple(found):
        found.update(descendants(pid))
    return sorted(pid for pid in found - _ourselves() if _is_alive(pid))


def sweep(run_dir: Path) -> list[int]:
    """End what is left of a run, asking first; the pids that were ended.

    Does nothing while the keeper lives: it does this itself. Blocks for up to a few seconds when something is left,
    so call it in a thread; a second call finds nothing. Forks during the sweep are found by the next round.
    """
    ended: list[int] = []
    if living_keeper(run_dir.resolve()) is not None:
        return ended
    for _ in range(ROUNDS):
        pids = find_left_over(run_dir)
        if not pids:
            break
        ended += _end(pids)
    return ended


def _end(pids: list[int]) -> list[int]:
    """SIGTERM, wait, SIGKILL, wait; those that are gone."""
    with ExitStack() as stack:
        open_fds: dict[int, int] = {}
        for pid in pids:
            try:
                ticks = _ticks(pid)
                fd = os.pidfd_open(pid)
            except OSError:  # gone meanwhile
                continue
            stack.callback(os.close, fd)
            if _ticks(pid) == ticks:
                open_fds[fd] = pid
        alive = set(open_fds)
        for number, patience in ((signal.SIGTERM, ASK_FOR), (signal.SIGKILL, FORCE_FOR)):
            for fd in alive:
                _send(fd, number)
                _send(fd, signal.SIGCONT)  # a stopped process hears nothing else
            alive = _wait_gone(alive, patience)
        return [pid for fd, pid in open_fds.items() if fd not in alive]


def _send(fd: int, number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(fd, number)
    except OSError:  # gone meanwhile, or another user's
        pass


def _wait_gone(fds: set[int], patience: float) -> set[int]:
    """Those of `fds` that are still alive after `patience` seconds; returns sooner when all are gone."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    alive = set(fds)
    until = time.monotonic() + patience
    while alive and (left := until - time.monotonic()) > 0:
        for fd, _ in poll.poll(left * 1000):
            poll.unregister(fd)
            alive.discard(fd)
    return alive


def _read_started(run_dir: Path) -> Started | None:
    for record in read_spool(run_dir / "spool"):
        if record.stream is Stream.STARTED:
            return parse_started(record)
    return None


def _of_session(started: Started | None) -> list[int]:
    """Members of the agent's session and group while the agent itself lives.

    Once it is gone its number may name somebody else's group; then the marks and the family have to do.
    """
    if started is None or not started.start_ticks or started.boot != boot_id():
        return []
    if _ticks(started.pid) != started.start_ticks:
        return []
    return [pid for pid in all_pids() if _belongs(pid, started.pgid)]


def _belongs(pid: int, leader: int) -> bool:
    fields = stat_fields(pid)
    return len(fields) > 3 and leader in (int(fields[2]), int(fields[3]))


def _marked(run_dir: Path) -> list[int]:
    """Those of our user with the run's marks in their environment."""
    marks = {b"PAL_RUN_ID=" + os.fsencode(run_dir.name), b"PAL_KEEPER=" + os.fsencode(run_dir)}
    return [pid for pid in all_pids() if _is_ours(pid) and marks <= set(_environment(pid))]


def _environment(pid: int) -> list[bytes]:
    return read_proc(f"/proc/{pid}/environ").split(b"\0")


def _is_ours(pid: int) -> bool:
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.geteuid()
    except OSError:
        return False


def _is_alive(pid: int) -> bool:
    fields = stat_fields(pid)
    return bool(fields) and fields[0] not in (b"Z", b"X")


def _ticks(pid: int) -> int:
    fields = stat_fields(pid)
    return int(fields[19]) if len(fields) > 19 else 0


def _ourselves() -> set[int]:
    """This process and its ancestors: a daemon started inside a run must not end itself."""
    pids: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in pids:
        pids.add(pid)
        fields = stat_fields(pid)
        pid = int(fields[1]) if len(fields) > 1 else 0
    return pids
