"""What every store promises, on SQLite and on PostgreSQL."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from pal_server.errors import AlreadyExists, Conflict, Invalid, Unavailable
from pal_server.storage.store import ReadOnly, Store, Tx
from tests.support.patience import LONG_PATIENCE, PATIENCE
from tests.support.stores import Clock, Heard, open_test_store


def add(tx: Tx, *, chore: str, holder: str = "me") -> str:
    tx.sql.run("probe.add", chore=chore, holder=holder)
    return chore


def add_then_fail(tx: Tx, *, chore: str) -> None:
    add(tx, chore=chore)
    tx.emit("never", workspace_id="w", data={})
    tx.wake("never")
    raise Invalid("no")


def fail(tx: Tx) -> None:
    tx.emit("never", workspace_id="w", data={})
    tx.wake("never")
    raise Invalid("no")


def emit(tx: Tx, *, kind: str = "said", workspace_id: str = "w", count: int = 1) -> None:
    for number in range(count):
        tx.emit(kind, workspace_id=workspace_id, room_id="room_1", audience="user:a", data={"number": number})


def chores(tx: Tx) -> list[str]:
    return [row.chore for row in tx.sql.all("probe.chores")]


def events_after(tx: Tx, *, position: int = 0, workspace_id: str = "w") -> list[int]:
    return [row.position for row in tx.sql.all("probe.events_after", workspace_id=workspace_id, position=position)]


def make_workspace(tx: Tx, *, id: str = "w") -> None:
    tx.sql.run("probe.workspace", id=id)


def hold(tx: Tx, *, begun: threading.Event, go_on: threading.Event) -> None:
    """Keep the writer busy until the test lets it go on."""
    begun.set()
    assert go_on.wait(PATIENCE)


async def together(*waiting: "asyncio.Future[object] | object") -> list[object]:
    """The outcomes of calls that are started in one go, so that SQLite takes them as one batch."""
    return await asyncio.gather(*waiting, return_exceptions=True)  # type: ignore[call-overload]


class Held:
    """A store whose writers are all busy, so that what is sent meanwhile has to wait."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._go_on = threading.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Held":
        begun = [threading.Event() for _ in range(1 if self._store.engine == "sqlite" else 8)]
        for event in begun:
            self._tasks.append(asyncio.create_task(self._store.write(hold, begun=event, go_on=self._go_on)))
        for event in begun:
            assert await asyncio.to_thread(event.wait, PATIENCE)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._go_on.set()
        await asyncio.gather(*self._tasks)


async def test_a_write_returns_what_was_committed(store: Store) -> None:
    answer = await store.write(add, chore="digest")

    assert answer == "digest"
    assert await store.read(chores) == ["digest"]


async def test_a_row_is_read_by_name_place_and_attribute(store: Store) -> None:
    await store.write(add, chore="digest", holder="me")

    row = await store.read(lambda tx: tx.sql.one("probe.get", chore="digest"))

    assert row is not None
    assert (row["chore"], row.holder, row[2]) == ("digest", "me", 0)
    assert dict(row) == {"chore": "digest", "holder": "me", "held_until": 0}
    assert (list(row), len(row), not hasattr(row, "nothing")) == (["digest", "me", 0], 3, True)


async def test_a_missing_row_is_none_and_a_missing_change_is_zero(store: Store) -> None:
    row = await store.read(lambda tx: tx.sql.one("probe.get", chore="digest"))
    changed = await store.write(lambda tx: tx.sql.run("probe.change", chore="digest", holder="you"))

    assert (row, changed) == (None, 0)


async def test_many_runs_a_statement_for_each(store: Store) -> None:
    rows = [{"chore": name, "holder": "me"} for name in "abc"]

    changed = await store.write(lambda tx: tx.sql.many("probe.add", rows))

    assert (changed, await store.read(chores)) == (3, ["a", "b", "c"])


async def test_an_action_that_fails_before_it_wrote_harms_nobody(store: Store, heard: Heard) -> None:
    async with Held(store):
        calls = together(store.write(add, chore="a"), store.write(fail), store.write(add, chore="b"))
        outcomes = asyncio.ensure_future(calls)
        await asyncio.sleep(0)

    a, failed, b = await outcomes
    assert (a, b) == ("a", "b")
    assert isinstance(failed, Invalid)
    assert await store.read(chores) == ["a", "b"]
    assert heard.wakes == []


