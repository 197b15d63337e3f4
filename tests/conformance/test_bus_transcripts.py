"""TR-2, TR-3, TR-6, TR-7, TR-8: the log of a run: its end, its summary, its tail, and reading it again."""

from typing import Any

import pytest

from pal_server.actions import computers, files, runs, tails, transcripts
from pal_server.actions.deliveries import Claimed
from pal_server.domain.runs import Run, RunEvent
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import commands
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from pal_server.storage.tx import Tx
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon

Said = tuple[str, str | None, dict[str, Any]]

SAID: list[Said] = [
    ("message", "one ", {}),
    ("message", "two", {}),
    ("tool_call", "make", {"id": "t1"}),
    ("tool_result", "ok", {"id": "t1", "status": "ok"}),
    ("todo", None, {"entries": [{"text": "a", "status": "completed"}, {"text": "b", "status": "pending"}]}),
    ("plan", "first a, then b", {"id": "p"}),
    ("command", "make all", {"id": "t2"}),
]


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    return made


def told(said: list[Said], *, first: int = 1) -> list[dict[str, Any]]:
    return [
        {"seq": n, "kind": kind, "at": n, "text": text, "lane": "main", "data": data, "source": n * 10}
        for n, (kind, text, data) in enumerate(said, first)
    ]


async def run_that(bus: Bus, said: list[Said], *, status: str = "succeeded", content: str = "@bot go") -> Run:
    claimed, run = await bus.start(content)
    await tell(bus, claimed, run, told(said))
    return await bus.finish(run, status=status, usage={"cost_usd": 0.25})


async def tell(bus: Bus, claimed: Claimed, run: Run, events: list[dict[str, Any]]) -> None:
    await bus.store.write(runs.add_events, actor=daemon(bus.box), id=run.id, events=events, **lease(claimed))


async def log(bus: Bus, run: Run) -> list[RunEvent]:
    page = await bus.store.read(runs.events, actor=bus.people.viewer, id=run.id, limit=200)
    return list(page.items)


# TR-8


@pytest.mark.parametrize(("status", "closes"), [("interrupted", True), ("failed", True), ("succeeded", False)])
async def test_what_did_not_end_well_has_an_explicit_end_with_what_was_open(
    bus: Bus, status: str, closes: bool
) -> None:
    run = await run_that(bus, SAID, status=status)

    last = (await log(bus, run))[-1]

    assert (last.kind == "status") is closes
    if closes:
        assert last.data == f'{{"state":"ended","status":"{status}","open":["t2"]}}'
    assert run.last_seq == last.seq


# TR-6


