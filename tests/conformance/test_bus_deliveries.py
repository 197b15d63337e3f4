"""Deliveries: claimed once, leased, fenced, taken back, one of a lane at a time, and never out of sight."""

import asyncio
from typing import Any

import pytest

from pal_server.actions import agents, computers, deliveries, messages, rooms, runs
from pal_server.actions.deliveries import Claimed
from pal_server.domain.addressing import Reason
from pal_server.domain.deliveries import POLICY, Status
from pal_server.domain.receipts import Outcome
from pal_server.errors import AlreadyClaimed, AlreadyExists, Conflict, Forbidden, LeaseLost, NotFound
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import connect, daemon
from tests.support.stores import Clock, Heard


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    return made


async def renew(bus: Bus, claimed: Claimed) -> Any:
    return await bus.store.write(deliveries.renew, actor=daemon(bus.box), id=claimed.delivery.id, **lease(claimed))


async def release(bus: Bus, claimed: Claimed, **more: Any) -> Any:
    return await bus.store.write(
        deliveries.release, actor=daemon(bus.box), id=claimed.delivery.id, **lease(claimed), **more
    )


async def lose_lease(bus: Bus, clock: Clock) -> int:
    clock.advance(POLICY.lease_for / 1000 + 0.001)
    return await bus.store.write(deliveries.expire_overdue)


# DR-1, DR-2, DR-26


async def test_a_mention_is_one_pending_delivery_for_each_agent_with_no_daemon_anywhere(bus: Bus) -> None:
    await bus.agent("other", computer=None)

    sent = await bus.say("@bot @other go")

    found = await bus.deliveries()
    assert [(one.agent, one.status) for one in found] == [("bot", Status.PENDING), ("other", Status.PENDING)]
    assert [one.id for one in sent.deliveries] == [one.id for one in found]


async def test_of_twenty_claims_at_once_one_wins(bus: Bus) -> None:
    (made,) = (await bus.say("@bot go")).deliveries

    results = await asyncio.gather(
        *(bus.store.write(deliveries.claim, actor=daemon(bus.box), id=made.id) for _ in range(20)),
        return_exceptions=True,
    )

    assert sum(isinstance(result, Claimed) for result in results) == 1
    assert sum(isinstance(result, AlreadyClaimed) for result in results) == 19


async def test_of_twenty_looks_into_the_queue_one_finds_it(bus: Bus) -> None:
    await bus.say("@bot go")

    found = await asyncio.gather(*(bus.claim() for _ in range(20)))

    assert sum(len(claimed) for claimed in found) == 1


async def test_receipts_say_what_happens_now(bus: Bus, clock: Clock) -> None:
    await bus.agent("homeless", computer=None)
    await bus.agent("off", computer="box")
    await bus.store.write(agents.change, actor=bus.people.admin, key="off", enabled=False)

    def told(sent: messages.Sent) -> dict[str, tuple[Outcome, int | None]]:
        return {one.agent: (one.outcome, one.place) for one in sent.receipts}

    assert told(await bus.say("@bot @homeless @off go")) == {
        "bot": (Outcome.STARTED, None),
        "homeless": (Outcome.OFFLINE, None),
        "off": (Outcome.REFUSED, None),
    }
    assert told(await bus.say("@bot more")) == {"bot": (Outcome.QUEUED, 1)}
    await bus.store.write(computers.drain, actor=bus.people.admin, ref="box")
    assert told(await bus.say("@bot more")) == {"bot": (Outcome.QUEUED, 2)}
    clock.advance(60)
    await bus.store.write(computers.mark_offline)
    assert told(await bus.say("@bot more")) == {"bot": (Outcome.OFFLINE, 3)}


async def test_a_receipt_says_when_the_agent_or_its_computer_is_full(bus: Bus) -> None:
    await bus.agent("other")
    for number in range(4):
        sent = await bus.say("@bot go", topic=await bus.topic(f"topic {number}"))
        assert [one.outcome for one in sent.receipts] == [Outcome.STARTED]
    waiting = await bus.say("@bot go", topic=await bus.topic("unclaimed before it"))
    await bus.claim(limit=4)

    full = await bus.say("@bot go", topic=await bus.topic("one more"))
    beside = await bus.say("@other go", topic=await bus.topic("beside"))
    for number in range(16):
        await bus.agent(f"agent{number}")
        await bus.say(f"@agent{number} go", topic=await bus.topic(f"more {number}"))
    await bus.claim()
    crowded = await bus.say("@other go", topic=await bus.topic("crowded"))

    assert [(one.outcome, one.place) for one in waiting.receipts] == [(Outcome.QUEUED, 1)]
    assert [(one.outcome, one.place) for one in full.receipts] == [(Outcome.QUEUED, 2)]
    assert "as many topics as it may (4)" in full.receipts[0].text
    assert [one.outcome for one in beside.receipts] == [Outcome.STARTED]
    assert [one.outcome for one in crowded.receipts] == [Outcome.QUEUED]
    assert "as many agents as it may (20)" in crowded.receipts[0].text