async def test_an_action_that_fails_after_it_wrote_is_undone_alone(store: Store, heard: Heard) -> None:
    await store.write(make_workspace)
    async with Held(store):
        calls = together(
            store.write(add, chore="a"),
            store.write(emit),
            store.write(add_then_fail, chore="x"),
            store.write(add, chore="b"),
        )
        outcomes = asyncio.ensure_future(calls)
        await asyncio.sleep(0)

    a, _, failed, b = await outcomes
    assert (a, b) == ("a", "b")
    assert isinstance(failed, Invalid)
    assert await store.read(chores) == ["a", "b"]
    assert await store.read(events_after) == [1]
    assert heard.wakes == [{"events:w"}]


async def test_a_batch_that_is_run_again_has_its_effects_once(store: Store, heard: Heard) -> None:
    await store.write(make_workspace)
    done: list[str] = []

    def act(tx: Tx) -> None:
        emit(tx)
        tx.wake("room:1")
        tx.after_commit(lambda: done.append("done"))

    async with Held(store):
        outcomes = asyncio.ensure_future(together(store.write(act), store.write(add_then_fail, chore="x")))
        await asyncio.sleep(0)
    await outcomes

    assert await store.read(events_after) == [1]
    assert (done, heard.wakes) == (["done"], [{"room:1", "events:w"}])
    assert [[event.position for event in events] for events in heard.events] == [[1]]


async def test_an_event_nobody_can_store_fails_its_action_only(store: Store) -> None:
    await store.write(make_workspace)
    async with Held(store):
        calls = together(store.write(add, chore="a"), store.write(emit, workspace_id="missing"), store.write(emit))
        outcomes = asyncio.ensure_future(calls)
        await asyncio.sleep(0)

    a, failed, _ = await outcomes
    assert a == "a"
    assert isinstance(failed, LookupError)
    assert await store.read(events_after) == [1]


async def test_the_cache_of_a_batch_forgets_what_was_undone(store: Store) -> None:
    def remember(tx: Tx) -> None:
        tx.batch_cache["chore"] = add(tx, chore="x")
        raise Invalid("no")

    async with Held(store):
        calls = together(store.write(remember), store.write(lambda tx: dict(tx.batch_cache)))
        outcomes = asyncio.ensure_future(calls)
        await asyncio.sleep(0)

    assert (await outcomes)[1] == {}


async def test_a_savepoint_undoes_its_part_alone(store: Store, heard: Heard) -> None:
    await store.write(add, chore="a")

    def act(tx: Tx) -> str:
        add(tx, chore="b")
        try:
            with tx.savepoint():
                tx.wake("never")
                add(tx, chore="c")
                add(tx, chore="a")
        except AlreadyExists:
            add(tx, chore="d")
        return "went on"

    assert await store.write(act) == "went on"
    assert await store.read(chores) == ["a", "b", "d"]
    assert heard.wakes == []


async def test_savepoints_nest(store: Store) -> None:
    def act(tx: Tx) -> None:
        with tx.savepoint():
            add(tx, chore="a")
            with pytest.raises(Invalid), tx.savepoint():
                add_then_fail(tx, chore="b")
            add(tx, chore="c")

    await store.write(act)

    assert await store.read(chores) == ["a", "c"]


async def test_a_unique_rule_says_which_columns(store: Store) -> None:
    await store.write(add, chore="a")

    with pytest.raises(AlreadyExists) as refused:
        await store.write(add, chore="a")

    assert refused.value.facts == {"table": "leaders", "columns": ["chore"]}


async def test_names_of_constraints_become_the_errors_the_store_was_given(
    where: str, clock: Clock, heard: Heard
) -> None:
    errors: dict[str, Callable[[], Conflict]] = {"rooms(workspace_id, name)": lambda: Conflict("A room has this name.")}
    async with await open_test_store(where, clock=clock, heard=heard, errors=errors) as store:
        await store.write(make_workspace)
        room = {"workspace_id": "w", "visibility": "workspace"}
        await store.write(lambda tx: tx.sql.run("probe.room", id="1", **room))

        with pytest.raises(Conflict, match="A room has this name"):
            await store.write(lambda tx: tx.sql.run("probe.room", id="2", **room))


