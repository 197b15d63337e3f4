"""Old state + events = fresh state: who keeps a copy of rooms, talk and work needs nothing but the log."""

import json
from collections.abc import Callable
from typing import Any

from pal_server.actions import (
    agents,
    approval_rules,
    computers,
    daemons,
    debates,
    deliveries,
    digests,
    interactions,
    log,
    messages,
    rooms,
    runs,
    topics,
)
from pal_server.domain.computers import RuntimeState
from pal_server.domain.deliveries import POLICY
from pal_server.domain.pages import Page
from pal_server.domain.runs import Run, Wanted
from pal_server.storage import commands
from pal_server.storage.check import find_broken
from pal_server.storage.store import Event, Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import connect, daemon
from tests.support.stores import Clock

State = dict[str, dict[Any, dict[str, Any]]]

NOUNS = ("room", "topic", "member", "message", "delivery", "run", "interaction", "rule", "debate")
KINDS = {
    "room.created",
    "room.changed",
    "topic.created",
    "topic.changed",
    "member.joined",
    "member.changed",
    "message.created",
    "message.edited",
    "message.deleted",
    "message.read",
    "delivery.created",
    "delivery.claimed",
    "delivery.released",
    "delivery.changed",
    "delivery.steered",
    "delivery.queued",
    "delivery.moved",
    "delivery.paused",
    "delivery.cancelled",
    "delivery.acked",
    "delivery.failed",
    "delivery.interrupted",
    "delivery.died",
    "delivery.retried",
    "run.started",
    "run.changed",
    "run.finished",
    "interaction.opened",
    "interaction.approved",
    "interaction.answered",
    "interaction.applied",
    "interaction.cancelled",
    "interaction.expired",
    "rule.made",
    "rule.revoked",
    "debate.started",
    "debate.continued",
    "debate.stopped",
    "debate.finished",
}


async def test_the_log_of_talk_and_work_is_complete(store: Store, clock: Clock) -> None:
    bus = await make_bus(store)
    await _live(bus, clock)

    events = await store.read(log.events_after, workspace_id="w", position=0, limit=10_000)
    replayed = _replayed(events)
    fresh = await _fresh(bus)

    for noun in NOUNS:
        assert replayed[noun].keys() == fresh[noun].keys()
        for name, row in replayed[noun].items():
            assert row == {field: fresh[noun][name][field] for field in row}, (noun, name)
    assert await store.read(find_broken) == []
    seen = {event.kind for event in events if event.kind.partition(".")[0] in NOUNS}
    assert seen == KINDS


async def test_positions_have_no_hole_and_each_event_names_its_room(store: Store, clock: Clock) -> None:
    bus = await make_bus(store)
    await _live(bus, clock)

    events = await store.read(log.events_after, workspace_id="w", position=0, limit=10_000)

    assert [event.position for event in events] == list(range(1, len(events) + 1))
    assert all(event.room_id for event in events if event.kind.partition(".")[0] in NOUNS)


async def _live(bus: Bus, clock: Clock) -> None:
    """Something of everything."""
    for key in ("bot", "a", "b"):
        await bus.agent(key)
    await _edit_and_delete(bus, clock)
    topic = await bus.topic()
    await _change_topic(bus)
    await _run_with_everything(bus, topic)
    await _end_in_every_way(bus, topic, clock)
    await _talk_among_agents(bus)
    await bus.say("@a one")
    await bus.open(await bus.claim_one())
    await bus.say("@a two")
    await bus.store.write(agents.delete, actor=bus.people.admin, key="a")
    await bus.store.write(computers.revoke, actor=bus.people.admin, ref="box")


async def _change_topic(bus: Bus) -> None:
    closed = await bus.topic("to be closed")
    await bus.store.write(topics.change, actor=bus.people.member, id=closed, title="closed", archived=True)


async def _edit_and_delete(bus: Bus, clock: Clock) -> None:
    store, member = bus.store, bus.people.member
    await bus.agent("listener", mode="all")
    await bus.agent("digest", mode="periodic")
    await bus.make_room("secret", visibility="private", actor=bus.people.admin)
    await store.write(rooms.invite_user, actor=bus.people.admin, room="secret", user="member")
    await store.write(rooms.change, actor=member, room="general", title="New", rules="Be kind.", digest_every=1000)
    sent = [await bus.say(f"@b {n}" if n == 3 else str(n)) for n in range(4)]
    await store.write(messages.edit, actor=member, id=sent[1].message.id, content="@bot changed")
    await store.write(messages.delete, actor=member, id=sent[0].message.id)
    for content in ("nobody", "@b again"):
        await store.write(messages.edit, actor=member, id=sent[3].message.id, content=content)
    clock.advance(2)
    await store.write(digests.send_due)
    await bus.invite("listener", mode="muted")
    while claimed := await bus.claim():
        for one in claimed:
            await bus.finish(await bus.open(one))


