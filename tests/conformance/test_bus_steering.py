"""Messages to a busy agent: they wait, are told to its run, or stop it; and nothing is lost or done twice."""

from typing import Any

import pytest

from pal_server.actions import computers, daemons, deliveries, log, messages, rooms, runs, trace
from pal_server.actions.deliveries import Claimed
from pal_server.actions.messages import Sent
from pal_server.domain.computers import RuntimeState
from pal_server.domain.receipts import Receipt
from pal_server.domain.runs import Run
from pal_server.errors import Conflict, Forbidden
from pal_server.storage import commands
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import connect, daemon
from tests.support.stores import Clock

TALKING = RuntimeState(name="demo", available=True, capabilities={"live_input": True})


@pytest.fixture
async def bus(store: Store) -> Bus:
    """Its agent `bot` can be told something while it works."""
    made = await make_bus(store)
    await connect(store, made.box, machine="machine of box", runtimes=(TALKING,))
    await made.agent("bot")
    return made


def receipt(sent: Sent) -> Receipt:
    (only,) = sent.receipts
    return only


async def orders(bus: Bus) -> list[commands.Command]:
    return await bus.store.read(commands.open_for, computer_id=bus.box.id)


async def report_read(bus: Bus, claimed: Claimed, run: Run, command: int, *, seq: int = 1, **data: Any) -> None:
    event = {"kind": "status", "at": 1, "text": None, "lane": "main", "source": None}
    events = [{**event, "seq": seq, "data": {"state": "read", "input": f"steer-{command}", **data}}]
    await bus.store.write(runs.add_events, actor=daemon(bus.box), id=run.id, events=events, **lease(claimed))


async def told(bus: Bus, content: str = "@bot and mind the tests") -> tuple[Claimed, Run, Sent, commands.Command]:
    """A run, and a message told to it."""
    claimed, run = await bus.start("@bot go")
    sent = await bus.say(content, steer="steer")
    (command,) = await orders(bus)
    return claimed, run, sent, command


async def events(bus: Bus, kind: str) -> list[str]:
    found = await bus.store.read(log.events_after, workspace_id="w", position=0, limit=10_000)
    return [event.data for event in found if event.kind == kind]


# DR-6: one after another by default


async def test_messages_during_a_run_run_in_order(bus: Bus) -> None:
    _, run = await bus.start("@bot one")
    sent = [await bus.say(f"@bot {n}") for n in ("two", "three")]
    assert [(receipt(one).outcome, receipt(one).place) for one in sent] == [("queued", 1), ("queued", 2)]

    done = []
    while run is not None:
        await bus.finish(run)
        waiting = await bus.claim()
        if not waiting:
            break
        done.append(waiting[0].work["content"])
        run = await bus.open(waiting[0])

    assert done == ["two", "three"]
    assert {one.status for one in await bus.deliveries()} == {"acked"}


# BX-3: told while it works


async def test_a_run_that_can_is_told_and_the_message_is_done_once_read(bus: Bus) -> None:
    claimed, run, sent, command = await told(bus)
    assert (receipt(sent).outcome, command.kind, command.run_id) == ("steered", "steer", run.id)
    assert "mind the tests" in command.data["text"]
    assert await bus.claim() == ()

    await report_read(bus, claimed, run, command.id, step=3)

    delivery = await bus.delivery(sent.deliveries[0].id)
    assert (delivery.status, delivery.run_id, delivery.steered_into, delivery.read_step) == ("acked", run.id, run.id, 3)
    (read,) = await events(bus, "message.read")
    assert f'"id":{sent.message.id},' in read
    assert '"step":3' in read
    await bus.finish(run)
    assert await bus.claim() == ()
    assert await bus.store.read(find_broken) == []


async def test_the_step_is_counted_when_the_program_does_not_say(bus: Bus) -> None:
    claimed, run, sent, command = await told(bus)
    call = {"kind": "tool_call", "at": 1, "text": None, "lane": "main", "source": None, "data": {}}
    calls = [{**call, "seq": n} for n in (1, 2)]
    await bus.store.write(runs.add_events, actor=daemon(bus.box), id=run.id, events=calls, **lease(claimed))

    await report_read(bus, claimed, run, command.id, seq=3)

    assert (await bus.delivery(sent.deliveries[0].id)).read_step == 2


