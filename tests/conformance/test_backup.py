"""A copy of a running SQLite database is whole, and is put back only when nobody uses the place."""

import asyncio
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pal_server.errors import Conflict, Invalid, NotFound, Unavailable
from pal_server.storage.backup import copy_database, find_damage, restore_database
from pal_server.storage.check import find_broken
from pal_server.storage.home_lock import hold_home
from pal_server.storage.migrate import MIGRATIONS, migrate_sqlite
from pal_server.storage.store import Store, Tx
from tests.support.patience import PATIENCE
from tests.support.stores import Clock, Heard, open_test_store

HOLD = """
import sys
from pathlib import Path
from pal_server.storage.home_lock import hold_home
with hold_home(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def home_store(home: Path, clock: Clock, heard: Heard) -> Store:
    return await open_test_store(home / "lock.sqlite", clock=clock, heard=heard)


def say(tx: Tx, *, chore: str) -> None:
    """Two rows that belong together: what is said, and its event."""
    tx.sql.run("probe.add", chore=chore, holder="me")
    tx.emit("said", workspace_id="w", data={"chore": chore})


def begin(tx: Tx) -> None:
    tx.sql.run("probe.workspace", id="w")


def state(tx: Tx) -> tuple[int, int]:
    return len(tx.sql.all("probe.chores")), len(tx.sql.all("probe.events_after", workspace_id="w", position=0))


async def test_a_copy_taken_between_writes_is_whole(home: Path, home_store: Store, clock: Clock, heard: Heard) -> None:
    copy = home / "backups" / "copy.sqlite"
    async with home_store as store:
        await store.write(begin)
        await store.write(say, chore="before")
        stop = asyncio.Event()

        async def keep_writing() -> int:
            number = 0
            while not stop.is_set():
                await store.write(say, chore=str(number))
                number += 1
            return number

        writing = asyncio.ensure_future(keep_writing())
        await asyncio.to_thread(copy_database, home / "lock.sqlite", copy)
        stop.set()
        written = await writing

    assert find_damage(copy) == []
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [path.name for path in copy.parent.iterdir()] == ["copy.sqlite"]
    async with await open_test_store(copy, clock=clock, heard=heard) as again:
        chores, events = await again.read(state)
        assert chores == events
        assert 1 <= chores <= written + 1
        assert await again.read(find_broken) == []


async def test_a_copy_replaces_nothing_but_an_earlier_copy(home: Path, home_store: Store, tmp_path: Path) -> None:
    path = home / "lock.sqlite"
    token, earlier, empty = home / "owner.token", tmp_path / "earlier.sqlite", tmp_path / "empty"
    token.write_text("pal_user_x")
    empty.touch()
    alias = tmp_path / "alias"
    alias.symlink_to(path)
    async with home_store as store:
        await store.write(begin)
        copy_database(path, earlier)
        lived = path.stat().st_ino

        for slip in (path, alias, home / "lock.sqlite-wal", token, tmp_path):
            with pytest.raises(Invalid, match=r"name another file|to another file"):
                copy_database(path, slip)
        copy_database(path, earlier)
        copy_database(path, empty)

        assert path.stat().st_ino == lived
    assert token.read_text() == "pal_user_x"
    assert find_damage(earlier) == find_damage(empty) == []


async def test_a_database_is_not_restored_from_itself(home: Path, home_store: Store) -> None:
    async with home_store as store:
        await store.write(begin)

    with pytest.raises(Invalid, match="the database itself"):
        restore_database(home / "lock.sqlite", home / "lock.sqlite", home=home, now=7)


async def test_a_restored_database_is_the_copy_and_the_old_one_is_kept(
    home: Path, home_store: Store, clock: Clock, heard: Heard
) -> None:
    path, copy = home / "lock.sqlite", home / "copy.sqlite"
    async with home_store as store:
        await store.write(begin)
        await store.write(say, chore="one")
        await asyncio.to_thread(copy_database, path, copy)
        await store.write(say, chore="two")

    kept = restore_database(copy, path, home=home, now=7)

    async with await open_test_store(path, clock=clock, heard=heard) as restored:
        assert await restored.read(state) == (1, 1)
    assert kept == home / "backups" / "lock-before-restore-7.sqlite"
    async with await open_test_store(kept, clock=clock, heard=heard) as old:
        assert await old.read(state) == (2, 2)


def test_a_home_in_use_is_not_restored_over(home: Path) -> None:
    path, copy = home / "lock.sqlite", home / "copy.sqlite"
    migrate_sqlite(copy, migrations=MIGRATIONS / "sqlite", backups=home / "backups", now=7)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"

        with pytest.raises(Conflict, match="Stop it first"):
            restore_database(copy, path, home=home, now=7)

        holder.kill()  # even then the system lets go
        holder.wait(PATIENCE)
    restore_database(copy, path, home=home, now=7)


async def test_a_damaged_database_can_be_restored_over(home: Path, home_store: Store) -> None:
    path, copy = home / "lock.sqlite", home / "copy.sqlite"
    async with home_store:
        copy_database(path, copy)
    path.write_bytes(b"nothing" * 1000)

    kept = restore_database(copy, path, home=home, now=7)

    assert find_damage(path) == []
    assert kept is not None
    assert kept.read_bytes() == b"nothing" * 1000


async def test_a_damaged_copy_is_refused_and_changes_nothing(home: Path, home_store: Store) -> None:
    path, copy = home / "lock.sqlite", home / "copy.sqlite"
    async with home_store:
        pass
    whole = path.read_bytes()
    copy.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(Invalid, match="not a whole pal database"):
        restore_database(copy, path, home=home, now=7)

    assert path.read_bytes() == whole


def test_a_missing_database_or_backup_is_said_plainly(home: Path) -> None:
    with pytest.raises(NotFound):
        copy_database(home / "lock.sqlite", home / "copy.sqlite")
    with pytest.raises(NotFound):
        restore_database(home / "copy.sqlite", home / "lock.sqlite", home=home, now=7)


def test_a_copy_that_cannot_be_written_leaves_no_part(home: Path) -> None:
    path, target = home / "lock.sqlite", home / "folder"
    migrate_sqlite(path, migrations=MIGRATIONS / "sqlite", backups=home / "backups", now=7)
    target.write_text("a file where a folder has to be")

    with pytest.raises(Unavailable):
        copy_database(path, target / "copy")

    assert not list(home.glob("*.part*"))


def test_a_home_is_held_once_and_let_go(home: Path) -> None:
    with hold_home(home), pytest.raises(Conflict), hold_home(home):
        pass

    with hold_home(home):
        pass


async def test_a_hole_in_the_log_is_found(store: Store) -> None:
    await store.write(begin)
    for chore in "abc":
        await store.write(say, chore=chore)
    assert await store.read(find_broken) == []

    await store.write(lambda tx: tx.sql.run("probe.forget_event", workspace_id="w", position=2))

    assert await store.read(find_broken) == ["the_log_has_a_hole: w"]