async def test_a_summary_has_list_plan_files_cost_and_duration(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    await tell(bus, claimed, run, told(SAID))
    await tell(bus, claimed, run, told([("todo", None, {"entries": [{"text": "a", "status": "completed"}]})], first=8))
    inside = await bus.inside(claimed)
    what: dict[str, Any] = {"name": "a.txt", "mime": "text/plain", "size": 1, "sha256": "0" * 64}
    file = await bus.store.write(files.add, actor=inside, room=None, title="", ttl=None, **what)
    await bus.finish(run, usage={"cost_usd": 0.25})

    _, summary = await bus.store.read(runs.summary, actor=bus.people.viewer, id=run.id)

    assert (summary.todo, summary.done) == (({"text": "a", "status": "completed"},), 1)
    assert (summary.plan, summary.plan_seq) == ("first a, then b", 6)
    assert [one.id for one in summary.files] == [file.id]
    assert (summary.cost_usd, summary.duration_ms) == (0.25, 0)


@pytest.mark.parametrize("odd", [{}, {"entries": 3}, {"entries": [None, {"status": "x"}, {"text": ""}]}])
async def test_a_list_of_another_shape_is_none(bus: Bus, odd: dict[str, Any]) -> None:
    run = await run_that(bus, [("todo", None, odd)])

    _, summary = await bus.store.read(runs.summary, actor=bus.people.viewer, id=run.id)

    assert (summary.todo, summary.plan, summary.files) == ((), None, ())


# TR-3


async def test_the_tail_of_a_topic_is_one_read_and_leads_to_what_was_before(bus: Bus) -> None:
    asked = await bus.say("begin")
    claimed, run = await bus.start("@bot go")
    inside = await bus.inside(claimed)
    for number in range(8):
        await bus.say(f"step {number}", actor=inside)
    await tell(bus, claimed, run, told([("message", str(n), {"n": n}) for n in range(1, 31)]))

    tail = await bus.store.read(tails.read, actor=bus.people.viewer, topic=asked.message.topic_id, limit=5, events=10)

    assert [message.content for message in tail.messages] == [f"step {n}" for n in range(3, 8)]
    assert tail.last_said is not None
    assert tail.last_said.content == "@bot go"
    assert [one.id for one, _ in tail.runs] == [run.id]
    assert ([event.seq for event in tail.events], tail.events_before) == ([*range(21, 31)], 21)
    page = await bus.store.read(runs.events, actor=bus.people.viewer, id=run.id, before=tail.events_before, limit=20)
    assert ([event.seq for event in page.items], page.next) == ([*range(1, 21)], None)


async def test_a_short_topic_is_its_own_tail(bus: Bus) -> None:
    sent = await bus.say("hello")

    tail = await bus.store.read(tails.read, actor=bus.people.viewer, topic=sent.message.topic_id, limit=5, events=5)

    assert ([m.content for m in tail.messages], tail.before, tail.last_said) == (["hello"], None, None)
    assert (tail.runs, tail.events, tail.events_before) == ((), (), None)


# TR-2, TR-7


async def order_rebuild(bus: Bus, run: Run) -> int:
    await bus.store.write(transcripts.order_rebuild, actor=bus.people.member, id=run.id)
    (order,) = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    assert (order.kind, order.run_id) == ("rebuild", run.id)
    return order.id


async def hand_in(
    bus: Bus,
    run: Run,
    command: int,
    events: list[dict[str, Any]],
    *,
    is_first: bool = True,
    is_last: bool = True,
    is_partial: bool = False,
) -> bool:
    _, has_changed = await bus.store.write(
        runs.take_rebuilt,
        actor=daemon(bus.box),
        id=run.id,
        command=command,
        events=events,
        is_first=is_first,
        is_last=is_last,
        is_partial=is_partial,
    )
    return has_changed


def lose(tx: Tx, *, run: int) -> None:
    """What a damaged disk does."""
    tx.sql.run("runs.forget_events", run_id=run)


async def test_replaying_a_whole_transcript_adds_nothing(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    for _ in range(2):
        await tell(bus, claimed, run, told(SAID))

    assert [event.seq for event in await log(bus, run)] == [*range(1, 8)]


@pytest.mark.parametrize(
    "again",
    [SAID, [("message", "one two", {}), *SAID[2:]], [("message", "on", {}), ("message", "e two", {}), *SAID[2:]]],
)
async def test_a_rebuild_of_a_log_that_lacks_nothing_adds_nothing(bus: Bus, again: list[Said]) -> None:
    run = await run_that(bus, SAID, status="interrupted")
    before = await log(bus, run)

    assert not await hand_in(bus, run, await order_rebuild(bus, run), told(again))

    assert await log(bus, run) == before


async def test_a_rebuild_restores_a_damaged_log(bus: Bus) -> None:
    run = await run_that(bus, SAID, status="interrupted")
    before = await log(bus, run)
    await bus.store.write(lose, run=run.id)
    command = await order_rebuild(bus, run)

    await hand_in(bus, run, command, told(SAID[:3]), is_last=False)
    assert await log(bus, run) == []
    assert await hand_in(bus, run, command, told(SAID[3:], first=4), is_first=False)

    after = await log(bus, run)
    assert [(e.kind, e.text, e.data) for e in after] == [(e.kind, e.text, e.data) for e in before]
    _, summary = await bus.store.read(runs.summary, actor=bus.people.viewer, id=run.id)
    assert (summary.done, summary.plan_seq) == (1, 6)
    assert await bus.store.read(find_broken) == []


async def test_one_that_began_anew_takes_nothing_of_the_one_before(bus: Bus) -> None:
    run = await run_that(bus, SAID)
    await bus.store.write(lose, run=run.id)
    command = await order_rebuild(bus, run)
    await hand_in(bus, run, command, told([("message", "of an attempt that broke off", {})] * 9), is_last=False)

    assert await hand_in(bus, run, command, told(SAID))

    assert [event.kind for event in await log(bus, run)] == [kind for kind, _, _ in SAID]


async def test_a_log_that_would_show_a_secret_again_stays_as_it_is(bus: Bus) -> None:
    run = await run_that(bus, [("message", "the key is [redacted]", {})])
    before = await log(bus, run)

    with pytest.raises(Conflict):
        await hand_in(bus, run, await order_rebuild(bus, run), told([("message", "the key is hunter2", {})]))

    assert await log(bus, run) == before


PARTIAL: list[Said] = [("message", "one two", {}), *SAID[2:4], ("command", "make all", {"id": "t2"})]


@pytest.mark.parametrize(
    ("is_damaged", "again", "taken"),
    [(True, PARTIAL, True), (False, PARTIAL, False), (True, PARTIAL[1:], True), (False, SAID, False)],
)
async def test_a_programs_own_transcript_is_taken_only_where_something_is_missing(
    bus: Bus, is_damaged: bool, again: list[Said], taken: bool
) -> None:
    run = await run_that(bus, SAID)
    if is_damaged:
        await bus.store.write(lose, run=run.id)
    before = await log(bus, run)

    assert await hand_in(bus, run, await order_rebuild(bus, run), told(again), is_partial=True) is taken

    assert [event.kind for event in await log(bus, run)] == [kind for kind, _, _ in (again if taken else SAID)]
    assert taken or await log(bus, run) == before


async def test_a_transcript_that_has_less_than_is_left_is_not_taken(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    events = told(SAID)
    await tell(bus, claimed, run, [*events[:4], *events[5:]])  # one was lost
    await bus.finish(run)

    assert not await hand_in(bus, run, await order_rebuild(bus, run), told([("message", "one", {})]), is_partial=True)


async def test_the_order_says_where_the_programs_own_transcript_is(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    await bus.store.write(
        runs.bind_native_session, actor=daemon(bus.box), id=run.session_id, native_session="native", **lease(claimed)
    )
    ended = await bus.finish(run)

    await order_rebuild(bus, run)

    (order,) = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    assert order.data == {
        "runtime": "demo",
        "session": "native",
        "home": None,
        "env": {},
        "since": ended.started_at,
        "until": ended.ended_at,
    }


async def test_nobody_hands_in_what_was_not_asked_for(bus: Bus) -> None:
    run = await run_that(bus, SAID)
    other = await run_that(bus, SAID, content="@bot more")
    command = await order_rebuild(bus, run)

    for id, order in ((other, command), (run, command + 1)):
        with pytest.raises(Conflict):
            await hand_in(bus, id, order, told(SAID))


async def test_it_is_asked_once_of_an_ended_run_whose_computer_is_there(bus: Bus) -> None:
    _, live = await bus.start("@bot go")
    with pytest.raises(Conflict):
        await bus.store.write(transcripts.order_rebuild, actor=bus.people.member, id=live.id)
    run = await bus.finish(live)
    for actor in (bus.people.viewer, daemon(bus.box)):
        with pytest.raises((Forbidden, NotFound)):
            await bus.store.write(transcripts.order_rebuild, actor=actor, id=run.id)
    for _ in range(2):
        await order_rebuild(bus, run)
    await bus.store.write(computers.revoke, actor=bus.people.admin, ref="box")
    with pytest.raises(Conflict):
        await bus.store.write(transcripts.order_rebuild, actor=bus.people.member, id=run.id)
    with pytest.raises(Invalid):
        await bus.store.read(runs.events, actor=bus.people.viewer, id=run.id, after=1, before=2)
