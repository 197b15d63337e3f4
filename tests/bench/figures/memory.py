"""Memory of server, daemon and keeper with nothing to do but wait."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

from tests.bench.daemons import Working, working
from tests.bench.figure import Bench, Figure, Seen
from tests.bench.processes import resident

SERVER = Figure(name="memory-server", what="memory of an idle server", unit="MB", limit=80)
DAEMON = Figure(name="memory-daemon", what="memory of an idle daemon", unit="MB", limit=60)
KEEPER = Figure(name="memory-keeper", what="memory of a keeper whose agent works", unit="MB", limit=15)
FIGURES = (SERVER, DAEMON, KEEPER)
SETTLE_FOR = 3.0  # seconds
START_FOR = 30.0  # seconds


def measure(bench: Bench) -> Iterator[Seen]:
    with working(bench.folder / "memory") as place:
        sleep(SETTLE_FOR)
        yield Seen(figure=SERVER, value=resident(place.server.pid))
        yield Seen(figure=DAEMON, value=resident(place.daemon))
        place.command_agent("sleeper", "/bin/sleep 8")
        place.server.api.post("/api/messages", room="general", content="@sleeper rest")
        keeper = _keeper(place)
        sleep(0.5)
        yield Seen(figure=KEEPER, value=resident(keeper))


def _keeper(place: Working) -> int:
    until = monotonic() + START_FOR
    while monotonic() < until:
        for file in Path(place.home / "daemon" / "runs").glob("*/keeper.pid"):
            if words := file.read_text().split():
                return int(words[0])
        sleep(0.02)
    raise TimeoutError("no keeper came")
