"""`pal cli send` as a person or an agent types it, through the daemon."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from tests.bench import processes
from tests.bench.daemons import working
from tests.bench.figure import Bench, Figure, Seen
from tests.bench.statistics import percentile

COMMAND = Figure(name="cli-send", what="`pal cli send` in all, p50", unit="ms", limit=150)
FIGURES = (COMMAND,)


def measure(bench: Bench) -> Iterator[Seen]:
    with working(bench.folder / "cli") as place:
        owner = place.server.api.token
        env = processes.environment(
            PAL_HOME=str(place.home), LOCK_DAEMON_URL=f"http://127.0.0.1:{place.local_port}", PAL_TOKEN=owner
        )
        place.command_agent("quiet", "/bin/true")  # a computer knows the rooms its agents are in
        sending, bare = [], []
        for number in range(bench.pick(40, quick=12) + 2):
            sent = _time(
                [str(Path(sys.executable).with_name("pal")), "cli", "send", "--room", "general", f"hi {number}"], env
            )
            started = _time([sys.executable, "-c", "pass"], env)
            if number >= 2:
                sending.append(sent)
                bare.append(started)
    p50 = percentile(sending, 0.5)
    facts = {
        "p50 ms": round(p50, 1),
        "p90 ms": round(percentile(sending, 0.9), 1),
        "bare python start p50 ms": round(percentile(bare, 0.5), 1),
        "in bare python starts": round(p50 / percentile(bare, 0.5), 1),
    }
    yield Seen(figure=COMMAND, value=p50, facts=dict(facts))


def _time(argv: list[str], env: dict[str, str]) -> float:
    begun = perf_counter()
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60)
    took = (perf_counter() - begun) * 1000
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr or done.stdout}")
    return took
