"""Terminals: who opens them where, what stands against it, what they hold up meanwhile, and what ends them."""

from typing import Any

import pytest

from pal_server.actions import agents, computers, daemons, deliveries, log, runs, snapshot, terminals, trace
from pal_server.domain.computers import RuntimeState
from pal_server.domain.receipts import Outcome
from pal_server.domain.terminals import OPEN_WITHIN, Policy, State, Terminal
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound, PalError
from pal_server.storage import commands
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import ROOM, Bus, lease, make_bus
from tests.support.people import connect, daemon
from tests.support.stores import Clock

POLICY = Policy(per_topic=3, per_computer=4)
ABLE = RuntimeState(name="demo", available=True, capabilities={"terminal": True, "resume": True})


@pytest.fixture
async def bus(store: Store) -> Bus:
    """Its agent `bot` can be used in a terminal."""
    made = await make_bus(store)
    await connect(store, made.box, machine="machine of box", runtimes=(ABLE,))
    await made.agent("bot")
    return made


async def shell(bus: Bus, **more: Any) -> Terminal:
    more = {"actor": bus.people.member, "room": ROOM, **more}
    return await bus.store.write(terminals.open_terminal, policy=POLICY, **more)


async def is_there(bus: Bus, terminal: Terminal) -> Terminal:
    return await bus.store.write(terminals.has_opened, actor=daemon(bus.box), id=terminal.id, folder="/work")


async def ends(bus: Bus, terminal: Terminal, *, exit: int | None = 0, reason: str = "") -> Terminal:
    return await bus.store.write(terminals.has_ended, actor=daemon(bus.box), id=terminal.id, exit=exit, reason=reason)


async def close(bus: Bus, terminal: Terminal) -> Terminal:
    return await bus.store.write(terminals.close, actor=bus.people.member, policy=POLICY, id=terminal.id)


async def now(bus: Bus, terminal: Terminal) -> Terminal:
    return await bus.store.read(terminals.get, actor=bus.people.owner, id=terminal.id)


async def orders(bus: Bus) -> list[tuple[str, Any]]:
    found = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    return [(command.kind, command.data["terminal"]) for command in found]


async def done(bus: Bus, *, ok: bool, detail: str = "") -> None:
    """The computer carries out its oldest order, or says why not."""
    (first, *_) = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    await bus.store.write(
        daemons.command_done,
        actor=daemon(bus.box),
        computer=bus.box.id,
        command=first.id,
        epoch=None,
        ok=ok,
        detail=detail,
    )


async def with_conversation(bus: Bus) -> None:
    """One run of `bot` in `general`, which has a native session to go on with."""
    claimed, run = await bus.start("@bot go")
    await bus.store.write(
        runs.bind_native_session,
        actor=daemon(bus.box),
        id=run.session_id,
        native_session="native-1",
        **lease(claimed),
    )
    await bus.finish(run, text="done")


async def agents_terminal(bus: Bus, **more: Any) -> Terminal:
    await with_conversation(bus)
    return await shell(bus, kind="agent", agent="bot", **more)


async def kinds(bus: Bus) -> list[str]:
    found = await bus.store.read(log.events_after, workspace_id="w", position=0, limit=10_000)
    return [event.kind for event in found if event.kind.startswith("terminal.")]


async def test_a_shell_is_ordered_from_its_computer_and_its_life_is_told(bus: Bus) -> None:
    terminal = await shell(bus, cols=100, rows=30)
    ordered = await orders(bus)
    opened = await is_there(bus, terminal)
    await done(bus, ok=True)
    ended = await ends(bus, terminal, exit=3)

    assert ordered == [("terminal_open", terminal.id)]
    assert (terminal.state, opened.state, ended.state) == (State.OPENING, State.OPEN, State.CLOSED)
    assert (opened.folder, ended.exit) == ("/work", 3)
    assert await kinds(bus) == ["terminal.created", "terminal.changed", "terminal.ended"]
    assert (await bus.said())[-2:] == ["member opened a shell on box in /work", "The shell ended with exit code 3"]
    assert await bus.store.read(find_broken) == []


async def test_a_computer_says_once_that_it_has_it(bus: Bus) -> None:
    terminal = await shell(bus)
    await is_there(bus, terminal)
    said = await bus.said()

    again = await is_there(bus, terminal)

    assert again.state is State.OPEN
    assert await bus.said() == said


@pytest.mark.parametrize("who", ["viewer", "run"])
async def test_who_may_not_drive_opens_and_closes_nothing(bus: Bus, who: str) -> None:
    terminal = await shell(bus)
    actor = bus.people.viewer
    if who == "run":
        await bus.say("@bot go")
        actor = await bus.inside(await bus.claim_one())

    for action, said in ((terminals.open_terminal, {"room": ROOM}), (terminals.close, {"id": terminal.id})):
        with pytest.raises(Forbidden):
            await bus.store.write(action, actor=actor, policy=POLICY, **said)

    assert (await now(bus, terminal)).state is State.OPENING
    seen, may_type = await bus.store.read(terminals.watched, actor=actor, policy=POLICY, id=terminal.id)
    assert (seen.id, may_type) == (terminal.id, False)


