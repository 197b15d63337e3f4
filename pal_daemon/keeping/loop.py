"""While the agent runs: one loop that moves the agent's bytes, does what clients ask, and ends the whole tree.

States: running → (main process gone) clearing up → over. `asked` says who wanted the end: none, stop, kill, or
terminate (a SIGTERM to the keeper itself). The exit record is the last one, written when nothing of the run is alive
any more or after ten seconds at most, whoever still holds the pipes.

An agent with a terminal prints to the tail and not to the spool, which then tells of its life alone; what is typed
leaves no receipt. A stop begins with SIGHUP, as a terminal's end does: a shell hears nothing else.
"""

from __future__ import annotations

import os
import resource
import select
import sys
import time

from pal_daemon.keeping import frames
from pal_daemon.keeping.agent_input import AgentInput
from pal_daemon.keeping.agent_process import resize
from pal_daemon.keeping.control import Control
from pal_daemon.keeping.leftovers import Leftovers, kill_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal

    from pal_daemon.keeping.agent_process import AgentProcess
    from pal_daemon.keeping.document import Document
    from pal_daemon.keeping.requests import Request
    from pal_daemon.keeping.spool_writer import SpoolWriter
    from pal_daemon.keeping.tail_writer import TailWriter
else:
    import _signal as signal  # the public module builds enums: 3 ms

CHUNK = 65536  # bytes read at once: what a pipe holds
LOOK = 0.05  # seconds between looks at what is left over
RETRY = 0.5  # seconds between tries on a full disk
DRAIN = 16 << 20  # bytes read from a pipe after everybody is gone; more can only come from outside the run
MAY_SEND = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGSTOP", "SIGCONT", "SIGKILL", "SIGWINCH")


