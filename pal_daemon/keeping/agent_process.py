"""Starts the agent: pipes, a session and group of its own, and a parent whose death it does not survive."""

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
    """A started agent and our ends of its pipes, which do not block."""

    __slots__ = ("pid", "stderr", "stdin", "stdout")

    def __init__(self, *, pid: int, stdin: int, stdout: int, stderr: int) -> None:
        self.pid = pid  # its session and process group too
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        for fd in (stdin, stdout, stderr):
            os.set_blocking(fd, False)


def start_agent(argv: list[str], *, cwd: str, env: dict[str, str]) -> AgentProcess:
    """Return once the program runs; raise NotStarted when it does not, with nothing left behind."""
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    fault_read, fault_write = os.pipe()
    keeper = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(argv, cwd, env, keeper, (in_read, out_write, err_write), fault_write)
    for fd in (in_read, out_write, err_write, fault_write):
        os.close(fd)
    fault = os.read(fault_read, 64)  # ends with the exec, which closes the other side
    os.close(fault_read)
    if not fault:
        return AgentProcess(pid=pid, stdin=in_write, stdout=out_read, stderr=err_read)
    os.waitpid(pid, 0)
    for fd in (in_write, out_read, err_read):
        os.close(fd)
    stage, number = fault.decode().split()
    raise _explain(stage, int(number), argv[0], cwd)


def _become(
    argv: list[str],
    cwd: str,
    env: dict[str, str],
    keeper: int,
    pipes: tuple[int, int, int],
    fault: int,
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
        stage = "cwd"
        os.chdir(cwd)
        stage = "exec"
        _exec(argv, env)
    except OSError as error:
        os.write(fault, f"{stage} {error.errno}".encode())
    except BaseException:  # whatever it was: the child must not run on as a second keeper
        os.write(fault, f"{stage} 0".encode())
    os._exit(127)


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
