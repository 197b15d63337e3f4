"""The process that owns one agent process: `python -I -S keeper.py RUN_DIR`, the launch document on stdin.

Daemon and server may die and come back; the keeper stays with the agent, writes down every byte it says, and sees
its whole process tree to the end. Standard library only and little of it: it starts in a few milliseconds and stays
below 15 MB.

Promises
- One run directory is started at most once: the spool is created, never opened.
- Files, all 0600: `keeper.pid` (pid, start ticks, boot id), `spool` (records, `keeping/frames.py`), `control`
  (socket, `keeping/requests.py`), and `keeper.log` after a defect of the keeper itself.
- One line on stdout once the agent runs or could not be started; then stdin, stdout and stderr are /dev/null.
- The last record is the exit. Then the socket goes and the keeper ends.
- SIGHUP, SIGINT and SIGQUIT are ignored: they are meant for daemon or server. SIGTERM to the keeper itself is the
  computer shutting down or somebody's `kill`: the agent is stopped as by `stop`, and the exit record says `terminate`.
- When the keeper dies, the kernel kills the agent (parent-death signal); `pal_daemon.process_tree` finds the rest.

Without prctl and /proc (macOS) it works, but weaker: the agent outlives a killed keeper, what left the agent's process
group is not found, and a reused pid cannot be told apart. Windows is not supported: there is no fork.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn

    from pal_daemon.keeping.agent_process import NotStarted
    from pal_daemon.keeping.spool_writer import SpoolWriter
else:
    import _signal as signal  # the public module builds enums: 3 ms

PID = "keeper.pid"
SPOOL = "spool"
LOG = "keeper.log"
RESERVE = "reserve"  # gives its blocks to the exit record when the disk is full
RESERVE_BYTES = 16384
EXIT_PATIENCE = 600  # seconds to wait for room for the exit record before leaving without it
LAST_FD = 65536  # descriptors an ancestor may have leaked; ours are opened later


def main(run_dir: str) -> int:
    """0 when the run was seen to its end, whatever that was; 1 when the run directory was used before."""
    from pal_daemon.keeping.agent_process import NotStarted, start_agent
    from pal_daemon.keeping.document import Document
    from pal_daemon.keeping.spool_writer import SpoolWriter

    os.closerange(3, LAST_FD)
    umask = os.umask(0o177)  # the socket takes its mode from here
    document = Document(_read_stdin())
    os.chdir(run_dir)
    try:
        spool = SpoolWriter(_create(SPOOL), limit=document.spool_limit)
    except FileExistsError:
        _say_ready("error this run directory has been used")
        return 1
    _stand_alone()
    wakes = _watch_signals()
    _keep_reserve()
    try:
        agent = start_agent(document.argv, cwd=document.cwd, env=document.env, umask=umask)
    except NotStarted as reason:
        _write_pid()
        _tell_not_started(spool, reason)
        _say_ready(f"failed {reason.reason} {reason.detail}")
    else:
        _tell_started(spool, agent.pid)
        from pal_daemon.keeping.loop import Loop  # two milliseconds the agent need not wait for

        loop = Loop(agent, document, spool, wakes=wakes)
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


def _stand_alone() -> None:
    """A session of our own, and the parent of every orphan below us."""
    from pal_daemon.keeping.tree import PR_SET_CHILD_SUBREAPER, prctl

    try:
        os.setsid()
    except PermissionError:  # we were started as a session's leader
        pass
    prctl(PR_SET_CHILD_SUBREAPER, 1)


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
    from pal_daemon.keeping.tree import boot_id, start_ticks

    fd = os.open(PID + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(fd, f"{os.getpid()} {start_ticks(os.getpid())} {boot_id()}\n".encode())
    os.close(fd)
    os.rename(PID + ".new", PID)


def _tell_started(spool: SpoolWriter, pid: int) -> None:
    from pal_daemon.keeping import frames
    from pal_daemon.keeping.tree import boot_id, start_ticks

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
    from pal_daemon.keeping import frames

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


def _die_aloud(run_dir: str) -> NoReturn:
    """A defect of ours: leave its trace in the run directory, and to the launcher while he listens."""
    import traceback

    trace = traceback.format_exc().encode("utf-8", "replace")
    try:
        os.write(2, trace)
        os.write(os.open(os.path.join(run_dir, LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), trace)
    except OSError:
        pass
    os._exit(70)


if __name__ == "__main__":
    # -I keeps our own package off the path. Last, so that nothing of it can hide the standard library; as a package,
    # so that its modules are read from their compiled files: compiling them anew costs more than all the rest.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    given_dir = os.path.abspath(sys.argv[1])
    try:
        code = main(given_dir)
    except BaseException:  # anything: the agent must not run on without an owner
        _die_aloud(given_dir)
    os._exit(code)  # skips the interpreter's tidying up: a millisecond between the exit record and our end