class Loop:
    """Made once the agent runs; `run` returns after its exit record is written."""

    def __init__(
        self,
        agent: AgentProcess,
        document: Document,
        spool: SpoolWriter,
        *,
        tail: TailWriter | None = None,
        wakes: int,
        gets_orphans: bool,
    ) -> None:
        """`tail` is there for an agent with a terminal. `wakes` is the read end of the signal wake-up pipe, watched
        for SIGCHLD and SIGTERM.

        `gets_orphans`: whoever loses his parent below us becomes our child (a subreaper, Linux only).
        """
        self._agent = agent
        self._document = document
        self._spool = spool
        self._tail = tail
        self._wakes = wakes
        self._gets_orphans = gets_orphans
        self._began = time.monotonic()
        self._poll = select.poll()
        self._poll.register(wakes, select.POLLIN)
        self._outputs = {agent.stdout: frames.STDOUT}
        if agent.stderr >= 0:
            self._outputs[agent.stderr] = frames.STDERR
        for fd in self._outputs:
            self._poll.register(fd, select.POLLIN)
        self._input = AgentInput(agent.stdin)
        self._poll.register(agent.stdin, 0)  # errors are told unasked: the agent closed its side
        self.control = Control(self._poll, self._answer)
        self._status: int | None = None  # of the main process, as wait4 gives it
        self._asked = "none"
        self._steps: list[tuple[float, str]] = []  # what a stop still has to do, and when
        self._leftovers: Leftovers | None = None
        self._retry_at = 0.0

    def run(self) -> None:
        if self._document.input is not None:
            self._input.put("launch", self._document.input)
        if self._document.close_input:
            self._input.end()
        self._move_input()
        self._reap()  # an agent quicker than the wake-up pipe
        while not self._is_over():
            for fd, event in self._poll.poll(self._timeout()):
                self._on_event(fd, event)
            self._on_time(time.monotonic())
            self.control.tell_size(self._size)
        self._finish()

    # Bytes

    def _on_event(self, fd: int, event: int) -> None:
        if fd in self._outputs:
            self._read_output(fd)
        elif fd == self._wakes:
            self._on_signal()
        elif fd == self._input.fd:
            self._move_input(is_broken=bool(event & (select.POLLERR | select.POLLHUP)))
        else:
            self.control.on_event(fd, event)

    def _read_output(self, fd: int) -> int:
        """One chunk to the spool; its length, 0 at the end of the pipe, -1 when there is nothing now."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return -1
        except OSError:  # a terminal nobody holds any more says it this way
            data = b""
        if data and self._tail is not None:
            self._tail.output(data)
        elif data:
            self._spool.output(self._outputs[fd], data)
        else:
            self._poll.unregister(fd)
            del self._outputs[fd]
            os.close(fd)
        return len(data)

    def _move_input(self, *, is_broken: bool = False) -> None:
        if self._input.fd < 0:
            return
        try:
            for name, length in self._input.write():
                if self._tail is None:
                    self._spool.tell(frames.INPUT, {"id": name, "bytes": length})
        except OSError:
            is_broken = True
        if is_broken or self._input.is_finished:
            self._close_input()
        else:
            self._poll.modify(self._input.fd, select.POLLOUT if self._input.wants_to_write else 0)

    def _close_input(self) -> None:
        if self._input.fd >= 0:
            self._poll.unregister(self._input.fd)
        for name in self._input.close():
            self._spool.tell(frames.NOTE, {"kind": "input_lost", "id": name})

    # What clients ask

    def _answer(self, request: Request) -> str:
        match request.verb:
            case "input":
                return self._take_input(request.argument, request.body)
            case "close-input":
                self._input.end()
                self._move_input()
            case "signal":
                if request.argument not in MAY_SEND:
                    return "error bad_signal " + " ".join(MAY_SEND)
                if not self._signal_group(request.argument, why="signal"):
                    return "error ended the agent has ended"
            case "resize":
                if self._tail is None or self._agent.stdout not in self._outputs:
                    return "error ended the agent has no terminal, or not any more"
                cols, rows = request.argument.split(" ")
                resize(self._agent.stdout, cols=int(cols), rows=int(rows))
            case "stop":
                self._stop("stop")
            case "kill":
                self._kill("kill")
        return "ok " + frames.pack_facts(self._facts()).decode()

    def _take_input(self, name: str, data: bytes) -> str:
        outcome = self._input.put(name, data)
        if outcome == "closed":
            return "error closed the agent's input is closed"
        if outcome == "full":
            return "error full the agent is not reading; what waits for it is at its limit"
        self._move_input()
        return "ok " + frames.pack_facts({"state": outcome, **self._facts()}).decode()

    def _facts(self) -> frames.Facts:
        return {
            "agent": self._agent.pid,
            "is_running": self._status is None,
            "asked": self._asked,
            "is_input_open": self._input.is_open,
            "waiting": self._input.waiting,
            "size": self._size,
            "dropped": self._dropped,
            "is_disk_full": self._spool.is_stuck,
        }

    @property
    def _size(self) -> int:
        """What watchers wait for: bytes of the spool, or of what the terminal printed."""
        return self._spool.size if self._tail is None else self._tail.size

    @property
    def _dropped(self) -> int:
        return self._spool.dropped + (0 if self._tail is None else self._tail.dropped)

    def _stop(self, why: str) -> None:
        """SIGINT (SIGHUP of a terminal), a grace, SIGTERM, a grace, SIGKILL. Asking again changes nothing."""
        if self._asked != "none" or self._status is not None:
            return
        self._asked = why
        terminate_at = time.monotonic() + self._document.ask_grace
        self._steps = [(terminate_at, "terminate"), (terminate_at + self._document.terminate_grace, "kill")]
        self._signal_group("SIGINT" if self._tail is None else "SIGHUP", why=why)

    def _kill(self, why: str) -> None:
        if why == "kill" and self._status is None:
            self._asked = why
        self._steps = []
        if self._leftovers is not None:
            self._leftovers.force(time.monotonic())
            return
        self._signal_group("SIGKILL", why=why)
        self._note_left_over("SIGKILL", [pid for pid in kill_below() if pid != self._agent.pid])

    def _signal_group(self, name: str, *, why: str) -> bool:
        if self._status is not None:
            return False
        os.killpg(self._agent.pid, getattr(signal, name))
        if name in ("SIGHUP", "SIGINT", "SIGTERM"):
            os.killpg(self._agent.pid, signal.SIGCONT)  # a stopped agent hears nothing else
        self._spool.tell(frames.NOTE, {"kind": "signal", "signal": name, "to": "group", "why": why})
        return True

    def _note_left_over(self, name: str, pids: list[int]) -> None:
        if pids:
            self._spool.tell(frames.NOTE, {"kind": "left_over", "signal": name, "pids": pids})

    # Time and children

    def _timeout(self) -> float | None:
        """Milliseconds until something is due; None when only an event can bring news."""
        due = [at for at, _ in self._steps]
        now = time.monotonic()
        if self._leftovers is not None:
            due.append(now + LOOK)
        if self._spool.is_stuck:
            due.append(max(self._retry_at, now))
        return max(0.0, min(due) - now) * 1000 if due else None

    def _on_time(self, now: float) -> None:
        while self._steps and now >= self._steps[0][0]:
            _, step = self._steps.pop(0)
            if step == "terminate":
                self._signal_group("SIGTERM", why=self._asked)
                self._close_input()
            else:
                self._kill(self._asked)
        if self._spool.is_stuck and now >= self._retry_at:
            self._spool.retry()
            self._retry_at = now + RETRY

    def _on_signal(self) -> None:
        numbers = os.read(self._wakes, 512)
        if signal.SIGTERM in numbers:
            self._stop("terminate")
        self._reap()

    def _reap(self) -> None:
        """Take every dead child; with the main process the clearing up begins."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._agent.pid:
                self._status = status
                self._ended = time.monotonic()
                self._steps = []
                grace = 0.0 if self._asked == "kill" else self._document.leftover_grace
                group = 0 if self._gets_orphans else pid
                self._leftovers = Leftovers(group=group, now=self._ended, grace=grace)

    def _is_over(self) -> bool:
        if self._leftovers is None:
            return False
        noted: list[tuple[str, list[int]]] = []
        is_clear = self._leftovers.step(time.monotonic(), noted)
        for name, pids in noted:
            self._note_left_over(name, pids)
        return is_clear

    # The end

    def _finish(self) -> None:
        """Take what is still in the pipes, then say how it ended."""
        for fd in list(self._outputs):
            taken = 0
            while taken < DRAIN and (length := self._read_output(fd)) > 0:
                taken += length
        self._close_input()
        self._spool.tell_dropped()
        self._spool.tell(frames.EXIT, self._exit_facts())
        self.control.tell_size(self._size)

    def _exit_facts(self) -> frames.Facts:
        status = self._status or 0
        used = resource.getrusage(resource.RUSAGE_CHILDREN)  # everything that was reaped, grandchildren too
        return {
            "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "asked": self._asked,
            "user_ms": int(used.ru_utime * 1000),
            "system_ms": int(used.ru_stime * 1000),
            "max_rss_kib": used.ru_maxrss // 1024 if sys.platform == "darwin" else used.ru_maxrss,
            "wall_ms": int((self._ended - self._began) * 1000),
            "dropped": self._dropped,
            "start_error": None,
            "detail": None,
        }
