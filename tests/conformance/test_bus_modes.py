"""RM-10, RM-11: which messages an agent hears, by its mode in the room."""

import pytest

from pal_server.actions import agents, digests, messages, trace
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.addressing import Reason
from pal_server.domain.receipts import Outcome
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus
from tests.support.stores import Clock

BRIDGE = Actor(kind=ActorKind.BRIDGE, workspace_id="w", id="token_b", name="lark")


@pytest.fixture
async def bus(store: Store) -> Bus:
    return await make_bus(store)


async def test_mentions_hears_its_name_and_replies(bus: Bus) -> None:
    await bus.agent("bot")
    _, run = await bus.start("@bot go")
    await bus.finish(run, text="done")
    answer = (await bus.store.read(messages.list_page, actor=bus.people.owner, room="general")).items[-1]

    nothing = await bus.say("nice")
    reply = await bus.say("thanks", parent=answer.id)

    assert nothing.deliveries == ()
    assert [delivery.reason for delivery in reply.deliveries] == [Reason.REPLY]


async def test_all_hears_every_person_and_no_agent(bus: Bus, clock: Clock) -> None:
    await bus.agent("bot")
    await bus.agent("listener", mode="all")

    (heard,) = (await bus.say("hello")).deliveries
    claimed = (await bus.say("@bot go")).deliveries
    work = await bus.claim(agents=["bot"])
    inside = await bus.inside(work[0])
    by_agent = await bus.say("I say something", actor=inside)

    assert (heard.agent, heard.reason) == ("listener", Reason.ALL)
    assert {delivery.agent for delivery in claimed} == {"bot"}  # the listener's joined what waits
    assert by_agent.deliveries == ()


async def test_muted_keeps_it_in_the_inbox_and_runs_nothing(bus: Bus) -> None:
    await bus.agent("bot", mode="muted")

    sent = await bus.say("@bot look")

    assert sent.deliveries == ()
    assert [receipt.outcome for receipt in sent.receipts] == [Outcome.SAVED]
    kept = await bus.store.read(messages.inbox, actor=bus.people.owner, agent="bot", after=None, limit=10)
    assert [(item.message.id, item.reason) for item in kept.items] == [(sent.message.id, "mention")]
    assert await bus.claim() == ()


async def test_off_cannot_be_mentioned(bus: Bus) -> None:
    await bus.agent("bot", mode="off")

    sent = await bus.say("@bot look")

    assert (sent.deliveries, sent.unresolved_mentions) == ((), ("bot",))
    assert [(one.agent, one.outcome, one.text) for one in sent.receipts] == [
        ("bot", "refused", "not delivered: its mode is off here")
    ]
    why = await bus.store.read(trace.of_message, actor=bus.people.member, id=sent.message.id)
    assert why.first_broken is not None
    assert "the mode of bot is off in room general" in why.first_broken.text


async def test_a_wide_at_is_an_at_and_a_quoted_one_is_none(bus: Bus) -> None:
    await bus.agent("bot")

    called = await bus.say("\uff20bot look")
    quoted = await bus.say("> @bot look\nI would not have said that")

    assert [delivery.agent for delivery in called.deliveries] == ["bot"]
    assert (quoted.deliveries, quoted.message.mentions) == ((), ())


async def test_periodic_gets_one_digest_an_interval_when_something_is_unread(bus: Bus, clock: Clock) -> None:
    await bus.agent("bot", mode="periodic")
    await bus.say("one")
    await bus.say("@bot two")
    assert await bus.deliveries() == []

    clock.advance(3600)
    assert await bus.store.write(digests.send_due) == 1
    assert await bus.store.write(digests.send_due) == 0
    clock.advance(3600)
    await bus.store.write(digests.send_due)

    (digest,) = await bus.deliveries()
    assert digest.reason is Reason.PERIODIC
    assert "2 messages" in (await bus.said())[-1]


async def test_a_digest_waits_for_an_agent_that_is_disabled(bus: Bus, clock: Clock) -> None:
    await bus.agent("bot", mode="periodic")
    await bus.say("one")
    await bus.store.write(agents.change, actor=bus.people.admin, key="bot", enabled=False)
    clock.advance(3600)
    await bus.store.write(digests.send_due)
    assert await bus.store.write(digests.send_due) == 0  # not looked at again and again meanwhile
    await bus.store.write(agents.change, actor=bus.people.admin, key="bot", enabled=True)
    await bus.say("two")
    clock.advance(3600)
    await bus.store.write(digests.send_due)

    assert "2 messages" in (await bus.said())[-1]
    assert len(await bus.deliveries()) == 1


async def test_who_becomes_periodic_is_told_what_is_said_from_then_on(bus: Bus, clock: Clock) -> None:
    await bus.agent("bot")
    await bus.say("long ago")
    clock.advance(3600)
    await bus.invite("bot", mode="periodic")
    assert await bus.store.write(digests.send_due) == 0
    await bus.say("now")
    clock.advance(3600)
    await bus.store.write(digests.send_due)

    assert "1 messages" in (await bus.said())[-1]


async def test_an_agent_never_triggers_itself(bus: Bus) -> None:
    await bus.agent("bot")
    claimed, _ = await bus.start("@bot go")
    inside = await bus.inside(claimed)

    sent = await bus.say("@bot I talk to myself", actor=inside)

    assert sent.deliveries == ()