async def test_a_claim_has_all_there_is_to_start(bus: Bus) -> None:
    await bus.store.write(rooms.change, actor=bus.people.owner, room="general", rules="Be brief.")
    await bus.store.write(agents.change, actor=bus.people.admin, key="bot", instructions="You are kind.")
    await bus.say("some context")

    sent = await bus.say("@bot draw a cat")
    claimed = await bus.claim_one()

    work = claimed.work
    assert (work["content"], work["message"], work["room_name"]) == ("draw a cat", sent.message.id, "general")
    assert (work["agent"]["key"], work["restart_of"], work["resume"]) == ("bot", None, False)
    for part in ("You are kind.", "Be brief.", "some context", "@bot draw a cat", "user member"):
        assert part in work["prompt"]
    assert claimed.lease()["until"] == claimed.delivery.lease_until


@pytest.mark.parametrize(
    ("of_agent", "of_room", "holds"),
    [(None, None, None), (60_000, None, 60_000), (None, 5_000, 5_000), (9_000, 5_000, 5_000), (5_000, 9_000, 5_000)],
)
async def test_the_shorter_time_limit_of_agent_and_room_goes_with_the_work(
    bus: Bus, of_agent: int | None, of_room: int | None, holds: int | None
) -> None:
    await bus.store.write(agents.change, actor=bus.people.admin, key="bot", max_duration=of_agent)
    await bus.store.write(rooms.change, actor=bus.people.owner, room="general", max_duration=of_room)
    await bus.say("@bot go")

    assert (await bus.claim_one()).work["agent"]["max_duration"] == holds


async def test_what_was_claimed_in_an_answer_that_was_lost_is_given_out_again_at_once(bus: Bus) -> None:
    await bus.say("@bot one")
    known = await bus.claim_one()
    await bus.say("@bot two", topic=await bus.topic())
    lost = await bus.claim_one()

    (again,) = await bus.claim(held=(known.delivery.id,))

    assert (again.delivery.id, again.delivery.attempts) == (lost.delivery.id, 1)
    with pytest.raises(LeaseLost):
        await bus.open(lost)
    await bus.open(known)
    await bus.open(again)
    assert await bus.claim(held=()) == ()


# DR-3: leases and fences


async def test_each_claim_has_a_higher_fence_and_the_older_lease_is_void(bus: Bus, clock: Clock) -> None:
    await bus.say("@bot go")
    first = await bus.claim_one()
    await lose_lease(bus, clock)
    second = await bus.claim_one()
    run = await bus.open(second)

    assert second.delivery.fence > first.delivery.fence
    for late in (renew(bus, first), release(bus, first), bus.open(first)):
        with pytest.raises(LeaseLost):
            await late
    await renew(bus, second)
    await bus.finish(run)


@pytest.mark.parametrize("wrong", [{"lease_id": "lease_x"}, {"fence": 0}, {"fence": 2}])
async def test_half_a_lease_is_none(bus: Bus, wrong: dict[str, Any]) -> None:
    await bus.say("@bot go")
    claimed = await bus.claim_one()

    with pytest.raises(LeaseLost):
        await bus.store.write(
            deliveries.renew, actor=daemon(bus.box), id=claimed.delivery.id, **{**lease(claimed), **wrong}
        )


async def test_a_lease_that_is_over_is_lost_before_anybody_takes_it_back(bus: Bus, clock: Clock) -> None:
    await bus.say("@bot go")
    claimed = await bus.claim_one()
    clock.advance(POLICY.lease_for / 1000)
    await renew(bus, claimed)
    clock.advance(POLICY.lease_for / 1000 + 0.001)

    for late in (renew(bus, claimed), bus.open(claimed)):
        with pytest.raises(LeaseLost):
            await late


