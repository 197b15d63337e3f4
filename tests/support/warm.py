"""Starts `pal server` and `pal daemon` in processes that need not load them first.

Loading is four fifths of what a start costs, and tests start these two hundreds of times. One process for each worker
of the tests has them loaded. For a start it forks, and the child takes over a session, an environment, a folder and a
log of its own and runs its command line to the end of the interpreter: a process as any other, and what it starts is
started by it. Only what /proc tells of its command line and first environment is not its own, so whoever sets what an
interpreter reads as it begins (PYTHONPATH), or runs something before the program does, has to start the program.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import random
import selectors
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
MODULES = (
    "pal_cli.main",
    "pal_daemon.cli",
    "pal_daemon.daemon",
    "pal_daemon.logs",
    "pal_server.app",
    "pal_server.cli",
    "pal_server.logs",
    "pal_server.storage.engines.sqlite",
    "uvloop",
)
ORDER_MAX = 128 * 1024  # bytes of one order: an argv, an environment
FILES_MAX = 4096  # more than are open in the process that forks
_NUMBER = struct.Struct("=i")
_asking = threading.Lock()  # one order and its answer at a time


class WarmProcess:
    """What tests use of `subprocess.Popen`."""

    def __init__(self, *, pid: int, argv: list[str], ended: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._argv = argv
        self._ended = ended

    def poll(self) -> int | None:
        """The exit code as `Popen` has it; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._ended.settimeout(timeout)
            try:
                told = self._ended.recv(_NUMBER.size)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self._argv, timeout or 0) from None
            if not told:
                raise RuntimeError(f"who started {self._argv} has died")
            self.returncode = os.waitstatus_to_exitcode(*_NUMBER.unpack(told))
            self._ended.close()
        return self.returncode


def start_warm(argv: list[str], *, env: Mapping[str, str], log: int) -> WarmProcess:
    """A program that is given as a path and its words; it says everything to the file `log`."""
    order = json.dumps({"argv": argv, "env": dict(env), "folder": os.getcwd()}).encode()
    ended, ending = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ending, _asking:
        starter = _starter()
        socket.send_fds(starter, [order], [log, ending.fileno()])
        told = starter.recv(_NUMBER.size)
    if not told:
        raise RuntimeError("who starts warm processes has died")
    return WarmProcess(pid=_NUMBER.unpack(told)[0], argv=argv, ended=ended)


@cache
def _starter() -> socket.socket:
    """The line to the process that forks; it ends when the line does, and so with this one."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm", str(its.fileno())],
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            pass_fds=[its.fileno()],
            start_new_session=True,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


# What follows runs in the process that forks, and in those it forks.


def main() -> int:
    """Fork for every order until the line ends; in a child, do what the order says."""
    line = socket.socket(fileno=int(sys.argv[1]))
    _load()
    waiting = selectors.DefaultSelector()
    waiting.register(line, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is not line:
                waiting.unregister(key.fileobj)
                _tell_end(key.fd, **key.data)
                continue
            order, files, _, _ = socket.recv_fds(line, ORDER_MAX, 2)
            if not order:
                return 0
            log, ending = files
            pid = os.fork()
            if pid == 0:
                waiting.close()
                line.close()
                return _become(log=log, **json.loads(order))
            os.close(log)
            waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, {"pid": pid, "ending": ending})
            line.send(_NUMBER.pack(pid))


def _load() -> None:
    """What servers and daemons load, at once or as they need it."""
    for module in MODULES:
        import_module(module)

    from pal_daemon.runtimes.registry import load_registry
    from pal_server.storage.statements import STATEMENTS, load_statements

    load_registry()
    load_statements(STATEMENTS, engine="sqlite")
    gc.collect()
    gc.freeze()  # children share the memory for as long as nobody counts it


def _become(*, argv: list[str], env: dict[str, str], folder: str, log: int) -> int:
    """What a shell would have done for a program, and the program itself."""
    os.setsid()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, FILES_MAX)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    sys.argv = argv
    random.seed()

    from pal_cli.main import main as pal

    return pal()


def _tell_end(watched: int, *, pid: int, ending: int) -> None:
    """To a test that may have lost interest."""
    os.close(watched)
    _, status = os.waitpid(pid, 0)
    with socket.socket(fileno=ending) as line:
        try:
            line.send(_NUMBER.pack(status))
        except BrokenPipeError:
            return


if __name__ == "__main__":
    sys.exit(main())
