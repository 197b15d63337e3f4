"""Opening a topic in which very much was said and done: its end in one request, to a server that has just begun."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from tests.bench.api import Api
from tests.bench.figure import Bench, Figure, Seen
from tests.bench.places import serving
from tests.bench.statistics import percentile

TAIL = Figure(
    name="topic-tail",
    what="first load of a topic with 100,000 messages and a run of 100,000 events, its last words of a person far up",
    unit="ms",
    limit=1_000,
)
FIGURES = (TAIL,)
COUNTED = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "


def measure(bench: Bench) -> Iterator[Seen]:
    home, number = bench.folder / "topic-tail", bench.pick(100_000, quick=10_000)
    with serving(home) as server:
        topic, run = _begin(server.api)
    _fill(home / "lock.sqlite", topic=topic, run=run, number=number)
    with serving(home) as server:
        first, tail = _timed(server.api, f"/api/topics/{topic}/tail")
        again = [_timed(server.api, f"/api/topics/{topic}/tail")[0] for _ in range(50)]
        earlier, _ = _timed(server.api, f"/api/runs/{run}/events", before=tail["events_before"], limit=200)
        bare = [_timed(server.api, "/api/version")[0] for _ in range(50)]
    if tail["last_said"]["content"] != "@worker go" or len(tail["events"]) != 100:
        raise RuntimeError("the tail is not the whole tail")
    facts = {
        "then p50 ms": round(percentile(again, 0.5), 1),
        "an earlier page ms": round(earlier, 1),
        "a bare request p50 ms": round(percentile(bare, 0.5), 1),
    }
    bench.note(f"first {first:.1f} ms, {facts}")
    yield Seen(figure=TAIL, value=first, facts=dict(facts))


def _timed(api: Api, path: str, **query: object) -> tuple[float, dict]:
    """Milliseconds until the answer was there, and the answer."""
    begun = perf_counter()
    answer = api.get(path, **query)
    return (perf_counter() - begun) * 1000, answer


def _begin(api: Api) -> tuple[int, int]:
    """A topic, and its one run, which has ended."""
    computer = api.post("/api/computers/provision", name="bench")
    api.post("/api/agents", agent_key="worker", runtime="demo", computer_id=computer["computer"]["id"])
    api.post("/api/rooms", name="long")
    api.post("/api/rooms/long/agents", agent="worker")
    topic = api.post("/api/rooms/long/topics", title="long")["topic"]["id"]
    api.post("/api/messages", room="long", topic=topic, content="@worker go")
    daemon = api.as_computer(computer["api_key"])
    (claimed,) = daemon.post("/api/deliveries/claim", limit=1)["deliveries"]
    lease = {"lease_id": claimed["lease"]["id"], "fence": claimed["lease"]["fence"]}
    run = daemon.post("/api/runs", delivery_id=claimed["id"], **lease)["run"]["id"]
    daemon.post(f"/api/runs/{run}/finish", status="succeeded", text="done", **lease)
    return topic, run


def _fill(path: Path, *, topic: int, run: int, number: int) -> None:
    db = sqlite3.connect(path)
    try:
        db.execute(
            COUNTED + "INSERT INTO messages (workspace_id, room_id, topic_id, seq, kind, sender_kind, sender,"
            " sender_name, sender_origin, sender_key, content, mentions, unresolved, files, hop, created_at)"
            " SELECT m.workspace_id, m.room_id, m.topic_id, m.seq + 100 + n.i, 'text', 'agent', 'worker', 'worker',"
            " '', 'agent:worker', 'step ' || n.i || ' ' || hex(zeroblob(100)), '[]', '[]', '[]', 0, m.created_at"
            " FROM n, messages m WHERE m.id = (SELECT MIN(id) FROM messages WHERE topic_id = ?)",
            (number, topic),
        )
        db.execute(
            COUNTED + "INSERT INTO run_events (run_id, seq, kind, at, lane, text, data)"
            " SELECT ?, 1000 + n.i, 'message', 1, 'main', hex(zeroblob(50)), '{}' FROM n",
            (number, run),
        )
        db.execute(
            "UPDATE rooms SET seq = (SELECT MAX(seq) FROM messages m WHERE m.room_id = rooms.id) WHERE name = 'long'"
        )
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()
