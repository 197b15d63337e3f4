"""A server and a daemon with the demo agent in a home that is gone afterwards, on 127.0.0.1 alone."""

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from pal_cli.supervised import SUPERVISOR
from pal_server.client.sync import ApiProblem, Client, Unreachable

READY_WITHIN = 240.0  # seconds
LOOK_EVERY = 0.05  # seconds
PORTS = range(32_000, 32_760)
END_WITHIN = 60.0  # seconds for the daemon to end what it started
AGENT = "echo"
ROOMS = tuple(f"chaos-{number}" for number in range(8))  # a room answers one message after another

Json = dict[str, Any]


class NotReady(Exception):
    """A part did not start; the message has the end of its log."""


class Throwaway:
    """`with Throwaway() as pal:` both parts run. What was started ends with the block, and its files go."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pal-chaos-", ignore_cleanup_errors=True)
        self.home = Path(self._folder.name)
        self._port, self._local_port = _free_ports(2)
        self.url = f"http://127.0.0.1:{self._port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAL_", "LOCK_"))}
        self._env = {**kept, "PAL_HOME": str(self.home), SUPERVISOR: str(os.getpid())}
        self._parts: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Throwaway":
        try:
            self.start("server")
            self._set_up()
            self.start("daemon")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    @property
    def token(self) -> str:
        return (self.home / "owner.token").read_text("utf-8").strip()

    def call(
        self, method: str, path: str, *, body: Json | None = None, query: Json | None = None, timeout: float = 60.0
    ) -> Json:
        """One request as the owner. `ApiProblem` when it is refused, `Unreachable` when no answer comes."""
        return Client(self.url, self.token, timeout=timeout).call(method, path, body=body, query=query)

    def all_of(self, what: str, **query: object) -> list[Json]:
        """Every row of a list of the API."""
        found: list[Json] = []
        asked: Json = {"limit": 200, **query}
        while True:
            page = self.call("GET", f"/api/{what}", query=asked)
            found += page[what]
            if page["next"] is None:
                return found
            asked["after"] = page["next"]

    def start(self, part: str) -> None:
        """Start it and wait until it works; `NotReady` when it does not."""
        argv = {
            "server": ["server", "run", "--port", str(self._port)],
            "daemon": ["daemon", "--server", self.url, "--interval", "500", "--local-port", str(self._local_port)],
        }[part]
        with open(self._log(part), "ab") as log:
            self._parts[part] = subprocess.Popen(
                [sys.executable, "-m", "pal_cli.supervised", *argv],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait(part, self._is_up if part == "server" else self._is_connected)

    def kill(self, part: str) -> None:
        """SIGKILL, and it is gone when this returns."""
        self._parts[part].kill()
        self._parts[part].wait()

    def kill_a_bridge(self, chance: random.Random) -> bool:
        """SIGKILL for one of the processes the server has started for chat platforms; False when there is none."""
        found = _bridges_of(self._parts["server"].pid)
        if found:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(found), signal.SIGKILL)
        return bool(found)

    def pause(self, part: str, seconds: float) -> None:
        """It stands still for as long, and goes on as if nothing had been."""
        self._parts[part].send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._parts[part].send_signal(signal.SIGCONT)

    def _set_up(self) -> None:
        given = self.call("POST", "/api/computers/provision", body={"name": "chaos"})
        self._env["PAL_API_KEY"] = given["api_key"]
        agent = {"agent_key": AGENT, "runtime": "demo", "computer_id": given["computer"]["id"], "concurrency": 4}
        self.call("POST", "/api/agents/onboard", body=agent)
        for room in ROOMS:
            self.call("POST", "/api/rooms", body={"name": room})
            self.call("POST", f"/api/rooms/{room}/agents", body={"agent": AGENT, "mode": "mentions"})

    def _is_up(self) -> bool:
        try:
            self.call("GET", "/api/me", timeout=2)
        except (OSError, ApiProblem, Unreachable):  # OSError: the token's file is not there yet
            return False
        return True

    def _is_connected(self) -> bool:
        try:
            token = (self.home / "daemon" / "token").read_text("utf-8").strip()
            health = Client(f"http://127.0.0.1:{self._local_port}", token, timeout=2).call("GET", "/health")
        except (OSError, ApiProblem, Unreachable):
            return False
        return health.get("pid") == self._parts["daemon"].pid and health.get("connected") is True

    def _wait(self, part: str, is_ready: Callable[[], bool]) -> None:
        until = time.monotonic() + READY_WITHIN
        while not is_ready():
            if self._parts[part].poll() is not None or time.monotonic() > until:
                tail = self._log(part).read_text("utf-8", "replace").splitlines()[-5:]
                raise NotReady(f"the {part} does not start: " + " / ".join(tail))
            time.sleep(LOOK_EVERY)

    def _log(self, part: str) -> Path:
        return self.home / f"{part}.log"

    def _end(self) -> None:
        for part in ("daemon", "server"):
            process = self._parts.get(part)
            if process is None:
                continue
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_WITHIN)
            process.kill()
            process.wait()
        self._folder.cleanup()


def _bridges_of(server: int) -> list[int]:
    """Where the kernel tells of processes: the server's children that hold bots."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            is_child = f"PPid:\t{server}\n" in status.read_text("utf-8")
            if is_child and b"pal_server.bridges.run" in status.with_name("cmdline").read_bytes():
                found.append(int(status.parent.name))
    return found


def _free_ports(count: int) -> list[int]:
    """Ports that stay free while their server is dead: none that a system gives to outgoing connections."""
    found: list[int] = []
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise NotReady(f"no {count} ports are free between {PORTS.start} and {PORTS.stop}")