async def test_a_started_run_keeps_its_delivery_however_long_the_daemon_is_away(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")
    clock.advance(7200)

    assert await bus.store.write(deliveries.expire_overdue) == 0
    assert await bus.claim() == ()
    await renew(bus, claimed)
    await bus.finish(run)
    assert (await bus.delivery(claimed.delivery.id)).status is Status.ACKED


async def test_a_repeat_under_the_same_lease_is_answered_alike(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")

    again = await bus.open(claimed)
    ended = await bus.finish(run, text="done")
    clock.advance(60)
    ended_again = await bus.finish(run, text="done")

    assert again.id == run.id
    assert ended_again == ended
    assert (await bus.said()).count("done") == 1


@pytest.mark.parametrize("status", ["acked", "failed"])
async def test_an_attempt_may_be_settled_by_its_delivery_and_said_again(bus: Bus, status: str) -> None:

    await bus.say("@bot go")
    claimed = await bus.claim_one()
    for _ in range(2):
        settled = await bus.store.write(
            runs.settle_delivery,
            actor=daemon(bus.box),
            id=claimed.delivery.id,
            status=status,
            text="an answer",
            **lease(claimed),
        )

    assert settled.status == status
    assert (await bus.said()).count("an answer") == 1
    assert settled.run_id is not None


# DR-4: taken back, dead, retried


async def test_what_was_never_started_is_claimable_again_when_the_lease_is_over(bus: Bus, clock: Clock) -> None:
    await bus.say("@bot go")
    await bus.claim_one()

    assert await bus.claim() == ()
    assert await lose_lease(bus, clock) == 1
    assert (await bus.claim_one()).delivery.attempts == 2


async def test_attempts_spent_is_dead_with_a_card_and_a_person_tries_again(bus: Bus, clock: Clock) -> None:
    first = await bus.say("@bot go")
    second = await bus.say("@bot next")
    for _ in range(POLICY.max_attempts):
        await bus.claim_one()
        await lose_lease(bus, clock)

    dead = await bus.delivery(first.deliveries[0].id)
    page = await bus.store.read(messages.list_page, actor=bus.people.viewer, room="general")
    card = page.items[-1]
    assert dead.status is Status.DEAD
    assert (card.kind, card.card and card.card["actions"]) == ("card", ["retry"])
    assert (await bus.claim_one()).delivery.id == second.deliveries[0].id

    again = await bus.store.write(deliveries.retry, actor=bus.people.member, id=dead.id)

    assert (again.status, again.waits, again.attempts) == (Status.PENDING, True, 0)


async def test_handing_back_may_cost_an_attempt_or_not_and_may_wait(bus: Bus, clock: Clock) -> None:
    await bus.say("@bot go")

    free = await release(bus, await bus.claim_one(), burn_attempt=False, delay_for=5000, reason="no runtime")
    assert (free.attempts, free.error) == (0, "no runtime")
    assert await bus.claim() == ()
    clock.advance(5)
    assert (await release(bus, await bus.claim_one())).attempts == 1


async def test_what_is_handed_back_too_often_is_dead(bus: Bus) -> None:
    (made,) = (await bus.say("@bot go")).deliveries
    for _ in range(POLICY.max_attempts):
        await release(bus, await bus.claim_one())

    assert (await bus.delivery(made.id)).status is Status.DEAD


async def test_a_started_run_is_not_handed_back(bus: Bus) -> None:
    claimed, _ = await bus.start("@bot go")

    with pytest.raises(Conflict):
        await release(bus, claimed)


async def test_a_person_drops_what_waits_and_nothing_else(bus: Bus) -> None:
    sent = [await bus.say(f"@bot {n}") for n in range(3)]
    first, second, third = (one.deliveries[0].id for one in sent)
    await bus.claim_one()

    for _ in range(2):
        dropped = await bus.store.write(deliveries.cancel, actor=bus.people.member, id=second)
        assert dropped.status is Status.CANCELLED
    for actor, error in ((bus.people.viewer, Forbidden), (daemon(bus.box), Forbidden)):
        with pytest.raises(error):
            await bus.store.write(deliveries.cancel, actor=actor, id=third)
    with pytest.raises(Conflict):
        await bus.store.write(deliveries.cancel, actor=bus.people.member, id=first)


# DR-21


@pytest.mark.parametrize(("end", "status"), [("failed", "failed"), ("interrupted", "interrupted")])
@pytest.mark.parametrize("fresh", [False, True])
async def test_a_person_tries_again_what_failed(bus: Bus, end: str, status: str, fresh: bool) -> None:
    claimed, run = await bus.start("@bot go")
    await bus.finish(run, status=end)
    assert (await bus.delivery(claimed.delivery.id)).status == status
    assert await bus.claim() == ()

    await bus.store.write(deliveries.retry, actor=bus.people.member, id=claimed.delivery.id, fresh=fresh)
    again = await bus.claim_one()
    rerun = await bus.open(again)

    assert (again.work["restart_of"], again.work["resume"]) == (run.id, not fresh)
    assert again.work["generation"] == (2 if fresh else 1)
    assert (again.work["session"] == claimed.work["session"]) is not fresh
    assert rerun.restart_of == run.id


@pytest.mark.parametrize("end", ["succeeded", "cancelled"])
async def test_what_ended_well_is_not_tried_again(bus: Bus, end: str) -> None:
    claimed, run = await bus.start("@bot go")
    await bus.finish(run, status=end)

    with pytest.raises(Conflict):
        await bus.store.write(deliveries.retry, actor=bus.people.member, id=claimed.delivery.id)


async def test_trying_again_twice_at_once_is_once(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    await bus.finish(run, status="failed")

    results = await asyncio.gather(
        *(bus.store.write(deliveries.retry, actor=bus.people.member, id=claimed.delivery.id) for _ in range(5)),
        return_exceptions=True,
    )

    assert sum(isinstance(result, Conflict) for result in results) == 4


# DR-5, DR-6: lanes


async def test_one_of_a_lane_at_a_time_oldest_first_and_topics_beside_each_other(bus: Bus) -> None:
    other = await bus.topic()
    here = [(await bus.say(f"@bot here {n}")).deliveries[0].id for n in range(2)]
    there = [(await bus.say(f"@bot there {n}", topic=other)).deliveries[0].id for n in range(2)]

    first = await bus.claim()
    assert [one.delivery.id for one in first] == [here[0], there[0]]
    with pytest.raises(Conflict):
        await bus.store.write(deliveries.claim, actor=daemon(bus.box), id=here[1])
    await bus.finish(await bus.open(first[0]))

    assert [one.delivery.id for one in await bus.claim()] == [here[1]]


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled", "interrupted", "dry_run"])
async def test_the_next_of_the_lane_follows_whatever_the_end(bus: Bus, end: str) -> None:
    _, run = await bus.start("@bot one")
    second = await bus.say("@bot two")

    await bus.finish(run, status=end)

    assert (await bus.claim_one()).delivery.id == second.deliveries[0].id


async def test_an_agent_runs_in_four_topics_at_once(bus: Bus) -> None:
    for number in range(6):
        await bus.say("@bot go", topic=await bus.topic(f"topic {number}"))

    claimed = await bus.claim()
    pending = [one.id for one in await bus.deliveries(status="pending")]

    assert len(claimed) == 4
    assert await bus.claim() == ()
    with pytest.raises(Conflict):
        await bus.store.write(deliveries.claim, actor=daemon(bus.box), id=pending[0])
    await bus.finish(await bus.open(claimed[0]))
    assert len(await bus.claim()) == 1


async def test_a_computer_runs_twenty_and_claims_at_once_do_not_exceed_it(bus: Bus) -> None:
    topics = [await bus.topic(f"topic {number}") for number in range(4)]
    for number in range(6):
        await bus.agent(f"bot{number}")
        for topic in topics:
            await bus.say(f"@bot{number} go", topic=topic)
    waiting = [one.id for one in await bus.deliveries(status="pending")]
    assert len(waiting) == 24

    results = await asyncio.gather(
        *(bus.store.write(deliveries.claim, actor=daemon(bus.box), id=made) for made in waiting), return_exceptions=True
    )

    assert sum(isinstance(result, Claimed) for result in results) == 20
    assert await bus.claim() == ()


async def test_an_answer_says_whether_there_is_more(bus: Bus) -> None:
    for number in range(2):
        await bus.say("@bot go", topic=await bus.topic(f"topic {number}"))

    first = await bus.store.write(deliveries.claim_queue, actor=daemon(bus.box), limit=1)
    second = await bus.store.write(deliveries.claim_queue, actor=daemon(bus.box), limit=1)

    assert (len(first.claimed), first.more, len(second.claimed), second.more) == (1, True, 1, False)


async def test_a_disabled_agent_and_a_draining_computer_take_nothing_new(bus: Bus) -> None:
    (made,) = (await bus.say("@bot go")).deliveries
    await bus.store.write(agents.change, actor=bus.people.admin, key="bot", enabled=False)
    assert await bus.claim() == ()
    with pytest.raises(Conflict):
        await bus.store.write(deliveries.claim, actor=daemon(bus.box), id=made.id)

    await bus.store.write(agents.change, actor=bus.people.admin, key="bot", enabled=True)
    await bus.store.write(computers.drain, actor=bus.people.admin, ref="box")
    assert await bus.claim() == ()
    with pytest.raises(Conflict):
        await bus.store.write(deliveries.claim, actor=daemon(bus.box), id=made.id)


async def test_a_daemon_that_was_replaced_claims_nothing(bus: Bus) -> None:

    await bus.say("@bot go")
    newer = await connect(bus.store, bus.box, machine="another", take_over=True)

    with pytest.raises(Conflict):
        await bus.claim(epoch=bus.box.epoch)
    assert len(await bus.claim(epoch=newer.epoch)) == 1


# AU-5


async def test_two_computers_cannot_reach_each_others_work(bus: Bus) -> None:

    other = await bus.computer("other")
    await bus.agent("foreign", computer="other")
    (made,) = (await bus.say("@bot go")).deliveries
    stranger = daemon(other)

    assert await bus.claim(computer=other) == ()
    for verb in (deliveries.claim, deliveries.get):
        with pytest.raises(NotFound):
            await bus.store.write(verb, actor=stranger, id=made.id)
    claimed = await bus.claim_one()
    run = await bus.open(claimed)
    for verb in (deliveries.renew, deliveries.release):
        with pytest.raises(NotFound):
            await bus.store.write(verb, actor=stranger, id=made.id, **lease(claimed))
    with pytest.raises(NotFound):
        await bus.open(claimed, computer=other)
    with pytest.raises(NotFound):
        await bus.finish(run, computer=other)
    with pytest.raises(NotFound):
        await bus.store.read(runs.get, actor=stranger, id=run.id)
    assert (await bus.store.read(deliveries.list_page, actor=stranger)).items == ()
    assert (await bus.store.read(deliveries.list_page, actor=stranger, agent="bot")).items == ()
    assert (await bus.store.read(runs.list_page, actor=stranger)).items == ()
    assert len((await bus.store.read(runs.list_page, actor=daemon(bus.box))).items) == 1


async def test_an_agent_that_moved_is_claimed_by_its_new_computer_and_ends_on_the_old_one(bus: Bus) -> None:
    other = await bus.computer("other")
    _, run = await bus.start("@bot one")
    await bus.say("@bot two", topic=await bus.topic())

    await bus.store.write(agents.assign, actor=bus.people.admin, key="bot", computer="other")

    assert await bus.claim() == ()
    assert len(await bus.claim(computer=other)) == 1
    await bus.finish(run)


# By hand


async def test_a_message_is_given_to_an_agent_by_hand_once(bus: Bus) -> None:
    sent = await bus.say("draw")

    made = await bus.store.write(
        deliveries.create_by_hand, actor=bus.people.member, message=sent.message.id, agent="bot"
    )

    assert made.reason is Reason.MANUAL
    with pytest.raises(AlreadyExists):
        await bus.store.write(deliveries.create_by_hand, actor=bus.people.member, message=sent.message.id, agent="bot")


# Deletion of an agent (DR-20)


async def test_deleting_an_agent_drops_what_waits_and_kills_what_runs(bus: Bus) -> None:
    claimed, run = await bus.start("@bot run")
    unstarted_in = await bus.topic()
    await bus.say("@bot unstarted", topic=unstarted_in)
    unstarted = await bus.claim_one()
    waiting = await bus.say("@bot waits")

    await bus.store.write(agents.delete, actor=bus.people.admin, key="bot")

    assert (await bus.delivery(waiting.deliveries[0].id)).status is Status.CANCELLED
    assert (await bus.delivery(unstarted.delivery.id)).status is Status.CANCELLED
    assert (await bus.run(run.id)).wanted == "kill"
    with pytest.raises(LeaseLost):
        await bus.open(unstarted)
    await bus.finish(run, status="cancelled")
    assert (await bus.delivery(claimed.delivery.id)).is_final
    assert (await bus.say("@bot hello")).unresolved_mentions == ("bot",)


async def test_looking_is_hinted_at_after_what_can_be_claimed(bus: Bus, heard: Heard) -> None:
    key = f"computer:{bus.box.id}"
    heard.wakes.clear()

    await bus.say("@bot go")
    assert any(key in keys for keys in heard.wakes)
    claimed = await bus.claim_one()
    await bus.say("@bot next")
    run = await bus.open(claimed)
    heard.wakes.clear()

    await bus.finish(run)
    assert any(key in keys for keys in heard.wakes)
