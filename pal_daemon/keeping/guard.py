"""The keeper's own parent: when somebody kills the keeper, what its agent started is still ended.

A process that wiped its environment and left its session carries no mark of the run; all that is left of its descent
is who inherits it. So a process stands above the keeper that does nothing but wait, and inherits whatever the keeper
can no longer look after. On Linux only: elsewhere orphans go to init.
"""

from __future__ import annotations

import os

from pal_daemon.keeping.tree import PR_SET_CHILD_SUBREAPER, prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # the public module builds enums: 3 ms

GRACE = 2.0  # seconds between SIGTERM and SIGKILL
LOOK_AGAIN = 0.05  # seconds
IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)  # the keeper gets its own, and decides


def stand_by() -> int | None:
    """Split in two. None to the one that goes on as the keeper; to the guard, once everything is over, its exit code.

    Also None where nobody can inherit orphans: then there is no guard.
    """
    if not prctl(PR_SET_CHILD_SUBREAPER, 1):
        return None
    keeper = os.fork()
    if keeper == 0:
        return None
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    _let_go()
    code = _wait_for(keeper)
    _clear()
    return code


def _let_go() -> None:
    """The launcher waits for the end of what we were given; only the keeper writes there."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)


def _wait_for(keeper: int) -> int:
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == keeper:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _clear() -> None:
    """Ask, wait, force, until nothing is below us. After a keeper that saw to it itself there is nothing."""
    if not _reap():
        return
    from time import monotonic, sleep

    from pal_daemon.keeping.leftovers import Leftovers

    leftovers = Leftovers(group=0, now=monotonic(), grace=GRACE)
    while _reap() and not leftovers.step(monotonic(), []):
        sleep(LOOK_AGAIN)


def _reap() -> bool:
    """Take what has ended; whether anything is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True
