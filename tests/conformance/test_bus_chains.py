"""Agents that talk to agents: chains that stop and ask, and debates of a set number of turns."""

from typing import Any

import pytest

from pal_server.actions import agents, debates, deliveries, interactions, messages, rooms, runs
from pal_server.actions.deliveries import Claimed
from pal_server.domain.chains import DELIVERY_LIMIT, HOP_LIMIT
from pal_server.domain.deliveries import POLICY, Status
from pal_server.domain.interactions import Interaction
from pal_server.domain.receipts import Outcome
from pal_server.domain.runs import Run, Wanted
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage.debates import Debate
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon
from tests.support.stores import Clock, Heard


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    for key in ("a", "b"):
        await made.agent(key)
    return made


async def pending(bus: Bus) -> list[Interaction]:
    page = await bus.store.read(interactions.list_page, actor=bus.people.viewer, status="pending")
    return list(page.items)


async def thank_each_other(bus: Bus) -> int:
    """Let whoever is called thank the other one, until nobody is; how many runs that took."""
    for count in range(100):
        claimed = await bus.claim()
        if not claimed:
            return count
        (one,) = claimed
        run = await bus.open(one)
        other = "b" if one.delivery.agent == "a" else "a"
        await bus.finish(run, text=f"@{other} thank you")
    raise AssertionError("they go on for ever")


async def decide(bus: Bus, asked: Interaction, decision: str) -> None:
    await bus.store.write(interactions.answer, actor=bus.people.member, id=asked.id, decision=decision)


# RM-11


async def test_agents_that_thank_each_other_stop_and_one_card_asks(bus: Bus) -> None:
    await bus.say("@a thank @b")  # both of them, so two begin

    ran = 0
    for _ in range(60):
        claimed = await bus.claim()
        if not claimed:
            break
        for one in claimed:
            ran += 1
            other = "b" if one.delivery.agent == "a" else "a"
            await bus.finish(await bus.open(one), text=f"@{other} thank you")

    (asked,) = await pending(bus)
    assert asked.chain_id is not None
    assert await bus.claim() == ()
    assert 8 <= ran <= 2 * HOP_LIMIT


async def test_eight_hops_and_then_silence(bus: Bus) -> None:
    await bus.say("@a begin")

    assert await thank_each_other(bus) == HOP_LIMIT

    (asked,) = await pending(bus)
    assert (asked.kind, len(asked.held), asked.run_id) == ("approval", 1, None)
    assert await bus.deliveries(status="pending") == []


async def test_a_room_says_how_far_agents_go_on(bus: Bus) -> None:
    await bus.store.write(rooms.change, actor=bus.people.member, room="general", hop_limit=3)
    await bus.say("@a begin")

    assert await thank_each_other(bus) == 3
    (asked,) = await pending(bus)
    await decide(bus, asked, "approve")
    assert await thank_each_other(bus) == 3

    for wrong in (0, 101):
        with pytest.raises(Invalid):
            await bus.store.write(rooms.change, actor=bus.people.member, room="general", hop_limit=wrong)


async def test_no_agent_changes_how_far_agents_go_on(bus: Bus) -> None:
    await bus.say("@a begin")
    (claimed,) = await bus.claim()

    with pytest.raises(Forbidden):
        await bus.store.write(rooms.change, actor=await bus.inside(claimed), room="general", hop_limit=100)


async def test_approving_lets_it_go_on_for_as_much_again_and_asks_again(bus: Bus, heard: Heard) -> None:
    await bus.say("@a begin")
    await thank_each_other(bus)
    (asked,) = await pending(bus)
    heard.events.clear()

    await decide(bus, asked, "approve")

    kinds = [event.kind for batch in heard.events for event in batch]
    assert {"interaction.answered", "delivery.created"} <= set(kinds)
    assert await thank_each_other(bus) == HOP_LIMIT
    (again,) = await pending(bus)
    assert again.id != asked.id


