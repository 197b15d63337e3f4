"""Servers set up to be measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import processes
from tests.bench.api import Api
from tests.bench.serve import READY

ROOMS, TOPICS = 8, 8  # topics in each room; so many people talk at once in different places


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running server and a client of its owner."""

    home: Path
    pid: int
    api: Api

    @property
    def port(self) -> int:
        return self.api.port


@contextmanager
def serving(home: Path, *, how: str = "whole", port: int = 0) -> Iterator[Served]:
    home.mkdir(parents=True, exist_ok=True)
    (home / READY).unlink(missing_ok=True)
    argv = processes.python("tests.bench.serve", str(home), str(port), how)
    with processes.running(argv, log=home / "bench.log") as process:
        told = processes.wait_json(home / READY, process)
        owner = (home / "owner.token").read_text().strip()
        yield Served(home=home, pid=process.pid, api=Api(told["port"], owner))


def busy_places(api: Api) -> list[dict[str, Any]]:
    """64 topics in 8 rooms, each with the agent `worker` in it, which is on no computer: what is sent stays."""
    api.post("/api/agents", agent_key="worker", runtime="demo")
    places = []
    for number in range(ROOMS):
        room = f"busy-{number}"
        api.post("/api/rooms", name=room)
        api.post(f"/api/rooms/{room}/agents", agent="worker")
        for topic in range(TOPICS):
            made = api.post(f"/api/rooms/{room}/topics", title=f"part {topic}")
            places.append({"room": room, "topic": made["topic"]["id"]})
    return places
