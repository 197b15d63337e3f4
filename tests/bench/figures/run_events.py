"""Events of runs, uploaded in batches as daemons do."""

from collections.abc import Iterator
from typing import Any

from tests.bench.figure import Bench, Figure, Seen
from tests.bench.places import Served, serving
from tests.bench.processes import exchange, python
from tests.bench.statistics import median

RUN_EVENTS = Figure(
    name="run-events", what="run events taken in, of 8 runs in batches of 200", unit="/s", limit=20_000, is_least=True
)
FIGURES = (RUN_EVENTS,)
RUNS, BATCH = 8, 200


def measure(bench: Bench) -> Iterator[Seen]:
    with serving(bench.folder / "run-events") as server:
        computer = server.api.post("/api/computers/provision", name="bench")
        runs = _runs(server, computer)
        rates, waits = [], []
        for number in range(bench.pick(6, quick=3)):
            order = {
                "kind": "events",
                "port": server.port,
                "token": computer["api_key"],
                "clients": [{**run, "seq": number * 10_000_000} for run in runs],
                "batch": BATCH,
                "seconds": 2.0,
            }
            seen = exchange(python("tests.bench.load"), order, within=60)
            if seen["failed"]:
                raise RuntimeError(f"{seen['failed']} batches failed: {seen['failure']}")
            rates.append(seen["answers"] * BATCH / seen["seconds"])
            waits.append(seen["p99_ms"])
            bench.note(f"round {number + 1}: {rates[-1]:,.0f}/s")
    facts = {"batch p99 ms": round(median(waits), 1), "slowest round /s": round(min(rates))}
    yield Seen(figure=RUN_EVENTS, value=median(rates[1:]), facts=dict(facts))


def _runs(server: Served, computer: dict[str, Any]) -> list[dict[str, Any]]:
    """Live runs under leases of the computer."""
    api = server.api
    api.post(
        "/api/agents", agent_key="worker", runtime="demo", computer_id=computer["computer"]["id"], concurrency=RUNS
    )
    api.post("/api/rooms", name="events")
    api.post("/api/rooms/events/agents", agent="worker")
    for number in range(RUNS):
        topic = api.post("/api/rooms/events/topics", title=f"run {number}")["topic"]["id"]
        api.post("/api/messages", room="events", topic=topic, content="@worker go")
    daemon = api.as_computer(computer["api_key"])
    runs = []
    for claimed in daemon.post("/api/deliveries/claim", limit=RUNS)["deliveries"]:
        lease = {"lease_id": claimed["lease"]["id"], "fence": claimed["lease"]["fence"]}
        opened = daemon.post("/api/runs", delivery_id=claimed["id"], **lease)
        runs.append({"id": opened["run"]["id"], **lease})
    assert len(runs) == RUNS, f"only {len(runs)} runs"
    return runs
