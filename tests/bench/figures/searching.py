"""Full-text search among very many messages, over HTTP, one question after the other."""

from collections.abc import Iterator
from time import perf_counter

from tests.bench.figure import Bench, Fact, Figure, Seen
from tests.bench.many import CHINESE, COMMON, PHRASE, QUIET, RARE
from tests.bench.places import serving
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
    "beginning": {"q": "word49*"},
}


def measure(bench: Bench) -> Iterator[Seen]:
    with serving(bench.many()) as server:
        facts: dict[str, Fact] = {}
        worst = 0.0
        for kind, query in QUESTIONS.items():
            took = []
            found = 0
            for _ in range(bench.pick(200, quick=50)):
                begun = perf_counter()
                found = len(server.api.get("/api/messages", before=2**62, **query)["messages"])
                took.append((perf_counter() - begun) * 1000)
            facts[f"{kind} p50 ms"] = round(percentile(took, 0.5), 2)
            facts[f"{kind} p99 ms"] = round(percentile(took, 0.99), 2)
            facts[f"{kind} found"] = found
            worst = max(worst, percentile(took, 0.99))
        yield Seen(figure=SEARCH, value=worst, facts=facts)