async def test_denying_ends_it_for_good(bus: Bus) -> None:
    await bus.say("@a begin")
    await thank_each_other(bus)
    (asked,) = await pending(bus)

    await decide(bus, asked, "deny")

    assert await bus.claim() == ()
    assert await pending(bus) == []
    await bus.say("@a begin anew")
    assert await thank_each_other(bus) == HOP_LIMIT


async def test_what_still_runs_in_a_denied_chain_reaches_nobody_and_asks_nobody(bus: Bus) -> None:
    await bus.say("@a begin")
    for _ in range(HOP_LIMIT - 1):
        one = await bus.claim_one()
        other = "b" if one.delivery.agent == "a" else "a"
        await bus.finish(await bus.open(one), text=f"@{other} thank you")
    last = await bus.claim_one()
    inside = await bus.inside(last)
    other = "b" if last.delivery.agent == "a" else "a"
    held = await bus.say(f"@{other} one", actor=inside)
    assert [receipt.outcome for receipt in held.receipts] == [Outcome.HELD]
    (asked,) = await pending(bus)

    await decide(bus, asked, "deny")
    refused = await bus.say(f"@{other} two", actor=inside)

    assert [receipt.outcome for receipt in refused.receipts] == [Outcome.REFUSED]
    assert (await pending(bus), refused.deliveries) == ([], ())


async def test_what_is_held_joins_the_one_question(bus: Bus) -> None:
    await bus.say("@a begin")
    for _ in range(HOP_LIMIT - 1):
        one = await bus.claim_one()
        other = "b" if one.delivery.agent == "a" else "a"
        await bus.finish(await bus.open(one), text=f"@{other} thank you")
    last = await bus.claim_one()
    inside = await bus.inside(last)
    other = "b" if last.delivery.agent == "a" else "a"

    first = await bus.say(f"@{other} one", actor=inside)
    second = await bus.say(f"@{other} two", actor=inside, topic=await bus.topic())

    (asked,) = await pending(bus)
    assert asked.held == (first.message.id, second.message.id)
    await decide(bus, asked, "approve")
    assert {one.message_id for one in await bus.deliveries(status="pending")} == {first.message.id, second.message.id}


async def test_an_answer_to_an_answer_ends_by_itself(bus: Bus) -> None:
    _, run = await bus.start("@a ask b")
    await bus.finish(run, text="@b what do you think?")
    second = await bus.claim_one()
    await bus.finish(await bus.open(second), text="I agree.")
    third = await bus.claim_one()
    assert (third.delivery.agent, third.delivery.reason) == ("a", "reply")

    await bus.finish(await bus.open(third), text="Fine.")

    assert await bus.claim() == ()


async def test_a_fan_out_stops_too(bus: Bus) -> None:
    for number in range(20):
        await bus.agent(f"x{number}")
    claimed, _ = await bus.start("@a begin")
    inside = await bus.inside(claimed)
    everybody = " ".join(f"@x{number}" for number in range(20))

    sent = [await bus.say(f"{everybody} {n}", actor=inside) for n in range(5)]

    assert sum(len(one.deliveries) for one in sent) <= DELIVERY_LIMIT
    assert len(await pending(bus)) == 1
    assert {receipt.outcome for receipt in sent[-1].receipts} == {Outcome.HELD}


async def test_people_are_never_throttled(bus: Bus) -> None:
    sent = [await bus.say("@a @b go") for _ in range(DELIVERY_LIMIT)]

    assert all(len(one.deliveries) == 2 for one in sent)


async def test_a_deleted_message_is_not_let_go_on(bus: Bus) -> None:
    await bus.say("@a begin")
    await thank_each_other(bus)
    (asked,) = await pending(bus)
    await bus.store.write(messages.delete, actor=bus.people.admin, id=asked.held[0])

    await decide(bus, asked, "approve")

    assert await bus.deliveries(status="pending") == []


# RM-12


async def start(bus: Bus, *, turns: int = 6, **more: Any) -> Debate:
    return await bus.store.write(
        debates.start,
        actor=bus.people.member,
        room="general",
        a="a",
        b="b",
        subject="tabs or spaces",
        turns=turns,
        **more,
    )


