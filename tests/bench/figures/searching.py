"""Full-text search among very many messages, over HTTP, one question after the other."""

from collections.abc import Iterator
from time import perf_counter

from tests.bench.figure import Bench, Fact, Figure, Seen
from tests.bench.many import CHINESE, COMMON, PHRASE, QUIET, RARE
from tests.bench.places import serving
from tests.bench.processes import cpu_seconds
from tests.bench.statistics import percentile

SEARCH = Figure(
    name="search",
    what="full-text search in 1,000,000 messages, p99 of the slowest kind of question",
    unit="ms",
    limit=50,
)
FIGURES = (SEARCH,)

QUESTIONS: dict[str, dict[str, str]] = {
    "rare": {"q": RARE},
    "common": {"q": COMMON},
    "two words": {"q": "word7 word31"},
    "phrase": {"q": f'"{PHRASE}"'},
    "chinese": {"q": CHINESE[3:7]},
    "quiet room": {"q": COMMON, "room": QUIET},
}
BEGINNING = {"q": "word49*"}  # told, not judged: it has to look at every word that begins so


def measure(bench: Bench) -> Iterator[Seen]:
    with serving(bench.many()) as server:
        facts: dict[str, Fact] = {}
        worst = 0.0
        for kind, query in {**QUESTIONS, "beginning": BEGINNING}.items():
            took, bare = [], []
            used = found = 0.0
            for _ in range(bench.pick(200, quick=50)):
                before = cpu_seconds(server.pid)
                begun = perf_counter()
                found = len(server.api.get("/api/messages", before=2**62, **query)["messages"])
                took.append((perf_counter() - begun) * 1000)
                used += cpu_seconds(server.pid) - before
                begun = perf_counter()
                server.api.get("/api/version")  # what a request costs that looks for nothing, at the same moment
                bare.append((perf_counter() - begun) * 1000)
            p50, p99 = percentile(took, 0.5), percentile(took, 0.99)
            facts[kind] = (
                f"{found:.0f} found, p50 {p50:.1f} ms, p99 {p99:.1f} ms, {used * 1000 / len(took):.1f} ms of CPU"
                f" (no search: p50 {percentile(bare, 0.5):.1f} ms, p99 {percentile(bare, 0.99):.1f} ms)"
            )
            bench.note(f"{kind}: {facts[kind]}")
            if kind in QUESTIONS:
                worst = max(worst, p99)
        yield Seen(figure=SEARCH, value=worst, facts=facts)
