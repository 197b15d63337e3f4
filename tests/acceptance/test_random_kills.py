"""Kills at random moments while several people talk to several agents. Whatever dies, the books balance in the end.

PAL_CHAOS_SECONDS and PAL_CHAOS_SEED make it longer or another; the seed that was used is in the report of a failure.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import pytest

from tests.support.faults import kill, processes_of
from tests.support.patience import LONG_PATIENCE
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.stack import FINAL, Api, Json, Refused, Silent, Stack, eventually

SECONDS = float(os.environ.get("PAL_CHAOS_SECONDS", "10"))
SEED = int(os.environ.get("PAL_CHAOS_SEED", "7"))
SENDERS = 4
AGENTS = 3
VICTIMS = ("server", "daemon", "keeper", "agent", "all", "network")
LONGEST = SECONDS + 120.0  # seconds of kills, on a machine that is too busy for enough to be said
ENOUGH = 20  # messages; fewer tell nothing
SETTLE = 180.0  # seconds; a claim whose answer was lost waits for two ends of a lease at most


@dataclass
class Sender:
    """One person: says something, again with the same client_id until it is acknowledged, and then the next thing."""

    name: str
    stack: Stack
    api: Api
    room: str
    agents: list[str]
    chance: random.Random
    is_over: threading.Event
    acknowledged: dict[str, int] = field(default_factory=dict)  # client_id → message
    errors: list[str] = field(default_factory=list)

    def talk(self) -> None:
        number = 0
        while not self.is_over.is_set():
            number += 1
            client_id = f"{self.name}-{number}"
            message = self._say(client_id)
            if message is not None:
                self.acknowledged[client_id] = message
            self.is_over.wait(self.chance.uniform(0.05, 0.3))

    def _say(self, client_id: str) -> int | None:
        agent = self.chance.choice(self.agents)
        give_up_at = monotonic() + 30
        while monotonic() < give_up_at:
            try:
                sent = self.stack.send(self.room, client_id, agent, client_id=client_id, api=self.api)
                return int(sent["message"]["id"])
            except Silent:
                pass
            except Refused as refusal:
                if refusal.status != 503:
                    self.errors.append(str(refusal))
                    return None
            self.is_over.wait(0.05)
        return None


def strike(stack: Stack, proxy: Proxy, victim: str, chance: random.Random) -> None:
    runs = stack.daemon.home / "daemon" / "runs"
    match victim:
        case "network":
            proxy.cut()
        case "server":
            stack.server.kill()
        case "daemon":
            stack.daemon.kill()
        case "keeper":
            keepers = [int(file.read_text().split()[0]) for file in runs.glob("*/keeper.pid")]
            alive = sorted(set(keepers) & set(processes_of(runs)))
            if alive:
                kill(chance.choice(alive))
        case "agent":
            alive = sorted(set(processes_of(runs)) & {mark["pid"] for mark in stack.starts()})
            if alive:
                kill(chance.choice(alive))
        case "all":
            for pid in (*processes_of(runs), stack.server.pid, stack.daemon.pid):
                kill(pid)
    for part in (stack.server, stack.daemon):
        with suppress(AssertionError):
            if not part.is_running or victim == part.name.split()[0] or victim == "all":
                part.wait_end()
                part.start()


@pytest.mark.timeout(LONGEST + SETTLE + 120)
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_after_random_kills_the_books_balance(
    request: pytest.FixtureRequest, new_stack: Callable[..., Stack], engine: str
) -> None:
    chance = random.Random(SEED)
    db = None if engine == "sqlite" else request.getfixturevalue("postgres").empty_database()
    stack = new_stack(db)
    stack.server.start()
    with Proxy(port=free_port(), target=stack.server.port) as proxy:
        stack.add_daemon(server=proxy.url).start()
        rooms = [stack.room() for _ in range(2)]
        agents = {room: [stack.agent(room, "count", "5", "0.02") for _ in range(AGENTS)] for room in rooms}
        is_over = threading.Event()
        senders = [
            Sender(
                name=f"sender-{number}",
                stack=stack,
                api=Api(proxy.url, stack.api.token),
                room=rooms[number % 2],
                agents=agents[rooms[number % 2]],
                chance=random.Random(SEED * 100 + number),
                is_over=is_over,
            )
            for number in range(SENDERS)
        ]
        threads = [threading.Thread(target=sender.talk, name=sender.name) for sender in senders]
        for thread in threads:
            thread.start()
        struck: Counter[str] = Counter()
        began_at = monotonic()
        try:
            while (took := monotonic() - began_at) < SECONDS or (took < LONGEST and said(senders) <= ENOUGH):
                is_over.wait(chance.uniform(0.05, 0.8))
                victim = chance.choice(VICTIMS)
                strike(stack, proxy, victim, chance)
                struck[victim] += 1
        finally:
            is_over.set()
            for thread in threads:
                thread.join(LONG_PATIENCE)
        for part in (stack.server, stack.daemon):
            if not part.is_running:
                part.start()

        balance(stack, senders, struck)


def said(senders: list[Sender]) -> int:
    """How much was acknowledged so far."""
    return sum(len(sender.acknowledged) for sender in senders)


def balance(stack: Stack, senders: list[Sender], struck: Counter[str]) -> None:
    """Count from outside: rooms, deliveries, runs, and the processes that noted their own start."""
    assert not [error for sender in senders for error in sender.errors]
    acknowledged = {said: message for sender in senders for said, message in sender.acknowledged.items()}
    assert len(acknowledged) > ENOUGH, f"too little was said to tell anything: {len(acknowledged)} after {struck}"

    def open_deliveries() -> list[Json]:
        return [one for one in all_of(stack, "deliveries") if one["status"] not in FINAL]

    eventually("every delivery has ended", lambda: not open_deliveries(), within=SETTLE)
    deliveries = all_of(stack, "deliveries")
    runs = all_of(stack, "runs")
    rooms = {sender.room for sender in senders}
    messages = [message for room in rooms for message in stack.messages(room)]
    sent = Counter(m["content"] for m in messages if m["sender"]["kind"] == "user" and m["kind"] == "text")
    answers = Counter(m["run"] for m in messages if m["sender"]["kind"] == "agent" and m["kind"] == "text")
    starts = Counter(mark["run"] for mark in stack.starts())
    by_message = Counter(mark["message"] for mark in stack.starts())

    counts = {
        "lost": [said for said in acknowledged if not sent[said]],
        "said twice": [said for said, times in sent.items() if times > 1],
        "deliveries too many": [m for m, n in Counter(d["message"] for d in deliveries).items() if n > 1],
        "messages without delivery": set(acknowledged.values()) - {d["message"] for d in deliveries},
        "runs started twice": [run for run, times in starts.items() if times > 1],
        "messages started twice": [message for message, times in by_message.items() if times > 1],
        "runs that never end": [run["id"] for run in runs if run["ended_at"] is None],
        "answered twice": [run for run, times in answers.items() if times > 1],
        "acked without answer": [d["id"] for d in deliveries if d["status"] == "acked" and answers[d["run"]] != 1],
        "dead": [d["id"] for d in deliveries if d["status"] == "dead"],
    }
    assert not any(counts.values()), f"{counts} after {struck}, seed {SEED}"
    assert any(d["status"] == "acked" for d in deliveries)
    runs_folder = stack.daemon.home / "daemon" / "runs"
    eventually("no process is left", lambda: not processes_of(runs_folder))


def all_of(stack: Stack, what: str) -> list[Json]:
    found: list[Json] = []
    after: str | None = None
    while True:
        page = stack.api.get(f"/api/{what}", limit=200, after=after)
        found += page[what]
        after = page["next"]
        if after is None:
            return found
