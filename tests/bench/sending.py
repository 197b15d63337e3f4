"""Sends over HTTP by 64 clients, against two servers in turns."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from tests.bench.figure import Bench, Fact
from tests.bench.places import Served, busy_places, serving
from tests.bench.processes import exchange, python
from tests.bench.statistics import median

WARM_UP = 1.0  # seconds; caches, prepared statements, the first checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Sends a second of each server, measured one right after the other, and what a send took in milliseconds."""

    one: dict[str, Any]
    other: dict[str, Any]

    @property
    def ratio(self) -> float:
        return rate(self.one) / rate(self.other)


def compare(bench: Bench, one: str, other: str) -> tuple[float, dict[str, Fact]]:
    """How many sends `one` takes in for each of `other` (see `serve`), as the median of rounds in turns."""
    rounds = list(_rounds(bench, one, other))
    facts: dict[str, Fact] = {}
    for how, seen in ((one, [pair.one for pair in rounds]), (other, [pair.other for pair in rounds])):
        facts[f"{how} /s"] = round(median([rate(answers) for answers in seen]))
        facts[f"{how} p50 ms"] = round(median([answers["p50_ms"] for answers in seen]), 2)
        facts[f"{how} p99 ms"] = round(median([answers["p99_ms"] for answers in seen]), 2)
    return median([pair.ratio for pair in rounds]), facts


def rate(answers: dict[str, Any]) -> float:
    return float(answers["answers"] / answers["seconds"])


def _rounds(bench: Bench, one: str, other: str) -> Iterator[Round]:
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(bench.folder / f"{one}-{other}" / how, how=how)) for how in (one, other)]
        places = [busy_places(server.api) for server in servers]
        for server, clients in zip(servers, places, strict=True):
            _load(server, clients, seconds=WARM_UP)
        for number in range(bench.pick(7, quick=3)):
            seconds = bench.pick(20, quick=10) / 10
            seen = [_load(server, clients, seconds=seconds) for server, clients in zip(servers, places, strict=True)]
            pair = Round(one=seen[0], other=seen[1])
            bench.note(f"round {number + 1}: {one} {rate(pair.one):,.0f}/s, {other} {rate(pair.other):,.0f}/s")
            yield pair


def _load(server: Served, clients: list[dict[str, Any]], *, seconds: float) -> dict[str, Any]:
    order = {
        "kind": "send",
        "port": server.port,
        "token": server.api.token,
        "clients": clients,
        "seconds": seconds,
    }
    seen: dict[str, Any] = exchange(python("tests.bench.load"), order, within=seconds + 60)
    if seen["failed"]:
        raise RuntimeError(f"{seen['failed']} sends failed: {seen['failure']}")
    return seen