async def test_read_twice_is_read_once(bus: Bus) -> None:
    claimed, run, _, command = await told(bus)

    await report_read(bus, claimed, run, command.id)
    await report_read(bus, claimed, run, command.id, seq=2)

    assert len(await events(bus, "message.read")) == 1


async def test_what_was_not_read_waits_its_turn_again(bus: Bus) -> None:
    _, run, sent, _ = await told(bus)

    await bus.finish(run)

    again = await bus.claim_one()
    assert again.delivery.id == sent.deliveries[0].id
    assert again.delivery.steered_into is None
    assert await orders(bus) == []
    (queued,) = await events(bus, "delivery.queued")
    assert "ended before it read this" in queued


async def test_a_program_that_refuses_says_so_and_the_message_waits(bus: Bus) -> None:
    _, _, sent, command = await told(bus)

    await bus.store.write(
        daemons.command_done,
        actor=daemon(bus.box),
        computer=bus.box.id,
        command=command.id,
        epoch=None,
        ok=False,
        detail="demo takes no text while it works",
    )

    delivery = await bus.delivery(sent.deliveries[0].id)
    assert (delivery.status, delivery.steered_into) == ("pending", None)
    (queued,) = await events(bus, "delivery.queued")
    assert '"why":"demo takes no text while it works"' in queued
    assert '"place":1' in queued


async def test_a_runtime_that_takes_no_text_is_said_in_the_receipt(bus: Bus) -> None:
    silent = RuntimeState(name="demo", available=True, capabilities={"live_input": False})
    await connect(bus.store, bus.box, machine="machine of box", runtimes=(silent,))
    await bus.start("@bot go")

    sent = await bus.say("@bot and this", steer="steer")

    assert (receipt(sent).outcome, receipt(sent).place) == ("queued", 1)
    assert "demo takes no text while it works" in receipt(sent).text
    assert await orders(bus) == []


async def test_nobody_is_told_when_nobody_works(bus: Bus) -> None:
    sent = await bus.say("@bot go", steer="steer")

    assert receipt(sent).outcome == "started"
    assert await orders(bus) == []


async def test_a_message_taken_back_is_not_told(bus: Bus) -> None:
    _, _, sent, _ = await told(bus)

    await bus.store.write(messages.delete, actor=bus.people.member, id=sent.message.id)

    assert await orders(bus) == []
    assert (await bus.delivery(sent.deliveries[0].id)).status == "cancelled"


async def test_a_message_taken_back_after_the_program_had_it_stays_taken_back(bus: Bus) -> None:
    claimed, run, sent, command = await told(bus)
    await bus.store.write(deliveries.cancel, actor=bus.people.member, id=sent.deliveries[0].id)

    await report_read(bus, claimed, run, command.id)

    assert (await bus.delivery(sent.deliveries[0].id)).status == "cancelled"
    assert len(await events(bus, "message.read")) == 1


async def test_an_edit_before_the_computer_asked_changes_what_is_told(bus: Bus) -> None:
    _, _, sent, _ = await told(bus)

    await bus.store.write(messages.edit, actor=bus.people.member, id=sent.message.id, content="@bot mind the docs")

    (command,) = await orders(bus)
    assert "mind the docs" in command.data["text"]


async def test_a_restart_tells_the_new_run_what_the_old_one_had_read(bus: Bus) -> None:
    claimed, run, sent, command = await told(bus)
    await report_read(bus, claimed, run, command.id)
    await bus.store.write(runs.order_by_id, actor=bus.people.member, id=run.id, wanted=runs.Wanted.RESTART)
    await bus.finish(run, status="cancelled")

    again = await bus.claim_one()

    assert again.delivery.id == claimed.delivery.id
    assert f"Message {sent.message.id} from" in again.work["prompt"]


