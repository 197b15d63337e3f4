"""Runs: opened, reported, ended once; what their end says, and who may order them about."""

import asyncio
from typing import Any

import pytest

from pal_server.actions import agents, computers, deliveries, messages, rooms, runs, tokens
from pal_server.actions.deliveries import Claimed
from pal_server.domain.actors import ActorKind
from pal_server.domain.deliveries import Status as DeliveryStatus
from pal_server.domain.runs import Ending, Run, Status, Wanted
from pal_server.errors import Conflict, Forbidden, Invalid, LeaseLost, NotFound
from pal_server.storage import commands
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon
from tests.support.stores import Clock


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    return made


async def order(bus: Bus, run: Run, wanted: Wanted) -> Run:
    return await bus.store.write(runs.order_by_id, actor=bus.people.member, id=run.id, wanted=wanted)


async def orders(bus: Bus) -> list[tuple[str, int | None]]:
    found = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    return [(command.kind, command.run_id) for command in found]


async def report(bus: Bus, claimed: Claimed, run: Run, *seqs: int, text: str = "x", **more: Any) -> runs.Accepted:
    events = [
        {"seq": n, "kind": "message", "at": 1, "text": f"{text}{n}", "lane": "main", "data": {}, "source": n * 10}
        for n in seqs
    ]
    return await bus.store.write(
        runs.add_events, actor=daemon(bus.box), id=run.id, events=events, **lease(claimed), **more
    )


async def texts(bus: Bus, run: Run) -> list[str | None]:
    page = await bus.store.read(runs.events, actor=bus.people.viewer, id=run.id, after=0, limit=200)
    return [event.text for event in page.items]


async def last_card(bus: Bus) -> dict[str, Any]:
    page = await bus.store.read(messages.list_page, actor=bus.people.viewer, room="general")
    card = page.items[-1].card
    assert card is not None
    return card


# DR-7: how it ends


@pytest.mark.parametrize(
    ("said", "wanted", "run_ends", "delivery_ends"),
    [
        ("succeeded", None, "succeeded", "acked"),
        ("failed", None, "failed", "failed"),
        ("interrupted", None, "interrupted", "interrupted"),
        ("cancelled", None, "cancelled", "acked"),
        ("failed", Wanted.KILL, "cancelled", "acked"),
        ("failed", Wanted.STOP, "cancelled", "acked"),
        ("interrupted", Wanted.KILL, "cancelled", "acked"),
        ("succeeded", Wanted.STOP, "succeeded", "acked"),
    ],
)
async def test_how_a_run_ends_ends_its_delivery(
    bus: Bus, said: str, wanted: Wanted | None, run_ends: str, delivery_ends: str
) -> None:
    claimed, run = await bus.start("@bot go")
    if wanted is not None:
        await order(bus, run, wanted)

    ended = await bus.finish(run, status=said)

    assert ended.status == run_ends
    assert (await bus.delivery(claimed.delivery.id)).status == delivery_ends


async def test_a_failure_shows_its_code_and_last_lines(bus: Bus) -> None:
    _, run = await bus.start("@bot go")

    ended = await bus.finish(
        run, status="failed", exit_code=3, error_kind="agent", error="no", stderr="a" * 9000 + "end"
    )

    assert (ended.exit_code, ended.error_kind, ended.error) == (3, "agent", "no")
    assert ended.stderr is not None
    assert ended.stderr.endswith("end")
    assert len(ended.stderr) == 8000
    assert (await last_card(bus))["actions"] == ["retry"]
    assert "exit code 3" in (await bus.said())[-1]


async def test_of_two_ends_at_once_one_counts(bus: Bus) -> None:
    _, run = await bus.start("@bot go")

    ended = await asyncio.gather(*(bus.finish(run, text="done") for _ in range(8)))

    assert len({one.ended_at for one in ended}) == 1
    assert (await bus.said()).count("done") == 1


async def test_a_run_cannot_end_as_living(bus: Bus) -> None:
    _, run = await bus.start("@bot go")

    with pytest.raises(Invalid):
        await bus.finish(run, status="running")


# DR-8, DR-9: what it says


