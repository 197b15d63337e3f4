"""Bots of Slack and DingTalk: an event's way until it is acked, many bots on one bridge, one that hangs, one that ends.

The platform is on loopback in a process of its own and meets its real SDK; the bridge is a process, the server another:
as they run in the end.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from pal_cli.chaos.platforms.process import platform_process
from tests.bench import processes
from tests.bench.figure import Bench, Figure, Seen
from tests.bench.places import Served, serving
from tests.bench.statistics import percentile

Json = dict[str, Any]
LABELS = {"slack": "Slack", "dingtalk": "DingTalk"}
BOTS = 50
A_SECOND = 50
WITHIN = 90.0  # seconds everything here may take to come
LOOK_EVERY = 0.02  # seconds
HANGS_FOR = 60.0  # seconds a call of the bot that hangs takes


@dataclass(frozen=True, slots=True)
class Promised:
    """The figures of one platform."""

    ack: Figure
    connect: Figure
    memory: Figure
    hang: Figure
    stop: Figure


def _promised(name: str, label: str) -> Promised:
    event = f"event of {label} → delivery stored and acked, 50 a second, p99"
    return Promised(
        ack=Figure(name=f"{name}-ack", what=event, unit="ms", limit=100),
        connect=Figure(name=f"{name}-connect", what=f"50 bots of {label}, from bound to connected", unit="s", limit=2),
        memory=Figure(name=f"{name}-memory", what="memory of 50 bots beyond the first", unit="MB", limit=60),
        hang=Figure(name=f"{name}-hang", what="the same while the platform hangs for one bot", unit="ms", limit=100),
        stop=Figure(name=f"{name}-stop", what="one bot unbound → its socket closed", unit="s", limit=2),
    )


PROMISED = {name: _promised(name, label) for name, label in LABELS.items()}
FIGURES = tuple(
    figure for one in PROMISED.values() for figure in (one.ack, one.connect, one.memory, one.hang, one.stop)
)


@dataclass(slots=True, kw_only=True)
class Platform:
    """A loopback platform through its control door. `bots` are (app, credentials, chat)."""

    name: str
    url: str
    ann: str = ""
    bots: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def do(self, verb: str, **said: Any) -> Json:
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}/control/{verb}", json.dumps(said).encode(), headers)
        with build_opener(ProxyHandler({})).open(request, timeout=WITHIN) as answer:
            told: Json = json.load(answer)
        return told

    def add_bot(self) -> None:
        number = len(self.bots)
        if self.name == "slack":
            self.ann = self.ann or self.do("person", name="Ann", team="T1")["user"]
            app = self.do("app", name=f"bot{number}", team="T1")
            members = [self.ann, app["bot_user"]]
            chat = self.do("channel", name=f"team{number}", team="T1", kind="channel", members=members)["channel"]
            tokens = {name: app[name] for name in ("bot_token", "app_token")}
            self.bots.append((app["app"], tokens | {"user": app["bot_user"]}, chat))
        else:
            self.ann = self.ann or self.do("person", nick="Ann")["user"]
            app = self.do("app")
            chat = self.do("group", title=f"Team {number}", robots=[app["app"]], people=[self.ann])["conversation"]
            self.bots.append((app["app"], {"client_id": app["app"], "client_secret": app["secret"]}, chat))

    def mention(self, number: int, text: str) -> None:
        app, credentials, chat = self.bots[number]
        if self.name == "slack":
            self.do("say", channel=chat, user=self.ann, text=f"<@{credentials['user']}> {text}")
        else:
            self.do("say", app=app, user=self.ann, text=text, conversation=chat)

    def sockets(self, number: int) -> int:
        return int(self.do("line", app=self.bots[number][0])["sockets"])

    @property
    def events(self) -> int:
        """What a mention is told as: on Slack it is two events."""
        return 2 if self.name == "slack" else 1

    def acks(self, number: int) -> list[float]:
        """Milliseconds until each event of Ann's was acknowledged, in the order they were told."""
        line = self.do("line", app=self.bots[number][0])
        if self.name == "slack":  # which tells a bot of its own posts, too
            told = [one for one in line["envelopes"] if one["payload"].get("event", {}).get("user") == self.ann]
        else:
            told = line["pushes"]
        return [one["acked_after"] * 1000 for one in told if one["acked_after"] is not None]

    def hang(self, number: int) -> None:
        self.do("fault", call="*", kind="delay", seconds=HANGS_FOR, count=10_000, app=self.bots[number][0])


