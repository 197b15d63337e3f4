"""A process ends, and nobody waits for ever, however the store is left."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pal_server.errors import Unavailable
from pal_server.storage.store import Tx
from tests.support.patience import PATIENCE
from tests.support.stores import Clock, Heard, open_test_store

FORGETFUL = """
import asyncio, sys
from pathlib import Path
from pal_server.storage.statements import STATEMENTS
from pal_server.storage.store import open_store

async def main():
    store = await open_store(
        Path(sys.argv[1]), clock=lambda: 1, new_id=str, hub_wake=print, statements=(STATEMENTS, Path(sys.argv[2]))
    )
    await store.write(lambda tx: tx.sql.run("probe.add", chore="a", holder="me"))

asyncio.run(main())
"""


def add(tx: Tx, *, chore: str) -> None:
    tx.sql.run("probe.add", chore=chore, holder="me")


def test_a_process_that_forgets_to_close_ends_and_has_stored(tmp_path: Path, clock: Clock, heard: Heard) -> None:
    path = tmp_path / "lock.sqlite"
    statements = Path(__file__).parent.parent / "support" / "sql"

    subprocess.run([sys.executable, "-c", FORGETFUL, path, statements], timeout=PATIENCE, check=True)

    async def chores() -> list[str]:
        async with await open_test_store(path, clock=clock, heard=heard) as store:
            return [row.chore for row in await store.read(lambda tx: tx.sql.all("probe.chores"))]

    assert asyncio.run(chores()) == ["a"]


async def test_a_writer_cancelled_with_everything_else_answers_everyone(
    tmp_path: Path, clock: Clock, heard: Heard
) -> None:
    """What `asyncio.run` does to all tasks when its main one ends."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(tx: Tx) -> str:
        begun.set()
        assert go_on.wait(PATIENCE)
        return "held"

    others = asyncio.all_tasks()
    store = await open_test_store(tmp_path / "lock.sqlite", clock=clock, heard=heard)
    (writer,) = asyncio.all_tasks() - others
    taken = asyncio.ensure_future(store.write(hold))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    waiting = asyncio.ensure_future(store.write(add, chore="late"))
    await asyncio.sleep(0)

    writer.cancel()
    await asyncio.sleep(0)
    go_on.set()
    async with asyncio.timeout(PATIENCE):
        outcomes = await asyncio.gather(taken, waiting, return_exceptions=True)
        await store.close()

    assert outcomes[0] == "held"
    assert isinstance(outcomes[1], Unavailable)


async def test_a_store_whose_opening_fails_leaves_no_thread(tmp_path: Path, clock: Clock, heard: Heard) -> None:
    before = set(threading.enumerate())
    (tmp_path / "lock.sqlite").write_bytes(b"no database" * 1000)

    with pytest.raises(Unavailable, match="pal server restore"):
        await open_test_store(tmp_path / "lock.sqlite", clock=clock, heard=heard)

    left = [thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("asyncio_")]
    assert left == []