async def test_a_terminal_of_a_room_one_does_not_see_is_not_there(bus: Bus) -> None:
    await bus.make_room("secret", visibility="private", actor=bus.people.owner)
    terminal = await shell(bus, actor=bus.people.owner, room="secret")

    with pytest.raises(NotFound):
        await bus.store.read(terminals.watched, actor=bus.people.member, policy=POLICY, id=terminal.id)
    listed = await bus.store.read(terminals.list_page, actor=bus.people.member)
    seen = await bus.store.read(snapshot.take, actor=bus.people.member)

    assert (listed.items, seen.terminals) == ((), ())


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"kind": "window"}, Invalid),
        ({"cols": 0}, Invalid),
        ({"rows": 1001}, Invalid),
        ({"folder": "here"}, Invalid),
        ({"folder": "/a\nb"}, Invalid),
        ({"kind": "agent"}, Invalid),
        ({"kind": "agent", "agent": "nobody"}, NotFound),
        ({"agent": "nobody"}, NotFound),
        ({"computer": "nowhere"}, NotFound),
        ({"topic": 999}, NotFound),
    ],
)
async def test_what_cannot_be_is_refused(bus: Bus, wanted: dict[str, Any], error: type[PalError]) -> None:
    with pytest.raises(error):
        await shell(bus, **wanted)

    assert await orders(bus) == []


async def test_as_many_are_open_in_a_topic_and_on_a_computer_as_may_be(bus: Bus) -> None:
    first = [await shell(bus) for _ in range(3)]
    other = await bus.topic()

    with pytest.raises(Conflict, match="in this topic"):
        await shell(bus)
    await shell(bus, topic=other)
    with pytest.raises(Conflict, match="on this computer"):
        await shell(bus, topic=other)
    await is_there(bus, first[0])
    await ends(bus, first[0])

    assert (await shell(bus)).state is State.OPENING


async def test_the_same_request_again_is_one_terminal(bus: Bus) -> None:
    first, again = await shell(bus, client_id="c"), await shell(bus, client_id="c")

    assert first.id == again.id
    assert len(await orders(bus)) == 1


async def test_a_shell_opens_where_the_topics_work_was_done(bus: Bus) -> None:
    await bus.computer("another")
    with pytest.raises(Invalid, match="name the computer"):
        await shell(bus)
    await with_conversation(bus)

    terminal = await shell(bus)

    assert (terminal.computer_id, terminal.agent) == (bus.box.id, "bot")


async def test_a_computer_that_is_away_opens_nothing(bus: Bus, clock: Clock) -> None:
    clock.advance(60)

    with pytest.raises(Conflict, match="offline"):
        await shell(bus, computer="box")


async def test_what_a_computer_cannot_open_has_failed_with_its_words(bus: Bus) -> None:
    terminal = await shell(bus)

    await done(bus, ok=False, detail="pal 0.0 here does not know the order terminal_open: upgrade it")

    failed = await now(bus, terminal)
    assert failed.state is State.FAILED
    assert "upgrade it" in (failed.reason or "")


async def test_closing_is_an_order_and_a_second_time_changes_nothing(bus: Bus) -> None:
    terminal = await shell(bus)
    await is_there(bus, terminal)
    await done(bus, ok=True)

    asked = await close(bus, terminal)
    again = await close(bus, terminal)
    ordered = await orders(bus)
    ended = await ends(bus, terminal, exit=129)

    assert (asked.state, again.state, ended.state) == (State.CLOSING, State.CLOSING, State.CLOSED)
    assert ordered == [("terminal_close", terminal.id)]
    assert ended.reason == "by member"
    assert (await close(bus, terminal)).state is State.CLOSED
    with pytest.raises(Conflict):
        await ends(bus, terminal)


async def test_a_terminal_its_computer_knows_nothing_of_is_closed_by_saying_so(bus: Bus) -> None:
    terminal = await shell(bus)
    await is_there(bus, terminal)
    await done(bus, ok=True)
    await close(bus, terminal)

    await done(bus, ok=False, detail="it is not here")

    assert (await now(bus, terminal)).state is State.CLOSED


async def test_another_computer_does_not_speak_for_it(bus: Bus) -> None:
    terminal = await shell(bus, computer="box")
    other = await bus.computer("another")

    with pytest.raises(NotFound):
        await bus.store.write(terminals.has_ended, actor=daemon(other), id=terminal.id, exit=0, reason="")


async def test_what_nobody_uses_is_closed_and_what_is_used_is_not(bus: Bus, clock: Clock) -> None:
    idle, used = await shell(bus), await shell(bus)
    for terminal in (idle, used):
        await is_there(bus, terminal)
        await done(bus, ok=True)
    clock.advance(POLICY.idle_for / 1000 - 1)
    await bus.store.write(terminals.is_used, workspace_id=used.workspace_id, id=used.id)
    before = await bus.store.write(terminals.reap, policy=POLICY)
    clock.advance(2)

    after = await bus.store.write(terminals.reap, policy=POLICY)

    assert (before, after) == (0, 1)
    assert ((await now(bus, idle)).state, (await now(bus, used)).state) == (State.CLOSING, State.OPEN)
    assert (await now(bus, idle)).reason == "nobody used it for 30 minutes"