def measure(bench: Bench) -> Iterator[Seen]:
    for name, promised in PROMISED.items():
        with platform_process(name) as url, serving(bench.folder / name) as server:
            platform = Platform(name=name, url=url)
            platform.do("limits", is_on=False)
            yield from _measured(bench, server, platform, promised)


def _measured(bench: Bench, server: Served, platform: Platform, promised: Promised) -> Iterator[Seen]:
    for _ in range(BOTS + 1):
        platform.add_bot()
    server.api.post("/api/identities", platform=platform.name, external_id=platform.ann, name="Ann")
    _bind(server, platform, 0)
    _wait(lambda: platform.sockets(0) > 0)
    bridge = _bridge_of(server.pid)
    first = processes.resident(bridge)
    for number in range(1, BOTS + 1):
        _bind(server, platform, number)
    begun = monotonic()
    for number in range(1, BOTS + 1):
        _wait(lambda number=number: platform.sockets(number) > 0)  # type: ignore[misc]
    yield Seen(figure=promised.connect, value=monotonic() - begun, facts={"bots": BOTS})
    _talk(platform, seconds=1, bots=range(BOTS))
    more = processes.resident(bridge) - first
    yield Seen(figure=promised.memory, value=more, facts={"the bridge with one, MB": round(first, 1)})
    yield _acks(platform, promised.ack, seconds=bench.pick(20, quick=4), bots=range(BOTS))
    platform.hang(BOTS)
    platform.mention(BOTS, "into the void")
    yield _acks(platform, promised.hang, seconds=bench.pick(10, quick=4), bots=range(BOTS))
    begun = monotonic()
    server.api.post("/api/bots/unbind", agent="agent-7", platform=platform.name)
    _wait(lambda: platform.sockets(7) == 0)
    yield Seen(figure=promised.stop, value=monotonic() - begun)


def _bind(server: Served, platform: Platform, number: int) -> None:
    app, credentials, _ = platform.bots[number]
    base = f"{platform.url}/api/" if platform.name == "slack" else platform.url
    secrets = {name: value for name, value in credentials.items() if name != "user"}
    server.api.post("/api/agents", agent_key=f"agent-{number}", runtime="demo")
    more = {"platform": platform.name, "app_id": app, "agent": f"agent-{number}", "base_url": base, "verify": False}
    server.api.post("/api/bots", credentials=secrets, **more)


def _acks(platform: Platform, figure: Figure, *, seconds: int, bots: range) -> Seen:
    before = [len(platform.acks(number)) for number in bots]
    said, took = _talk(platform, seconds=seconds, bots=bots)
    after: list[float] = []
    for number in bots:
        due = before[number] + said * platform.events // len(bots)
        _wait(lambda number=number, due=due: len(platform.acks(number)) >= due)  # type: ignore[misc]
        after += platform.acks(number)[before[number] :]
    facts: dict[str, float | int | str] = {
        "p50 ms": round(percentile(after, 0.5), 1),
        "events": len(after),
        "a second": round(said * platform.events / took, 1),
    }
    return Seen(figure=figure, value=percentile(after, 0.99), facts=facts)


def _talk(platform: Platform, *, seconds: int, bots: range) -> tuple[int, float]:
    """So many things said to the bots in turn, as `A_SECOND` events; how many, and how long that took."""
    begun = monotonic()
    a_second = A_SECOND / platform.events
    count = len(bots) * max(1, round(a_second * seconds / len(bots)))  # as much for each
    for number in range(count):
        platform.mention(bots[number % len(bots)], f"message {number}")
        sleep(max(0.0, begun + (number + 1) / a_second - monotonic()))
    return count, monotonic() - begun


def _wait(look: Callable[[], bool]) -> None:
    give_up_at = monotonic() + WITHIN
    while not look():
        if monotonic() > give_up_at:
            raise TimeoutError(f"not within {WITHIN:g} s")
        sleep(LOOK_EVERY)


def _bridge_of(server: int) -> int:
    """The process the server has started for the platform."""
    for line in Path(f"/proc/{server}/task").glob("*/children"):
        for pid in map(int, line.read_text().split()):
            if b"pal_server.bridges.run" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
    raise ProcessLookupError("the server has started no bridge")