async def test_posting_leaves_the_run_as_it_is(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    await bus.store.write(runs.set_pid, actor=daemon(bus.box), id=run.id, pid=7, **lease(claimed))

    await bus.say("half way", actor=await bus.inside(claimed))

    now = await bus.run(run.id)
    assert (now.status, now.pid) == (Status.RUNNING, 7)


async def test_a_run_that_said_nothing_has_its_final_text_said_once(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")

    await bus.finish(run, text="  the answer\n")

    page = await bus.store.read(messages.list_page, actor=bus.people.viewer, room="general")
    answer = page.items[-1]
    assert (answer.content, answer.sender.name, answer.run_id) == ("the answer", "bot", run.id)
    assert answer.parent_id == claimed.delivery.message_id


async def test_a_run_that_said_something_does_not_repeat_it(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    await bus.say("the answer", actor=await bus.inside(claimed))

    await bus.finish(run, text="the answer")

    assert (await bus.said()).count("the answer") == 1


async def test_what_it_said_elsewhere_is_not_its_answer(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    await bus.say("a note", actor=await bus.inside(claimed), topic=await bus.topic())

    await bus.finish(run, text="the answer")

    assert (await bus.said())[-1] == "the answer"


async def test_silence_is_explained(bus: Bus) -> None:
    _, run = await bus.start("@bot go")

    await bus.finish(run)

    assert (await last_card(bus))["type"] == "silent"


async def test_an_end_too_long_to_read_is_cut_and_says_where_the_rest_is(bus: Bus) -> None:
    _, run = await bus.start("@bot go")

    await bus.finish(run, text="a" * 150_000)

    assert (await bus.said())[-1].endswith(f"the whole text is in run {run.id}: `pal logs {run.id}`]")


# DR-14: restart


async def test_restarting_a_live_run_ends_it_and_runs_the_same_delivery_again(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")
    later = await bus.say("@bot two")

    ordered = await order(bus, run, Wanted.RESTART)
    assert (ordered.wanted, await orders(bus)) == (Wanted.RESTART, [("kill", run.id)])
    ended = await bus.finish(run, status="cancelled")
    again = await bus.claim_one()
    rerun = await bus.open(again)

    assert ended.status is Status.CANCELLED
    assert (again.delivery.id, rerun.restart_of) == (claimed.delivery.id, run.id)
    assert await orders(bus) == []
    await bus.finish(rerun)
    assert (await bus.claim_one()).delivery.id == later.deliveries[0].id


async def test_a_restart_counts_also_when_the_run_ended_before_it_heard_of_it(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")
    await order(bus, run, Wanted.RESTART)

    ended = await bus.finish(run, status="succeeded", text="done")

    assert ended.status is Status.SUCCEEDED
    assert (await bus.claim_one()).delivery.id == claimed.delivery.id


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled", "interrupted"])
async def test_a_finished_run_is_restarted(bus: Bus, end: str) -> None:
    claimed, run = await bus.start("@bot one")
    await bus.finish(run, status=end)

    await order(bus, run, Wanted.RESTART)

    again = await bus.claim_one()
    assert (again.delivery.id, again.work["restart_of"]) == (claimed.delivery.id, run.id)
    with pytest.raises(Conflict):
        await order(bus, run, Wanted.RESTART)


async def test_restarting_an_agent_in_a_room_touches_nothing_else(bus: Bus) -> None:
    await bus.agent("other")
    build = await bus.make_room("build")
    await bus.invite("bot", room="build")
    await bus.say("@bot @other go")
    await bus.say("@bot go", room="build")
    opened = {(c.delivery.agent, c.delivery.room_id): await bus.open(c) for c in await bus.claim()}

    restarted = await bus.store.write(rooms.restart_agent, actor=bus.people.member, room="build", agent="bot")

    assert [run.id for run in restarted] == [opened["bot", build.id].id]
    assert await orders(bus) == [("kill", opened["bot", build.id].id)]
    await bus.finish(opened["bot", build.id], status="cancelled")
    with pytest.raises(Conflict):
        await bus.store.write(rooms.restart_agent, actor=bus.people.member, room="build", agent="bot")


# Orders


async def test_an_order_is_kept_for_a_computer_that_is_away_and_given_once(bus: Bus, clock: Clock) -> None:
    _, run = await bus.start("@bot one")
    clock.advance(600)
    await bus.store.write(computers.mark_offline)

    await order(bus, run, Wanted.KILL)
    await order(bus, run, Wanted.KILL)

    assert await orders(bus) == [("kill", run.id)]
    assert (await bus.run(run.id)).is_live


async def test_stopping_may_become_killing(bus: Bus) -> None:
    _, run = await bus.start("@bot one")

    await order(bus, run, Wanted.STOP)
    await order(bus, run, Wanted.KILL)

    assert await orders(bus) == [("stop", run.id), ("kill", run.id)]


@pytest.mark.parametrize("wanted", [Wanted.STOP, Wanted.KILL])
async def test_what_has_ended_is_not_stopped(bus: Bus, wanted: Wanted) -> None:
    _, run = await bus.start("@bot one")
    await bus.finish(run)

    with pytest.raises(Conflict):
        await order(bus, run, wanted)


async def test_people_alone_give_orders(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")

    for actor in (bus.people.viewer, daemon(bus.box), await bus.inside(claimed)):
        with pytest.raises(Forbidden):
            await bus.store.write(runs.order_by_id, actor=actor, id=run.id, wanted=Wanted.KILL)


async def test_on_a_revoked_computer_a_run_ends_here(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")

    await bus.store.write(computers.revoke, actor=bus.people.admin, ref="box")

    ended = await bus.run(run.id)
    assert (ended.status, ended.error_kind) == (Status.CANCELLED, "lost")
    assert (await bus.delivery(claimed.delivery.id)).status is DeliveryStatus.ACKED


# DR-17: dry run


async def test_a_dry_run_is_recorded_and_settled_at_once(bus: Bus) -> None:
    await bus.say("@bot one")
    claimed = await bus.claim_one()

    run = await bus.open(claimed, dry_run=True)
    again = await bus.open(claimed, dry_run=True)

    assert (run.status, run.id) == (Status.DRY_RUN, again.id)
    assert (await bus.delivery(claimed.delivery.id)).status is DeliveryStatus.ACKED
    assert await bus.said() == ["@bot one"]


# Tokens (DR-18, AU-6)


async def test_a_runs_token_dies_with_it(bus: Bus) -> None:
    await bus.say("@bot one")
    claimed = await bus.claim_one()
    run = await bus.open(claimed, secret_hash="first")
    await bus.open(claimed, secret_hash="second")

    for secret in ("first", "second"):
        actor = await bus.store.read(tokens.authenticate, secret_hash=secret)
        assert actor is not None
        assert (actor.kind, actor.agent, actor.run_id) == (ActorKind.RUN, "bot", run.id)
    await bus.finish(run)

    for secret in ("first", "second"):
        assert await bus.store.read(tokens.authenticate, secret_hash=secret) is None


# Run events (TR-2)


async def test_events_are_stored_once_however_often_they_are_sent(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")

    first = await report(bus, claimed, run, 1, 2)
    again = await report(bus, claimed, run, 1, 2, 3, text="y")

    assert (first.accepted, first.last_seq, first.last_source) == (2, 2, 20)
    assert (again.accepted, again.last_seq, again.last_source) == (1, 3, 30)
    assert await texts(bus, run) == ["x1", "x2", "y3"]


async def test_uploads_at_once_are_stored_once(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")

    await asyncio.gather(*(report(bus, claimed, run, *range(1, 2 + n)) for n in range(8)))

    now = await bus.run(run.id)
    assert (now.last_seq, now.last_source) == (8, 80)
    assert await texts(bus, run) == [f"x{n}" for n in range(1, 9)]


async def test_who_believes_the_server_stands_elsewhere_is_told_where(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")
    await report(bus, claimed, run, 1, 2, after_source=0)

    for belief in (0, 10, 30):
        with pytest.raises(Conflict) as refused:
            await report(bus, claimed, run, 3, after_source=belief)
        assert refused.value.facts == {"last_seq": 2, "last_source": 20}
    await report(bus, claimed, run, 3, after_source=20)
    assert await texts(bus, run) == ["x1", "x2", "x3"]


async def test_no_event_is_taken_under_another_lease_or_after_the_end(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")

    for wrong in ({"lease_id": "lease_x"}, {"fence": 9}):
        with pytest.raises(LeaseLost):
            await bus.store.write(
                runs.add_events, actor=daemon(bus.box), id=run.id, events=[], **{**lease(claimed), **wrong}
            )
    await bus.finish(run)
    with pytest.raises(LeaseLost):
        await report(bus, claimed, run, 1)


async def test_events_come_in_pages(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")
    await report(bus, claimed, run, *range(1, 6))

    page = await bus.store.read(runs.events, actor=bus.people.viewer, id=run.id, after=1, limit=2)
    rest = await bus.store.read(runs.events, actor=bus.people.viewer, id=run.id, after=int(page.next or 0), limit=2)

    assert ([event.seq for event in page.items], page.next) == ([2, 3], "3")
    assert ([event.seq for event in rest.items], rest.next) == ([4, 5], None)


async def test_a_stalled_run_is_flagged_and_goes_on(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot one")
    clock.advance(7200)
    await bus.store.write(
        computers.heartbeat, actor=daemon(bus.box), computer=bus.box.id, epoch=None, stalled=(run.id,)
    )
    assert (await bus.run(run.id)).stalled_since == clock.now

    await report(bus, claimed, run, 1)

    now = await bus.run(run.id)
    assert (now.stalled_since, now.is_live) == (None, True)


# Results (DR-23), external runs (DR-24), lists (DR-25)


async def test_an_agent_reports_its_result_from_inside_its_run(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")
    inside = await bus.inside(claimed)
    result = {"status": "blocked", "summary": "no access", "blockers": ["key"], "next_steps": []}

    reported = await bus.store.write(runs.report_result, actor=inside, id=run.id, **result)

    assert reported.result == result
    with pytest.raises(Invalid):
        await bus.store.write(runs.report_result, actor=inside, id=run.id, **{**result, "status": "fine"})
    with pytest.raises(Forbidden):
        await bus.store.write(runs.report_result, actor=bus.people.owner, id=run.id, **result)


async def test_a_finished_run_of_another_client_is_recorded_once(bus: Bus) -> None:
    async def submit() -> Run:
        return await bus.store.write(
            runs.submit,
            actor=bus.people.member,
            agent="bot",
            topic=bus.room.default_topic,
            status="succeeded",
            text="from outside",
            client_id="c1",
        )

    first, second = await submit(), await submit()

    assert (first.id, first.status) == (second.id, Status.SUCCEEDED)
    assert await bus.said() == ["from outside"]


async def test_runs_are_found_by_what_they_are(bus: Bus, clock: Clock) -> None:
    topic = await bus.topic()
    await bus.agent("other")
    _, first = await bus.start("@bot one")
    clock.advance(2)
    await bus.finish(first, usage={"input_tokens": 5})
    await bus.say("@other two", topic=topic)
    second = await bus.open(await bus.claim_one())

    async def found(**what: Any) -> list[int]:
        page = await bus.store.read(runs.list_page, actor=bus.people.viewer, **what)
        return [run.id for run in page.items]

    assert await found() == [second.id, first.id]
    for what in ({"agent": "bot"}, {"topic": bus.room.default_topic}, {"status": "succeeded"}, {"until": clock.now}):
        assert await found(**what) == [first.id]
    assert await found(since=clock.now) == [second.id]
    assert await found(computer=bus.box.id, room="general") == [second.id, first.id]
    fact = (await bus.run(first.id)).fact()
    assert (fact["duration_ms"], fact["usage"]) == (2000, {"input_tokens": 5})
    page = await bus.store.read(runs.list_page, actor=bus.people.viewer, limit=1)
    rest = await bus.store.read(runs.list_page, actor=bus.people.viewer, limit=1, after=page.next)
    assert [run.id for run in (*page.items, *rest.items)] == [second.id, first.id]
    assert rest.next is None


async def test_the_prompt_of_a_run_is_kept(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")

    assert await bus.store.read(runs.prompt, actor=bus.people.viewer, id=run.id) == claimed.work["prompt"]


# Sessions


async def test_the_native_session_is_bound_by_the_live_run_and_resumed_by_the_next(bus: Bus) -> None:
    claimed, run = await bus.start("@bot one")
    bind: dict[str, Any] = {"actor": daemon(bus.box), "id": run.session_id, "native_session": "native"}
    with pytest.raises(LeaseLost):
        await bus.store.write(runs.bind_native_session, lease_id="x", fence=1, **bind)
    await bus.store.write(runs.bind_native_session, **lease(claimed), **bind)
    await bus.finish(run)

    await bus.say("@bot two")

    assert (await bus.claim_one()).work["native_session"] == "native"


async def test_a_new_generation_begins_anew(bus: Bus) -> None:
    _, run = await bus.start("@bot one")
    await bus.finish(run)
    where: dict[str, Any] = {"actor": bus.people.member, "topic": bus.room.default_topic, "agent": "bot"}

    same = await bus.store.write(runs.create_session, **where)
    fresh = await bus.store.write(runs.create_session, fresh=True, **where)

    assert (same.id, fresh.generation) == (run.session_id, 2)


async def test_a_deleted_agents_runs_are_not_restarted(bus: Bus) -> None:
    _, run = await bus.start("@bot one")
    await bus.finish(run, status="failed")
    await bus.store.write(agents.delete, actor=bus.people.admin, key="bot")

    with pytest.raises(Conflict):
        await order(bus, run, Wanted.RESTART)
    assert await bus.deliveries(status="pending") == []


async def test_a_run_that_is_not_there(bus: Bus) -> None:
    with pytest.raises(NotFound):
        await bus.store.read(runs.get, actor=bus.people.owner, id=99)
    with pytest.raises(NotFound):
        await bus.store.write(
            runs.finish,
            actor=daemon(bus.box),
            id=99,
            lease_id="x",
            fence=1,
            ending=Ending(status=Status.SUCCEEDED),
        )
    assert await bus.store.read(deliveries.waiting_for, actor=daemon(bus.box)) == 0