async def test_what_does_not_open_in_time_has_failed_and_is_not_opened_later(bus: Bus, clock: Clock) -> None:
    terminal = await shell(bus)
    clock.advance(OPEN_WITHIN / 1000 + 1)

    await bus.store.write(terminals.reap, policy=POLICY)

    assert (await now(bus, terminal)).state is State.FAILED
    assert await orders(bus) == []


async def test_what_is_said_to_an_agent_in_a_terminal_waits_and_says_why(bus: Bus) -> None:
    terminal = await agents_terminal(bus)
    await is_there(bus, terminal)
    sent = await bus.say("@bot more")
    (receipt,) = sent.receipts
    told = await bus.store.read(trace.of_message, actor=bus.people.member, id=sent.message.id)
    claimed_meanwhile = await bus.claim()

    await ends(bus, terminal)

    assert receipt.outcome is Outcome.QUEUED
    assert "terminal that member opened" in receipt.text
    assert any("used in a terminal" in step.text and terminal.id in step.advice for step in told.steps)
    assert claimed_meanwhile == ()
    claimed = await bus.claim_one()
    assert claimed.work["native_session"] == "native-1"
    assert await bus.store.read(find_broken) == []


async def test_messages_to_an_agent_in_a_terminal_are_put_in_order_as_ever(bus: Bus) -> None:
    terminal = await agents_terminal(bus)
    await is_there(bus, terminal)
    first, second = await bus.say("@bot one"), await bus.say("@bot two")
    await bus.store.write(deliveries.move_to_front, actor=bus.people.member, id=second.deliveries[0].id)
    meanwhile = await bus.claim()
    await ends(bus, terminal)

    assert meanwhile == ()
    assert (await bus.claim_one()).delivery.id == second.deliveries[0].id
    assert (await bus.delivery(first.deliveries[0].id)).waits


async def test_an_agents_terminal_gets_the_conversation_and_who_it_is(bus: Bus) -> None:
    terminal = await agents_terminal(bus)

    (order,) = await bus.store.read(commands.open_for, computer_id=bus.box.id)

    assert (terminal.kind, terminal.agent) == ("agent", "bot")
    assert order.data["work"]["native_session"] == "native-1"
    assert order.data["work"]["agent"]["runtime"] == "demo"


async def test_an_agent_is_used_in_one_terminal_of_a_topic_and_never_beside_a_run(bus: Bus) -> None:
    await with_conversation(bus)
    _, run = await bus.start("@bot again")
    with pytest.raises(Conflict, match=f"works in run {run.id}"):
        await shell(bus, kind="agent", agent="bot")
    await bus.finish(run, text="done")
    holder = await shell(bus, kind="agent", agent="bot")

    with pytest.raises(Conflict, match=holder.id):
        await shell(bus, kind="agent", agent="bot")

    assert (await shell(bus, agent="bot")).kind == "shell"


async def test_an_agent_without_a_conversation_or_a_program_for_it_is_refused_in_words(bus: Bus) -> None:
    with pytest.raises(Conflict, match="send it a message first"):
        await shell(bus, kind="agent", agent="bot")
    await with_conversation(bus)
    await connect(
        bus.store,
        bus.box,
        machine="machine of box",
        runtimes=(RuntimeState(name="demo", available=True, capabilities={}),),
    )

    with pytest.raises(Conflict, match="cannot be used in a terminal"):
        await shell(bus, kind="agent", agent="bot")


async def test_a_revoked_computer_and_a_deleted_agent_take_their_terminals_along(bus: Bus) -> None:
    terminal, plain = await agents_terminal(bus), await shell(bus)
    await is_there(bus, terminal)

    await bus.store.write(agents.delete, actor=bus.people.admin, key="bot")
    deleted = await now(bus, terminal)
    await bus.store.write(computers.revoke, actor=bus.people.admin, ref=bus.box.id)

    assert (deleted.state, deleted.reason) == (State.CLOSING, "the agent is deleted")
    assert (await now(bus, terminal)).state is State.CLOSED
    assert (await now(bus, plain)).state is State.FAILED


async def test_the_snapshot_has_what_lives_and_the_list_all_when_asked(bus: Bus) -> None:
    gone, here = await shell(bus), await shell(bus)
    await is_there(bus, gone)
    await ends(bus, gone)

    seen = await bus.store.read(snapshot.take, actor=bus.people.viewer)
    live = await bus.store.read(terminals.list_page, actor=bus.people.viewer, room=ROOM)
    every = await bus.store.read(terminals.list_page, actor=bus.people.viewer, is_all=True, limit=1)

    assert [terminal.id for terminal in seen.terminals] == [here.id]
    assert [terminal.id for terminal in live.items] == [here.id]
    assert every.next is not None
