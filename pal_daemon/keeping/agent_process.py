"""Starts the agent: pipes or a terminal, a session and group of its own, a parent whose death it does not survive."""

from __future__ import annotations

import errno
import os

from pal_daemon.keeping.tree import PR_SET_PDEATHSIG, prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn
else:
    import _signal as signal  # the public module builds enums: 3 ms


class NotStarted(Exception):
    """The program could not be started. `reason` is one word of a closed set, `detail` a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class AgentProcess:
    """A started agent and our ends of its pipes, which do not block. Of a terminal both are the same, and there is no
    stderr (-1).
    """

    __slots__ = ("pid", "stderr", "stdin", "stdout")

    def __init__(self, *, pid: int, stdin: int, stdout: int, stderr: int) -> None:
        self.pid = pid  # its session and process group too
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        for fd in (stdin, stdout, stderr):
            if fd >= 0:
                os.set_blocking(fd, False)


def start_agent(
    argv: list[str], *, cwd: str, env: dict[str, str], terminal: tuple[int, int] | None = None
) -> AgentProcess:
    """Return once the program runs; raise NotStarted when it does not, with nothing left behind.

    With `terminal`, its columns and rows, it gets that in the place of pipes, and controls it.
    """
    ours, theirs = _pipes() if terminal is None else _terminal(*terminal)
    fault_read, fault_write = os.pipe()
    keeper = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(argv, cwd, env, keeper, theirs, fault_write, has_terminal=terminal is not None)
    for fd in {*theirs, fault_write}:
        os.close(fd)
    fault = os.read(fault_read, 64)  # ends with the exec, which closes the other side
    os.close(fault_read)
    if not fault:
        return AgentProcess(pid=pid, stdin=ours[0], stdout=ours[1], stderr=ours[2])
    os.waitpid(pid, 0)
    for fd in ours:
        if fd >= 0:
            os.close(fd)
    stage, number = fault.decode().split()
    raise _explain(stage, int(number), argv[0], cwd)


def resize(fd: int, *, cols: int, rows: int) -> None:
    """The size of the terminal whose master is `fd`; the kernel tells the program in front (SIGWINCH)."""
    import termios

    termios.tcsetwinsize(fd, (rows, cols))


def _pipes() -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Our ends and the agent's, of stdin, stdout and stderr."""
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    return (in_write, out_read, err_read), (in_read, out_write, err_write)


def _terminal(cols: int, rows: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """The same of a terminal. Our end twice, so that what is typed and what is printed end apart."""
    master, slave = os.openpty()
    resize(master, cols=cols, rows=rows)
    return (os.dup(master), master, -1), (slave, slave, slave)


def _become(
    argv: list[str],
    cwd: str,
    env: dict[str, str],
    keeper: int,
    pipes: tuple[int, int, int],
    fault: int,
    *,
    has_terminal: bool,
) -> NoReturn:
    """The child's side of the fork. Every other descriptor closes itself at the exec."""
    stage = "prepare"
    try:
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:  # it died before we asked to be told
            os._exit(1)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for target, fd in enumerate(pipes):
            os.dup2(fd, target)
        if has_terminal:
            _take_terminal()
        stage = "cwd"
        os.chdir(cwd)
        stage = "exec"
        _exec(argv, env)
    except OSError as error:
        os.write(fault, f"{stage} {error.errno}".encode())
    except BaseException:  # whatever it was: the child must not run on as a second keeper
        os.write(fault, f"{stage} 0".encode())
    os._exit(127)


def _take_terminal() -> None:
    """Make stdin the session's controlling terminal: Ctrl-C, job control and /dev/tty work."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _exec(argv: list[str], env: dict[str, str]) -> NoReturn:
    """Replace this process, looking along the PATH of `env`. Raises the OSError that says most."""
    name = argv[0]
    if "/" in name:
        os.execve(name, argv, env)
    worst = OSError(errno.ENOENT, name)
    for folder in env.get("PATH", os.defpath).split(":"):
        try:
            os.execve(f"{folder or '.'}/{name}", argv, env)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                worst = error
    raise worst


def _explain(stage: str, number: int, program: str, cwd: str) -> NotStarted:
    text = os.strerror(number)
    if stage == "cwd":
        missing = number in (errno.ENOENT, errno.ENOTDIR)
        return NotStarted("missing_cwd" if missing else "forbidden_cwd", f"cannot work in {cwd}: {text}")
    if stage == "exec" and number in (errno.ENOENT, errno.ENOTDIR):
        script = os.path.join(cwd, program)
        if "/" in program and os.path.exists(script):
            return NotStarted("missing_interpreter", f"the interpreter named in the first line of {program} is missing")
        return NotStarted("missing_program", f"no program {program}: {text}")
    if stage == "exec" and number in (errno.EACCES, errno.EPERM, errno.ENOEXEC):
        return NotStarted("not_executable", f"{program} cannot be executed: {text}")
    return NotStarted("exec_failed", f"{program} could not be started: {text}")