async def test_a_missing_reference_and_a_broken_check_are_conflicts(store: Store) -> None:
    await store.write(make_workspace)
    for workspace_id, visibility in (("missing", "workspace"), ("w", "no such word")):
        with pytest.raises(Conflict):
            await store.write(
                lambda tx, w=workspace_id, v=visibility: tx.sql.run("probe.room", id="1", workspace_id=w, visibility=v)
            )


async def test_wrong_sql_and_a_missing_statement_are_bugs_not_domain_errors(store: Store) -> None:
    with pytest.raises(RuntimeError, match=r"probe\.wrong"):
        await store.write(lambda tx: tx.sql.all("probe.wrong"))
    with pytest.raises(LookupError, match=r"probe\.missing"):
        await store.read(lambda tx: tx.sql.all("probe.missing"))

    assert await store.write(add, chore="a") == "a"


@pytest.mark.parametrize("value", [2**63, "\ud800"])
async def test_a_value_no_database_can_hold_is_invalid(store: Store, value: object) -> None:
    with pytest.raises(Invalid):
        await store.write(lambda tx: tx.sql.run("probe.add_until", chore="a", holder="me", held_until=value))

    assert await store.read(chores) == []


async def test_a_query_cannot_write(store: Store) -> None:
    attempts: list[Callable[[Tx], object]] = [
        lambda tx: tx.sql.run("probe.add", chore="a", holder="me"),
        lambda tx: tx.sql.one("probe.add_returning", chore="a", holder="me"),
        lambda tx: tx.sql.many("probe.add", [{"chore": "a", "holder": "me"}]),
        lambda tx: tx.emit("said", workspace_id="w", data={}),
        lambda tx: tx.wake("room:1"),
        lambda tx: tx.after_commit(lambda: None),
        lambda tx: tx.index_message(1, room_id="room_1", text="hello"),
    ]

    for attempt in attempts:
        with pytest.raises(ReadOnly):
            await store.read(attempt)

    assert await store.read(chores) == []


