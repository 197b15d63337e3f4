"""How the daemon starts a keeper, finds one again, and talks to it.

A keeper outlives the daemon that started it. While that one lives it reaps the keeper; afterwards init does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pal_daemon.keeping.frames import MAX_PAYLOAD
from pal_daemon.keeping.requests import INPUT
from pal_daemon.keeping.tree import boot_id, stat_fields
from pal_daemon.terminal_line import TerminalLine

KEEPER = Path(__file__).with_name("keeper.py")
ANSWER_FOR = 10.0  # seconds; a keeper answers in under a millisecond, this is for a computer that swaps
START_FOR = 30.0  # seconds
MEMO = MAX_PAYLOAD  # bytes
FLOOR = 1.0  # seconds; the longest a lost wake-up can delay a reader of the spool
SUN_PATH = 100  # bytes; what surely fits into a socket address everywhere

# The agent's environment is in the launch document. The keeper itself gets what an interpreter may need to start.
INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")


class KeeperFailed(Exception):
    """The keeper itself did not start; no agent was started either."""


class KeeperUsed(KeeperFailed):
    """The run directory was launched before; it never starts a second process."""


class KeeperGone(Exception):
    """Nobody answers on the control socket: the keeper has ended or does not react. The spool says what it knew."""


class KeeperRefused(Exception):
    """The keeper will not. `code` is bad_request, bad_signal, too_large, closed, full or ended."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSpec:
    """What to run. `env` is complete: the agent gets it and PAL_RUN_ID, PAL_KEEPER, nothing else; with a terminal
    PAL_KEEPER alone, as that is no run.
    """

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]
    input: bytes | None = None  # the first input, known by the id "launch"
    close_input: bool = False  # end of file after it
    memo: bytes | None = None  # a JSON object, the first record of the spool; at most MEMO bytes
    spool_limit: int = 256 << 20  # bytes; output beyond it is counted and dropped
    ask_grace: float = 5.0  # seconds between SIGINT and SIGTERM of a stop
    terminate_grace: float = 3.0  # seconds between its SIGTERM and SIGKILL
    leftover_grace: float = 2.0  # seconds between SIGTERM and SIGKILL for what the agent leaves behind
    terminal: tuple[int, int] | None = None  # columns and rows; then it has that in the place of pipes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperStatus:
    """What the keeper says of itself."""

    agent: int  # pid
    is_running: bool  # False: the main process has ended, its tree is being cleared
    asked: str  # none, stop, kill, terminate
    is_input_open: bool
    waiting: int  # bytes of input the agent has not taken
    size: int  # bytes of the spool
    dropped: int  # bytes of output that are in no record
    is_disk_full: bool


async def launch(run_dir: Path, spec: LaunchSpec) -> Keeper:
    """Start keeper and agent; return once the agent's program runs, or could not be started: then `agent` is None
    and the spool's last record, its exit, says why.

    Makes the directory. Raises KeeperUsed when it was launched before, KeeperFailed when no keeper came up.
    A cancel does not undo the start: look with `attach`.
    """
    if spec.input is not None and len(spec.input) > INPUT:
        raise ValueError(f"the first input has at most {INPUT} bytes")
    if spec.memo is not None and len(spec.memo) > MEMO:
        raise ValueError(f"a memo has at most {MEMO} bytes")
    run_dir = _make_dir(run_dir)
    ready_read, ready_write = os.pipe()
    document, feeding = _open_document(_render_document(run_dir, spec))
    try:
        pid = _spawn(run_dir, stdin=document, ready=ready_write)
    finally:
        os.close(document)
        os.close(ready_write)
    if feeding is not None:
        await asyncio.to_thread(_feed, *feeding)
    _reap_later(pid)
    try:
        async with asyncio.timeout(START_FOR):
            line = await _read_to_end(ready_read)
    except TimeoutError:
        raise KeeperFailed(f"the keeper said nothing for {START_FOR:.0f} s") from None
    finally:
        os.close(ready_read)
    if line.startswith("error "):
        raise KeeperUsed(line.removeprefix("error ").strip())
    if not line.startswith(("started ", "failed ")):
        raise KeeperFailed(line.strip() or "the keeper ended before it started anything")
    agent = int(line.split()[1]) if line.startswith("started ") else None
    return Keeper(run_dir=run_dir, pid=living_keeper(run_dir) or pid, agent=agent)  # what we spawned is its guard


async def attach(run_dir: Path) -> Keeper | None:
    """The living keeper of this run directory, whoever started it; None when it has ended or never was."""
    pid = living_keeper(run_dir)
    if pid is None:
        return None
    run_dir = _make_dir(run_dir)
    keeper = Keeper(run_dir=run_dir, pid=pid, agent=None)
    try:
        status = await keeper.status()
    except KeeperGone:
        return None
    return Keeper(run_dir=run_dir, pid=pid, agent=status.agent)