async def _run_with_everything(bus: Bus, topic: int) -> None:
    store, member = bus.store, bus.people.member
    claimed, run = await bus.start("@bot go", topic=topic)
    here: dict[str, Any] = {"actor": daemon(bus.box), **lease(claimed)}
    await store.write(runs.set_pid, id=run.id, pid=7, **here)
    for key in ("r1", "r2"):
        same: dict[str, Any] = {"run": run.id, "key": key, "kind": "approval", "title": "the same"}
        asked = await store.write(interactions.open_for_run, **same, **here)
        if key == "r1":
            await store.write(interactions.answer, actor=member, id=asked.id, decision="approve", scope="topic")
        await store.write(interactions.applied, id=asked.id, **here)
    (rule,) = (await store.read(approval_rules.list_page, actor=member, agent=None, after=None, limit=9)).items
    for key, was_applied in (("k1", True), ("k2", False)):
        asked = await store.write(interactions.open_for_run, run=run.id, key=key, kind="plan", title=key, **here)
        if was_applied:
            await store.write(interactions.answer, actor=member, id=asked.id, decision="approve")
        await store.write(interactions.applied, id=asked.id, was_applied=was_applied, **here)
    await _approve_together(bus, run, here)
    await store.write(runs.set_state, id=run.id, status="paused", **here)
    await store.write(approval_rules.revoke, actor=member, id=rule.id)
    await store.write(computers.heartbeat, actor=daemon(bus.box), computer=bus.box.id, epoch=None, stalled=(run.id,))
    event = {"seq": 1, "kind": "message", "at": 1, "text": "x", "lane": "main", "data": {}, "source": 9}
    await store.write(runs.add_events, id=run.id, events=[event], **here)
    await _tell(bus, run, topic, here)
    inside = await bus.inside(claimed)
    said: dict[str, Any] = {"status": "done", "summary": "fine", "blockers": [], "next_steps": []}
    await store.write(runs.report_result, actor=inside, id=run.id, **said)
    await bus.say("half way", actor=inside)
    await store.write(interactions.ask, actor=inside, title="still there?")
    await store.write(runs.order_by_id, actor=member, id=run.id, wanted=Wanted.RESTART)
    await bus.finish(run, status="cancelled")


async def _approve_together(bus: Bus, run: Run, here: dict[str, Any]) -> None:
    store, people = bus.store, bus.people
    for approvers in (2, 1):
        await store.write(rooms.change, actor=people.admin, room="general", approvers=approvers, fresh=approvers == 2)
        if approvers == 2:
            asked = await store.write(
                interactions.open_for_run, run=run.id, key="both", kind="approval", title="both", folder="/src", **here
            )
    for actor in (people.member, people.admin):
        await store.write(interactions.answer, actor=actor, id=asked.id, decision="approve")
    await store.write(interactions.applied, id=asked.id, **here)


async def _tell(bus: Bus, run: Run, topic: int, here: dict[str, Any]) -> None:
    """One message is read, one refused, one comes next."""
    store, member = bus.store, bus.people.member
    talking = RuntimeState(name="demo", available=True, capabilities={"live_input": True})
    await connect(store, bus.box, machine="machine of box", runtimes=(talking,))
    for number in (2, 3):
        await bus.say("@bot and this", topic=topic, steer="steer")
        given = await store.read(commands.open_for, computer_id=bus.box.id)
        command = next(order for order in given if order.kind == "steer")
        box: dict[str, Any] = {"actor": daemon(bus.box), "computer": bus.box.id, "epoch": None}
        await store.write(daemons.command_done, command=command.id, ok=number == 2, detail="no", **box)
        read = {"seq": number, "kind": "status", "at": 1, "text": None, "lane": "main", "source": None}
        if number == 2:
            data = {"state": "read", "input": f"steer-{command.id}"}
            await store.write(runs.add_events, id=run.id, events=[{**read, "data": data}], **here)
    later = await bus.say("@bot later", topic=topic)
    await store.write(deliveries.move_to_front, actor=member, id=later.deliveries[0].id)
    for waiting in await bus.deliveries(topic=topic, status="pending"):
        await store.write(deliveries.cancel, actor=member, id=waiting.id)


async def _end_in_every_way(bus: Bus, topic: int, clock: Clock) -> None:
    store, member = bus.store, bus.people.member
    for status in ("failed", "interrupted", "succeeded"):
        again = await bus.claim_one()
        await bus.finish(await bus.open(again), status=status, exit_code=1, error="e", stderr="s", text=status)
        if status != "succeeded":
            await store.write(deliveries.retry, actor=member, id=again.delivery.id)
    await bus.say("@bot die", topic=topic)
    for _ in range(POLICY.max_attempts):
        await bus.claim_one()
        clock.advance(POLICY.lease_for / 1000 + 1)
        await store.write(deliveries.expire_overdue)
    await bus.say("@bot again and again", topic=topic)
    limited = await bus.open(await bus.claim_one())
    await bus.finish(limited, status="failed", error_kind="rate_limit", resume_at=clock.now + 1000)
    clock.advance(2)
    await bus.finish(await bus.open(await bus.claim_one()))
    dropped = await bus.say("@bot drop", topic=topic)
    await store.write(deliveries.cancel, actor=member, id=dropped.deliveries[0].id)
    noted = await bus.say("look", topic=topic)
    await store.write(deliveries.create_by_hand, actor=member, message=noted.message.id, agent="bot")
    await bus.open(await bus.claim_one(), dry_run=True)
    await store.write(runs.submit, actor=member, agent="bot", topic=topic, status="succeeded", text="from outside")


