"""PostgreSQL alone: transactions that lose to others, and connections that die."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from pal_server.actions import audit
from pal_server.errors import Unavailable
from pal_server.storage.store import Store, Tx
from tests.support.patience import PATIENCE
from tests.support.people import make_people
from tests.support.postgres import Postgres
from tests.support.stores import Clock, Heard, open_test_store


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    lent = postgres.lend()
    yield lent
    postgres.take_back(lent)


@pytest.fixture
async def pg_store(url: str, clock: Clock, heard: Heard) -> AsyncIterator[Store]:
    async with await open_test_store(url, clock=clock, heard=heard) as store:
        yield store


def add(tx: Tx, *, chore: str) -> None:
    tx.sql.run("probe.add", chore=chore, holder="")


def hang_up(url: str) -> None:
    """What a restart of the database does to everybody else."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        )


async def test_the_loser_of_a_deadlock_is_run_again(pg_store: Store, heard: Heard) -> None:
    for chore in "ab":
        await pg_store.write(add, chore=chore)
    both_hold_one = threading.Barrier(2)
    runs: list[str] = []

    def change(tx: Tx, *, order: str) -> None:
        runs.append(order)
        tx.wake(order)
        tx.sql.run("probe.change", chore=order[0], holder=order)
        if len(runs) <= 2:
            both_hold_one.wait(PATIENCE)
        tx.sql.run("probe.change", chore=order[1], holder=order)

    await asyncio.gather(pg_store.write(change, order="ab"), pg_store.write(change, order="ba"))

    assert len(runs) >= 3  # which of them gets the lock that the loser let go, only the database knows
    assert sorted(map(sorted, heard.wakes)) == [["ab"], ["ba"]]


async def test_what_is_audited_first_holds_nobody_up_before_its_commit(pg_store: Store) -> None:
    people = await pg_store.write(make_people)
    recorded, go_on = threading.Event(), threading.Event()

    def audited_first(tx: Tx) -> None:
        audit.record(tx, actor=people.owner, action="probe.changed", target="slow")
        recorded.set()
        assert go_on.wait(PATIENCE)

    slow = asyncio.create_task(pg_store.write(audited_first))
    assert await asyncio.to_thread(recorded.wait, PATIENCE)
    quick = pg_store.write(audit.record, actor=people.owner, action="probe.changed", target="quick")
    await asyncio.wait_for(quick, PATIENCE / 2)
    go_on.set()
    await slow

    page = await pg_store.read(audit.list_page, actor=people.owner, action="probe.changed", after=None, limit=10)
    assert [entry.target for entry in page.items] == ["slow", "quick"]
    assert (await pg_store.read(audit.verify, actor=people.owner)).ok


async def test_a_connection_that_died_while_idle_is_replaced(pg_store: Store, url: str) -> None:
    await pg_store.write(add, chore="a")
    await pg_store.read(lambda tx: tx.sql.all("probe.chores"))

    await asyncio.to_thread(hang_up, url)

    await pg_store.write(add, chore="b")
    assert len(await pg_store.read(lambda tx: tx.sql.all("probe.chores"))) == 2


async def test_an_action_whose_connection_dies_is_run_again(pg_store: Store, url: str) -> None:
    runs: list[int] = []

    def act(tx: Tx) -> None:
        runs.append(1)
        add(tx, chore="a")
        if len(runs) == 1:
            hang_up(url)
        add(tx, chore="b")

    await pg_store.write(act)

    assert len(runs) == 2
    assert [row.chore for row in await pg_store.read(lambda tx: tx.sql.all("probe.chores"))] == ["a", "b"]


async def test_a_database_that_is_gone_is_unavailable(
    postgres: Postgres, clock: Clock, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pal_server.storage.engines.postgres.CONNECT_FOR", 1.0)
    url = postgres.migrated_database()
    async with await open_test_store(url, clock=clock, heard=heard) as store:
        postgres.drop(url)

        with pytest.raises(Unavailable):
            await store.write(add, chore="a")
