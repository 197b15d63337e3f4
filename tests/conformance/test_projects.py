"""Projects: who makes and changes them, which rooms are theirs, who knows of them."""

import json
from typing import Any

import pytest

from pal_server.actions import audit, log, projects, rooms, snapshot
from pal_server.domain.actors import Actor
from pal_server.domain.projects import Coded, Project
from pal_server.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import projects as rows
from pal_server.storage.store import Store
from pal_server.storage.tx import Tx
from tests.support.bus import Bus, make_bus
from tests.support.people import daemon


@pytest.fixture
async def bus(store: Store) -> Bus:
    return await make_bus(store)


async def make(bus: Bus, key: str = "shop", *, actor: Actor | None = None, **more: Any) -> Project:
    return await bus.store.write(projects.create, actor=actor or bus.people.member, key=key, **more)


async def project_of(bus: Bus, room: str) -> str | None:
    return (await bus.store.read(rooms.get, actor=bus.people.owner, room=room)).project_id


async def test_a_project_makes_its_room_or_takes_one(bus: Bus) -> None:
    await bus.make_room("tea")

    shop = await make(bus, "Shop", goal=" Sell tea. ", rules=["Be  kind.", " "], tech_stack=["python"])
    tea = await make(bus, "tea")
    general = await make(bus, "all", room="general")

    assert (shop.key, shop.name, shop.goal, shop.rules) == ("shop", "shop", "Sell tea.", ("Be kind.",))
    assert await project_of(bus, "shop") == shop.id
    assert await project_of(bus, "tea") == tea.id
    assert general.default_room == bus.room.id
    assert await bus.store.read(projects.get, actor=bus.people.viewer, project="SHOP") == shop


async def test_what_is_taken_or_hidden_is_not_taken_again(bus: Bus) -> None:
    await make(bus)
    await bus.make_room("secret", visibility="private")
    await bus.store.write(rooms.create, actor=bus.people.owner, name="soon", ttl=60)

    with pytest.raises(AlreadyExists):
        await make(bus)
    with pytest.raises(AlreadyExists):
        await make(bus, "secret")
    with pytest.raises(Invalid):
        await make(bus, "soon")
    with pytest.raises(Conflict):
        await make(bus, "other", room="shop")
    with pytest.raises(Invalid):
        await make(bus, "no_such-key")
    with pytest.raises(Forbidden):
        await make(bus, "mine", actor=bus.people.viewer)


async def test_the_same_request_again_is_the_same_project(bus: Bus) -> None:
    first = await make(bus, client_id="c")

    assert await make(bus, client_id="c") == first


async def test_rooms_come_and_go_but_for_the_default_one(bus: Bus) -> None:
    shop = await make(bus)
    await bus.store.write(rooms.create, actor=bus.people.member, name="stock", project="shop")

    await bus.store.write(rooms.change, actor=bus.people.member, room="general", project=shop.id)
    await bus.store.write(rooms.change, actor=bus.people.member, room="stock", project=None)

    assert [await project_of(bus, room) for room in ("general", "stock")] == [shop.id, None]
    with pytest.raises(Conflict):
        await bus.store.write(rooms.change, actor=bus.people.member, room="shop", project=None)
    moved = await bus.store.write(projects.change, actor=bus.people.member, project="shop", room="general")
    assert moved.default_room == bus.room.id
    await bus.store.write(rooms.change, actor=bus.people.member, room="shop", project=None)
    assert await project_of(bus, "shop") is None


async def test_a_room_that_asks_for_two_is_taken_out_by_an_admin_and_moves_are_in_the_audit_log(bus: Bus) -> None:
    shop, tea = await make(bus), await make(bus, "tea")
    strict = await bus.store.write(rooms.create, actor=bus.people.member, name="strict", project="shop")
    await bus.store.write(rooms.change, actor=bus.people.admin, room="strict", approvers=2)

    for elsewhere in (None, "tea"):
        with pytest.raises(Forbidden):
            await bus.store.write(rooms.change, actor=bus.people.member, room="strict", project=elsewhere)
    await bus.store.write(rooms.change, actor=bus.people.admin, room="strict", project="tea")
    await bus.store.write(rooms.change, actor=bus.people.admin, room="strict", project=None)
    await bus.store.write(rooms.change, actor=bus.people.member, room="strict", project="shop")

    page = await bus.store.read(audit.list_page, actor=bus.people.admin, action="room.moved", after=None, limit=50)
    moves = [
        (entry.actor.split()[0], entry.detail) for entry in reversed(page.items) if entry.target == f"room:{strict.id}"
    ]
    admin, member = bus.people.admin, bus.people.member
    assert moves == [
        (admin.key, {"from": shop.id, "to": tea.id}),
        (admin.key, {"from": tea.id, "to": None}),
        (member.key, {"from": None, "to": shop.id}),
    ]


