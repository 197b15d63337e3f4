"""Random lives of deliveries and runs: the rules alone, and each engine beside them, step by step the same.

`Lanes` is what a bus should be, in memory, with the rules of `domain.deliveries`. After every step nothing is lost,
nothing runs twice, fences have only grown, and whoever held an older lease was refused.
"""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from pal_server.actions import deliveries as delivery_actions
from pal_server.actions import runs as run_actions
from pal_server.domain import deliveries as rules
from pal_server.domain.addressing import Reason
from pal_server.domain.computers import Computer
from pal_server.domain.deliveries import POLICY, Delivery, Status
from pal_server.domain.runs import Ending, Run, Wanted, delivery_status, end_of
from pal_server.domain.runs import Status as RunStatus
from pal_server.errors import Conflict, LeaseLost, PalError
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage import runs as run_rows
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store, Tx
from tests.support.bus import Bus, make_bus
from tests.support.people import daemon
from tests.support.stores import Clock, Heard, open_test_store
from tests.support.watched_task import check_followed, make_task

LANES = ((0, "a"), (1, "a"), (0, "b"))  # topic and agent
ENDS = ("succeeded", "failed", "cancelled", "interrupted", "dry_run")
PICK = st.just(0) | st.integers(0, 3) | st.integers(0, 999)  # which of those there are; 0 is the newest


@dataclass(slots=True)
class Lease:
    """One claim of one delivery; `name` stands for the lease's id on every store."""

    name: str
    delivery: int
    fence: int


@dataclass(slots=True)
class Attempt:
    """A run."""

    id: int
    delivery: int
    lease: Lease
    is_live: bool = True
    wanted: Wanted | None = None
    status: str = "starting"


@dataclass(slots=True)
class Lanes:
    """Deliveries in their lanes; each verb changes them or raises what the bus raises."""

    clock: Clock
    rows: dict[int, Delivery] = field(default_factory=dict)
    leases: list[Lease] = field(default_factory=list)
    runs: list[Attempt] = field(default_factory=list)

    def send(self, lane: tuple[int, str]) -> Delivery:
        id = len(self.rows) + 1
        topic, agent = lane
        self.rows[id] = made = Delivery(
            id=id,
            workspace_id="w",
            room_id="room",
            topic_id=topic,
            message_id=id,
            agent=agent,
            reason=Reason.MENTION,
            status=Status.PENDING,
            waits=self.open_of(topic, agent) is not None,
            attempts=0,
            max_attempts=POLICY.max_attempts,
            not_before=self.clock(),
            lease_id=None,
            lease_until=None,
            fence=0,
            started=False,
            computer_id=None,
            run_id=None,
            fresh=False,
            chain_id=id,
            hop=0,
            error=None,
            created_at=0,
            updated_at=0,
        )
        return made

    def ready(self) -> list[Delivery]:
        now = self.clock()
        return [d for d in self.rows.values() if d.status is Status.PENDING and not d.waits and d.not_before <= now]

    def claim(self, id: int) -> Lease:
        lease = Lease(name=f"lease {len(self.leases)}", delivery=id, fence=self.rows[id].fence + 1)
        self.rows[id] = rules.claim(self.rows[id], lease_id=lease.name, computer_id="box", now=self.clock())
        self.leases.append(lease)
        return lease

    def renew(self, lease: Lease) -> None:
        self._put(rules.renew(self._of(lease), now=self.clock(), **_shown(lease)))

    def release(self, lease: Lease, *, burn: bool, delay_for: int) -> None:
        held = self._of(lease)
        back = rules.release(held, now=self.clock(), burn_attempt=burn, delay_for=delay_for, **_shown(lease))
        self._put(back)

    def reap(self) -> None:
        for held in list(self.rows.values()):
            self._put(rules.expire(held, now=self.clock()))

    def open(self, lease: Lease) -> Attempt:
        held = self._of(lease)
        for known in self.runs:
            is_dry = known.status == RunStatus.DRY_RUN and held.is_held_under(**_shown(lease))
            if known.lease is lease and (known.is_live or is_dry):
                return known
        if held.started:
            raise LeaseLost("another attempt has started")
        run = Attempt(id=len(self.runs) + 1, delivery=held.id, lease=lease)
        self._put(rules.start(held, run_id=run.id, now=self.clock(), **_shown(lease)))
        self.runs.append(run)
        return run

    def finish(self, run: Attempt, *, lease: Lease, status: str) -> None:
        held = self.rows[run.delivery]
        if not run.is_live and run.lease is lease:
            return
        rules.need_lease(held, now=self.clock(), **_shown(lease))
        if not run.is_live or run.lease is not lease:
            raise LeaseLost("the run has ended")
        ended = end_of(Ending(status=RunStatus(status)), wanted=run.wanted)
        run.is_live, run.status = False, ended
        if run.wanted is Wanted.RESTART:
            self._put(rules.put_back(held, now=self.clock(), **_shown(lease)))
            return
        outcome = delivery_status(ended)
        self._put(rules.settle(held, outcome=outcome, error=None, now=self.clock(), **_shown(lease)))

    def settle(self, lease: Lease, *, is_ack: bool) -> None:
        held = self._of(lease)
        if held.is_final and held.is_held_under(**_shown(lease)):
            return
        rules.need_lease(held, now=self.clock(), **_shown(lease))
        self.finish(self.open(lease), lease=lease, status="succeeded" if is_ack else "failed")

    def cancel(self, id: int) -> None:
        self._put(rules.cancel(self.rows[id], now=self.clock()))

    def retry(self, id: int, *, fresh: bool, any_end: bool = False) -> None:
        row = self.rows[id]
        is_open = self.open_of(row.topic_id, row.agent) is not None
        self._put(rules.retry(row, fresh=fresh, lane_is_open=is_open, now=self.clock(), any_end=any_end))

    def order(self, run: Attempt, wanted: Wanted) -> None:
        if run.is_live:
            run.wanted = wanted
        elif wanted is Wanted.RESTART:
            self.retry(run.delivery, fresh=False, any_end=True)
        else:
            raise Conflict("the run has ended")

    def open_of(self, topic: int, agent: str) -> Delivery | None:
        for row in self.rows.values():
            is_open = row.status is Status.CLAIMED or (row.status is Status.PENDING and not row.waits)
            if (row.topic_id, row.agent) == (topic, agent) and is_open:
                return row
        return None

    def _of(self, lease: Lease) -> Delivery:
        return self.rows[lease.delivery]

    def _put(self, row: Delivery) -> None:
        """Store it, and let the lane go on when nothing of it is open."""
        self.rows[row.id] = row
        lane = (row.topic_id, row.agent)
        if self.open_of(*lane) is None:
            waiting = [d for d in self.rows.values() if (d.topic_id, d.agent) == lane and d.status is Status.PENDING]
            if waiting:
                first = min(waiting, key=lambda d: d.id)
                self.rows[first.id] = replace(first, waits=False)


