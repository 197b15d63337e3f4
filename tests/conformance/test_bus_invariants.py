"""The rules over rows see nothing wrong in a bus that is used, and see each thing that is wrong."""

from typing import Any

import pytest

from pal_server.actions import debates, interactions, projects, runs, tasks
from pal_server.domain.runs import Wanted
from pal_server.storage.check import find_broken
from pal_server.storage.statements import load_statements
from pal_server.storage.store import Store, Tx
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon
from tests.support.stores import TEST_STATEMENTS

BREAKS = sorted(
    name.removeprefix("broken.")
    for name in load_statements(TEST_STATEMENTS, engine="sqlite")
    if name.startswith("broken.")
)


@pytest.fixture
async def bus(store: Store) -> Bus:
    """A live run with a question, a token, an event and an order; two that wait; a debate; a task."""
    made = await make_bus(store)
    for key in ("bot", "other"):
        await made.agent(key)
    await store.write(projects.create, actor=made.people.owner, key="shop", room="general")
    await store.write(tasks.promote, actor=made.people.member, topic=await made.topic(), plan=tasks.Plan())
    claimed, run = await made.start("@bot go")
    here: dict[str, Any] = {"actor": daemon(made.box), **lease(claimed)}
    event = {"seq": 1, "kind": "message", "at": 1, "text": "x", "lane": "main", "data": {}, "source": 9}
    await store.write(runs.add_events, id=run.id, events=[event], **here)
    await store.write(interactions.open_for_run, run=run.id, key="k", kind="question", title="why?", **here)
    await store.write(runs.order_by_id, actor=made.people.member, id=run.id, wanted=Wanted.STOP)
    await made.say("@bot next")
    await made.say("@other go")
    await store.write(debates.start, actor=made.people.member, room="general", a="bot", b="other", subject="tabs")
    return made


async def test_a_bus_in_use_breaks_no_rule(bus: Bus) -> None:
    assert await bus.store.read(find_broken) == []


@pytest.mark.parametrize("rule", BREAKS)
async def test_what_is_wrong_is_seen(bus: Bus, rule: str) -> None:
    def damage(tx: Tx) -> None:
        tx.sql.run(f"broken.{rule}")

    await bus.store.write(damage)

    assert rule in {line.partition(":")[0] for line in await bus.store.read(find_broken)}


async def test_two_runs_of_one_attempt_are_seen(bus: Bus) -> None:
    def damage(tx: Tx) -> None:
        tx.sql.run("broken_twice.end_runs")
        tx.sql.run("broken_twice.copy_runs")

    await bus.store.write(damage)

    assert any(line.startswith("an_attempt_has_two_runs") for line in await bus.store.read(find_broken))
