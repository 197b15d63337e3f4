"""Runs one part of pal as a child of `pal up`, and ends with it: `python -m pal_cli.supervised server run …`.

The child has a session of its own, so that Ctrl-C reaches `pal up` alone and it stops its children in order. Should
`pal up` be killed outright, the kernel asks the child to stop (Linux); elsewhere the child goes on.
"""

import os
import signal
import sys

SUPERVISOR = "PAL_SUPERVISOR"  # the pid of `pal up`, told to its children
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_supervisor() -> None:
    """Have the kernel send SIGTERM to this process when its parent dies. Nothing where the kernel cannot."""
    parent = os.environ.pop(SUPERVISOR, "")
    if sys.platform != "linux" or not parent:
        return
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if str(os.getppid()) != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    end_with_supervisor()
    from pal_cli.main import main

    sys.exit(main())
