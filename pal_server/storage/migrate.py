"""Bring a database to the schema this pal knows: numbered files, forward only, all in one transaction.

What was applied is recorded with its checksum. A database from a newer pal, from one too old, or with a migration
that was changed afterwards is refused and left as it is. A SQLite file that holds something is backed up before it is
changed.
"""

import hashlib
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pal_server.errors import Unavailable
from pal_server.storage.backup import copy_database

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_251_962_401  # a number of our own for PostgreSQL's advisory lock: one server migrates, the others wait
_RECORDS = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    BIGINT PRIMARY KEY,
    name       TEXT NOT NULL,
    checksum   TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One numbered file, `0001_bus.sql`."""

    version: int
    name: str
    checksum: str
    text: str


def load_migrations(folder: Path, /) -> list[Migration]:
    """The files of one engine's folder, in order."""
    migrations = []
    for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")):
        text = path.read_text(encoding="utf-8")
        number, _, name = path.stem.partition("_")
        checksum = hashlib.sha256(text.encode()).hexdigest()
        migrations.append(Migration(version=int(number), name=name, checksum=checksum, text=text))
    versions = [migration.version for migration in migrations]
    if not versions or versions != list(range(versions[0], versions[0] + len(versions))):
        raise ValueError(f"{folder} does not hold migrations numbered without a hole: {versions}")
    return migrations


def pending_migrations(migrations: list[Migration], /, *, applied: dict[int, str]) -> list[Migration]:
    """Which of `migrations` a database with `applied` (version → checksum) still needs; raises when it cannot be
    brought up to date.
    """
    newest, oldest, here = migrations[-1].version, migrations[0].version, max(applied, default=0)
    if here > newest:
        raise Unavailable(
            f"This database was last used by a newer pal (schema {here}, this pal knows {newest}). "
            "Install that version again, or restore a backup: pal server restore FILE.",
            schema=here,
            known=newest,
        )
    if applied and here < oldest - 1:
        raise Unavailable(
            f"This database is too old for this pal (schema {here}, this pal starts at {oldest - 1}). "
            "Open it once with a release between them.",
            schema=here,
            known=newest,
        )
    for migration in migrations:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise Unavailable(
                f"Migration {migration.version} ({migration.name}) was changed after this database was made with it. "
                "Install pal again from its release.",
                schema=here,
                migration=migration.version,
            )
    return [migration for migration in migrations if migration.version > here]


def migrate_sqlite(path: Path, /, *, migrations: Path, backups: Path, now: int) -> list[int]:
    """Bring the file at `path` up to date, made with rights 0600 if it is missing; the versions applied now.

    Blocking; not on the event loop. A backup goes to `backups` first when the file already holds a schema.
    """
    known = load_migrations(migrations)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as exc:
        raise Unavailable(
            f"The database {path} cannot be opened: {exc.strerror}. Check that its folder exists and may be written.",
            reason=exc.strerror,
        ) from exc
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=60.0)) as conn:
            if not pending_migrations(known, applied=_applied_sqlite(conn, path)):
                return []
            if _applied_sqlite(conn, path):
                copy_database(path, backups / f"{path.stem}-before-migration-{now}.sqlite")
            conn.execute("PRAGMA foreign_keys = OFF")  # a migration may rebuild a table; all are checked at the end
            conn.execute("BEGIN IMMEDIATE")
            try:
                return _migrate_sqlite(conn, path, known=known, now=now)
            except BaseException:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                raise
    except sqlite3.Error as exc:
        raise Unavailable(
            f"The database {path} cannot be used: {exc}. If it is damaged, restore a backup: pal server restore FILE.",
            reason=exc.sqlite_errorname if hasattr(exc, "sqlite_errorname") else str(exc),
        ) from exc


def _migrate_sqlite(conn: sqlite3.Connection, path: Path, *, known: list[Migration], now: int) -> list[int]:
    conn.execute(_RECORDS)
    pending = pending_migrations(known, applied=_applied_sqlite(conn, path))  # another process may have been first
    for migration in pending:
        for statement in _split(migration.text):
            conn.execute(statement)
        conn.execute(
            "INSERT INTO schema_migrations VALUES (?, ?, ?, ?)",
            (migration.version, migration.name, migration.checksum, now),
        )
    if broken := conn.execute("PRAGMA foreign_key_check").fetchall():
        raise Unavailable(
            "The migration would leave rows that refer to nothing; nothing was changed.",
            table=broken[0][0],
            rows=len(broken),
        )
    conn.execute("COMMIT")
    return [migration.version for migration in pending]


def _applied_sqlite(conn: sqlite3.Connection, path: Path) -> dict[int, str]:
    tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and "schema_migrations" not in tables:
        raise Unavailable(
            f"{path} is a database of another program. Choose another file with PAL_DB.", reason="foreign database"
        )
    return dict(conn.execute("SELECT version, checksum FROM schema_migrations").fetchall()) if tables else {}


def _split(text: str) -> list[str]:
    """Statements of a script one by one; sqlite3's own `executescript` would commit first."""
    statements: list[str] = []
    current = ""
    for line in text.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    if any(line.strip() and not line.lstrip().startswith("--") for line in current.splitlines()):
        raise ValueError(f"a migration ends inside a statement: {current[:80]!r}")
    return statements


def migrate_postgres(url: str, /, *, migrations: Path, now: int) -> list[int]:
    """Bring the database at `url` up to date; the versions applied now. Blocking. Other servers wait meanwhile."""
    import psycopg  # 125 ms that an embedded server saves

    known = load_migrations(migrations)
    try:
        with psycopg.connect(url) as conn:  # one transaction, committed at the end of the block
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            conn.execute(_RECORDS)
            rows = conn.execute("SELECT version, checksum FROM schema_migrations").fetchall()
            pending = pending_migrations(known, applied=dict(rows))
            for migration in pending:
                conn.execute(migration.text.encode())
                conn.execute(
                    "INSERT INTO schema_migrations VALUES (%s, %s, %s, %s)",
                    (migration.version, migration.name, migration.checksum, now),
                )
    except psycopg.Error as exc:
        raise Unavailable(
            f"PostgreSQL refused: {str(exc).strip()}. Check PAL_DB, and that it runs and the role may create tables.",
            reason=type(exc).__name__,
        ) from exc
    return [migration.version for migration in pending]
