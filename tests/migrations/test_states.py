"""A database of every earlier schema, with talk and work in it, comes up to date and is used on.

Nothing is released yet, so the states are those after each numbered migration. Their rows are made by today's actions
and copied, column by column, as far as the older schema has them.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pal_server.actions import interactions, messages
from pal_server.domain.deliveries import Status
from pal_server.storage.check import find_broken
from pal_server.storage.migrate import MIGRATIONS, load_migrations, migrate_postgres, migrate_sqlite
from pal_server.storage.store import is_postgres
from tests.support.bus import lease, make_bus
from tests.support.people import daemon
from tests.support.postgres import Postgres
from tests.support.stores import Clock, Heard, open_test_store

VERSIONS = [migration.version for migration in load_migrations(MIGRATIONS / "sqlite")]
Tables = dict[str, list[str]]  # table → columns


@pytest.mark.parametrize("version", VERSIONS[:-1])
async def test_a_database_of_an_earlier_schema_keeps_everything_and_is_used_on(
    version: int, where: str | Path, tmp_path: Path, clock: Clock, heard: Heard, request: pytest.FixtureRequest
) -> None:
    async with await open_test_store(where, clock=clock, heard=heard) as store:
        bus = await make_bus(store)
        await bus.agent("bot")
        _, run = await bus.start("@bot first")
        await bus.finish(run, text="an answer to find")
        again, waiting = await bus.start("@bot second")
        await store.write(
            interactions.open_for_run,
            actor=daemon(bus.box),
            run=waiting.id,
            key="k",
            kind="approval",
            title="May I?",
            **lease(again),
        )
        await bus.say("@bot third")
        said = await bus.said()
    migrations = earlier(tmp_path, version)
    if is_postgres(where):
        postgres: Postgres = request.getfixturevalue("postgres")
        old = copy_postgres(str(where), postgres.empty_database(), migrations=migrations)
    else:
        old = copy_sqlite(Path(where), tmp_path / "old" / "lock.sqlite", migrations=migrations)

    async with await open_test_store(old, clock=clock, heard=heard) as store:
        bus.store = store
        assert await bus.said() == said
        assert [d.status for d in await bus.deliveries()] == [Status.ACKED, Status.CLAIMED, Status.PENDING]
        assert await store.read(find_broken) == []
        if version > 1:  # the search index came with the second one
            found = await store.read(messages.list_page, actor=bus.people.viewer, q="answer to find")
            assert len(found.items) == 1
        await bus.finish(waiting, text="done")
        (third,) = await bus.claim()
        await bus.finish(await bus.open(third), text="third done")
        await bus.say("@bot fourth")
        assert await store.read(find_broken) == []


def earlier(folder: Path, version: int) -> Path:
    """The migrations as they were when `version` was the newest."""
    for engine in ("sqlite", "postgres"):
        (folder / "migrations" / engine).mkdir(parents=True)
        for path in (MIGRATIONS / engine).glob("*.sql"):
            if int(path.name[:4]) <= version:
                shutil.copy(path, folder / "migrations" / engine)
    return folder / "migrations"


def shared(new: Tables, old: Tables) -> Tables:
    return {
        table: [column for column in columns if column in new[table]]
        for table, columns in old.items()
        if table in new and table != "schema_migrations"
    }


def copy_sqlite(new: Path, old: Path, *, migrations: Path) -> Path:
    migrate_sqlite(old, migrations=migrations / "sqlite", backups=old.parent, now=1)
    with closing(sqlite3.connect(old)) as conn:
        conn.execute("ATTACH ? AS new", (str(new),))
        for table, columns in shared(_tables_of_sqlite(conn, "new"), _tables_of_sqlite(conn, "main")).items():
            names = ", ".join(f'"{column}"' for column in columns)
            conn.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
        conn.commit()
    return old


def _tables_of_sqlite(conn: sqlite3.Connection, schema: str) -> Tables:
    """With the row number of the search index, which is the message's; its inner tables fill themselves."""
    found = conn.execute(f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table'").fetchall()
    tables = {
        name: [row[1] for row in conn.execute(f"PRAGMA {schema}.table_info({name})")]
        for (name,) in found
        if not name.startswith(("sqlite_", "message_index_"))
    }
    if "message_index" in tables:
        tables["message_index"].append("rowid")
    return tables


def copy_postgres(new: str, old: str, *, migrations: Path) -> str:
    migrate_postgres(old, migrations=migrations / "postgres", now=1)
    with psycopg.connect(new) as source, psycopg.connect(old) as target:
        target.execute("SET session_replication_role = replica")  # in any order: references are whole at the end
        for table, columns in shared(_tables_of_postgres(source), _tables_of_postgres(target)).items():
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            rows = source.execute(sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(table))).fetchall()
            values = sql.SQL(", ").join([sql.Placeholder()] * len(columns))
            insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), names, values)
            with target.cursor() as cursor:
                cursor.executemany(insert, rows)
            if "id" in columns:
                count = "SELECT setval(pg_get_serial_sequence({0}, 'id'), MAX(id)) FROM {1} HAVING MAX(id) IS NOT NULL"
                if target.execute("SELECT pg_get_serial_sequence(%s, 'id')", (table,)).fetchone() != (None,):
                    target.execute(sql.SQL(count).format(sql.Literal(table), sql.Identifier(table)))
    return old


def _tables_of_postgres(conn: psycopg.Connection) -> Tables:
    """Without columns that compute themselves."""
    found: Tables = {}
    for table, column in conn.execute(
        """SELECT c.table_name, c.column_name
             FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
            WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
            ORDER BY c.table_name, c.ordinal_position"""
    ):
        found.setdefault(table, []).append(column)
    return found