async def turn(bus: Bus, *, text: str | None = None, **ending: Any) -> tuple[Claimed, Run]:
    claimed = await bus.claim_one()
    run = await bus.open(claimed)
    return claimed, await bus.finish(run, text=text or f"{claimed.delivery.agent} says", **ending)


async def spoken(bus: Bus, debate: Debate) -> list[str]:
    page = await bus.store.read(messages.list_page, actor=bus.people.viewer, topic=debate.topic_id, limit=200)
    return [message.sender.name for message in page.items if message.sender.kind == "agent"]


async def status(bus: Bus, debate: Debate) -> tuple[str, int]:
    now = await bus.store.read(debates.get, actor=bus.people.viewer, id=debate.id)
    return now.status, now.taken


@pytest.mark.parametrize("turns", [1, 2, 5, 10])
async def test_a_debate_is_exactly_so_many_alternating_messages(bus: Bus, turns: int) -> None:
    debate = await start(bus, turns=turns)
    assert debate.topic_id != bus.room.default_topic

    for _ in range(turns):
        await turn(bus)

    assert await bus.claim() == ()
    assert await spoken(bus, debate) == [("a", "b")[n % 2] for n in range(turns)]
    assert await status(bus, debate) == ("finished", turns)


async def test_a_turn_posted_by_command_and_with_names_in_it_counts_once(bus: Bus) -> None:
    debate = await start(bus, turns=3)
    for number in range(3):
        claimed = await bus.claim_one()
        run = await bus.open(claimed)
        inside = await bus.inside(claimed)
        await bus.say(f"@a @b listen {number}", actor=inside)
        with pytest.raises(Conflict):
            await bus.say("and another thing", actor=inside)
        await bus.finish(run, text="the same again")

    assert await bus.claim() == ()
    assert await spoken(bus, debate) == ["a", "b", "a"]
    assert await pending(bus) == []


async def test_a_debate_stopped_midway_goes_no_further(bus: Bus) -> None:
    debate = await start(bus)
    await turn(bus)
    _, running = await bus_open(bus)

    await bus.store.write(debates.stop, actor=bus.people.member, id=debate.id)
    await bus.finish(running, text="b says")

    assert await bus.claim() == ()
    assert await status(bus, debate) == ("stopped", 1)
    assert await spoken(bus, debate) == ["a", "b"]
    await bus.store.write(debates.stop, actor=bus.people.member, id=debate.id)


async def bus_open(bus: Bus) -> tuple[Claimed, Run]:
    claimed = await bus.claim_one()
    return claimed, await bus.open(claimed)


async def test_a_turn_that_waits_is_dropped_when_the_debate_stops(bus: Bus) -> None:
    debate = await start(bus)

    await bus.store.write(debates.stop, actor=bus.people.member, id=debate.id)

    (dropped,) = await bus.deliveries()
    assert dropped.status is Status.CANCELLED
    assert await spoken(bus, debate) == []


@pytest.mark.parametrize("how", ["cancelled", "message deleted", "agent deleted", "deleted when claimed", "dead"])
async def test_a_turn_that_never_begins_ends_the_debate_with_a_card(bus: Bus, clock: Clock, how: str) -> None:
    debate = await start(bus)
    (waiting,) = await bus.deliveries()

    match how:
        case "cancelled":
            await bus.store.write(deliveries.cancel, actor=bus.people.member, id=waiting.id)
        case "message deleted":
            await bus.store.write(messages.delete, actor=bus.people.member, id=waiting.message_id)
        case "agent deleted":
            await bus.store.write(agents.delete, actor=bus.people.owner, key="a")
        case "deleted when claimed":
            await bus.claim()
            await bus.store.write(agents.delete, actor=bus.people.owner, key="a")
        case "dead":
            for _ in range(POLICY.max_attempts):
                await bus.claim()
                clock.advance(POLICY.lease_for / 1000 + 1)
                await bus.store.write(deliveries.expire_overdue)

    assert await status(bus, debate) == ("stopped", 0)
    assert any("ends here" in text for text in await bus.said(topic=debate.topic_id))
    assert await bus.claim() == ()


