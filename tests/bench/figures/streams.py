"""Many agents that talk at once: what the daemon needs for them, and how soon people see what they say."""

import http.client
import json
import sys
from collections.abc import Iterator
from time import monotonic, sleep, time

from tests.bench.daemons import Working, working
from tests.bench.figure import Bench, Figure, Seen
from tests.bench.processes import cpu_seconds, resident
from tests.bench.statistics import median, percentile

CPU = Figure(name="streams-cpu", what="CPU of a daemon with 20 streaming runs", unit="cores", limit=1)
MEMORY = Figure(name="streams-memory", what="memory of a daemon with 20 streaming runs", unit="MB", limit=150)
LAG = Figure(name="streams-lag", what="said by a program → seen by a watcher, p99", unit="ms", limit=200)
FIGURES = (CPU, MEMORY, LAG)
RUNS = 20
RATE = 50  # lines a second of each run
START_FOR = 60.0  # seconds
TALK_FOR = 180  # seconds, should nobody end it
TALK = "import time\nfor _ in range({lines}):\n    print(time.time(), flush=True)\n    time.sleep(1 / {rate})\n"
END_FOR = 20.0  # seconds


def measure(bench: Bench) -> Iterator[Seen]:
    with working(bench.folder / "streams") as place:
        script = bench.folder / "talk.py"
        script.write_text(TALK.format(rate=RATE, lines=RATE * TALK_FOR))
        runs = _start(place, f"{sys.executable} {script}")
        try:
            before, since = cpu_seconds(place.daemon), monotonic()
            lags = _watch(place, runs[0], seconds=float(bench.pick(10, quick=3)))
            cores = (cpu_seconds(place.daemon) - before) / (monotonic() - since)
            memory = resident(place.daemon)
        finally:
            _end(place, runs)
    facts = {"lines a second": RUNS * RATE}
    yield Seen(figure=CPU, value=cores, facts=dict(facts))
    yield Seen(figure=MEMORY, value=memory, facts=dict(facts))
    yield Seen(figure=LAG, value=percentile(lags, 0.99) * 1000, facts={"p50 ms": round(median(lags) * 1000)})


def _start(place: Working, command: str) -> list[int]:
    """The runs, all at work."""
    api = place.server.api
    computer = api.get("/api/computers")["computers"][0]["id"]
    fields = {"agent_key": "talker", "runtime": "command", "command": command, "concurrency": RUNS}
    api.post("/api/agents", computer_id=computer, **fields)
    api.post("/api/rooms", name="streams")
    api.post("/api/rooms/streams/agents", agent="talker")
    for number in range(RUNS):
        topic = api.post("/api/rooms/streams/topics", title=f"talk {number}")["topic"]["id"]
        api.post("/api/messages", room="streams", topic=topic, content="@talker go")
    until = monotonic() + START_FOR
    while monotonic() < until:
        running = [run["id"] for run in api.get("/api/runs", status="running", limit=100)["runs"]]
        if len(running) == RUNS:
            return running
        sleep(0.1)
    raise TimeoutError("the runs did not start")


def _end(place: Working, runs: list[int]) -> None:
    """Keepers outlive the daemon, so their agents are ended while it is there."""
    api = place.server.api
    for run in runs:
        api.post(f"/api/runs/{run}/kill")
    until = monotonic() + END_FOR
    while api.get("/api/runs", status="running", limit=1)["runs"] and monotonic() < until:
        sleep(0.1)


def _watch(place: Working, run: int, *, seconds: float) -> list[float]:
    """Seconds between a line and its arrival here, for the oldest line of each event."""
    connection = http.client.HTTPConnection("127.0.0.1", place.server.port, timeout=30)
    after = place.server.api.get(f"/api/runs/{run}")["run"]["last_seq"]
    headers = {"Authorization": f"Bearer {place.server.api.token}", "Accept": "text/event-stream"}
    connection.request("GET", f"/api/runs/{run}/events?after={after}", headers=headers)
    response = connection.getresponse()
    until = monotonic() + seconds
    lags: list[float] = []
    while monotonic() < until and (line := response.readline()):
        if line.startswith(b"data:") and b'"output"' in line:
            event = json.loads(line[5:])
            lags.append(time() - float(event["text"].split()[0]))
    connection.close()
    return lags
