"""RM-13: topics are named and archived by people, and named once by pal when nobody has."""

import pytest

from pal_server.actions import rooms, topics
from pal_server.domain.rooms import PLACEHOLDER, Topic
from pal_server.errors import Conflict, Forbidden, Invalid
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    return made


async def unnamed(bus: Bus) -> int:
    return (await bus.store.write(rooms.create_topic, actor=bus.people.member, room="general")).id


async def topic(bus: Bus, id: int) -> Topic:
    return await bus.store.read(topics.get, actor=bus.people.viewer, id=id)


async def change(bus: Bus, id: int, **wanted: str | bool) -> Topic:
    return await bus.store.write(topics.change, actor=bus.people.member, id=id, **wanted)


async def run_in(bus: Bus, id: int, words: str, *, status: str = "succeeded") -> None:
    _, run = await bus.start(words, topic=id)
    await bus.finish(run, status=status)


async def test_the_first_run_that_succeeds_names_a_topic_that_nobody_has_named(bus: Bus) -> None:
    id = await unnamed(bus)
    assert (await topic(bus, id)).title == PLACEHOLDER

    await run_in(bus, id, "@bot fix the login page", status="failed")
    assert (await topic(bus, id)).title == PLACEHOLDER
    await run_in(bus, id, "@bot please")

    assert (await topic(bus, id)).title == "fix the login page"


async def test_it_is_named_once(bus: Bus) -> None:
    id = await unnamed(bus)
    await run_in(bus, id, "@bot fix the login page")

    await run_in(bus, id, "@bot now the tests")

    assert (await topic(bus, id)).title == "fix the login page"


async def test_a_persons_name_stays(bus: Bus) -> None:
    id = await unnamed(bus)
    await change(bus, id, title=PLACEHOLDER)

    await run_in(bus, id, "@bot fix the login page")

    assert (await topic(bus, id)).title == PLACEHOLDER


async def test_a_topic_made_with_a_title_keeps_it(bus: Bus) -> None:
    id = await bus.topic("mine")

    await run_in(bus, id, "@bot fix the login page")

    assert (await topic(bus, id)).title == "mine"


async def test_nothing_is_said_in_an_archived_topic_until_it_is_open_again(bus: Bus) -> None:
    id = await bus.topic("old")

    archived = await change(bus, id, archived=True)

    assert archived.archived_at is not None
    with pytest.raises(Conflict, match="archived"):
        await bus.say("hello", topic=id)
    await change(bus, id, archived=False)
    await bus.say("hello", topic=id)


async def test_a_topic_in_which_agents_work_is_not_archived(bus: Bus) -> None:
    id = await bus.topic("busy")
    _, run = await bus.start("@bot go", topic=id)

    with pytest.raises(Conflict, match="stop them"):
        await change(bus, id, archived=True)
    await bus.finish(run)

    assert (await change(bus, id, archived=True)).archived_at is not None


async def test_the_default_topic_stays_open(bus: Bus) -> None:
    with pytest.raises(Conflict):
        await change(bus, bus.room.default_topic, archived=True)


async def test_viewers_and_agents_change_no_topic(bus: Bus) -> None:
    claimed, _ = await bus.start("@bot go")
    inside = await bus.inside(claimed)
    id = await bus.topic("mine")

    for actor in (bus.people.viewer, inside):
        with pytest.raises(Forbidden):
            await bus.store.write(topics.change, actor=actor, id=id, title="yours")


@pytest.mark.parametrize("title", ["", "  ", "x" * 201])
async def test_a_title_that_is_none_is_refused(bus: Bus, title: str) -> None:
    with pytest.raises(Invalid):
        await change(bus, await bus.topic("mine"), title=title)
