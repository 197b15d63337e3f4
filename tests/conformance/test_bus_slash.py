"""Commands to pal in a message, choices for a topic, and sessions that go on or begin anew."""

from typing import Any

import pytest

from pal_server.actions import agents, choices, messages, runs, trace
from pal_server.actions.deliveries import Claimed
from pal_server.actions.messages import Sent
from pal_server.domain.agents import Choice
from pal_server.domain.runs import Run, Wanted
from pal_server.errors import Forbidden, Invalid
from pal_server.storage import commands
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot", model="small")
    return made


def answer(sent: Sent) -> str:
    """What pal says to it, of the one agent it was said to."""
    (receipt,) = sent.receipts
    assert receipt.outcome == "done", receipt.text
    assert sent.deliveries == ()
    return receipt.text


async def bind(bus: Bus, claimed: Claimed, run: Run, native: str) -> None:
    await bus.store.write(
        runs.bind_native_session, actor=daemon(bus.box), id=run.session_id, native_session=native, **lease(claimed)
    )


async def choose(bus: Bus, **wanted: Any) -> Choice:
    return await bus.store.write(
        choices.change, actor=bus.people.member, topic=bus.room.default_topic, agent="bot", **wanted
    )


# RT-14: which commands there are


async def test_a_command_is_answered_in_the_topic_and_no_agent_runs(bus: Bus) -> None:
    sent = await bus.say("@bot /help")

    text = answer(sent)
    assert "/stop" in text
    assert (await bus.said())[-1] == text
    page = await bus.store.read(messages.list_page, actor=bus.people.viewer, room="general")
    said = page.items[-1]
    assert (said.kind, said.sender.kind, said.parent_id) == ("system", "system", sent.message.id)
    assert await bus.claim() == ()


@pytest.mark.parametrize("content", ["@bot /echo hi", "@bot please /stop", "@bot stop", "@bot /Stop", "@bot //stop"])
async def test_everything_else_goes_to_the_agent(bus: Bus, content: str) -> None:
    sent = await bus.say(content)

    assert [receipt.outcome for receipt in sent.receipts] == ["started"]
    assert (await bus.claim_one()).work["content"] == content.removeprefix("@bot ")


async def test_an_agent_gives_no_commands(bus: Bus) -> None:
    await bus.agent("other")
    _, run = await bus.start("@bot go")
    await bus.say("@other go")
    inside = await bus.inside(await bus.claim_one())

    sent = await bus.say("@bot /stop", actor=inside)

    assert [receipt.outcome for receipt in sent.receipts] == ["queued"]
    assert (await bus.run(run.id)).wanted is None


async def test_an_edit_gives_no_command_and_does_not_deliver_one(bus: Bus) -> None:
    _, run = await bus.start("@bot go")
    sent = await bus.say("hello")

    await bus.store.write(messages.edit, actor=bus.people.member, id=sent.message.id, content="@bot /stop")

    assert (await bus.run(run.id)).wanted is None
    assert len(await bus.deliveries()) == 1


async def test_said_to_nobody_it_tells_how(bus: Bus) -> None:
    sent = await bus.say("/status")

    assert sent.receipts == ()
    assert "@name /status" in (await bus.said())[-1]


async def test_said_to_two_it_is_done_for_both(bus: Bus) -> None:
    await bus.agent("other")

    sent = await bus.say("@bot @other /status")

    assert [(receipt.agent, receipt.outcome) for receipt in sent.receipts] == [("bot", "done"), ("other", "done")]


async def test_why_says_that_it_was_a_command(bus: Bus) -> None:
    sent = await bus.say("@bot /status")

    found = await bus.store.read(trace.of_message, actor=bus.people.member, id=sent.message.id)

    assert "command to pal" in found.steps[-1].text
    assert found.first_broken is None


async def test_status_says_what_it_does(bus: Bus) -> None:
    _, run = await bus.start("@bot go")
    await bus.say("@bot later")

    text = answer(await bus.say("@bot /status"))

    assert f"run {run.id} is starting" in text
    assert "1 wait" in text
    assert "model small" in text
    assert "session 1" in text


# DR-13: stop, and go on in the same session


@pytest.mark.parametrize("by_command", [True, False])
async def test_a_stop_is_polite_and_the_next_message_goes_on(bus: Bus, by_command: bool) -> None:
    claimed, run = await bus.start("@bot go")
    await bind(bus, claimed, run, "native-1")

    if by_command:
        assert "asked to stop" in answer(await bus.say("@bot /stop"))
    else:
        await bus.store.write(runs.order_by_id, actor=bus.people.member, id=run.id, wanted=Wanted.STOP)

    (order,) = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    assert (order.kind, order.run_id) == ("stop", run.id)
    assert (await bus.finish(run, status="failed", signal="SIGINT")).status == "cancelled"
    await bus.say("@bot go on")
    again = await bus.claim_one()
    assert (again.work["session"], again.work["native_session"]) == (run.session_id, "native-1")