def _shown(lease: Lease) -> dict[str, Any]:
    return {"lease_id": lease.name, "fence": lease.fence}


class LanesMachine(RuleBasedStateMachine):
    """Steps on the rules. A subclass does each step on a store too and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = self.make_clock()
        self.lanes = Lanes(clock=self.clock)
        self.fences: dict[int, int] = {}
        self.begun: set[tuple[int, int]] = set()

    def make_clock(self) -> Clock:
        return Clock()

    @rule(lane=st.sampled_from(LANES))
    def send(self, lane: tuple[int, str]) -> None:
        made = self.lanes.send(lane)
        self.also_send(made)

    @rule()
    def claim_from_the_queue(self) -> None:
        leases = [self.lanes.claim(row.id) for row in self.lanes.ready()]
        self.also_claim_from_the_queue(leases)

    @precondition(lambda self: self.lanes.rows)
    @rule(pick=PICK)
    def claim_by_id(self, pick: int) -> None:
        id = self._row(pick)
        with self.both(lambda: self.also_claim(id, self.lanes.leases[-1] if self.lanes.leases else None)):
            self.lanes.claim(id)

    @precondition(lambda self: self.lanes.leases)
    @rule(pick=PICK)
    def renew(self, pick: int) -> None:
        lease = self._lease(pick)
        with self.both(lambda: self.also(delivery_actions.renew, lease)), self.refused_when_stale(lease):
            self.lanes.renew(lease)

    @precondition(lambda self: self.lanes.leases)
    @rule(pick=PICK, burn=st.booleans(), delay_for=st.sampled_from([0, 5_000]))
    def release(self, pick: int, burn: bool, delay_for: int) -> None:
        lease = self._lease(pick)
        told = {"burn_attempt": burn, "delay_for": delay_for}
        with self.both(lambda: self.also(delivery_actions.release, lease, **told)), self.refused_when_stale(lease):
            self.lanes.release(lease, burn=burn, delay_for=delay_for)

    @precondition(lambda self: self.lanes.leases)
    @rule(pick=PICK)
    def open(self, pick: int) -> None:
        lease = self._lease(pick)
        with self.both(lambda: self.also_open(lease)), self.refused_when_stale(lease):
            runs = len(self.lanes.runs)
            run = self.lanes.open(lease)
            if len(self.lanes.runs) > runs:
                self._has_begun(run)

    @rule(lane=st.sampled_from(LANES))
    def begin(self, lane: tuple[int, str]) -> None:
        """What a daemon does all day, so that short lives get far."""
        self.send(lane)
        known = len(self.lanes.leases)
        self.claim_from_the_queue()
        for back in range(len(self.lanes.leases) - known):
            self.open(back)

    @precondition(lambda self: self.lanes.runs)
    @rule(pick=PICK, status=st.sampled_from(ENDS))
    def finish(self, pick: int, status: str) -> None:
        run = self._run(pick)
        with self.both(lambda: self.also_finish(run, run.lease, status)):
            self.lanes.finish(run, lease=run.lease, status=status)

    @precondition(lambda self: self.lanes.runs)
    @rule(pick=PICK, other=PICK, status=st.sampled_from(ENDS))
    def finish_under_another_lease(self, pick: int, other: int, status: str) -> None:
        run, lease = self._run(pick), self._lease(other)
        if lease is run.lease:
            return
        with self.both(lambda: self.also_finish(run, lease, status)):
            with pytest.raises(LeaseLost):
                self.lanes.finish(run, lease=lease, status=status)
            raise LeaseLost("as it should be")

    @precondition(lambda self: self.lanes.leases)
    @rule(pick=PICK, is_ack=st.booleans())
    def settle(self, pick: int, is_ack: bool) -> None:
        lease = self._lease(pick)
        with self.both(lambda: self.also_settle(lease, is_ack)), self.refused_when_stale(lease):
            runs = len(self.lanes.runs)
            self.lanes.settle(lease, is_ack=is_ack)
            if len(self.lanes.runs) > runs:
                self._has_begun(self.lanes.runs[-1])

    @rule(seconds=st.sampled_from([1, 20, 31]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def reap(self) -> None:
        self.lanes.reap()
        self.also_reap()

    @precondition(lambda self: self.lanes.rows)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        id = self._row(pick)
        with self.both(lambda: self.also_person(delivery_actions.cancel, id)):
            self.lanes.cancel(id)

    @precondition(lambda self: self.lanes.rows)
    @rule(pick=PICK, fresh=st.booleans())
    def retry(self, pick: int, fresh: bool) -> None:
        id = self._row(pick)
        with self.both(lambda: self.also_person(delivery_actions.retry, id, fresh=fresh)):
            self.lanes.retry(id, fresh=fresh)

    @precondition(lambda self: self.lanes.runs)
    @rule(pick=PICK, wanted=st.sampled_from(Wanted))
    def order(self, pick: int, wanted: Wanted) -> None:
        run = self._run(pick)
        with self.both(lambda: self.also_order(run, wanted)):
            self.lanes.order(run, wanted)

    @invariant()
    def one_delivery_of_a_lane_is_open(self) -> None:
        rows = self.lanes.rows.values()
        open_ones = [
            (d.topic_id, d.agent)
            for d in rows
            if d.status is Status.CLAIMED or (d.status is Status.PENDING and not d.waits)
        ]
        assert len(open_ones) == len(set(open_ones))

    @invariant()
    def one_run_lives_in_a_lane_and_for_a_delivery(self) -> None:
        live = [run.delivery for run in self.lanes.runs if run.is_live]
        lanes = [(self.lanes.rows[id].topic_id, self.lanes.rows[id].agent) for id in live]
        assert len(lanes) == len(set(lanes))
        assert set(live) == {d.id for d in self.lanes.rows.values() if d.started}

    @invariant()
    def nothing_is_lost(self) -> None:
        for row in self.lanes.rows.values():
            if row.status is Status.PENDING and row.waits:
                assert self.lanes.open_of(row.topic_id, row.agent) is not None
            elif row.status is Status.CLAIMED and not row.started:
                assert row.lease_until is not None  # the reaper finds it

    @invariant()
    def fences_only_grow(self) -> None:
        for id, row in self.lanes.rows.items():
            assert row.fence >= self.fences.get(id, 0)
            self.fences[id] = row.fence

    @invariant()
    def the_store_agrees(self) -> None:
        self.also_look()

    @contextmanager
    def both(self, also: Callable[[], type[PalError] | None]) -> Iterator[None]:
        """Do it by the rules, then on the store: both do it, or both raise the same."""
        refused: type[PalError] | None = None
        try:
            yield
        except PalError as exc:
            refused = type(exc)
        self.agree(refused, also)

    def agree(self, refused: type[PalError] | None, also: Callable[[], type[PalError] | None]) -> None:
        """The rules are alone."""

    @contextmanager
    def refused_when_stale(self, lease: Lease) -> Iterator[None]:
        """Said apart from the rules: under a lease that is not its delivery's newest nothing may happen."""
        is_stale = self.lanes.rows[lease.delivery].fence != lease.fence
        yield  # a refusal passes through here
        assert not is_stale

    def _has_begun(self, run: Attempt) -> None:
        attempt = (run.delivery, run.lease.fence)
        assert attempt not in self.begun
        self.begun.add(attempt)

    def _row(self, pick: int) -> int:
        return list(self.lanes.rows)[-1 - pick % len(self.lanes.rows)]

    def _lease(self, pick: int) -> Lease:
        return self.lanes.leases[-1 - pick % len(self.lanes.leases)]

    def _run(self, pick: int) -> Attempt:
        live = [run for run in self.lanes.runs if run.is_live]
        known = live if live and pick % 2 == 0 else self.lanes.runs
        return known[-1 - pick % len(known)]

    # What a store does beside the rules.

    def also_send(self, made: Delivery) -> None: ...
    def also_claim_from_the_queue(self, leases: list[Lease]) -> None: ...
    def also_claim(self, id: int, lease: Lease | None) -> type[PalError] | None: ...
    def also(self, action: Any, lease: Lease, **told: Any) -> type[PalError] | None: ...
    def also_open(self, lease: Lease) -> type[PalError] | None: ...
    def also_finish(self, run: Attempt, lease: Lease, status: str) -> type[PalError] | None: ...
    def also_settle(self, lease: Lease, is_ack: bool) -> type[PalError] | None: ...
    def also_person(self, action: Any, id: int, **told: Any) -> type[PalError] | None: ...
    def also_order(self, run: Attempt, wanted: Wanted) -> type[PalError] | None: ...
    def also_reap(self) -> None: ...
    def also_look(self) -> None: ...


