"""Who may know of what: private rooms, viewers, runs, computers and other workspaces."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pal_server.actions import debates, deliveries, interactions, log, messages, rooms, runs
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.errors import Forbidden, NotFound, PalError
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon

STRANGER = Actor(kind=ActorKind.USER, workspace_id="elsewhere", id="user_x", name="x", role=Role.OWNER)

Call = Callable[[Actor], Awaitable[Any]]


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    await made.agent("outsider")
    return made


async def secret_calls(bus: Bus) -> list[tuple[str, Call]]:
    """Every way to something in the private room `secret`, of the owner and `bot` alone."""
    room = await bus.make_room("secret", visibility="private")
    await bus.invite("bot", room="secret")
    sent = await bus.say("@bot go", room="secret", actor=bus.people.owner)
    claimed = await bus.claim_one()
    run = await bus.open(claimed)
    asked = await bus.store.write(
        interactions.open_for_run,
        actor=daemon(bus.box),
        run=run.id,
        key="k",
        kind="question",
        title="which?",
        **lease(claimed),
    )
    store, topic = bus.store, room.default_topic
    read: dict[str, Call] = {
        "room": lambda actor: store.read(rooms.get, actor=actor, room="secret"),
        "room by id": lambda actor: store.read(rooms.get, actor=actor, room=room.id),
        "members": lambda actor: store.read(rooms.members, actor=actor, room=room.id, after=None, limit=9),
        "mentionables": lambda actor: store.read(rooms.mentionables, actor=actor, room=room.id, after=None, limit=9),
        "topics": lambda actor: store.read(rooms.list_topics, actor=actor, room=room.id, after=None, limit=9),
        "message": lambda actor: store.read(messages.get, actor=actor, id=sent.message.id),
        "messages": lambda actor: store.read(messages.list_page, actor=actor, room="secret"),
        "messages of the topic": lambda actor: store.read(messages.list_page, actor=actor, topic=topic),
        "replies": lambda actor: store.read(messages.list_page, actor=actor, parent=sent.message.id),
        "delivery": lambda actor: store.read(deliveries.get, actor=actor, id=claimed.delivery.id),
        "deliveries": lambda actor: store.read(deliveries.list_page, actor=actor, room="secret"),
        "run": lambda actor: store.read(runs.get, actor=actor, id=run.id),
        "runs": lambda actor: store.read(runs.list_page, actor=actor, room="secret"),
        "events": lambda actor: store.read(runs.events, actor=actor, id=run.id, after=0, limit=9),
        "prompt": lambda actor: store.read(runs.prompt, actor=actor, id=run.id),
        "interaction": lambda actor: store.read(interactions.get, actor=actor, id=asked.id),
        "send": lambda actor: store.write(messages.send, actor=actor, room="secret", content="x"),
        "send to the topic": lambda actor: store.write(messages.send, actor=actor, topic=topic, content="x"),
        "reply": lambda actor: store.write(messages.send, actor=actor, parent=sent.message.id, content="x"),
        "edit": lambda actor: store.write(messages.edit, actor=actor, id=sent.message.id, content="x"),
        "delete": lambda actor: store.write(messages.delete, actor=actor, id=sent.message.id),
        "make a topic": lambda actor: store.write(rooms.create_topic, actor=actor, room="secret", title="x"),
    }
    return list(read.items())


async def is_missing(call: Awaitable[Any]) -> bool:
    try:
        await call
    except NotFound:
        return True
    return False


@pytest.fixture
async def calls(bus: Bus) -> list[tuple[str, Call]]:
    return await secret_calls(bus)


@pytest.mark.parametrize("who", ["member", "stranger", "other computer", "other agent"])
async def test_what_is_in_a_private_room_is_missing_for_those_outside(
    bus: Bus, calls: list[tuple[str, Call]], who: str
) -> None:
    if who == "other agent":
        await bus.say("@outsider go")
        actor = await bus.inside(await bus.claim_one())
    elif who == "other computer":
        actor = daemon(await bus.computer("other"))
    else:
        actor = STRANGER if who == "stranger" else bus.people.member

    got = [name for name, call in calls if not await is_missing(call(actor))]

    assert got == []


async def test_a_viewer_reads_and_changes_nothing(bus: Bus) -> None:
    sent = await bus.say("@bot go")
    viewer = bus.people.viewer
    store = bus.store
    changes: list[Awaitable[Any]] = [
        store.write(messages.send, actor=viewer, room="general", content="x"),
        store.write(messages.edit, actor=viewer, id=sent.message.id, content="x"),
        store.write(messages.delete, actor=viewer, id=sent.message.id),
        store.write(rooms.create, actor=viewer, name="x"),
        store.write(rooms.change, actor=viewer, room="general", title="x"),
        store.write(rooms.invite_agent, actor=viewer, room="general", agent="bot", mode="all"),
        store.write(rooms.create_topic, actor=viewer, room="general", title="x"),
        store.write(deliveries.cancel, actor=viewer, id=sent.deliveries[0].id),
        store.write(deliveries.claim_queue, actor=viewer),
        store.write(debates.start, actor=viewer, room="general", a="bot", b="outsider", subject="x"),
        store.write(runs.create_session, actor=viewer, topic=sent.message.topic_id, agent="bot"),
    ]

    for change in changes:
        with pytest.raises(Forbidden):
            await change
    assert await bus.said() == ["@bot go"]


async def test_a_missing_thing_and_a_hidden_one_look_alike(bus: Bus, calls: list[tuple[str, Call]]) -> None:
    async def refusal(ref: str) -> tuple[str, str]:
        with pytest.raises(PalError) as refused:
            await bus.store.read(rooms.get, actor=bus.people.member, room=ref)
        return refused.value.code, str(refused.value).replace(ref, "X")

    assert await refusal("secret") == await refusal("nowhere")


async def test_lists_hold_what_one_may_see(bus: Bus, calls: list[tuple[str, Call]]) -> None:
    await bus.say("@bot here")
    actors = (bus.people.admin, bus.people.member, STRANGER)

    async def counts(list_page: Any, **more: Any) -> list[int]:
        return [len((await bus.store.read(list_page, actor=actor, **more)).items) for actor in actors]

    assert await counts(rooms.list_page, after=None, limit=9) == [2, 1, 0]
    assert await counts(messages.list_page) == [3, 1, 0]
    assert await counts(messages.list_page, q="go") == [1, 0, 0]
    assert await counts(deliveries.list_page) == [2, 1, 0]
    assert await counts(runs.list_page) == [1, 0, 0]
    assert await counts(interactions.list_page) == [1, 0, 0]


async def test_a_computer_sees_the_rooms_of_its_agents(bus: Bus, calls: list[tuple[str, Call]]) -> None:
    other = await bus.computer("other")
    seen = await bus.store.read(rooms.visible_ids, actor=daemon(bus.box))

    assert len(seen) == 2
    assert await bus.store.read(rooms.visible_ids, actor=daemon(other)) == frozenset()


async def test_a_run_works_in_the_rooms_of_its_agent_alone(bus: Bus, calls: list[tuple[str, Call]]) -> None:
    await bus.say("@outsider go")
    inside = await bus.inside(await bus.claim_one())

    assert await bus.store.read(rooms.visible_ids, actor=inside) == frozenset({bus.room.id})
    with pytest.raises(Forbidden):
        await bus.store.read(messages.inbox, actor=inside, agent="bot", after=None, limit=9)
    with pytest.raises(Forbidden):
        await bus.store.write(rooms.create, actor=inside, name="mine")


async def test_the_stream_shows_each_what_it_may_see(bus: Bus, calls: list[tuple[str, Call]]) -> None:
    await bus.say("everybody")
    actors = [bus.people.admin, bus.people.member, daemon(bus.box), daemon(await bus.computer("other"))]
    sights = await bus.store.read(log.sights, actors=actors)
    events = await bus.store.read(log.events_after, workspace_id="w", position=0, limit=500)
    said = [event for event in events if event.kind == "message.created"]

    seen = [sum(sights[actor].sees(event) for event in said) for actor in actors]

    assert seen == [3, 1, 3, 0]


async def test_an_inbox_is_for_people_and_its_agent(bus: Bus, calls: list[tuple[str, Call]]) -> None:
    async def items(actor: Actor) -> int:
        return len((await bus.store.read(messages.inbox, actor=actor, agent="bot", after=None, limit=9)).items)

    assert [await items(actor) for actor in (bus.people.admin, bus.people.member, daemon(bus.box))] == [1, 0, 1]
    for actor in (STRANGER, daemon(await bus.computer("other"))):
        with pytest.raises(NotFound):
            await items(actor)