async def test_nothing_to_stop_is_said(bus: Bus) -> None:
    assert "does nothing" in answer(await bus.say("@bot /stop"))


async def test_on_another_computer_the_program_begins_a_conversation_of_its_own(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    await bind(bus, claimed, run, "native-1")
    await bus.finish(run)
    other = await bus.computer("other")
    await bus.store.write(agents.assign, actor=bus.people.admin, key="bot", computer="other")
    await bus.say("@bot go on")

    moved = await bus.claim_one(computer=other)
    there = await bus.open(moved, computer=other)

    assert moved.work["native_session"] is None
    assert moved.work["session"] == run.session_id
    await bus.finish(there, computer=other)
    await bus.store.write(agents.assign, actor=bus.people.admin, key="bot", computer="box")
    await bus.say("@bot and back")
    assert (await bus.claim_one()).work["native_session"] is None


# DR-19: clear


@pytest.mark.parametrize("command", ["/new", "/clear"])
async def test_a_new_session_forgets_and_the_topic_keeps(bus: Bus, command: str) -> None:
    claimed, run = await bus.start("@bot remember me")
    await bind(bus, claimed, run, "native-1")
    await bus.finish(run, text="I do")

    assert "session 2" in answer(await bus.say(f"@bot {command}"))

    await bus.say("@bot who am I?")
    again = await bus.claim_one()
    assert (again.work["generation"], again.work["native_session"]) == (2, None)
    assert again.work["session"] != run.session_id
    assert "remember me" not in again.work["prompt"]
    assert "@bot remember me" in await bus.said()
    assert await bus.store.read(find_broken) == []


async def test_what_works_goes_on_in_the_old_session(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")

    text = answer(await bus.say("@bot /new and start again"))
    await bind(bus, claimed, run, "native-1")
    await bus.finish(run)

    assert f"Run {run.id}" in text
    assert "not passed on" in text
    await bus.say("@bot hi")
    assert (await bus.claim_one()).work["native_session"] is None


# RT-7, RT-8: model, effort, mode


async def test_a_choice_of_the_topic_beats_the_profile_from_the_next_turn_on(bus: Bus) -> None:
    _, run = await bus.start("@bot go")

    text = answer(await bus.say("@bot /model large-9"))
    answer(await bus.say("@bot /effort high"))
    answer(await bus.say("@bot /plan"))

    assert f"next turn on; run {run.id} goes on as it began" in text
    await bus.finish(run)
    await bus.say("@bot again")
    agent = (await bus.claim_one()).work["agent"]
    assert (agent["model"], agent["effort"], agent["settings"]["mode"]) == ("large-9", "high", "plan")
    await bus.say("@bot elsewhere", topic=await bus.topic())
    elsewhere = (await bus.claim_one()).work["agent"]
    assert (elsewhere["model"], elsewhere["effort"], elsewhere["settings"]["mode"]) == ("small", None, "ask")


async def test_a_choice_is_shown_and_taken_back(bus: Bus) -> None:
    await bus.say("@bot /model large")
    assert "large (chosen here)" in answer(await bus.say("@bot /model"))

    answer(await bus.say("@bot /model default"))
    answer(await bus.say("@bot /plan"))
    answer(await bus.say("@bot /plan off"))

    assert "is small" in answer(await bus.say("@bot /model"))
    assert (await choose(bus)).mode is None


async def test_a_model_that_could_be_a_flag_is_none(bus: Bus) -> None:
    assert "one word" in answer(await bus.say("@bot /model --dangerous"))
    with pytest.raises(Invalid):
        await choose(bus, model="two words")

    assert (await choose(bus)).model is None


async def test_only_an_admin_lets_an_agent_do_everything_unasked(bus: Bus) -> None:
    with pytest.raises(Forbidden):
        await choose(bus, mode="bypass")
    with pytest.raises(Forbidden):
        await bus.store.write(agents.change, actor=bus.people.member, key="bot", mode="bypass")
    with pytest.raises(Forbidden):
        await bus.store.write(choices.change, actor=bus.people.viewer, topic=1, agent="bot", mode="plan")

    changed = await bus.store.write(agents.change, actor=bus.people.admin, key="bot", mode="bypass")

    assert changed.mode == "bypass"
    assert (await choose(bus, mode="accept-edits")).mode == "accept_edits"


async def test_a_deleted_agents_choices_are_not_its_successors(bus: Bus) -> None:
    await choose(bus, model="large")

    await bus.store.write(agents.delete, actor=bus.people.admin, key="bot")
    await bus.agent("bot")

    assert (await choose(bus)).model is None