async def test_words_that_wait_never_join_what_was_told_to_a_run(bus: Bus, clock: Clock) -> None:
    await bus.invite("bot", mode="all")
    claimed, run = await bus.start("@bot go")
    await bus.say("first", steer="steer")
    (command,) = await orders(bus)
    second = await bus.say("second")
    await report_read(bus, claimed, run, command.id)
    await bus.finish(run)
    clock.advance(2)

    again = await bus.claim_one()

    assert again.delivery.id == second.deliveries[0].id
    assert again.work["content"] == "second"


async def test_told_to_a_computer_that_is_away_it_is_told_later(bus: Bus, clock: Clock) -> None:
    await bus.start("@bot go")
    clock.advance(60)
    await bus.store.write(computers.mark_offline)

    sent = await bus.say("@bot and this", steer="steer")

    assert receipt(sent).outcome == "offline"
    assert [command.kind for command in await orders(bus)] == ["steer"]


async def test_why_says_that_it_was_read(bus: Bus) -> None:
    claimed, run, sent, command = await told(bus)
    before = await bus.store.read(trace.of_message, actor=bus.people.member, id=sent.message.id)
    await report_read(bus, claimed, run, command.id, step=4)

    after = await bus.store.read(trace.of_message, actor=bus.people.member, id=sent.message.id)

    assert (before.steps[-1].what, before.steps[-1].ok) == ("read", None)
    assert (after.steps[-1].what, after.steps[-1].ok) == ("read", True)
    assert "step 4" in after.steps[-1].text