@dataclass(slots=True)
class Ground:
    """A store that several random lives use one after the other, each with agents and a computer of its own."""

    loop: asyncio.AbstractEventLoop
    store: Store
    clock: Clock
    bus: Bus
    lives: "itertools.count[int]" = field(default_factory=itertools.count)

    def do(self, coroutine: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(coroutine)


class StoreMachine(LanesMachine):
    """The same steps on a store."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        super().__init__()
        self.life = next(ground.lives)
        self.box: Computer = ground.do(ground.bus.computer(f"box{self.life}"))
        self.topics = [ground.do(ground.bus.topic(f"topic {n}")) for n in range(2)]
        self.task: str = ground.do(ground.store.write(make_task, bus=ground.bus, topic=self.topics[0]))
        for _, key in LANES[1:]:
            ground.do(ground.bus.agent(self.agent(key), computer=self.box.name))
        self.ids: dict[int, int] = {}  # of the rules → of the store
        self.run_ids: dict[int, int] = {}
        self.lease_ids: dict[str, str] = {}

    def make_clock(self) -> Clock:
        return self.ground.clock

    def agent(self, key: str) -> str:
        return f"{key}{self.life}"

    def agree(self, refused: type[PalError] | None, also: Callable[[], type[PalError] | None]) -> None:
        assert also() == refused

    def attempt(self, action: Any, **told: Any) -> tuple[Any, type[PalError] | None]:
        try:
            return self.ground.do(self.ground.store.write(action, **told)), None
        except PalError as exc:
            return None, type(exc)

    def shown(self, lease: Lease) -> dict[str, Any]:
        return {"lease_id": self.lease_ids[lease.name], "fence": lease.fence}

    def also_send(self, made: Delivery) -> None:
        sent = self.ground.do(self.ground.bus.say(f"@{self.agent(made.agent)} go", topic=self.topics[made.topic_id]))
        (delivery,) = sent.deliveries
        self.ids[made.id] = delivery.id

    def also_claim_from_the_queue(self, leases: list[Lease]) -> None:
        claimed = self.ground.do(self.ground.bus.claim(computer=self.box))
        assert [one.delivery.id for one in claimed] == [self.ids[lease.delivery] for lease in leases]
        for one, lease in zip(claimed, leases, strict=True):
            self.lease_ids[lease.name] = one.delivery.lease_id

    def also_claim(self, id: int, lease: Lease | None) -> type[PalError] | None:
        claimed, refused = self.attempt(delivery_actions.claim, actor=daemon(self.box), id=self.ids[id])
        if claimed is not None:
            assert lease is not None
            self.lease_ids[lease.name] = claimed.delivery.lease_id
        return refused

    def also(self, action: Any, lease: Lease, **told: Any) -> type[PalError] | None:
        return self.attempt(action, actor=daemon(self.box), id=self.ids[lease.delivery], **self.shown(lease), **told)[1]

    def also_open(self, lease: Lease) -> type[PalError] | None:
        run, refused = self.attempt(
            run_actions.open_run,
            actor=daemon(self.box),
            delivery_id=self.ids[lease.delivery],
            secret_hash=f"secret {self.life} {len(self.run_ids)} {self.clock.now} {next(self.ground.lives)}",
            **self.shown(lease),
        )
        if run is not None:
            self._know_run(lease, run.id)
        return refused

    def _know_run(self, lease: Lease, id: int) -> None:
        (known,) = [run for run in self.lanes.runs if run.lease is lease]
        assert self.run_ids.setdefault(known.id, id) == id

    def also_finish(self, run: Attempt, lease: Lease, status: str) -> type[PalError] | None:
        return self.attempt(
            run_actions.finish,
            actor=daemon(self.box),
            id=self.run_ids[run.id],
            ending=Ending(status=RunStatus(status)),
            **self.shown(lease),
        )[1]

    def also_settle(self, lease: Lease, is_ack: bool) -> type[PalError] | None:
        settled, refused = self.attempt(
            run_actions.settle_delivery,
            actor=daemon(self.box),
            id=self.ids[lease.delivery],
            status="acked" if is_ack else "failed",
            **self.shown(lease),
        )
        if settled is not None:
            self._know_run(lease, settled.run_id)
        return refused

    def also_person(self, action: Any, id: int, **told: Any) -> type[PalError] | None:
        return self.attempt(action, actor=self.ground.bus.people.member, id=self.ids[id], **told)[1]

    def also_order(self, run: Attempt, wanted: Wanted) -> type[PalError] | None:
        return self.attempt(
            run_actions.order_by_id, actor=self.ground.bus.people.member, id=self.run_ids[run.id], wanted=wanted
        )[1]

    def also_reap(self) -> None:
        while self.ground.do(self.ground.store.write(delivery_actions.expire_overdue)):
            pass

    def also_look(self) -> None:
        rows, runs = self.ground.do(self.ground.store.read(self._stored))
        for id, row in self.lanes.rows.items():
            stored = rows[id]
            assert _essence(stored) == _essence(row), row
        for run in self.lanes.runs:
            stored_run = runs[run.id]
            assert (stored_run.is_live, stored_run.wanted) == (run.is_live, run.wanted)
            assert run.is_live or stored_run.status == run.status

    def _stored(self, tx: Tx) -> tuple[dict[int, Delivery], dict[int, Run]]:
        rows = {id: delivery_rows.find(tx, workspace_id="w", id=stored) for id, stored in self.ids.items()}
        runs = {id: run_rows.find(tx, workspace_id="w", id=stored) for id, stored in self.run_ids.items()}
        return (
            {id: row for id, row in rows.items() if row is not None},
            {id: run for id, run in runs.items() if run is not None},
        )

    def teardown(self) -> None:
        self.ground.do(self.ground.store.read(check_followed, id=self.task))
        assert self.ground.do(self.ground.store.read(find_broken)) == []


def _essence(row: Delivery) -> tuple[Any, ...]:
    """What the rules decide of a delivery."""
    return (
        row.status,
        row.waits,
        row.attempts,
        row.fence,
        row.started,
        row.fresh,
        row.not_before,
        row.lease_until,
        row.lease_id is None,
    )


def lives(number: int, *, steps: int, phases: tuple[Phase, ...] = tuple(Phase)) -> settings:
    return settings(
        phases=phases,
        max_examples=number,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=bool(os.environ.get("CI")),
        suppress_health_check=list(HealthCheck),
    )


def test_the_rules_keep_their_promises_in_many_lives() -> None:
    run_state_machine_as_test(LanesMachine, settings=lives(500, steps=50))


def test_a_store_does_what_the_rules_say(where: str | Path, engine: str, clock: Clock, heard: Heard) -> None:
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        store = loop.run_until_complete(open_test_store(where, clock=clock, heard=heard))
        try:
            bus = loop.run_until_complete(make_bus(store))
            ground = Ground(loop=loop, store=store, clock=clock, bus=bus)
            number = 60 if engine == "sqlite" else 15
            as_found = lives(number, steps=50, phases=(Phase.generate,))  # to shorten a life on a store takes minutes
            run_state_machine_as_test(lambda: StoreMachine(ground), settings=as_found)
        finally:
            loop.run_until_complete(store.close())
