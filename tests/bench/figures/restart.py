"""A server that was killed with very many deliveries waiting: how soon the first claim is answered."""

from collections.abc import Iterator
from time import perf_counter

from tests.bench import processes
from tests.bench.api import Api
from tests.bench.figure import Bench, Figure, Seen
from tests.bench.many import build, facts_of
from tests.bench.statistics import median

RESTART = Figure(
    name="restart",
    what="killed with 10,000 pending deliveries: from the port being open to the first claim answered",
    unit="s",
    limit=2,
)
FIGURES = (RESTART,)
PENDING = 10_000


def measure(bench: Bench) -> Iterator[Seen]:
    home = build(bench.folder / "restart", number=PENDING, pending=PENDING)
    key = facts_of(home)["key"]
    opened, claimed = [], []
    for _ in range(bench.pick(5, quick=2)):
        port = processes.free_port()
        argv = processes.python("tests.bench.serve", str(home), str(port))
        begun = perf_counter()
        with processes.running(argv, log=home / "bench.log") as process:
            processes.wait_open(port, process)
            opened.append(perf_counter() - begun)
            begun = perf_counter()
            answer = Api(port, key).post("/api/deliveries/claim", limit=1)
            claimed.append(perf_counter() - begun)
            assert len(answer["deliveries"]) == 1, answer
            processes.force(process)
    facts = {
        "first claim ms": round(median(claimed) * 1000, 1),
        "process start to port open s": round(median(opened), 2),
    }
    yield Seen(figure=RESTART, value=max(claimed), facts=dict(facts))
