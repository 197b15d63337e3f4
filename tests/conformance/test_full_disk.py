"""A full disk under SQLite: everyone is told, nothing is half written, and it goes on when there is room again."""

import asyncio
from pathlib import Path

import pytest

from pal_server.errors import Unavailable
from pal_server.storage.store import Store, Tx
from tests.support.stores import Clock, Heard, open_test_store

BIG = "x" * 200_000  # bytes; more than any page that may be free


@pytest.fixture
async def disk_store(tmp_path: Path, clock: Clock, heard: Heard) -> Store:
    return await open_test_store(tmp_path / "lock.sqlite", clock=clock, heard=heard)


def add(tx: Tx, *, chore: str, holder: str = "me") -> None:
    tx.sql.run("probe.add", chore=chore, holder=holder)


def fill(tx: Tx) -> None:
    tx.sql.all("disk.fill")


def make_room(tx: Tx) -> None:
    tx.sql.all("disk.make_room")


def chores(tx: Tx) -> list[str]:
    return [row.chore for row in tx.sql.all("probe.chores")]


async def test_a_batch_that_does_not_fit_is_refused_whole(disk_store: Store, heard: Heard) -> None:
    async with disk_store as store:
        await store.write(add, chore="before")
        await store.write(fill)

        writes = [store.write(add, chore=str(n), holder=BIG) for n in range(5)]
        outcomes = await asyncio.gather(*writes, return_exceptions=True)

        assert all(isinstance(outcome, Unavailable) and "full" in outcome.message for outcome in outcomes)
        assert await store.read(chores) == ["before"]
        assert heard.wakes == []


async def test_writes_go_on_when_there_is_room_again(disk_store: Store) -> None:
    async with disk_store as store:
        await store.write(fill)
        with pytest.raises(Unavailable):
            await store.write(add, chore="first", holder=BIG)

        await store.write(make_room)
        await store.write(add, chore="second", holder=BIG)

        assert await store.read(chores) == ["second"]


async def test_an_action_that_hides_the_full_disk_stores_nothing(disk_store: Store) -> None:
    def stubborn(tx: Tx) -> None:
        add(tx, chore="small")
        for chore in ("big", "small again"):
            try:
                add(tx, chore=chore, holder=BIG)
            except Unavailable:
                continue

    async with disk_store as store:
        await store.write(fill)

        with pytest.raises(Unavailable):
            await store.write(stubborn)

        assert await store.read(chores) == []


async def test_a_full_queue_is_said_at_once(tmp_path: Path, clock: Clock, heard: Heard) -> None:
    async with await open_test_store(tmp_path / "lock.sqlite", clock=clock, heard=heard, waiting=3) as store:
        writes = [store.write(add, chore=str(n)) for n in range(10)]
        outcomes = await asyncio.gather(*writes, return_exceptions=True)

        refused = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
        assert (len(refused), await store.read(chores)) == (7, ["0", "1", "2"])