def living_keeper(run_dir: Path) -> int | None:
    """The pid in keeper.pid, if that very process is alive: a reused pid has other start ticks."""
    try:
        words = (run_dir / "keeper.pid").read_text().split()
        pid, ticks, boot = int(words[0]), int(words[1]), words[2] if len(words) > 2 else ""
    except (OSError, ValueError, IndexError):
        return None
    if not ticks:  # written without /proc: a weaker look
        return pid if _exists(pid) else None
    fields = stat_fields(pid)
    is_same = len(fields) > 19 and int(fields[19]) == ticks and boot == boot_id()
    return pid if is_same and fields[0] not in (b"Z", b"X") else None


def kill_keeper(run_dir: Path, pid: int) -> None:
    """SIGKILL to that very keeper; the kernel ends its agent with it, and its guard the rest."""
    try:
        fd = os.pidfd_open(pid)
    except (AttributeError, OSError):
        return
    try:
        if living_keeper(run_dir) == pid:
            signal.pidfd_send_signal(fd, signal.SIGKILL)
    except OSError:  # gone meanwhile
        pass
    finally:
        os.close(fd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """A keeper that was alive a moment ago. Each request is a connection of its own; any number of tasks may ask.

    Every request raises KeeperGone when nobody answers, KeeperRefused when the keeper will not.
    """

    run_dir: Path
    pid: int
    agent: int | None  # pid; None when it could not be started

    @property
    def spool(self) -> Path:
        return self.run_dir / "spool"

    async def input(self, name: str, data: bytes) -> bool:
        """Queue bytes for the agent's stdin. False when an input of this name was taken before: nothing is doubled.

        A receipt in the spool tells when the last byte is in the agent's pipe. At most 16 MiB may wait.
        A name is 1 to 128 printable ASCII characters without spaces.
        """
        if len(data) > INPUT:  # the keeper would hang up before it has read it all
            raise KeeperRefused("too_large", f"an input has at most {INPUT} bytes")
        if not name.isascii() or not name.isprintable() or " " in name:
            raise ValueError("an input's name is printable ASCII without spaces")
        answer = await self._ask(f"input {name} {len(data)}", data)
        return answer.get("state") == "queued"

    async def close_input(self) -> None:
        """End of file after everything queued."""
        await self._ask("close-input")

    async def signal(self, number: signal.Signals) -> None:
        """To the agent's process group."""
        await self._ask(f"signal {number.name}")

    async def stop(self) -> None:
        """SIGINT, a grace, SIGTERM, a grace, SIGKILL; returns at once, the exit record tells the end."""
        await self._ask("stop")

    async def kill(self) -> None:
        """SIGKILL to everything of this run, now."""
        await self._ask("kill")

    async def status(self) -> KeeperStatus:
        return KeeperStatus(**await self._ask("status"))  # type: ignore[arg-type]  # our own keeper made it

    @contextlib.asynccontextmanager
    async def line(self) -> AsyncIterator[TerminalLine]:
        """A connection that stays, for what is typed into a terminal and what that prints. Raises KeeperGone."""
        try:
            reader, writer = await asyncio.open_unix_connection(sock=_connect(self.run_dir))
        except OSError as error:
            raise KeeperGone("the keeper does not answer") from error
        try:
            writer.write(b"watch\n")
            yield TerminalLine(reader, writer)
        finally:
            writer.close()

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncIterator[Watch]:
        """Tells when the spool grows, for `pal_daemon.spool.follow`.

        Of a keeper that is gone already it tells just that, so following what it left works the same way.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(sock=_connect(self.run_dir))
        except OSError:
            yield Watch(None)
            return
        try:
            writer.write(b"watch\n")
            yield Watch(reader)
        finally:
            writer.close()

    async def _ask(self, line: str, body: bytes = b"") -> dict[str, object]:
        try:
            async with asyncio.timeout(ANSWER_FOR):
                answer = await self._exchange(line.encode() + b"\n" + body)
        except (OSError, TimeoutError) as error:
            raise KeeperGone("the keeper does not answer") from error
        kind, _, rest = answer.decode().strip().partition(" ")
        if kind == "ok":
            facts: dict[str, object] = json.loads(rest)
            return facts
        if kind == "error":
            code, _, detail = rest.partition(" ")
            raise KeeperRefused(code, detail)
        raise KeeperGone("the keeper hung up")

    async def _exchange(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(sock=_connect(self.run_dir))
        try:
            writer.write(request)
            return await reader.readline()
        finally:
            writer.close()


class Watch:
    """The keeper's word on the size of its spool. One task at a time waits on it."""

    def __init__(self, reader: asyncio.StreamReader | None) -> None:
        self._reader = reader  # None: the keeper is gone
        self._size = 0

    async def wait(self, *, beyond: int) -> bool:
        """Return when the spool has more than `beyond` bytes or FLOOR has passed; False once the keeper is gone.

        Compares before it waits, so growth between the caller's read and this call is not missed.
        """
        try:
            async with asyncio.timeout(FLOOR):
                while self._size <= beyond and self._reader is not None:
                    self._hear(await self._reader.readline())
        except TimeoutError:
            return True
        except OSError:
            self._reader = None
        return self._reader is not None

    def _hear(self, line: bytes) -> None:
        if not line.endswith(b"\n"):
            self._reader = None
        elif line.startswith(b"grew "):
            self._size = int(line[5:])


def _make_dir(run_dir: Path) -> Path:
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return run_dir.resolve()


def _render_document(run_dir: Path, spec: LaunchSpec) -> bytes:
    marks = {"PAL_KEEPER": str(run_dir)}
    if spec.terminal is None:
        marks["PAL_RUN_ID"] = run_dir.name
    fields = {
        "argv": spec.argv,
        "cwd": spec.cwd,
        "env": {**spec.env, **marks},
        "input": None if spec.input is None else spec.input.decode("utf-8", "surrogateescape"),
        "close_input": spec.close_input,
        "memo": None if spec.memo is None else spec.memo.decode("utf-8", "surrogateescape"),
        "spool_limit": spec.spool_limit,
        "ask_grace": spec.ask_grace,
        "terminate_grace": spec.terminate_grace,
        "leftover_grace": spec.leftover_grace,
        "terminal": spec.terminal,
    }
    return json.dumps(fields).encode()


def _open_document(text: bytes) -> tuple[int, tuple[int, bytes] | None]:
    """A descriptor to read `text` from, never on disk, and for a pipe (write end, text) that is still to be fed.

    Memory where the kernel has it: whole before the keeper starts, so our death cannot cut it.
    """
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("launch")
        with open(os.dup(fd), "wb") as file:
            file.write(text)
        os.lseek(fd, 0, os.SEEK_SET)
        return fd, None
    read, write = os.pipe()
    return read, (write, text)


def _feed(fd: int, text: bytes) -> None:
    with open(fd, "wb") as file, contextlib.suppress(BrokenPipeError):
        file.write(text)


def _spawn(run_dir: Path, *, stdin: int, ready: int) -> int:
    """The keeper's pid. posix_spawn takes half a millisecond; asyncio's subprocesses end when their loop does."""
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", str(KEEPER), str(run_dir)],
        {name: os.environ[name] for name in INHERITED if name in os.environ},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, stdin, 0),
            (os.POSIX_SPAWN_DUP2, ready, 1),
            (os.POSIX_SPAWN_DUP2, ready, 2),
        ],
        setsid=sys.platform == "linux",  # elsewhere the keeper does it itself, a few milliseconds later
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM),
    )