async def test_a_query_is_one_snapshot(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def read_twice(tx: Tx) -> tuple[list[str], list[str]]:
        before = chores(tx)
        begun.set()
        assert go_on.wait(PATIENCE)
        return before, chores(tx)

    reading = asyncio.ensure_future(store.read(read_twice))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    await store.write(add, chore="a")
    go_on.set()

    assert await reading == ([], [])
    assert await store.read(chores) == ["a"]


async def test_a_read_does_not_wait_for_the_writer(store: Store) -> None:
    await store.write(add, chore="a")

    async with Held(store):
        found = await asyncio.wait_for(store.read(chores), PATIENCE)

    assert found == ["a"]


async def test_a_caller_cancelled_while_waiting_leaves_nothing(store: Store) -> None:
    async with Held(store):
        waiting = asyncio.ensure_future(store.write(add, chore="a"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])

    await store.write(add, chore="b")
    assert await store.read(chores) == ["b"]


async def test_a_caller_cancelled_while_its_action_runs_finds_it_done(store: Store, heard: Heard) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def act(tx: Tx) -> None:
        add(tx, chore="a")
        tx.wake("room:1")
        hold(tx, begun=begun, go_on=go_on)

    running = asyncio.ensure_future(store.write(act))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    running.cancel()
    await asyncio.wait([running])
    go_on.set()
    await store.close()

    assert running.cancelled()
    assert heard.wakes == [{"room:1"}]


async def test_a_cancelled_read_leaves_the_store_usable(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()
    reading = [asyncio.ensure_future(store.read(hold, begun=begun, go_on=go_on)) for _ in range(8)]
    assert await asyncio.to_thread(begun.wait, PATIENCE)

    for task in reading:
        task.cancel()
    await asyncio.wait(reading)
    go_on.set()

    assert await asyncio.wait_for(store.read(chores), PATIENCE) == []


async def test_wakes_and_callbacks_come_after_the_commit(store: Store, heard: Heard) -> None:
    seen: list[tuple[int, list[set[str]]]] = []
    loop_thread = threading.get_ident()

    def act(tx: Tx) -> None:
        add(tx, chore="a")
        tx.wake("room:1")
        tx.wake("room:1")
        tx.after_commit(lambda: seen.append((threading.get_ident(), list(heard.wakes))))

    async with Held(store):
        writing = asyncio.ensure_future(store.write(act))
        await asyncio.sleep(0)
        assert heard.wakes == []
    await writing

    assert seen == [(loop_thread, [{"room:1"}])]


async def test_a_callback_that_fails_does_not_undo_the_commit(store: Store, heard: Heard) -> None:
    def act(tx: Tx) -> str:
        tx.after_commit(lambda: 1 // 0)
        return add(tx, chore="a")

    assert await store.write(act) == "a"
    assert await store.write(add, chore="b") == "b"


async def test_an_event_is_stored_and_told_as_it_was_emitted(store: Store, heard: Heard, clock: Clock) -> None:
    await store.write(make_workspace)

    await store.write(emit, kind="message.sent")

    rows = await store.read(lambda tx: tx.sql.all("probe.events_after", workspace_id="w", position=0))
    assert [tuple(row) for row in rows] == [(1, "message.sent", "room_1", "user:a", clock.now, '{"number":0}')]
    told = heard.events[0][0]
    assert (told.workspace_id, told.position, told.data) == ("w", 1, '{"number":0}')


async def test_positions_have_no_holes_and_readers_never_skip_one(store: Store) -> None:
    await store.write(make_workspace)
    writers, each = 64, 5
    seen: list[int] = []

    async def tail() -> None:
        while len(seen) < writers * each:
            seen.extend(await store.read(events_after, position=seen[-1] if seen else 0))

    async def write() -> None:
        for number in range(each):
            await store.write(emit)
            if number == 2:
                with pytest.raises(Invalid):
                    await store.write(add_then_fail, chore="x")

    async with asyncio.timeout(LONG_PATIENCE):
        await asyncio.gather(tail(), *(write() for _ in range(writers)))

    assert seen == list(range(1, writers * each + 1))


async def test_each_workspace_counts_for_itself(store: Store) -> None:
    for workspace in "vw":
        await store.write(make_workspace, id=workspace)

    await together(*(store.write(emit, workspace_id=w, count=3) for w in "vwvw"))

    assert await store.read(events_after, workspace_id="v") == [1, 2, 3, 4, 5, 6]
    assert await store.read(events_after, workspace_id="w") == [1, 2, 3, 4, 5, 6]


async def test_closing_finishes_what_was_accepted_and_refuses_the_rest(where: str, clock: Clock, heard: Heard) -> None:
    store = await open_test_store(where, clock=clock, heard=heard)
    async with Held(store):
        accepted = [asyncio.ensure_future(store.write(add, chore=str(n))) for n in range(20)]
        await asyncio.sleep(0)
        closing = [asyncio.ensure_future(store.close()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await store.write(add, chore="late")
        with pytest.raises(Unavailable):
            await store.read(chores)
        closing[0].cancel()
    await asyncio.wait_for(closing[1], PATIENCE)

    assert len(await asyncio.gather(*accepted)) == 20
    async with await open_test_store(where, clock=clock, heard=heard) as again:
        assert len(await again.read(chores)) == 20


async def test_a_closed_store_leaves_no_thread(
    where: str, clock: Clock, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pal_server.storage.engines.postgres.ConnectionPool", ConnectionPool)  # none that tests keep
    before = set(threading.enumerate())
    store = await open_test_store(where, clock=clock, heard=heard)
    await store.write(add, chore="a")
    await store.read(chores)

    await store.close()
    await store.close()

    left = [thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("asyncio_")]
    assert left == []


# a table that gets another column while the store is open


async def test_what_was_prepared_before_a_column_came_is_prepared_again(store: Store, where: str | Path) -> None:
    for _ in range(8):  # the driver prepares what it is told often
        await asyncio.gather(store.read(look), store.write(look))

    alter(where, "ADD COLUMN more INTEGER")
    try:
        assert [await store.read(look), await store.write(look)] == [[], []]
    finally:
        alter(where, "DROP COLUMN more")


def look(tx: Tx) -> list[object]:
    return [*tx.sql.all("links.by_id", id=1)]


def alter(where: str | Path, how: str) -> None:
    statement = f"ALTER TABLE links {how}"
    if isinstance(where, Path):
        with closing(sqlite3.connect(where)) as file:
            file.execute(statement)
        return
    with psycopg.connect(where, autocommit=True) as conn:
        conn.execute(statement.encode())