async def test_a_debate_whose_next_agent_is_gone_ends_with_a_card(bus: Bus) -> None:
    debate = await start(bus)
    _, run = await bus_open(bus)
    await bus.store.write(agents.delete, actor=bus.people.owner, key="b")

    await bus.finish(run, text="my turn")

    assert await status(bus, debate) == ("stopped", 1)
    assert any("b is not in the room" in text for text in await bus.said(topic=debate.topic_id))


@pytest.mark.parametrize("end", ["failed", "interrupted", "cancelled"])
async def test_a_turn_that_says_nothing_ends_the_debate_with_a_card(bus: Bus, end: str) -> None:
    debate = await start(bus)
    await turn(bus)
    claimed, run = await bus_open(bus)

    await bus.finish(run, status=end)

    assert await status(bus, debate) == ("stopped", 1)
    assert any("ends here" in text for text in await bus.said(topic=debate.topic_id))
    if end != "cancelled":
        await bus.store.write(deliveries.retry, actor=bus.people.member, id=claimed.delivery.id)
        await turn(bus)
        assert await bus.claim() == ()


async def test_a_restarted_turn_is_said_once(bus: Bus) -> None:
    debate = await start(bus, turns=2)
    _, run = await bus_open(bus)
    await bus.store.write(runs.order_by_id, actor=bus.people.member, id=run.id, wanted=Wanted.RESTART)
    await bus.finish(run, status="cancelled")
    _, said = await turn(bus)
    with pytest.raises(Conflict):
        await bus.store.write(runs.order_by_id, actor=bus.people.member, id=said.id, wanted=Wanted.RESTART)
    await turn(bus)

    assert await spoken(bus, debate) == ["a", "b"]
    assert await status(bus, debate) == ("finished", 2)


async def test_a_turn_settled_by_its_delivery_hands_over(bus: Bus) -> None:

    debate = await start(bus, turns=2)
    claimed = await bus.claim_one()
    await bus.store.write(
        runs.settle_delivery,
        actor=daemon(bus.box),
        id=claimed.delivery.id,
        status="acked",
        text="a says",
        **lease(claimed),
    )
    await turn(bus)

    assert await spoken(bus, debate) == ["a", "b"]


async def test_an_edit_of_the_subject_leaves_the_turn(bus: Bus) -> None:
    debate = await start(bus, turns=1)
    (opening,) = (await bus.store.read(messages.list_page, actor=bus.people.viewer, topic=debate.topic_id)).items

    await bus.store.write(messages.edit, actor=bus.people.member, id=opening.id, content="vi or emacs")
    claimed, _ = await turn(bus)

    assert "vi or emacs" in claimed.work["prompt"]
    assert await status(bus, debate) == ("finished", 1)


async def test_a_person_may_speak_in_between(bus: Bus) -> None:
    debate = await start(bus, turns=3)
    await turn(bus)
    await bus.say("@a one question", topic=debate.topic_id)
    for _ in range(4):
        for claimed in await bus.claim():
            await bus.finish(await bus.open(claimed), text=f"{claimed.delivery.agent} says")

    assert await status(bus, debate) == ("finished", 3)
    assert await bus.claim() == ()
    assert len(await spoken(bus, debate)) == 4


async def test_the_same_start_again_is_the_same_debate(bus: Bus) -> None:
    first = await start(bus, client_id="c1")
    again = await start(bus, client_id="c1")

    assert again.id == first.id
    assert len(await bus.deliveries()) == 1


async def test_a_debate_needs_two_agents_of_the_room_and_some_turns(bus: Bus) -> None:
    await bus.agent("off", mode="off")

    async def refused(error: type[Exception], **wrong: Any) -> None:
        asked = {"room": "general", "a": "a", "b": "b", "subject": "tabs", "turns": 2, "actor": bus.people.member}
        with pytest.raises(error):
            await bus.store.write(debates.start, **{**asked, **wrong})

    await refused(Invalid, b="a")
    await refused(Invalid, turns=0)
    await refused(Invalid, turns=101)
    await refused(Invalid, subject="  ")
    for missing in ("nobody", "off"):
        await refused(NotFound, b=missing)
    await refused(Forbidden, actor=bus.people.viewer)
