"""A thousand watchers of a busy room: how long after it was stored everybody has an event."""

import json
import subprocess
from collections.abc import Iterator
from time import monotonic, sleep

from tests.bench import processes
from tests.bench.figure import Bench, Figure, Seen
from tests.bench.places import serving

WATCHERS = Figure(
    name="watchers", what="1,000 watchers of a busy room: stored → the reader has it, p99", unit="ms", limit=250
)
FIGURES = (WATCHERS,)
MANY = 1_000
A_SECOND = 10  # messages


def measure(bench: Bench) -> Iterator[Seen]:
    with serving(bench.folder / "watchers") as server:
        server.api.post("/api/rooms", name="busy")
        watching = subprocess.Popen(
            processes.python("tests.bench.watch"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=processes.environment(),
        )
        try:
            assert watching.stdout is not None
            processes.say(
                watching.stdin, json.dumps({"port": server.port, "token": server.api.token, "watchers": MANY})
            )
            if watching.stdout.readline() != b"ready\n":
                raise RuntimeError("the watchers could not all connect")
            messages = A_SECOND * bench.pick(12, quick=4)
            begun = monotonic()
            for number in range(messages):
                server.api.post("/api/messages", room="busy", content=f"message {number} of a busy room")
                sleep(max(0.0, begun + (number + 1) / A_SECOND - monotonic()))
            processes.say(watching.stdin, "stop")
            seen = json.loads(watching.stdout.readline())
        finally:
            processes.end(watching)
    if seen["fewest"] != messages or seen["most"] != messages:
        raise RuntimeError(f"of {messages} events the watchers had {seen['fewest']} to {seen['most']}")
    facts = {
        "p50 ms": round(seen["p50_ms"], 1),
        "p99 ms": round(seen["p99_ms"], 1),
        "slowest ms": round(seen["most_ms"], 1),
        "messages a second": A_SECOND,
    }
    yield Seen(figure=WATCHERS, value=seen["p99_ms"], facts=dict(facts))
