"""Tasks that several people change at the same moment."""

import asyncio
from collections.abc import Sequence

from pal_server.actions import projects, rooms, tasks
from pal_server.actions.tasks import Plan
from pal_server.domain.tasks import Task
from pal_server.errors import Invalid
from pal_server.storage.store import Store
from tests.support.bus import make_bus


async def test_a_circle_is_not_closed_from_two_sides(store: Store) -> None:
    bus = await make_bus(store)
    await store.write(projects.create, actor=bus.people.owner, key="shop", room="general")
    for number in range(4):
        room = await store.write(rooms.create, actor=bus.people.owner, name=f"room-{number}", project="shop")
        await store.write(tasks.create, actor=bus.people.member, title="Tea", project="shop", room=room.id, plan=Plan())

    async def depend(task: str, before: Sequence[str]) -> Task:
        plan = Plan(depends_on=before)
        return await store.write(tasks.change, actor=bus.people.member, task=task, project="shop", plan=plan)

    for _ in range(5):
        for task, before in (("T-1", ["T-2"]), ("T-2", []), ("T-3", ["T-4"]), ("T-4", [])):
            await depend(task, before)

        said = await asyncio.gather(depend("T-2", ["T-3"]), depend("T-4", ["T-1"]), return_exceptions=True)

        assert sorted(isinstance(one, Invalid) for one in said) == [False, True], said
