"""BX-7: in a room that asks for it, an answer waits as a draft when something newer was said that its run has not
read.
"""

import asyncio
from typing import Any

import pytest

from pal_server.actions import daemons, drafts, messages, rooms, runs, trace
from pal_server.actions.deliveries import Claimed
from pal_server.actions.messages import Sent
from pal_server.domain.actors import Actor
from pal_server.domain.computers import RuntimeState
from pal_server.domain.messages import Message
from pal_server.domain.receipts import Outcome
from pal_server.domain.runs import Run
from pal_server.errors import Conflict, Forbidden, Invalid
from pal_server.storage import commands
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import connect, daemon


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    await made.agent("other")
    await made.store.write(rooms.change, actor=made.people.member, room="general", fresh=True)
    return made


async def at_work(bus: Bus) -> tuple[Claimed, Run, Actor]:
    claimed, run = await bus.start("@bot go")
    return claimed, run, await bus.inside(claimed)


async def cards(bus: Bus) -> list[Message]:
    page = await bus.store.read(messages.list_page, actor=bus.people.viewer, room="general", limit=200)
    return [message for message in page.items if message.card is not None and message.card["type"] == "draft"]


async def draft(bus: Bus) -> Message:
    (card,) = await cards(bus)
    return card


async def choose(bus: Bus, card: Message, choice: str, *, actor: Actor | None = None) -> dict[str, Any]:
    done = await bus.store.write(drafts.choose, actor=actor or bus.people.member, id=card.id, choice=choice)
    assert done.card is not None
    return done.card


def outcomes(sent: Sent) -> list[str]:
    return [receipt.outcome for receipt in sent.receipts]


async def test_an_answer_waits_when_something_newer_was_said(bus: Bus) -> None:
    _, _, inside = await at_work(bus)
    newer = await bus.say("no, the other one")

    sent = await bus.say("done with this one", actor=inside)

    card = await draft(bus)
    assert card.card is not None
    assert (sent.message.id, outcomes(sent)) == (card.id, [Outcome.HELD])
    assert (card.card["status"], card.card["unread"]) == ("held", [newer.message.id])
    assert card.card["draft"]["content"] == "done with this one"
    assert "done with this one" not in await bus.said()


async def test_the_final_text_waits_too_and_the_run_is_not_silent(bus: Bus) -> None:
    _, run, _ = await at_work(bus)
    await bus.say("no, the other one")

    await bus.finish(run, text="done with this one")

    assert len(await bus.said()) == 3
    assert (await draft(bus)).content.endswith("done with this one")
    assert await bus.store.read(find_broken) == []


async def test_a_run_that_said_something_that_is_held_does_not_say_it_again(bus: Bus) -> None:
    _, run, inside = await at_work(bus)
    await bus.say("no, the other one")
    await bus.say("done", actor=inside)

    await bus.finish(run, text="done")

    assert len(await cards(bus)) == 1


# What holds nothing


async def nothing(bus: Bus, run: Run, inside: Actor) -> None:
    """Nobody says anything."""


async def its_own_words(bus: Bus, run: Run, inside: Actor) -> None:
    await bus.say("half way", actor=inside)


async def elsewhere(bus: Bus, run: Run, inside: Actor) -> None:
    await bus.say("in another topic", topic=await bus.topic())


async def taken_back(bus: Bus, run: Run, inside: Actor) -> None:
    sent = await bus.say("never mind")
    await bus.store.write(messages.delete, actor=bus.people.member, id=sent.message.id)


async def switched_off(bus: Bus, run: Run, inside: Actor) -> None:
    await bus.say("newer")
    await bus.store.write(rooms.change, actor=bus.people.member, room="general", fresh=False)


@pytest.mark.parametrize("happens", [nothing, its_own_words, elsewhere, taken_back, switched_off])
async def test_an_answer_goes_out_when_it_has_read_all(bus: Bus, happens: Any) -> None:
    _, run, inside = await at_work(bus)
    await happens(bus, run, inside)

    await bus.say("done", actor=inside)

    assert (await bus.said())[-1] == "done"
    assert await cards(bus) == []


async def test_a_room_does_not_ask_for_it_by_itself(bus: Bus) -> None:
    await bus.make_room("elsewhere")
    await bus.invite("bot", room="elsewhere")
    claimed, _ = await bus.start("@bot go", room="elsewhere")
    await bus.say("newer", room="elsewhere")

    await bus.say("done", actor=await bus.inside(claimed))

    assert (await bus.said(room="elsewhere"))[-1] == "done"


