"""Bots of Lark: an event's way until it is acked, many bots on one bridge, and how one of them ends.

The platform is the loopback Lark, the bridge a process of its own, the server another: as they run in the end.
"""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from tests.bench import processes
from tests.bench.figure import Bench, Figure, Seen
from tests.bench.places import Served, serving
from tests.bench.statistics import percentile

ACK = Figure(name="lark-ack", what="event of Lark → delivery stored and acked, 50 a second, p99", unit="ms", limit=100)
CONNECT = Figure(name="lark-connect", what="50 bots of Lark, from bound to connected", unit="s", limit=2)
MEMORY = Figure(name="lark-memory", what="memory of 50 bots beyond the first", unit="MB", limit=60)
STOP = Figure(name="lark-stop", what="one bot of Lark unbound → its socket closed", unit="s", limit=2)
FIGURES = (ACK, CONNECT, MEMORY, STOP)
BOTS = 50
A_SECOND = 50
WITHIN = 60.0  # seconds everything here may take to come


def measure(bench: Bench) -> Iterator[Seen]:
    with LoopbackLark() as lark, serving(bench.folder / "lark") as server:
        ann = lark.person("Ann")
        server.api.post("/api/identities", platform="lark", external_id=ann, name="Ann", level="operate")
        _bind(server, lark, 0)
        lark.wait_for("connected", app="cli_0", within=WITHIN)
        bridge = _bridge_of(server.pid)
        yield from _many(server, lark, bridge)
        used = [processes.cpu_seconds(pid) for pid in (server.pid, bridge)]
        acks = _acks(bench, lark, ann)
        events = float(acks.facts["events"]) + BOTS
        for name, pid, before in zip(("server", "bridge"), (server.pid, bridge), used, strict=True):
            acks.facts[f"{name} CPU ms an event"] = round((processes.cpu_seconds(pid) - before) * 1000 / events, 1)
        yield acks
        yield _stop(server, lark)


def _bind(server: Served, lark: LoopbackLark, number: int) -> str:
    app, agent = lark.app(f"cli_{number}"), f"agent-{number}"
    server.api.post("/api/agents", agent_key=agent, runtime="demo")
    credentials = {"app_id": app, "app_secret": f"secret-{app}"}
    bot = server.api.post(
        "/api/bots", platform="lark", app_id=app, credentials=credentials, agent=agent, base_url=lark.url, verify=False
    )
    return str(bot["bot"]["id"])


def _bridge_of(server: int) -> int:
    """The process the server started for Lark."""
    for line in Path(f"/proc/{server}/task").glob("*/children"):
        for pid in map(int, line.read_text().split()):
            if b"pal_server.bridges.run" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
    raise ProcessLookupError("the server has started no bridge")


def _many(server: Served, lark: LoopbackLark, bridge: int) -> Iterator[Seen]:
    """Bound one by one over the API, so what is measured is from the last of them on."""
    first = processes.resident(bridge)
    for number in range(1, BOTS + 1):
        _bind(server, lark, number)
    begun = monotonic()
    lark.wait_for("connected", count=BOTS + 1, within=WITHIN)
    yield Seen(figure=CONNECT, value=monotonic() - begun, facts={"bots": BOTS})
    sleep(1.0)
    more = processes.resident(bridge) - first
    yield Seen(figure=MEMORY, value=more, facts={"the bridge with one MB": round(first, 1)})


def _acks(bench: Bench, lark: LoopbackLark, ann: str) -> Seen:
    count = A_SECOND * bench.pick(20, quick=5)
    lark.do("limits", on=False)
    chats = [lark.chat(apps=[f"cli_{number}"], people=[ann]) for number in range(BOTS)]
    for number in range(BOTS):  # names of people and groups are asked for once
        lark.mention(f"cli_{number}", "first", chat=chats[number], person=ann)
    lark.wait_for("ack", count=BOTS, within=WITHIN)
    before = len(lark.entries("ack"))
    begun = monotonic()
    for number in range(count):
        bot = number % BOTS
        lark.mention(f"cli_{bot}", f"message {number}", chat=chats[bot], person=ann)
        sleep(max(0.0, begun + (number + 1) / A_SECOND - monotonic()))
    took = monotonic() - begun
    lark.wait_for("ack", count=before + count, within=WITHIN)
    acks = [entry for entry in lark.entries("ack")[before:] if entry["counted"]]
    after = [float(entry["after"]) for entry in acks]
    facts: dict[str, float | int | str] = {
        "p50 ms": percentile(after, 0.5),
        "events": len(after),
        "a second": round(count / took, 1),
    }
    return Seen(figure=ACK, value=percentile(after, 0.99), facts=facts)


def _stop(server: Served, lark: LoopbackLark) -> Seen:
    begun = monotonic()
    server.api.post("/api/bots/unbind", agent="agent-7", platform="lark")
    lark.wait_for("disconnected", app="cli_7", within=WITHIN)
    return Seen(figure=STOP, value=monotonic() - begun)
