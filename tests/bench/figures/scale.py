"""What claim, send and list cost with very many messages and deliveries, against the same with a thousand.

Measured at the store, where rows are: HTTP around it would only hide a difference. Costs are CPU time of this process,
so that the disk and whoever else uses it does not count; both databases take turns.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from time import process_time
from typing import Any

from pal_server.actions import deliveries, messages, tokens
from pal_server.clock import Clock
from pal_server.domain.actors import Actor
from pal_server.ids import new_id
from pal_server.storage.store import Store, open_store
from pal_server.tokens import hash_secret
from tests.bench.figure import Bench, Fact, Figure, Seen
from tests.bench.many import ROOM, build, facts_of
from tests.bench.statistics import median

FEW = 1_000


def _figure(name: str, what: str) -> Figure:
    return Figure(
        name=name, what=f"{what} at 1,000,000 messages and deliveries, as a multiple of 1,000", unit="×", limit=1.2
    )


SEND = _figure("scale-send", "cost of a send")
CLAIM = _figure("scale-claim", "cost of a claim")
LIST = _figure("scale-list", "cost of the dearest list")
FIGURES = (SEND, CLAIM, LIST)
PAGE = 5  # a room of the small database has ten messages, and pages of both are to be equally full
AT_ONCE = 64  # sends in one commit
CLAIMS = 20  # one after the other, then handed back


def measure(bench: Bench) -> Iterator[Seen]:
    few = build(bench.folder / "few", number=FEW)
    return iter(asyncio.run(_compare(bench, few, bench.many())))


async def _compare(bench: Bench, few: Path, many: Path) -> list[Seen]:
    async with await _open(few) as small, await _open(many) as large:
        both = [await Side.of(small, few), await Side.of(large, many)]
        seen = [
            await _seen(bench, SEND, {"send": Side.send}, both),
            await _seen(bench, CLAIM, {"claim": Side.claim}, both),
        ]
        lists = {
            "newest of a room": Side.list_newest,
            "middle of a room": Side.list_middle,
            "of a topic": Side.list_topic,
            "deliveries of an agent": Side.list_deliveries,
            "deliveries that failed": Side.list_failed,
            "inbox": Side.list_inbox,
        }
        return [*seen, await _seen(bench, LIST, lists, both)]


class Side:
    """One of the two databases."""

    def __init__(self, store: Store, facts: dict[str, Any], *, owner: Actor, computer: Actor) -> None:
        self.store = store
        self.facts = facts
        self.owner = owner
        self.computer = computer
        self.sent = 0

    @classmethod
    async def of(cls, store: Store, home: Path) -> "Side":
        facts = facts_of(home)
        owner = (home / "owner.token").read_text().strip()
        actors = [
            await store.read(tokens.authenticate, secret_hash=hash_secret(word)) for word in (owner, facts["key"])
        ]
        assert actors[0] is not None
        assert actors[1] is not None
        return cls(store, facts, owner=actors[0], computer=actors[1])

    async def send(self) -> float:
        """CPU seconds of one send, of many in one commit."""
        topics = self.facts["topics"]
        jobs = []
        for _ in range(AT_ONCE):
            self.sent += 1
            room, topic = topics[self.sent * 7 % len(topics)]
            jobs.append(
                self.store.write(
                    messages.send,
                    actor=self.owner,
                    room=room,
                    topic=topic,
                    content=f"@agent-{self.sent % 10} word{self.sent % 5000} please",
                    client_id=new_id("bench"),
                )
            )
        begun = process_time()
        await asyncio.gather(*jobs)
        return (process_time() - begun) / AT_ONCE

    async def claim(self) -> float:
        begun = process_time()
        claimed = [
            (await self.store.write(deliveries.claim_queue, actor=self.computer, limit=1)).claimed[0].delivery
            for _ in range(CLAIMS)
        ]
        took = (process_time() - begun) / CLAIMS
        for delivery in claimed:
            assert delivery.lease_id is not None
            await self.store.write(
                deliveries.release,
                actor=self.computer,
                id=delivery.id,
                lease_id=delivery.lease_id,
                fence=delivery.fence,
                burn_attempt=False,
            )
        return took

    async def list_newest(self) -> float:
        return await self._time(messages.list_page, room=ROOM, before=2**62, limit=PAGE)

    async def list_middle(self) -> float:
        return await self._time(messages.list_page, room=ROOM, after=self.facts["middle"], limit=PAGE)

    async def list_topic(self) -> float:
        return await self._time(messages.list_page, topic=self.facts["topics"][30][1], before=2**62, limit=1)

    async def list_deliveries(self) -> float:
        return await self._time(deliveries.list_page, agent="agent-3")

    async def list_failed(self) -> float:
        return await self._time(deliveries.list_page, status="failed", limit=1)

    async def list_inbox(self) -> float:
        return await self._time(messages.inbox, agent="agent-3", after=0, limit=50)

    async def _time(self, query: Callable[..., Any], **arguments: Any) -> float:
        begun = process_time()
        for _ in range(CLAIMS):
            await self.store.read(query, actor=self.owner, **arguments)
        return (process_time() - begun) / CLAIMS


async def _seen(
    bench: Bench, figure: Figure, verbs: dict[str, Callable[[Side], Awaitable[float]]], both: list[Side]
) -> Seen:
    """The dearest of the verbs; each measured in turns on both sides."""
    facts: dict[str, Fact] = {}
    worst = 0.0
    for name, verb in verbs.items():
        pairs = [[await verb(side) for side in both] for _ in range(bench.pick(60, quick=25))][5:]  # the first warm up
        small, large = (median([pair[place] for pair in pairs]) for place in (0, 1))
        facts[f"{name} µs"] = f"{small * 1e6:,.0f} → {large * 1e6:,.0f}"
        worst = max(worst, large / small)
        bench.note(f"{name}: {facts[f'{name} µs']} µs")
    return Seen(figure=figure, value=worst, facts=facts)


async def _open(home: Path) -> Store:
    return await open_store(home / "lock.sqlite", clock=Clock(), new_id=new_id, hub_wake=lambda _: None)
