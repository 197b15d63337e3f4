"""A real daemon of a computer with command agents, beside a server that is measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from tests.bench import processes
from tests.bench.places import Served, serving

ONLINE_FOR = 30.0  # seconds a daemon may take to be there


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """A server and a daemon that is connected to it."""

    server: Served
    daemon: int  # pid
    home: Path  # of the daemon
    local_port: int

    def command_agent(self, key: str, command: str) -> None:
        """An agent in the room general that runs `command` for each message to it."""
        computer = self.server.api.get("/api/computers")["computers"][0]["id"]
        self.server.api.post("/api/agents", agent_key=key, runtime="command", command=command, computer_id=computer)
        members = self.server.api.get("/api/rooms/general/members")["members"]
        if key not in [member["name"] for member in members]:
            self.server.api.post("/api/rooms/general/agents", agent=key)


@contextmanager
def working(folder: Path) -> Iterator[Working]:
    with serving(folder / "server") as server:
        given = server.api.post("/api/computers/provision", name="bench")
        home, port = folder / "daemon", processes.free_port()
        home.mkdir()
        argv = processes.python(
            "pal_cli.main",
            *("daemon", "--server", f"http://127.0.0.1:{server.port}"),
            *("--api-key", given["api_key"], "--local-port", str(port)),
        )
        with processes.running(argv, log=home / "bench.log", env=processes.environment(PAL_HOME=str(home))) as process:
            _wait_online(server)
            yield Working(server=server, daemon=process.pid, home=home, local_port=port)


def _wait_online(server: Served) -> None:
    until = monotonic() + ONLINE_FOR
    while server.api.get("/api/computers")["computers"][0]["status"] != "online":
        if monotonic() > until:
            raise TimeoutError("the daemon did not come")
        sleep(0.05)