async def test_what_the_run_was_told_and_has_read_holds_nothing(bus: Bus) -> None:
    talking = RuntimeState(name="demo", available=True, capabilities={"live_input": True})
    await connect(bus.store, bus.box, machine="machine of box", runtimes=(talking,))
    claimed, run, inside = await at_work(bus)
    await bus.say("@bot the other one", steer="steer")
    (order,) = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    box: dict[str, Any] = {"actor": daemon(bus.box), "computer": bus.box.id, "epoch": None}
    await bus.store.write(daemons.command_done, command=order.id, ok=True, detail="", **box)
    assert outcomes(await bus.say("too early", actor=inside)) == [Outcome.HELD]
    read = {"seq": 1, "kind": "status", "at": 1, "text": None, "lane": "main", "source": None}
    read["data"] = {"state": "read", "input": f"steer-{order.id}"}
    await bus.store.write(runs.add_events, actor=daemon(bus.box), id=run.id, events=[read], **lease(claimed))

    await bus.say("done", actor=inside)

    assert (await bus.said())[-1] == "done"


async def test_why_says_that_the_answer_is_held(bus: Bus) -> None:
    sent = await bus.say("@bot go")
    run = await bus.open(await bus.claim_one())
    await bus.say("newer")
    await bus.finish(run, text="done")

    told = await bus.store.read(trace.of_message, actor=bus.people.viewer, id=sent.message.id)

    broken = told.first_broken
    assert broken is not None
    assert (broken.what, broken.advice) == ("answered", f"pal cli draft {(await draft(bus)).id} send, revise or drop")


# What becomes of it


async def test_sent_as_it_is_it_is_the_agents_message(bus: Bus) -> None:
    _, run, inside = await at_work(bus)
    await bus.say("newer")
    await bus.say("@other look at this", actor=inside)

    card = await choose(bus, await draft(bus), "send")

    sent = await bus.store.read(messages.get, actor=bus.people.viewer, id=card["message"])
    assert (sent.content, sent.sender.name, sent.run_id) == ("@other look at this", "bot", run.id)
    assert (card["status"], card["answered_by"], card["actions"]) == ("sent", "member", [])
    assert (await bus.claim_one()).delivery.agent == "other"
    assert sent.hop == 1


async def test_once_sent_as_it_is_the_same_news_hold_no_later_answer(bus: Bus) -> None:
    _, _, inside = await at_work(bus)
    await bus.say("newer")
    await bus.say("one", actor=inside)
    await choose(bus, await draft(bus), "send")

    await bus.say("two", actor=inside)
    assert (await bus.said())[-1] == "two"

    await bus.say("newer still")
    assert outcomes(await bus.say("three", actor=inside)) == [Outcome.HELD]


async def test_revised_the_agent_has_a_new_turn_with_all_that_was_said(bus: Bus) -> None:
    claimed, run, _ = await at_work(bus)
    for words in ("no, the other one", "@bot and quickly"):
        await bus.say(words)
    await bus.finish(run, text="done with this one")

    card = await choose(bus, await draft(bus), "revise")

    again = await bus.claim_one()
    assert (again.delivery.message_id, again.work["generation"]) == (card["message"], 1)
    for words in ("no, the other one", "and quickly", "done with this one"):
        assert words in again.work["prompt"]
    assert await bus.claim() == ()
    assert claimed.delivery.id != again.delivery.id
    assert await bus.store.read(find_broken) == []


async def test_dropped_nobody_reads_it(bus: Bus) -> None:
    _, _, inside = await at_work(bus)
    await bus.say("newer")
    await bus.say("done", actor=inside)

    assert (await choose(bus, await draft(bus), "drop"))["status"] == "dropped"
    assert "done" not in await bus.said()


@pytest.mark.parametrize("first", ["send", "revise", "drop"])
async def test_it_is_chosen_once(bus: Bus, first: str) -> None:
    _, _, inside = await at_work(bus)
    await bus.say("newer")
    await bus.say("done", actor=inside)
    card = await draft(bus)

    done = await asyncio.gather(*(choose(bus, card, first) for _ in range(4)), return_exceptions=True)

    assert [type(one) for one in done].count(Conflict) == 3
    with pytest.raises(Conflict):
        await choose(bus, card, "send")


async def test_only_people_choose_and_only_for_drafts(bus: Bus) -> None:
    _, _, inside = await at_work(bus)
    newer = await bus.say("newer")
    await bus.say("done", actor=inside)
    card = await draft(bus)

    for actor in (inside, bus.people.viewer):
        with pytest.raises(Forbidden):
            await choose(bus, card, "send", actor=actor)
    with pytest.raises(Invalid):
        await choose(bus, card, "explode")
    with pytest.raises(Conflict):
        await choose(bus, newer.message, "send")


async def test_said_again_with_its_client_id_it_is_held_once(bus: Bus) -> None:
    _, _, inside = await at_work(bus)
    await bus.say("newer")

    first, again = [await bus.say("done", actor=inside, client_id="c") for _ in range(2)]

    assert first.message.id == again.message.id == (await draft(bus)).id
    assert outcomes(again) == [Outcome.HELD]
