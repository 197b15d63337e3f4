"""Migrations go forward only, all or nothing, and never touch what they do not understand."""

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pal_server.errors import Unavailable
from pal_server.storage.migrate import MIGRATIONS, load_migrations, migrate_postgres, migrate_sqlite
from pal_server.storage.store import is_postgres
from tests.support.postgres import Postgres

FIRST = "-- One; two\nCREATE TABLE a (id BIGINT PRIMARY KEY);\nINSERT INTO a VALUES (1);\n"
SECOND = "CREATE TABLE b (id BIGINT PRIMARY KEY);\n"


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A folder with one migration for both engines."""
    folder = tmp_path / "migrations"
    write(folder, "0001_first.sql", FIRST)
    return folder


@pytest.fixture
def database(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str | Path]:
    if engine == "sqlite":
        yield tmp_path / "home" / "lock.sqlite"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.empty_database()
    yield url
    server.drop(url)


def write(folder: Path, name: str, text: str) -> None:
    for engine in ("sqlite", "postgres"):
        (folder / engine).mkdir(parents=True, exist_ok=True)
        (folder / engine / name).write_text(text)


def migrate(database: str | Path, migrations: Path) -> list[int]:
    if is_postgres(database):
        return migrate_postgres(str(database), migrations=migrations / "postgres", now=5)
    path = Path(database)
    return migrate_sqlite(path, migrations=migrations / "sqlite", backups=path.parent / "backups", now=5)


def test_each_migration_is_applied_once(database: str | Path, migrations: Path) -> None:
    first = migrate(database, migrations)
    again = migrate(database, migrations)
    write(migrations, "0002_second.sql", SECOND)
    second = migrate(database, migrations)

    assert (first, again, second) == ([1], [], [2])


def test_a_migration_that_fails_leaves_everything_as_it_was(database: str | Path, migrations: Path) -> None:
    migrate(database, migrations)
    write(migrations, "0002_second.sql", SECOND)
    write(migrations, "0003_third.sql", "CREATE TABLE c (id BIGINT PRIMARY KEY);\nINSERT INTO nowhere VALUES (1);\n")

    with pytest.raises(Unavailable):
        migrate(database, migrations)

    for engine in ("sqlite", "postgres"):
        (migrations / engine / "0003_third.sql").unlink()
    assert migrate(database, migrations) == [2]


def test_a_database_from_a_newer_pal_is_refused(database: str | Path, migrations: Path) -> None:
    write(migrations, "0002_second.sql", SECOND)
    migrate(database, migrations)
    for engine in ("sqlite", "postgres"):
        (migrations / engine / "0002_second.sql").unlink()

    with pytest.raises(Unavailable, match="newer pal"):
        migrate(database, migrations)


def test_a_database_that_is_too_old_is_refused(database: str | Path, migrations: Path) -> None:
    migrate(database, migrations)
    write(migrations, "0003_third.sql", SECOND)
    for engine in ("sqlite", "postgres"):
        (migrations / engine / "0001_first.sql").unlink()

    with pytest.raises(Unavailable, match="too old"):
        migrate(database, migrations)


def test_a_migration_changed_afterwards_is_refused(database: str | Path, migrations: Path) -> None:
    migrate(database, migrations)
    write(migrations, "0001_first.sql", FIRST + "\n")

    with pytest.raises(Unavailable, match="was changed"):
        migrate(database, migrations)


def test_a_hole_in_the_numbers_is_refused(migrations: Path) -> None:
    write(migrations, "0003_third.sql", SECOND)

    with pytest.raises(ValueError, match="without a hole"):
        load_migrations(migrations / "sqlite")


def test_a_new_file_is_private_and_a_backup_comes_before_a_change(tmp_path: Path, migrations: Path) -> None:
    path, backups = tmp_path / "home" / "lock.sqlite", tmp_path / "home" / "backups"

    migrate(path, migrations)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not backups.exists()
    write(migrations, "0002_second.sql", SECOND)
    migrate(path, migrations)

    (backup,) = backups.iterdir()
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("SELECT max(version) FROM schema_migrations").fetchone() == (1,)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock.sqlite"
    path.write_text("this is not a database, it is a letter to a friend. " * 50)
    before = path.read_bytes()

    with pytest.raises(Unavailable, match="pal server restore"):
        migrate(path, MIGRATIONS)

    assert path.read_bytes() == before


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (name TEXT)")

    with pytest.raises(Unavailable, match="another program"):
        migrate(path, MIGRATIONS)


def test_a_folder_in_the_way_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be opened"):
        migrate(tmp_path, MIGRATIONS)


def test_a_server_that_is_not_there_is_said_plainly() -> None:
    with pytest.raises(Unavailable, match="Check PAL_DB"):
        migrate("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2", MIGRATIONS)


def test_a_migration_that_leaves_dangling_rows_is_undone(tmp_path: Path, migrations: Path) -> None:
    path = tmp_path / "lock.sqlite"
    shutil.rmtree(migrations / "postgres")
    migrate_sqlite(path, migrations=migrations / "sqlite", backups=tmp_path / "backups", now=5)
    text = "CREATE TABLE b (a BIGINT REFERENCES a (id));\nINSERT INTO b VALUES (7);\n"
    (migrations / "sqlite" / "0002_second.sql").write_text(text)

    with pytest.raises(Unavailable, match="refer to nothing"):
        migrate_sqlite(path, migrations=migrations / "sqlite", backups=tmp_path / "backups", now=5)

    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("SELECT count(*) FROM sqlite_master WHERE name = 'b'").fetchone() == (0,)
