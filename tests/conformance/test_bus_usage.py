"""NU-2: tokens, money and time of ended runs, added up by agent, room, project and day."""

from typing import Any

import pytest

from pal_server.actions import projects, rooms, runs, usage
from pal_server.actions.usage import Report
from pal_server.domain.actors import Actor
from pal_server.domain.usage import DAY
from pal_server.errors import Invalid, NotFound
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon
from tests.support.stores import Clock

ONE = {"input_tokens": 100, "output_tokens": 10, "cost_usd": 0.1}


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    for key in ("bot", "other"):
        await made.agent(key)
    return made


async def ran(
    bus: Bus, clock: Clock, agent: str = "bot", *, used: dict[str, Any] | None = None, seconds: int = 2, **more: Any
) -> None:
    """A run that took so long and said so much at its end."""
    ending = {key: more.pop(key) for key in ("status", "error_kind") if key in more}
    claimed, run = await bus.start(f"@{agent} go", **more)
    await bus.store.write(runs.set_pid, actor=daemon(bus.box), id=run.id, pid=7, **lease(claimed))
    clock.advance(seconds)
    await bus.finish(run, usage=used, **ending)


async def report(bus: Bus, *, actor: Actor | None = None, **more: Any) -> Report:
    return await bus.store.read(usage.report, actor=actor or bus.people.viewer, **more)


async def test_runs_are_added_up_by_agent(bus: Bus, clock: Clock) -> None:
    await ran(bus, clock, used=ONE)
    await ran(bus, clock, used={"input_tokens": 5, "output_tokens": 1, "cost_usd": 0.2}, status="failed")
    await ran(bus, clock, "other", used=ONE, seconds=3)

    found = await report(bus)

    bot, other = found.rows
    assert (bot.key, bot.runs, bot.failed, bot.input_tokens, bot.output_tokens) == ("bot", 2, 1, 105, 11)
    assert (bot.cost_micros, bot.duration) == (300_000, 4000)
    assert (other.key, other.runs, other.duration) == ("other", 1, 3000)
    assert (found.total.runs, found.total.input_tokens, found.total.cost_micros) == (3, 205, 400_000)


async def test_projects_are_what_their_rooms_used(bus: Bus, clock: Clock) -> None:
    await bus.make_room("stock")
    await bus.make_room("other")
    for room in ("stock", "other"):
        await bus.invite("bot", room=room)
    await bus.store.write(projects.create, actor=bus.people.member, key="shop", room="general")
    await bus.store.write(rooms.change, actor=bus.people.member, room="stock", project="shop")
    for room in ("general", "stock", "other"):
        await ran(bus, clock, used=ONE, room=room)

    found = await report(bus, by="project")
    shop = await report(bus, by="day", project="shop")

    assert [(row.name, row.runs, row.cost_micros) for row in found.rows] == [("", 1, 100_000), ("shop", 2, 200_000)]
    assert found.total.runs == 3
    assert [row.runs for row in shop.rows] == [2]
    with pytest.raises(NotFound):
        await report(bus, project="nothing")


async def test_what_was_not_said_is_not_taken_for_nothing(bus: Bus, clock: Clock) -> None:
    await ran(bus, clock, used=ONE)
    await ran(bus, clock, used={"output_tokens": 7})
    await ran(bus, clock, used=None)
    await ran(bus, clock, used={"cost_usd": -5.0, "input_tokens": -1})

    (row,) = (await report(bus)).rows

    assert (row.runs, row.with_tokens, row.with_cost) == (4, 2, 1)
    assert (row.input_tokens, row.output_tokens, row.cost_micros) == (100, 17, 100_000)


async def test_days_begin_where_the_reader_says(bus: Bus, clock: Clock) -> None:
    clock.now = 20_000 * DAY - 60 * 60 * 1000  # an hour before midnight, UTC
    await ran(bus, clock, used=ONE)
    clock.now = 20_000 * DAY + 60 * 60 * 1000
    await ran(bus, clock, used=ONE)

    utc = (await report(bus, by="day")).rows
    east = (await report(bus, by="day", utc_offset=120)).rows

    assert [(row.key, row.name, row.runs) for row in utc] == [("19999", "2024-10-03", 1), ("20000", "2024-10-04", 1)]
    assert [(row.name, row.runs) for row in east] == [("2024-10-04", 2)]


async def test_only_what_ended_in_the_time_counts(bus: Bus, clock: Clock) -> None:
    await ran(bus, clock, used=ONE)
    then = clock.now
    clock.advance(10)
    await ran(bus, clock, used=ONE)
    await bus.start("@bot still at it")

    assert (await report(bus)).total.runs == 2
    assert (await report(bus, since=then + 1)).total.runs == 1
    assert (await report(bus, until=then)).total.runs == 0
    clock.advance(31 * DAY / 1000)
    assert (await report(bus)).rows == ()


async def test_one_agent_or_one_room_alone(bus: Bus, clock: Clock) -> None:
    await bus.make_room("lab")
    await bus.invite("bot", room="lab")
    await ran(bus, clock, used=ONE)
    await ran(bus, clock, "other", used=ONE)
    await ran(bus, clock, used=ONE, room="lab")

    by_room = (await report(bus, by="room")).rows

    assert {row.name: row.runs for row in by_room} == {"general": 2, "lab": 1}
    assert {row.key: row.runs for row in (await report(bus, room="lab")).rows} == {"bot": 1}
    assert {row.key: row.runs for row in (await report(bus, agent="other")).rows} == {"other": 1}


async def test_runs_of_rooms_one_does_not_see_are_not_counted(bus: Bus, clock: Clock) -> None:
    admin = bus.people.admin
    await bus.make_room("secret", visibility="private", actor=admin)
    await bus.store.write(rooms.invite_agent, actor=admin, room="secret", agent="bot", mode="mentions")
    await ran(bus, clock, used=ONE)
    await ran(bus, clock, used=ONE, actor=admin, room="secret")

    assert (await report(bus)).total.runs == 1
    assert (await report(bus, actor=admin)).total.runs == 2
    with pytest.raises(NotFound):
        await report(bus, room="secret")


async def test_pages_go_on_after_a_key_and_the_total_is_of_all(bus: Bus, clock: Clock) -> None:
    await ran(bus, clock, used=ONE)
    await ran(bus, clock, "other", used=ONE)

    first = await report(bus, limit=1)
    second = await report(bus, limit=1, after=first.next)

    assert [row.key for row in (*first.rows, *second.rows)] == ["bot", "other"]
    assert first.total == second.total
    assert second.next is None


async def test_a_dry_run_used_nothing(bus: Bus) -> None:
    await bus.say("@bot go")
    await bus.open(await bus.claim_one(), dry_run=True)

    assert (await report(bus)).rows == ()


@pytest.mark.parametrize("wrong", [{"by": "colour"}, {"since": 5, "until": 4}, {"utc_offset": 10_000}])
async def test_what_cannot_be_asked_is_refused(bus: Bus, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await report(bus, **wrong)
