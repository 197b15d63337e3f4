"""A keeper from its launch document to its last breath; `pal_daemon/keeper.py` says what it promises."""

from __future__ import annotations

import os

from pal_daemon.keeping import frames
from pal_daemon.keeping.agent_process import NotStarted, start_agent
from pal_daemon.keeping.document import Document
from pal_daemon.keeping.guard import stand_by
from pal_daemon.keeping.spool_writer import SpoolWriter
from pal_daemon.keeping.tail_writer import TailWriter
from pal_daemon.keeping.tree import PR_SET_CHILD_SUBREAPER, boot_id, prctl, start_ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn
else:
    import _signal as signal  # the public module builds enums: 3 ms

PID = "keeper.pid"
SPOOL = "spool"
LOG = "keeper.log"
RESERVE = "reserve"  # gives its blocks to the exit record when the disk is full
RESERVE_BYTES = 16384
EXIT_PATIENCE = 600  # seconds to wait for room for the exit record before leaving without it
LAST_FD = 65536  # descriptors an ancestor may have leaked; ours are opened later


def keep(run_dir: str) -> int:
    """0 when the run was seen to its end, whatever that was; 1 when the run directory was used before."""
    os.closerange(3, LAST_FD)
    if (code := stand_by()) is not None:
        return code
    document = Document(_read_stdin())
    os.chdir(run_dir)
    try:
        spool = SpoolWriter(_create(SPOOL), limit=document.spool_limit)
    except FileExistsError:
        _say_ready("error this run directory has been used")
        return 1
    gets_orphans = _stand_alone()
    wakes = _watch_signals()
    _keep_reserve()
    if document.memo is not None:
        spool.remember(document.memo)
    try:
        agent = start_agent(document.argv, cwd=document.cwd, env=document.env, terminal=document.terminal)
    except NotStarted as reason:
        _write_pid()
        _tell_not_started(spool, reason)
        _say_ready(f"failed {reason.reason} {reason.detail}")
    else:
        _tell_started(spool, agent.pid)
        from pal_daemon.keeping.loop import Loop  # two milliseconds the agent need not wait for

        tail = None if document.terminal is None else TailWriter()
        loop = Loop(agent, document, spool, tail=tail, wakes=wakes, gets_orphans=gets_orphans)
        _write_pid()
        _say_ready(f"started {agent.pid}")
        loop.run()
        _wait_for_room(spool)
        spool.sync()
        loop.control.close()
    return 0


def _read_stdin() -> str:
    parts = []
    while part := os.read(0, 1 << 20):
        parts.append(part)
    return b"".join(parts).decode()


def _create(name: str) -> int:
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)


def _stand_alone() -> bool:
    """A session of our own; whether we became the parent of every orphan below us."""
    try:
        os.setsid()
    except PermissionError:  # we were started as a session's leader
        pass
    return prctl(PR_SET_CHILD_SUBREAPER, 1)


def _watch_signals() -> int:
    """SIGTERM and SIGCHLD become bytes in a pipe; its read end."""
    wakes, wake = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda number, frame: None)
    return wakes


def _keep_reserve() -> None:
    try:
        fd = _create(RESERVE)
        os.write(fd, b"\0" * RESERVE_BYTES)
        os.close(fd)
    except OSError:  # no room even now; the exit record will wait for some
        pass


def _write_pid() -> None:
    """Appears whole or not at all, and after the control socket: who finds it can connect."""
    fd = os.open(PID + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(fd, f"{os.getpid()} {start_ticks(os.getpid())} {boot_id()}\n".encode())
    os.close(fd)
    os.rename(PID + ".new", PID)


def _tell_started(spool: SpoolWriter, pid: int) -> None:
    facts: frames.Facts = {
        "pid": pid,
        "pgid": pid,
        "start_ticks": start_ticks(pid),
        "boot": boot_id(),
        "keeper": os.getpid(),
    }
    spool.tell(frames.STARTED, facts)


def _tell_not_started(spool: SpoolWriter, reason: NotStarted) -> None:
    """An exit record like any other, but nothing ever ran."""
    nothing = dict.fromkeys(("code", "signal"))
    used = dict.fromkeys(("user_ms", "system_ms", "max_rss_kib", "wall_ms", "dropped"), 0)
    why = {"start_error": reason.reason, "detail": reason.detail}
    spool.tell(frames.EXIT, {**nothing, "asked": "none", **used, **why})
    _wait_for_room(spool)
    spool.sync()


def _wait_for_room(spool: SpoolWriter) -> None:
    """Return once the exit record is on disk. Gives up our reserve first, then waits for somebody to make room."""
    from time import sleep

    try:
        os.unlink(RESERVE)
    except OSError:
        pass
    for _ in range(EXIT_PATIENCE):
        if not spool.is_stuck or spool.retry():
            return
        sleep(1.0)


def _say_ready(line: str) -> None:
    """Tell whoever launched us, who may be gone, and let go of all he gave us."""
    try:
        os.write(1, line.encode("utf-8", "surrogateescape") + b"\n")
    except OSError:
        pass
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)


def die_aloud(run_dir: str) -> NoReturn:
    """A defect of ours: leave its trace in the run directory, and to the launcher while he listens."""
    import traceback

    trace = traceback.format_exc().encode("utf-8", "replace")
    try:
        os.write(2, trace)
        os.write(os.open(os.path.join(run_dir, LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), trace)
    except OSError:
        pass
    os._exit(70)