def _reap_later(pid: int) -> None:
    """Take the keeper's exit status when it ends, so that it is no zombie while we live."""
    loop = asyncio.get_running_loop()
    try:
        fd = os.pidfd_open(pid)
    except (AttributeError, OSError):
        loop.run_in_executor(None, _wait, pid)
        return

    def reap() -> None:
        loop.remove_reader(fd)
        os.close(fd)
        _wait(pid)

    loop.add_reader(fd, reap)


def _wait(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


async def _read_to_end(fd: int) -> str:
    """Everything until the other side lets go."""
    os.set_blocking(fd, False)
    loop = asyncio.get_running_loop()
    parts: list[bytes] = []
    while True:
        readable = asyncio.Event()
        loop.add_reader(fd, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(fd)
        part = os.read(fd, 65536)
        if not part:
            return b"".join(parts).decode("utf-8", "replace")
        parts.append(part)


def _connect(run_dir: Path) -> socket.socket:
    """A connected control socket, however deep the directory lies. Raises OSError when nobody listens."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        path = run_dir / "control"
        if len(os.fsencode(path)) <= SUN_PATH:
            sock.connect(str(path))
        elif os.path.isdir("/proc/self/fd"):
            folder = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY)
            try:
                sock.connect(f"/proc/self/fd/{folder}/control")
            finally:
                os.close(folder)
        else:
            with tempfile.TemporaryDirectory(dir="/tmp") as short:
                os.symlink(run_dir, f"{short}/run")
                sock.connect(f"{short}/run/control")
    except BaseException:
        sock.close()
        raise
    return sock


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