async def test_a_project_is_changed_by_who_sees_its_default_room(bus: Bus) -> None:
    await bus.store.write(rooms.create, actor=bus.people.owner, name="secret", visibility="private")
    await make(bus, actor=bus.people.owner, room="secret")

    for change in ({"goal": "mine"}, {"room": "general"}, {"archived": True}):
        with pytest.raises(NotFound):
            await bus.store.write(projects.change, actor=bus.people.member, project="shop", **change)
    await bus.store.write(rooms.invite_user, actor=bus.people.owner, room="secret", user="member")

    changed = await bus.store.write(projects.change, actor=bus.people.member, project="shop", goal="ours")
    assert changed.goal == "ours"


async def test_an_archived_project_is_changed_by_taking_it_back(bus: Bus) -> None:
    await make(bus)

    with pytest.raises(Forbidden):
        await bus.store.write(projects.change, actor=bus.people.member, project="shop", archived=True)
    archived = await bus.store.write(projects.change, actor=bus.people.admin, project="shop", archived=True)

    assert archived.archived_at is not None
    with pytest.raises(Conflict):
        await bus.store.write(projects.change, actor=bus.people.admin, project="shop", goal="another")
    with pytest.raises(Conflict):
        await bus.store.write(rooms.change, actor=bus.people.member, room="general", project="shop")
    back = await bus.store.write(projects.change, actor=bus.people.admin, project="shop", archived=False, goal="more")
    assert (back.archived_at, back.goal) == (None, "more")


async def test_computers_and_runs_know_the_projects_of_their_rooms(bus: Bus) -> None:
    await bus.agent("bot")
    await make(bus, "mine", room="general")
    await make(bus, "other")
    await bus.say("@bot go")
    run = await bus.inside(await bus.claim_one())

    for actor in (run, daemon(bus.box)):
        page = await bus.store.read(projects.list_page, actor=actor, after=None, limit=50)
        assert [project.key for project in page.items] == ["mine"]
        assert (await bus.store.read(projects.get, actor=actor, project="mine")).key == "mine"
        with pytest.raises(NotFound):
            await bus.store.read(projects.get, actor=actor, project="other")
        with pytest.raises(Forbidden):
            await bus.store.write(projects.change, actor=actor, project="mine", goal="mine alone")


async def test_numbers_of_codes_are_given_once_and_per_project(bus: Bus) -> None:
    shop, tea = await make(bus), await make(bus, "tea")

    def take(tx: Tx, *, id: str, kind: Coded) -> int:
        return rows.next_number(tx, id=id, kind=kind)

    def fail(tx: Tx, *, id: str) -> None:
        take(tx, id=id, kind=Coded.TASK)
        raise Conflict("not this time")

    numbers = [await bus.store.write(take, id=shop.id, kind=Coded.TASK) for _ in range(2)]
    with pytest.raises(Conflict):
        await bus.store.write(fail, id=shop.id)
    numbers.append(await bus.store.write(take, id=shop.id, kind=Coded.TASK))

    assert numbers == [1, 2, 3]
    assert await bus.store.write(take, id=tea.id, kind=Coded.TASK) == 1
    assert await bus.store.write(take, id=shop.id, kind=Coded.DECISION) == 1
    assert await bus.store.write(take, id=shop.id, kind=Coded.REQUIREMENT) == 1


async def test_the_log_of_projects_is_complete(bus: Bus) -> None:
    await make(bus, goal="one")
    await bus.store.write(projects.change, actor=bus.people.member, project="shop", goal="two")
    await make(bus, "tea", room="general")

    events = await bus.store.read(log.events_after, workspace_id="w", position=0, limit=1000)
    seen = await bus.store.read(snapshot.take, actor=bus.people.viewer)

    told = [json.loads(event.data) for event in events if event.kind.startswith("project.")]
    known = {data["id"]: data for data in told}
    assert list(known.values()) == [project.fact() for project in seen.projects]
    rooms_told = [json.loads(event.data) for event in events if event.kind == "room.changed"]
    assert {room["id"]: room["project"] for room in rooms_told} == {room.id: room.project_id for room in seen.rooms}
