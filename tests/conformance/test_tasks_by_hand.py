"""What people do to tasks on the board: move them to a place, which the server may refuse."""

import json
from typing import Any

import pytest

from pal_server.actions import audit, decisions, items, log, projects, rooms, tasks, topics, verifications
from pal_server.actions.tasks import Plan
from pal_server.domain.actors import Actor
from pal_server.domain.tasks import Task
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus


@pytest.fixture
async def bus(store: Store) -> Bus:
    """A project `shop` with two tasks, the second of which comes after the first."""
    made = await make_bus(store)
    await store.write(projects.create, actor=made.people.owner, key="shop", room="general")
    for title, before in (("Sell tea", []), ("Pour it", ["T-1"])):
        plan = Plan(depends_on=before)
        await store.write(tasks.create, actor=made.people.member, title=title, project="shop", plan=plan)
    return made


async def change(bus: Bus, task: str, *, actor: Actor | None = None, status: str | None = None, **said: Any) -> Task:
    who = actor or bus.people.member
    return await bus.store.write(tasks.change, actor=who, task=task, project="shop", status=status, plan=Plan(**said))


async def get(bus: Bus, task: str) -> Task:
    return await bus.store.read(tasks.get, actor=bus.people.viewer, task=task, project="shop")


async def told(bus: Bus) -> list[dict[str, Any]]:
    """What everybody was told of tasks."""
    events = await bus.store.read(log.events_after, workspace_id="w", position=0, limit=10_000)
    return [json.loads(event.data) for event in events if event.kind.startswith("task.")]


async def test_a_place_is_a_status_and_an_order_in_one_change(bus: Bus) -> None:
    moved = await change(bus, "T-2", status="review", order=0.5)

    assert (moved.status, moved.order) == ("review", 0.5)
    last = (await told(bus))[-1]
    assert (last["code"], last["status"], last["order"]) == ("T-2", "review", 0.5)


async def test_what_is_refused_stays_where_it_was(bus: Bus) -> None:
    await change(bus, "T-2", verification="make test", verification_required=True)
    before = await get(bus, "T-2")

    for wrong, error in (
        ({"status": "in_progress", "order": 3.0}, Conflict),  # it comes after T-1
        ({"status": "done", "order": 3.0}, Conflict),  # its verification has not passed
        ({"status": "waiting", "order": 3.0}, Invalid),  # for what?
        ({"status": "ready", "order": float("nan")}, Invalid),
        ({"status": "ready", "order": 3.0, "actor": bus.people.viewer}, Forbidden),
    ):
        with pytest.raises(error):
            await change(bus, "T-2", **wrong)
    assert await get(bus, "T-2") == before


async def test_what_comes_after_something_is_begun_once_that_is_done(bus: Bus) -> None:
    with pytest.raises(Conflict, match="T-2 comes after T-1"):
        await change(bus, "T-2", status="in_progress")
    await change(bus, "T-1", status="done")

    assert (await change(bus, "T-2", status="in_progress")).status == "in_progress"
    await change(bus, "T-1", status="review")
    await change(bus, "T-2", status="review")
    assert (await change(bus, "T-2", status="in_progress")).status == "in_progress"  # it was begun before


async def test_codes_that_name_their_project_are_looked_up_at_once_by_who_may_know(bus: Bus) -> None:
    await bus.store.write(decisions.propose, actor=bus.people.member, project="shop", title="Green tea")
    await bus.make_room("hidden", visibility="private")
    await bus.store.write(rooms.change, actor=bus.people.owner, room="hidden", project="shop")
    await bus.store.write(
        tasks.create, actor=bus.people.owner, title="Secret", project="shop", room="hidden", plan=Plan()
    )

    async def found(actor: Actor, *codes: str) -> list[tuple[str, str]]:
        return [(said, item.title) for said, item in await bus.store.read(items.find, actor=actor, codes=codes)]

    codes = ("shop.T-3", "shop.D-1", "SHOP.T-1", "shop.T-99", "shop.X-1", "bar.T-1")
    seen = [("shop.D-1", "Green tea"), ("SHOP.T-1", "Sell tea")]
    assert await found(bus.people.viewer, *codes) == seen
    assert await found(bus.people.owner, *codes) == [("shop.T-3", "Secret"), *seen]
    for wrong in (("T-1",), [f"shop.T-{number}" for number in range(1, 102)]):
        with pytest.raises(Invalid):
            await found(bus.people.owner, *wrong)


async def test_a_deleted_task_leaves_its_conversation_and_holds_up_nobody(bus: Bus) -> None:
    await change(bus, "T-1", body="All of it.", verification="make test")
    done = {"task": "T-1", "project": "shop", "command": "make test", "exit_code": 1, "output": "no"}
    await bus.store.write(verifications.record, actor=bus.people.member, **done)
    first = await get(bus, "T-1")

    await bus.store.write(tasks.delete, actor=bus.people.member, task="shop.T-1")

    with pytest.raises(NotFound):
        await get(bus, "T-1")
    second = await get(bus, "T-2")
    assert (second.status, second.depends_on) == ("ready", ())
    topic = await bus.store.read(topics.get, actor=bus.people.viewer, id=first.topic_id)
    assert (topic.title, topic.archived_at is not None) == ("Sell tea", True)
    assert await bus.said(topic=first.topic_id) != []
    gone, freed = [data for data in await told(bus) if data["id"] == first.id][-1], (await told(bus))[-1]
    assert (gone["id"], gone["code"], "body" in gone) == (first.id, "T-1", False)
    assert (freed["code"], freed["is_ready"]) == ("T-2", True)
    entries = await bus.store.read(audit.list_page, actor=bus.people.owner, action="task.deleted", after=None, limit=5)
    assert [entry.target for entry in entries.items] == [f"task:{first.id}"]
    again = await bus.store.write(tasks.create, actor=bus.people.member, title="Tea", project="shop", plan=Plan())
    assert again.code == "T-3"
    assert await bus.store.read(find_broken) == []


async def test_what_is_at_work_or_another_s_to_say_is_not_deleted(bus: Bus) -> None:
    await bus.agent("bot")
    topic = (await get(bus, "T-1")).topic_id
    await bus.say("@bot go", topic=topic)
    inside = await bus.inside(await bus.claim_one())

    for who, error in ((bus.people.member, Conflict), (bus.people.viewer, Forbidden), (inside, Forbidden)):
        with pytest.raises(error):
            await bus.store.write(tasks.delete, actor=who, task="shop.T-1")
    assert (await get(bus, "T-1")).status == "in_progress"
