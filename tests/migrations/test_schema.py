"""The schema is what was agreed: a snapshot for each engine, and both engines hold the same tables and columns.

After a new migration write the snapshots anew and read the difference: `python -m tests.migrations.test_schema`.
"""

import itertools
import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from pal_server.storage.migrate import MIGRATIONS, load_migrations, migrate_sqlite
from pal_server.storage.statements import STATEMENTS, load_statements
from tests.support.postgres import Postgres, start_postgres, stop_postgres

SNAPSHOTS = Path(__file__).parent
SEARCH = "message_index"  # the one table that differs by design: FTS5 here, tsvector there


def dump_sqlite(path: Path) -> str:
    with closing(sqlite3.connect(path)) as conn:
        rows = conn.execute(
            """SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'message_index_%'
                ORDER BY type DESC, name"""
        )
        return "".join(f"{sql};\n\n" for (sql,) in rows)


def dump_postgres(url: str) -> str:
    with psycopg.connect(url) as conn:
        columns = conn.execute(
            """SELECT table_name, column_name, data_type, is_nullable, coalesce(column_default, ''), is_identity
                 FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name,
                 ordinal_position"""
        ).fetchall()
        constraints = conn.execute(
            """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
                WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1, 2"""
        ).fetchall()
        indexes = conn.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1").fetchall()
    lines = [" ".join(part for part in row if part) for row in [*columns, *constraints, *indexes]]
    return "\n".join(lines) + "\n"


def columns_sqlite(path: Path) -> dict[str, list[str]]:
    with closing(sqlite3.connect(path)) as conn:
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
        return {
            table: [row[1] for row in conn.execute("SELECT * FROM pragma_table_info(?)", (table,))]
            for table in tables
            if not table.startswith((SEARCH, "sqlite_"))
        }


def columns_postgres(url: str) -> dict[str, list[str]]:
    with psycopg.connect(url) as conn:
        rows = conn.execute(
            """SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
                 FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name"""
        ).fetchall()
    return {table: columns for table, columns in rows if table != SEARCH}


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    path = tmp_path / "lock.sqlite"
    migrate_sqlite(path, migrations=MIGRATIONS / "sqlite", backups=tmp_path / "backups", now=0)
    return path


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    return postgres.migrated_database()


def test_the_sqlite_schema_is_the_snapshot(sqlite_file: Path) -> None:
    assert dump_sqlite(sqlite_file) == (SNAPSHOTS / "sqlite.txt").read_text()


def test_the_postgres_schema_is_the_snapshot(postgres_url: str) -> None:
    assert dump_postgres(postgres_url) == (SNAPSHOTS / "postgres.txt").read_text()


def test_both_engines_have_the_same_tables_and_columns(sqlite_file: Path, postgres_url: str) -> None:
    assert columns_sqlite(sqlite_file) == columns_postgres(postgres_url)


def test_both_engines_have_the_same_migrations_and_statements() -> None:
    names = [[(m.version, m.name) for m in load_migrations(MIGRATIONS / engine)] for engine in ("sqlite", "postgres")]
    here, there = load_statements(STATEMENTS, engine="sqlite"), load_statements(STATEMENTS, engine="postgres")

    assert names[0] == names[1]
    assert set(here) == set(there)


def test_every_statement_fits_the_sqlite_schema(sqlite_file: Path) -> None:
    wrong = []
    with closing(sqlite3.connect(sqlite_file)) as conn:
        for name, text in load_statements(STATEMENTS, engine="sqlite").items():
            parameters = dict.fromkeys(re.findall(r"(?<!:):(\w+)", text))
            try:
                conn.execute(f"EXPLAIN {text}", parameters)
            except sqlite3.Error as exc:
                wrong.append(f"{name}: {exc}")

    assert wrong == []


def test_who_may_see_is_asked_for_one_room_at_a_time(sqlite_file: Path) -> None:
    """SQLite gathers the viewers of all rooms, for each list anew, unless it can look into the view's parts by room."""
    gathering = {}
    with closing(sqlite3.connect(sqlite_file)) as conn:
        for name, text in load_statements(STATEMENTS, engine="sqlite").items():
            if "room_viewers" in text:
                parameters = dict.fromkeys(re.findall(r"(?<!:):(\w+)", text))
                plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]
                gathering[name] = [step for step in plan if "AUTOMATIC" in step or "room_viewers" in step]

    assert len(gathering) > 10
    assert {name: steps for name, steps in gathering.items() if steps} == {}


def test_every_statement_fits_the_postgres_schema(postgres_url: str) -> None:
    """Also that the type of every parameter can be told: `:x IS NULL` alone needs `CAST(:x AS TEXT)`."""
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        statements = load_statements(STATEMENTS, engine="postgres")
        wrong = [f"{name}: {why}" for name, text in statements.items() if (why := _refused(conn, text))]

    assert wrong == []


def _refused(conn: psycopg.Connection, text: str) -> str | None:
    """Why the server cannot prepare it. The driver names the type of a number and leaves that of a text open, so
    either may be.
    """
    numbered, count = _numbered(text)
    why = None
    for types in itertools.product(("unknown", "bigint"), repeat=count):
        declared = f"({', '.join(types)})" if types else ""
        try:
            conn.execute(f"PREPARE checked {declared} AS {numbered}".encode())
        except psycopg.Error as exc:
            why = why or str(exc).splitlines()[0]
            if count > 8:  # too many ways to try; say its types with CAST
                return why
        else:
            conn.execute("DEALLOCATE checked")
            return None
    return why


def _numbered(text: str) -> tuple[str, int]:
    """psycopg's `%(name)s` as the server's own `$1`, and how many there are."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    numbered = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", text)
    return numbered.replace("%%", "%"), len(names)


def write_snapshots() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lock.sqlite"
        migrate_sqlite(path, migrations=MIGRATIONS / "sqlite", backups=Path(folder), now=0)
        (SNAPSHOTS / "sqlite.txt").write_text(dump_sqlite(path))
    cluster = Path(tempfile.mkdtemp(prefix="pal-pg-"))
    process = start_postgres(cluster)
    try:
        url = Postgres(socket=cluster / "socket").migrated_database()
        (SNAPSHOTS / "postgres.txt").write_text(dump_postgres(url))
    finally:
        stop_postgres(process)


if __name__ == "__main__":
    write_snapshots()
