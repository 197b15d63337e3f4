"""Live runs whose events a measurement writes itself, as a daemon would."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from tests.bench.api import Api
from tests.bench.places import Served

BATCH = 200  # events of one request at most
AGENT = "worker"


class Talk:
    """One live run. Each batch is a little of everything an agent says: words, a tool, what came of it."""

    def __init__(self, daemon: Api, run: dict[str, Any]) -> None:
        self._daemon = daemon
        self._lease = {"lease_id": run["lease_id"], "fence": run["fence"]}
        self.id: int = run["id"]
        self.topic: int = run["topic"]
        self.seq = 0

    def add(self, count: int) -> None:
        for _ in range(0, count, BATCH):
            events = [self._event(self.seq + number + 1) for number in range(min(BATCH, count))]
            self._daemon.post(f"/api/runs/{self.id}/events", events=events, **self._lease)
            self.seq += len(events)

    def finish(self, text: str) -> None:
        self._daemon.post(f"/api/runs/{self.id}/finish", exit_code=0, text=text, **self._lease)

    @staticmethod
    def _event(seq: int) -> dict[str, Any]:
        turn = seq // 10
        match seq % 10:
            case 0:
                data = {
                    "id": f"tool-{turn}",
                    "kind": "execute",
                    "title": f"pytest tests/part_{turn}.py",
                    "name": "Bash",
                }
                return {"seq": seq, "source": seq * 100, "kind": "tool_call", "data": data}
            case 1 if turn:
                data = {"id": f"tool-{turn}", "status": "ok"}
                return {
                    "seq": seq,
                    "source": seq * 100,
                    "kind": "tool_result",
                    "text": "12 passed in 0.4 s",
                    "data": data,
                }
            case _:
                said = f"**Part {seq}** was looked at; `resume()` goes first. " + ("\n\n" if seq % 10 == 9 else "")
                return {
                    "seq": seq,
                    "source": seq * 100,
                    "kind": "message",
                    "text": said,
                    "data": {"id": f"m{turn // 20}"},
                }


def begin(server: Served, *, runs: int, room: str = "talk") -> list[Talk]:
    """Live runs, each in a topic of its own, under leases of a computer that is nothing but this process."""
    api = server.api
    computer = api.post("/api/computers/provision", name=room)
    api.post("/api/agents", agent_key=AGENT, runtime="demo", computer_id=computer["computer"]["id"], concurrency=runs)
    api.post("/api/rooms", name=room)
    api.post(f"/api/rooms/{room}/agents", agent=AGENT)
    for number in range(runs):
        topic = api.post(f"/api/rooms/{room}/topics", title=f"run {number}")["topic"]["id"]
        api.post("/api/messages", room=room, topic=topic, content=f"@{AGENT} go, the last words of a person")
    daemon = api.as_computer(computer["api_key"])
    talks = []
    for claimed in daemon.post("/api/deliveries/claim", limit=runs)["deliveries"]:
        lease = {"lease_id": claimed["lease"]["id"], "fence": claimed["lease"]["fence"]}
        opened = daemon.post("/api/runs", delivery_id=claimed["id"], **lease)["run"]
        talks.append(Talk(daemon, {**opened, **lease}))
    assert len(talks) == runs, f"only {len(talks)} runs"
    return talks


@contextmanager
def talking(talks: list[Talk], *, batch: int, every: float) -> Iterator[None]:
    """Each run says `batch` events, again after `every` seconds, for as long as the block runs."""
    ended = threading.Event()

    def talk() -> None:
        due = monotonic()
        while not ended.is_set():
            for one in talks:
                one.add(batch)
            due += every
            sleep(max(0.0, due - monotonic()))

    thread = threading.Thread(target=talk, name="talk")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