async def test_sent_again_it_says_what_became_of_it(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    await bus.say("@bot more", steer="steer", client_id="c")
    assert receipt(await bus.say("@bot more", steer="steer", client_id="c")).outcome == "steered"
    (command,) = await orders(bus)
    await report_read(bus, claimed, run, command.id, step=2)

    again = await bus.say("@bot more", steer="steer", client_id="c")

    assert receipt(again).outcome == "read"
    assert "step 2" in receipt(again).text


async def test_a_room_may_tell_by_default_and_a_message_may_choose_otherwise(bus: Bus) -> None:
    await bus.store.write(rooms.change, actor=bus.people.member, room="general", busy="steer")
    await bus.start("@bot go")

    by_rule = await bus.say("@bot more")
    chosen = await bus.say("@bot later", steer="queue")

    assert (receipt(by_rule).outcome, receipt(chosen).outcome) == ("steered", "queued")


# Interrupt


async def test_an_interruption_stops_the_run_and_comes_next(bus: Bus) -> None:
    _, run = await bus.start("@bot go")
    await bus.say("@bot later")

    sent = await bus.say("@bot stop that, do this", steer="interrupt")

    assert (receipt(sent).outcome, receipt(sent).place) == ("interrupts", 1)
    assert [(command.kind, command.run_id) for command in await orders(bus)] == [("stop", run.id)]
    ended = await bus.finish(run, status="failed", signal="SIGINT")
    assert ended.status == "cancelled"
    assert (await bus.claim_one()).work["content"] == "stop that, do this"


async def test_two_interruptions_stop_once_and_the_newest_comes_first(bus: Bus) -> None:
    _, run = await bus.start("@bot go")
    await bus.say("@bot one", steer="interrupt")
    await bus.say("@bot two", steer="interrupt")

    assert len(await orders(bus)) == 1
    await bus.finish(run, status="failed")
    assert (await bus.claim_one()).work["content"] == "two"


async def test_an_agent_interrupts_nobody(bus: Bus) -> None:
    await bus.agent("other")
    await bus.start("@bot go")
    await bus.say("@other go")
    inside = await bus.inside(await bus.claim_one())

    with pytest.raises(Forbidden):
        await bus.say("@bot stop", actor=inside, steer="interrupt")
    sent = await bus.say("@bot please", actor=inside, steer="steer")

    assert receipt(sent).outcome == "steered"


async def test_where_a_room_interrupts_by_default_an_agents_words_wait(bus: Bus) -> None:
    await bus.store.write(rooms.change, actor=bus.people.member, room="general", busy="interrupt")
    await bus.agent("other")
    await bus.start("@bot go")
    await bus.say("@other go")
    inside = await bus.inside(await bus.claim_one())

    sent = await bus.say("@bot please", actor=inside)

    assert receipt(sent).outcome == "queued"
    assert await orders(bus) == []


# A live run told by its number


async def test_a_run_is_told_by_its_number(bus: Bus) -> None:
    _, run = await bus.start("@bot go")

    steered = await bus.store.write(runs.steer, actor=bus.people.member, id=run.id, text="mind the tests")

    assert (steered.receipt.outcome, steered.message.topic_id) == ("steered", run.topic_id)
    assert steered.message.content == "mind the tests"
    assert [command.run_id for command in await orders(bus)] == [run.id]


async def test_a_run_that_cannot_be_told_refuses_and_nothing_is_said(bus: Bus) -> None:
    _, run = await bus.start("@bot go")
    said = await bus.said()
    await bus.store.write(runs.order_by_id, actor=bus.people.member, id=run.id, wanted=runs.Wanted.STOP)

    with pytest.raises(Conflict, match="being ended"):
        await bus.store.write(runs.steer, actor=bus.people.member, id=run.id, text="mind the tests")
    await bus.finish(run, status="failed")
    with pytest.raises(Conflict, match="has ended"):
        await bus.store.write(runs.steer, actor=bus.people.member, id=run.id, text="mind the tests")

    assert await bus.said() == said


async def test_viewers_and_the_agent_itself_tell_a_run_nothing(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    inside = await bus.inside(claimed)

    for actor in (bus.people.viewer, inside):
        with pytest.raises(Forbidden):
            await bus.store.write(runs.steer, actor=actor, id=run.id, text="mind the tests")


# The queue


async def test_the_queue_of_a_topic_is_seen_and_put_in_order(bus: Bus) -> None:
    _, run = await bus.start("@bot go")
    topic = run.topic_id
    ids = [(await bus.say(f"@bot {n}")).deliveries[0].id for n in (1, 2, 3)]
    await bus.store.write(deliveries.move_to_front, actor=bus.people.member, id=ids[2])
    await bus.store.write(deliveries.cancel, actor=bus.people.member, id=ids[0])

    waiting = await bus.deliveries(topic=topic, status="pending")
    await bus.finish(run)

    assert [one.id for one in waiting] == ids[1:]
    assert (await bus.claim_one()).delivery.id == ids[2]


async def test_the_front_of_a_queue_whose_computer_is_away_can_be_changed(bus: Bus) -> None:
    first = (await bus.say("@bot 1")).deliveries[0].id
    second = (await bus.say("@bot 2")).deliveries[0].id

    await bus.store.write(deliveries.move_to_front, actor=bus.people.member, id=second)

    assert (await bus.claim_one()).delivery.id == second
    assert (await bus.delivery(first)).waits
    assert await bus.store.read(find_broken) == []


async def test_what_waits_can_be_merged_and_one_run_answers_both(bus: Bus) -> None:
    _, run = await bus.start("@bot go")
    one, two = [(await bus.say(f"@bot {n}")).deliveries[0].id for n in ("one", "two")]

    await bus.store.write(deliveries.merge, actor=bus.people.member, id=two, into=one)
    await bus.finish(run)

    again = await bus.claim_one()
    assert (again.delivery.id, again.work["content"]) == (one, "one\ntwo")
    assert (await bus.delivery(two)).status == "cancelled"


async def test_only_what_waits_in_one_lane_is_merged(bus: Bus) -> None:
    claimed, _ = await bus.start("@bot go")
    await bus.agent("other")
    mine = (await bus.say("@bot 1")).deliveries[0].id
    others = (await bus.say("@other 1")).deliveries[0].id

    for into in (claimed.delivery.id, others, mine):
        with pytest.raises(Conflict):
            await bus.store.write(deliveries.merge, actor=bus.people.member, id=mine, into=into)
