"""Files in a large repository, found through its computer's daemon, over HTTP, one question after the other."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep

from tests.bench.api import Api
from tests.bench.daemons import working
from tests.bench.figure import Bench, Fact, Figure, Seen
from tests.bench.statistics import percentile

FILES = Figure(
    name="file-search",
    what="a file among 50,000 in a repository, found through the daemon, p99 of the slowest kind of question",
    unit="ms",
    limit=500,
)
FIGURES = (FILES,)
COUNT = 50_000
REACHED_WITHIN = 30.0  # seconds
QUESTIONS = {"name": "module_17", "two words": "part_3 module_9", "letters": "mdl42", "nothing": "zzzq"}


def measure(bench: Bench) -> Iterator[Seen]:
    count = bench.pick(COUNT, quick=COUNT // 5)
    folder = bench.folder / "repository"
    _fill(folder, count=count)
    with working(bench.folder / "file-search") as here:
        here.command_agent("finder", "true")
        api = here.server.api
        api.post("/api/agents", agent_key="finder", cwd=str(folder))
        topic = api.post("/api/messages", room="general", content="here")["message"]["topic"]
        path = f"/api/topics/{topic}/paths"
        total, first = _first(api, path)
        facts: dict[str, Fact] = {"files": total, "first look, ms": round(first)}
        worst = 0.0
        for kind, q in QUESTIONS.items():
            took = []
            for _ in range(bench.pick(100, quick=30)):
                begun = perf_counter()
                api.get(path, agent="finder", q=q, limit=8)
                took.append((perf_counter() - begun) * 1000)
            facts[kind] = f"p50 {percentile(took, 0.5):.1f} ms, p99 {percentile(took, 0.99):.1f} ms"
            worst = max(worst, percentile(took, 0.99))
        yield Seen(figure=FILES, value=worst, facts=facts)


def _first(api: Api, path: str) -> tuple[int, float]:
    """How many files, and milliseconds; the daemon is online a moment before it can be asked."""
    until = perf_counter() + REACHED_WITHIN
    while True:
        begun = perf_counter()
        try:
            return api.get(path, agent="finder")["total"], (perf_counter() - begun) * 1000
        except RuntimeError:
            if perf_counter() > until:
                raise
            sleep(0.2)


def _fill(folder: Path, *, count: int) -> None:
    for number in range(count):
        place = folder / f"part_{number % 200}" / f"layer_{number % 7}"
        if number < 200 * 7:  # from then on every folder is there
            place.mkdir(parents=True, exist_ok=True)
        (place / f"module_{number}.py").touch()
    subprocess.run(("git", "init", "-q", str(folder)), check=True)
    subprocess.run(("git", "-C", str(folder), "add", "."), check=True)
