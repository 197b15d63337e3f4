"""From a stored message to the agent's process, with the runtime `command` on one machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from time import monotonic, perf_counter, sleep, time_ns

from tests.bench.daemons import Working, working
from tests.bench.figure import Bench, Figure, Seen
from tests.bench.statistics import percentile

P50 = Figure(name="start-p50", what="message stored → agent process started, p50", unit="ms", limit=40)
P99 = Figure(name="start-p99", what="message stored → agent process started, p99", unit="ms", limit=150)
FIGURES = (P50, P99)
PROGRAM = "/bin/date"  # says when it ran; about a millisecond after it was started
ANSWER_FOR = 30.0  # seconds
STILL_FOR = 0.06  # seconds of silence after a send, so that asking does not disturb what is measured


def measure(bench: Bench) -> Iterator[Seen]:
    with working(bench.folder / "start") as place:
        place.command_agent("clock", f"{PROGRAM} +%s%N")
        took, spawns, starts = [], [], []
        for number in range(bench.pick(200, quick=40) + 5):
            ran = _one(place, number)
            if number >= 5:  # the first ones load what later ones have
                took.append(ran)
                spawns.append(_bare_spawn())
                starts.append(_bare_start())
    facts = {
        "p50 ms": round(percentile(took, 0.5), 1),
        "p90 ms": round(percentile(took, 0.9), 1),
        "p99 ms": round(percentile(took, 0.99), 1),
        "bare spawn of the program p50 ms": round(percentile(spawns, 0.5), 1),
        "bare python -I -S p50 ms": round(percentile(starts, 0.5), 1),
        "p50 in bare interpreter starts": round(percentile(took, 0.5) / percentile(starts, 0.5), 1),
        "messages": len(took),
    }
    yield Seen(figure=P50, value=percentile(took, 0.5), facts=dict(facts))
    yield Seen(figure=P99, value=percentile(took, 0.99))


def _one(place: Working, number: int) -> float:
    """Milliseconds from the moment the message has in its row to the moment the program says."""
    api = place.server.api
    message = api.post("/api/messages", room="general", content=f"@clock {number}")["message"]
    sleep(STILL_FOR)
    until = monotonic() + ANSWER_FOR
    while monotonic() < until:
        for said in api.get("/api/messages", room="general", after=message["id"])["messages"]:
            if said["sender"]["name"] == "clock":
                return int(said["content"]) / 1e6 - int(message["created_at"])
        sleep(0.02)
    raise TimeoutError(f"no answer to message {message['id']}")


def _bare_spawn() -> float:
    begun = time_ns()
    told = subprocess.run([PROGRAM, "+%s%N"], stdout=subprocess.PIPE, check=True).stdout
    return (int(told) - begun) / 1e6


def _bare_start() -> float:
    begun = perf_counter()
    pid = os.posix_spawn(sys.executable, [sys.executable, "-I", "-S", "-c", "pass"], {})
    os.waitpid(pid, 0)
    return (perf_counter() - begun) * 1000
