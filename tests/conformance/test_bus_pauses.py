"""DR-22: runs that meet a limit wait for it, go on by themselves, and can be ended meanwhile."""

from typing import Any

import pytest

from pal_server.actions import deliveries, interactions, messages, runs
from pal_server.actions.deliveries import Claimed
from pal_server.domain.pausing import ATTEMPTS_MAX, LATEST
from pal_server.domain.runs import Run, Status, Wanted
from pal_server.storage import commands
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon
from tests.support.stores import Clock


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    return made


async def report(bus: Bus, claimed: Claimed, run: Run, *events: tuple[str, dict[str, Any]]) -> Run:
    """Run events of these kinds, after what was reported before; the run as it is then."""
    first = (await bus.run(run.id)).last_seq + 1
    whole = [
        {"seq": first + n, "kind": kind, "at": 1, "text": None, "lane": "main", "data": data, "source": None}
        for n, (kind, data) in enumerate(events)
    ]
    await bus.store.write(runs.add_events, actor=daemon(bus.box), id=run.id, events=whole, **lease(claimed))
    return await bus.run(run.id)


async def limited(bus: Bus, run: Run, resume_at: int | None, **ending: Any) -> Run:
    told: dict[str, Any] = {"status": "failed", "error_kind": "rate_limit", "error": "too many", **ending}
    return await bus.finish(run, resume_at=resume_at, **told)


async def card(bus: Bus) -> dict[str, Any]:
    page = await bus.store.read(messages.list_page, actor=bus.people.viewer, room="general")
    return page.items[-1].card or {}


# The program waits by itself


async def test_a_program_that_waits_is_paused_until_it_works_again(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")

    paused = await report(bus, claimed, run, ("status", {"state": "paused", "resume_at": clock.now + 60_000}))
    again = await report(bus, claimed, run, ("message", {}))

    assert (paused.status, paused.resume_at) == (Status.PAUSED, clock.now + 60_000)
    assert (again.status, again.resume_at) == (Status.RUNNING, None)


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([("status", {"state": "paused"})], "paused"),
        ([("status", {"state": "paused", "resume_at": "soon"})], "paused"),
        ([("status", {"state": "paused"}), ("status", {"state": "resumed"})], "running"),
        ([("tool_call", {}), ("status", {"state": "paused"})], "paused"),
        ([("status", {"state": "paused"}), ("usage", {})], "paused"),
        ([("status", {"state": "resumed"}), ("status", {"state": "working"})], "starting"),
    ],
)
async def test_the_last_word_of_the_program_counts(
    bus: Bus, events: list[tuple[str, dict[str, Any]]], status: str
) -> None:
    claimed, run = await bus.start("@bot go")

    now = await report(bus, claimed, run, *events)

    assert (now.status, now.resume_at) == (status, None)


async def test_its_daemon_may_say_so_itself(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")
    here: dict[str, Any] = {"actor": daemon(bus.box), "id": run.id, **lease(claimed)}

    paused = await bus.store.write(runs.set_state, status="paused", resume_at=clock.now + 5, **here)
    again = await bus.store.write(runs.set_state, status="running", **here)

    assert (paused.status, paused.resume_at) == ("paused", clock.now + 5)
    assert (again.status, again.resume_at) == ("running", None)


async def test_work_does_not_answer_for_a_person(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    asked: dict[str, Any] = {"run": run.id, "key": "k", "kind": "approval", "title": "may I?"}
    await bus.store.write(interactions.open_for_run, actor=daemon(bus.box), **asked, **lease(claimed))

    now = await report(bus, claimed, run, ("message", {}))

    assert now.status is Status.WAITING


async def test_a_paused_run_can_be_stopped(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    await report(bus, claimed, run, ("status", {"state": "paused"}))

    await bus.store.write(runs.order_by_id, actor=bus.people.member, id=run.id, wanted=Wanted.STOP)

    (order,) = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    assert order.kind == "stop"
    assert (await bus.finish(run, status="failed")).status == "cancelled"


# A limit ended the program


async def test_another_attempt_begins_when_the_limit_has_passed(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")
    await bus.say("@bot later")

    ended = await limited(bus, run, clock.now + 60_000)

    assert (ended.status, ended.resume_at) == ("failed", clock.now + 60_000)
    delivery = await bus.delivery(claimed.delivery.id)
    assert (delivery.status, delivery.not_before, delivery.error) == ("pending", clock.now + 60_000, "too many")
    shown = await card(bus)
    assert (shown["type"], shown["resume_at"]) == ("paused", clock.now + 60_000)
    assert await bus.claim() == ()
    clock.advance(61)
    again = await bus.claim_one()
    assert again.delivery.id == claimed.delivery.id
    assert again.work["restart_of"] == run.id
    assert again.work["resume"]
    assert await bus.store.read(find_broken) == []


async def test_waiting_for_a_limit_can_be_cancelled(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")
    later = await bus.say("@bot later")
    await limited(bus, run, clock.now + 60_000)

    await bus.store.write(deliveries.cancel, actor=bus.people.member, id=claimed.delivery.id)

    assert (await bus.claim_one()).delivery.id == later.deliveries[0].id


async def test_waiting_for_a_limit_can_be_cut_short(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")
    await limited(bus, run, clock.now + 60_000)

    await bus.store.write(deliveries.retry, actor=bus.people.member, id=claimed.delivery.id)

    assert (await bus.claim_one()).delivery.id == claimed.delivery.id


@pytest.mark.parametrize(
    ("resume_in", "ending"),
    [(None, {}), (LATEST + 1, {}), (1000, {"error_kind": "agent"}), (1000, {"status": "interrupted"})],
)
async def test_without_a_moment_to_wait_for_a_person_is_asked(
    bus: Bus, clock: Clock, resume_in: int | None, ending: dict[str, Any]
) -> None:
    claimed, run = await bus.start("@bot go")

    await limited(bus, run, None if resume_in is None else clock.now + resume_in, **ending)

    assert (await bus.delivery(claimed.delivery.id)).status in ("failed", "interrupted")
    assert (await card(bus))["type"] != "paused"


async def test_what_a_person_stopped_does_not_go_on(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")
    await bus.store.write(runs.order_by_id, actor=bus.people.member, id=run.id, wanted=Wanted.STOP)

    await limited(bus, run, clock.now + 1000)

    assert (await bus.delivery(claimed.delivery.id)).status == "acked"


async def test_it_does_not_go_on_for_ever(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")
    for _ in range(ATTEMPTS_MAX):
        await limited(bus, run, clock.now + 1000)
        clock.advance(2)
        run = await bus.open(await bus.claim_one())

    await limited(bus, run, clock.now + 1000)

    assert (await bus.delivery(claimed.delivery.id)).status == "failed"