async def _talk_among_agents(bus: Bus) -> None:
    store, member = bus.store, bus.people.member
    await bus.say("@a thank b", topic=await bus.topic("thanks"))
    await _thank(bus)
    (held,) = (await store.read(interactions.list_page, actor=member, status="pending")).items
    await store.write(interactions.answer, actor=member, id=held.id, decision="approve")
    await _thank(bus)
    for turns in (2, 4):
        debate = await store.write(
            debates.start, actor=member, room="general", a="a", b="b", subject="tabs", turns=turns
        )
        for _ in range(2):
            await bus.finish(await bus.open(await bus.claim_one()), text="I say")
        await store.write(debates.stop, actor=member, id=debate.id)


async def _thank(bus: Bus) -> None:
    while claimed := await bus.claim():
        for one in claimed:
            other = "b" if one.delivery.agent == "a" else "a"
            await bus.finish(await bus.open(one), text=f"@{other} thank you")


def _replayed(events: list[Event]) -> State:
    """What a copy knows: of a delivery that was only announced with its message, what the announcement says."""
    state: State = {noun: {} for noun in NOUNS}
    for event in events:
        noun, _, verb = event.kind.partition(".")
        data = json.loads(event.data)
        if event.kind == "agent.deleted":
            gone = [name for name in state["member"] if name[1:] == ("agent", data["key"])]
            for name in gone:
                del state["member"][name]
        if noun not in state or event.kind == "message.read":  # which changes no message; its delivery says the same
            continue
        for told_beside in ("place", "why"):  # of a delivery that waits its turn again
            data.pop(told_beside, None)
        if noun == "message":
            for announced in data.pop("deliveries", ()):
                known = state["delivery"].get(announced["id"], {})
                state["delivery"][announced["id"]] = {**known, **announced, "message": data["id"], "room": data["room"]}
            if verb == "created":
                state["room"][data["room"]]["seq"] = data["seq"]
                state["topic"][data["topic"]]["last_message_at"] = data["created_at"]
        name = (data["room"], data["kind"], data["name"]) if noun == "member" else data["id"]
        before = state[noun].get(name, {})
        state[noun][name] = {**before, **data}
    return _steady(state)


async def _fresh(bus: Bus) -> State:
    store, owner = bus.store, bus.people.owner

    def rows(page: Page[Any], name: Callable[[Any], Any] = lambda item: item.id) -> dict[Any, dict[str, Any]]:
        return {name(item): json.loads(json.dumps(item.fact())) for item in page.items}

    everything = rows(await store.read(rooms.list_page, actor=owner, after=None, limit=200))
    state: State = {noun: {} for noun in NOUNS}
    state["room"] = everything
    for room in everything:
        where: dict[str, Any] = {"actor": owner, "room": room, "after": None, "limit": 200}
        state["topic"] |= rows(await store.read(rooms.list_topics, **where))
        members = rows(await store.read(rooms.members, **where), name=lambda one: (one.room_id, one.kind, one.name))
        state["member"] |= {name: {"room": room, **row} for name, row in members.items()}
    state["message"] = rows(await store.read(messages.list_page, actor=owner, limit=200))
    state["delivery"] = rows(await store.read(deliveries.list_page, actor=owner, limit=200))
    state["run"] = rows(await store.read(runs.list_page, actor=owner, limit=200))
    state["interaction"] = rows(await store.read(interactions.list_page, actor=owner, limit=200))
    where = {"actor": owner, "agent": None, "after": None, "limit": 200}
    state["rule"] = rows(await store.read(approval_rules.list_page, **where))
    for debate in await store.read(_debates):
        found = await store.read(debates.get, actor=owner, id=debate)
        state["debate"][debate] = json.loads(json.dumps(found.fact()))
    return _steady(state)


def _debates(tx: Any) -> list[str]:
    events = log.events_after(tx, workspace_id="w", position=0, limit=10_000)
    return [json.loads(event.data)["id"] for event in events if event.kind == "debate.started"]


def _steady(state: State) -> State:
    """Without what is told elsewhere: a run's own events, renewals, uses of a rule, and counts of them."""
    for run in state["run"].values():
        for field in ("last_seq", "last_source"):
            del run[field]
    for rule in state["rule"].values():
        for field in ("used", "used_at"):
            rule.pop(field, None)
    for delivery in state["delivery"].values():
        for field in ("lease_until", "updated_at"):
            delivery.pop(field, None)
    return state
