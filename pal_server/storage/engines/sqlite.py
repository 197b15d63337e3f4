"""SQLite through aiosqlite, with group commit.

One writer task takes every action that waits and runs them in ONE call on aiosqlite's own thread: one transaction,
one durable commit, then all callers have their answer. A hop between threads is what costs, not SQLite. Reads have
connections of their own and never wait for the writer.

Guarantees: an action is wholly committed when its caller gets the result, and has left nothing behind when its caller
gets an exception. A failing action harms no other one of its batch. When a commit fails (disk full, I/O error) every
caller of the batch gets `Unavailable` and nothing of it is stored; later batches are tried afresh. An action whose
caller was cancelled while it waited is not run; once taken, it completes.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from pal_server.errors import Invalid, PalError, Unavailable
from pal_server.storage import violations
from pal_server.storage.effects import Publisher, write_effects
from pal_server.storage.statements import Statements
from pal_server.storage.tx import Effects, EngineName, Event, ReadOnly, Tx

READERS = 4  # connections; a query takes well below a millisecond, and there are few cores
BATCH = 512  # actions in one commit; more gains nothing and lengthens the wait of the first
BUSY_FOR = 5.0  # seconds to wait for another process that writes (a backup tool, a shell)
STATEMENT_CACHE = 1024  # prepared statements a connection keeps; more than there are names
T = TypeVar("T")

log = logging.getLogger(__name__)


class Row(sqlite3.Row):
    """`sqlite3.Row`, which is fast and knows names and places, and columns as attributes."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:  # a column has the type the schema gives it
        try:
            return self[name]
        except IndexError:
            raise AttributeError(name) from None


class SqliteEngine:
    """The open file. Made by `open_sqlite`; see the module for what it promises."""

    name: EngineName = "sqlite"

    def __init__(
        self,
        *,
        writer: "_Connection",
        readers: "list[_Connection]",
        statements: Statements,
        errors: violations.Errors,
        publisher: Publisher,
        clock: Callable[[], int],
        new_id: Callable[[str], str],
        audit_key: bytes,
        waiting: int,
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._idle: asyncio.LifoQueue[_Connection] = asyncio.LifoQueue()
        for reader in readers:
            self._idle.put_nowait(reader)
        self._reading = 0
        self._statements = statements
        self._errors = errors
        self._publisher = publisher
        self._clock = clock
        self._new_id = new_id
        self._audit_key = audit_key
        self._bound = waiting
        self._waiting: deque[_Job] = deque()
        self._work = asyncio.Event()
        self._is_closing = False
        self._closing: asyncio.Task[None] | None = None
        self._writing = asyncio.create_task(self._write_batches(), name="store writer")

    async def write(self, action: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> Any:
        if self._is_closing:
            raise Unavailable("The server is stopping; send it again.")
        if len(self._waiting) >= self._bound:
            raise Unavailable("The database is busy; send it again in a moment.", waiting=len(self._waiting))
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(action, args, kwargs, answer))
        self._work.set()
        return await answer

    async def read(self, query: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> Any:
        if self._is_closing:
            raise Unavailable("The server is stopping; send it again.")
        if self._reading >= self._bound:
            raise Unavailable("The database is busy; send it again in a moment.", reading=self._reading)
        self._reading += 1
        try:
            reader = await self._idle.get()
            answer = reader.submit(lambda conn: self._run_query(conn, query, args, kwargs))
        finally:
            self._reading -= 1
        # The connection is given back when its thread is done with it, which for a cancelled caller is later.
        answer.add_done_callback(lambda _: self._idle.put_nowait(reader))
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            if not answer.done():
                answer.add_done_callback(_retrieve)
                reader.stop_statement()
            raise

    async def close(self) -> None:
        self._is_closing = True
        self._work.set()
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="store close")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        try:
            await asyncio.wait([self._writing])  # it ends when nothing waits any more
            for _ in self._readers:
                await self._idle.get()
            await self._writer.submit(lambda conn: conn.execute("PRAGMA optimize"))
        except sqlite3.Error as exc:
            log.warning("the database could not be optimized: %s", exc, extra={"action": "store.close"})
        finally:
            for connection in [*self._readers, self._writer]:  # the writer last: it folds the WAL into the file
                await connection.close()

    async def _write_batches(self) -> None:
        try:
            while not (self._is_closing and not self._waiting):
                if not self._waiting:
                    self._work.clear()
                    await self._work.wait()
                batch: list[_Job] = []
                while self._waiting and len(batch) < BATCH:
                    job = self._waiting.popleft()
                    if not job.answer.cancelled():
                        batch.append(job)
                if batch:
                    await self._write_batch(batch)
        finally:  # also when the loop is torn down around us: nobody may wait for an answer that cannot come
            self._is_closing = True
            for job in self._waiting:
                job.fail(Unavailable("The server is stopping; send it again."))
            self._waiting.clear()

    async def _write_batch(self, batch: "list[_Job]") -> None:
        now = self._clock()
        running = self._writer.submit(lambda conn: self._run_batch(conn, batch, now=now))
        cancelled = None
        while not running.done():
            try:
                await asyncio.wait([running])
            except asyncio.CancelledError as exc:  # the thread goes on, and its callers want to know how it ended
                cancelled = exc
        try:
            committed = running.result()
        except Exception as exc:
            for job in batch:
                job.fail(_unavailable(exc) if not isinstance(exc, PalError) else type(exc)(exc.message, **exc.facts))
            if not isinstance(exc, Unavailable):
                log.exception("a commit failed", extra={"action": "store.commit"})
        else:
            for job, outcome in zip(batch, committed.outcomes, strict=True):
                if isinstance(outcome, _Failed):
                    job.fail(outcome.error)
                elif not job.answer.done():
                    job.answer.set_result(outcome)
            self._publisher.publish(committed.effects, committed.events)
        if cancelled is not None:
            raise cancelled

    # What follows runs on the connection's thread.

    def _run_batch(self, conn: sqlite3.Connection, batch: "list[_Job]", *, now: int) -> "_Committed":
        try:
            conn.execute("BEGIN IMMEDIATE")
            committed = self._run_together(conn, batch, now=now)
            if committed is None:
                conn.execute("ROLLBACK")
                conn.execute("BEGIN IMMEDIATE")
                committed = self._run_apart(conn, batch, now=now)
            conn.execute("COMMIT")
        except BaseException as exc:
            _roll_back(conn)
            if isinstance(exc, sqlite3.Error):
                raise _unavailable(exc) from exc
            raise
        return committed

    def _run_together(self, conn: sqlite3.Connection, batch: "list[_Job]", *, now: int) -> "_Committed | None":
        """The usual case, without savepoints. None when one of them failed after it had changed something: run them
        apart then.

        Not having to make a savepoint for each is worth a fifth of all sends.
        """
        effects = Effects()
        sql = _Sql(conn, self._statements, errors=self._errors, can_write=True)
        tx = self._tx(sql, effects, now=now)
        outcomes: list[Any] = []
        for job in batch:
            changes, mark = conn.total_changes, effects.mark()
            try:
                outcomes.append(job.action(tx, *job.args, **job.kwargs))
            except BaseException as exc:
                if sql.trouble is not None:
                    raise sql.trouble from exc
                if conn.total_changes != changes:
                    return None
                effects.undo(mark)
                tx.batch_cache.clear()
                outcomes.append(_Failed(exc))
        if sql.trouble is not None:  # an action kept it to itself
            raise sql.trouble
        try:
            events = write_effects(sql, effects, engine="sqlite", audit_key=self._audit_key)
        except Exception:
            if sql.trouble is not None:
                raise
            return None
        return _Committed(outcomes, effects, events)

    def _run_apart(self, conn: sqlite3.Connection, batch: "list[_Job]", *, now: int) -> "_Committed":
        """Each in a savepoint of its own, with its events, so that a failing one is undone alone."""
        done = _Committed([], Effects(), [])
        sql = _Sql(conn, self._statements, errors=self._errors, can_write=True)
        cache: dict[Any, Any] = {}
        for job in batch:
            effects = Effects()
            tx = self._tx(sql, effects, now=now, cache=cache)
            try:
                with sql.savepoint():
                    outcome = job.action(tx, *job.args, **job.kwargs)
                    events = write_effects(sql, effects, engine="sqlite", audit_key=self._audit_key)
            except BaseException as exc:
                if sql.trouble is not None:
                    raise sql.trouble from exc
                cache.clear()
                done.outcomes.append(_Failed(exc))
            else:
                done.outcomes.append(outcome)
                done.events.extend(events)
                done.effects.keys.extend(effects.keys)
                done.effects.after.extend(effects.after)
            if sql.trouble is not None:
                raise sql.trouble
        return done

    def _run_query(
        self, conn: sqlite3.Connection, query: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        sql = _Sql(conn, self._statements, errors=self._errors, can_write=False)
        tx = self._tx(sql, None, now=self._clock())
        try:
            conn.execute("BEGIN")
            return query(tx, *args, **kwargs)
        except sqlite3.Error as exc:
            raise _unavailable(exc) from exc
        finally:
            _roll_back(conn)

    def _tx(self, sql: "_Sql", effects: Effects | None, *, now: int, cache: dict[Any, Any] | None = None) -> Tx:
        return Tx(
            engine="sqlite",
            now=now,
            sql=sql,
            new_id=self._new_id,
            effects=effects,
            batch_cache={} if cache is None else cache,
            audit_key=self._audit_key,
        )


async def open_sqlite(
    path: Path,
    *,
    statements: Statements,
    errors: violations.Errors,
    publisher: Publisher,
    clock: Callable[[], int],
    new_id: Callable[[str], str],
    audit_key: bytes,
    waiting: int,
) -> SqliteEngine:
    """Open a file that is migrated already. Closes every connection again when one of them cannot be opened."""
    opened: list[_Connection] = []
    try:
        for connect in [lambda: connect_writer(path), *[lambda: connect_reader(path)] * READERS]:
            connection = _Connection(connect)
            await connection
            opened.append(connection)
    except BaseException as exc:
        for connection in opened:
            await asyncio.shield(connection.close())
        if isinstance(exc, sqlite3.Error):
            raise _unavailable(exc) from exc
        raise
    return SqliteEngine(
        writer=opened[0],
        readers=opened[1:],
        statements=statements,
        errors=errors,
        publisher=publisher,
        clock=clock,
        new_id=new_id,
        audit_key=audit_key,
        waiting=waiting,
    )


def connect_writer(path: Path) -> sqlite3.Connection:
    """The connection all writes go through. Transactions are opened and ended by hand."""
    conn = sqlite3.connect(path, isolation_level=None, timeout=BUSY_FOR, cached_statements=STATEMENT_CACHE)
    return _set_up(
        conn,
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",  # what was acknowledged survives a power cut
        "PRAGMA foreign_keys = ON",
        "PRAGMA cache_size = -65536",  # kB
        "PRAGMA wal_autocheckpoint = 4000",  # pages; a tenth faster than 1000, and more only grows the WAL
        "PRAGMA temp_store = MEMORY",
    )


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    conn = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_FOR, cached_statements=STATEMENT_CACHE)
    return _set_up(conn, "PRAGMA query_only = ON", "PRAGMA cache_size = -8192", "PRAGMA temp_store = MEMORY")


def _set_up(conn: sqlite3.Connection, *pragmas: str) -> sqlite3.Connection:
    try:
        conn.row_factory = Row
        # SQLite's own knows only the letters of ASCII; no index uses it.
        conn.create_function("lower", 1, _lower, deterministic=True)
        for pragma in pragmas:
            conn.execute(pragma).fetchall()
    except BaseException:
        conn.close()
        raise
    return conn


class _Connection(aiosqlite.Connection):
    """aiosqlite's connection and thread, with one call for many statements."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connect, iter_chunk_size=64)
        # aiosqlite's thread keeps the process alive until its connection is closed. We close it in every ending we
        # know of; in one we do not know of, a process that does not end is worse than a connection that is not
        # closed: SQLite survives it.
        self._thread.daemon = True

    def submit(self, fn: Callable[[sqlite3.Connection], T]) -> "asyncio.Future[T]":
        """Run `fn` on the connection's thread, after what was submitted before. Cancelling the future does not
        stop it.
        """
        if not self._running or self._connection is None:
            raise Unavailable("The database is closed.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, lambda: fn(self._conn)))
        return future

    async def close(self) -> None:
        """Run what was submitted, close, and return when the thread has ended too."""
        await super().close()
        self._thread.join()  # it has said that it stops, and only has to return

    def stop_statement(self) -> None:
        """Make the statement that runs now, if any, raise. May be called from any thread."""
        if self._connection is not None:
            self._connection.interrupt()


class _Sql:
    """The statements on one connection, in one transaction."""

    __slots__ = ("_can_write", "_conn", "_errors", "_statements", "trouble")

    def __init__(
        self, conn: sqlite3.Connection, statements: Statements, *, errors: violations.Errors, can_write: bool
    ) -> None:
        self._conn = conn
        self._statements = statements
        self._errors = errors
        self._can_write = can_write
        # Set when the database itself failed. SQLite may have rolled back by itself, so nothing more may run.
        self.trouble: Unavailable | None = None

    def one(self, name: str, /, **params: object) -> Any:
        rows = self._fetch(name, params)
        return rows[0] if rows else None

    def all(self, name: str, /, **params: object) -> Any:
        return self._fetch(name, params)

    def run(self, name: str, /, **params: object) -> int:
        if not self._can_write:
            raise ReadOnly(f"a query cannot run {name}")
        if self.trouble is not None:
            raise self.trouble
        text = self._statements[name]
        try:
            return max(self._conn.execute(text, params).rowcount, 0)
        except _FAULTS as exc:
            raise self._translate(exc, name) from exc

    def many(self, name: str, rows: Iterable[Mapping[str, object]], /) -> int:
        if not self._can_write:
            raise ReadOnly(f"a query cannot run {name}")
        if self.trouble is not None:
            raise self.trouble
        text = self._statements[name]
        try:
            return max(self._conn.executemany(text, rows).rowcount, 0)
        except _FAULTS as exc:
            raise self._translate(exc, name) from exc

    def names(self, file: str, /) -> list[str]:
        return sorted(name for name in self._statements if name.startswith(f"{file}."))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self._control("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self.trouble is None:
                self._control("ROLLBACK TO part")
                self._control("RELEASE part")
            raise
        self._control("RELEASE part")

    def _fetch(self, name: str, params: dict[str, object]) -> list[Any]:
        """All rows at once, so that no statement stays open when the transaction ends."""
        if self.trouble is not None:
            raise self.trouble
        text = self._statements[name]
        try:
            return self._conn.execute(text, params).fetchall()
        except _FAULTS as exc:
            raise self._translate(exc, name) from exc

    def _control(self, text: str) -> None:
        try:
            self._conn.execute(text)
        except sqlite3.Error as exc:
            raise self._translate(exc, text) from exc

    def _translate(self, exc: Exception, name: str) -> Exception:
        if not isinstance(exc, sqlite3.Error):
            return Invalid("A value cannot be stored: a number beyond 64 bits, or text that is not Unicode.")
        code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # without the part that only details it
        said = str(exc)
        if code == sqlite3.SQLITE_CONSTRAINT:
            return _violation(exc, self._errors)
        if code == sqlite3.SQLITE_READONLY and not self._can_write:
            return ReadOnly(f"a query cannot run {name}")
        if code in _TROUBLE:
            trouble = _unavailable(exc)
            if self._can_write:
                self.trouble = trouble
            return trouble
        return RuntimeError(f"{name}: {said}")  # a bug: wrong SQL, a missing parameter, a wrong type


@dataclass(slots=True)
class _Job:
    """An action that waits for its turn."""

    action: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    answer: "asyncio.Future[Any]"

    def fail(self, error: BaseException) -> None:
        if self.answer.done():
            return
        if isinstance(error, StopIteration):  # a future cannot carry it
            error = RuntimeError("the action raised StopIteration")
        self.answer.set_exception(error)


@dataclass(slots=True, frozen=True)
class _Failed:
    """In place of a result: this action's own exception. Its batch was committed without it."""

    error: BaseException


@dataclass(slots=True)
class _Committed:
    outcomes: list[Any]  # one for each job, in order: its result, or _Failed
    effects: Effects
    events: list[Event]


# What the driver raises for a statement; the last two for values it cannot pass on.
_FAULTS = (sqlite3.Error, OverflowError, UnicodeEncodeError)
_TROUBLE = {
    sqlite3.SQLITE_FULL: "The disk is full: nothing was stored. Make room and send it again.",
    sqlite3.SQLITE_IOERR: "The disk does not answer as it should: nothing was stored. See the system's log.",
    sqlite3.SQLITE_NOMEM: "There is no memory left: nothing was stored.",
    sqlite3.SQLITE_BUSY: "Another program holds the database; send it again in a moment.",
    sqlite3.SQLITE_LOCKED: "Another program holds the database; send it again in a moment.",
    sqlite3.SQLITE_INTERRUPT: "The query was given up.",
    sqlite3.SQLITE_READONLY: "The database file cannot be written. Check its owner, its rights and the disk.",
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened. Check that its folder exists and may be written.",
    sqlite3.SQLITE_PERM: "The database file cannot be opened. Check its owner and rights.",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged. Stop pal and restore a backup: pal server restore FILE.",
    sqlite3.SQLITE_NOTADB: "The file is no pal database, or damaged. Restore a backup: pal server restore FILE.",
}


def _unavailable(exc: Exception) -> Unavailable:
    code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    sentence = _TROUBLE.get(code & 0xFF, "The database failed: nothing was stored.")
    return Unavailable(sentence, reason=getattr(exc, "sqlite_errorname", type(exc).__name__))


def _violation(exc: sqlite3.Error, errors: violations.Errors) -> PalError:
    """`UNIQUE constraint failed: rooms.workspace_id, rooms.name` and its siblings; SQLite tells no more."""
    what = str(exc).partition("failed: ")[2] or str(exc)
    detail = exc.sqlite_errorname
    if detail in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"):
        columns = what.split(", ")
        table = columns[0].partition(".")[0]
        return violations.unique_violation(errors, table=table, columns=[c.rpartition(".")[2] for c in columns])
    if detail == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return violations.reference_violation(errors, name="foreign_key")
    return violations.check_violation(errors, name=what)


def _roll_back(conn: sqlite3.Connection) -> None:
    """End the transaction without it, whatever state it is in; SQLite may have done so by itself."""
    if conn.in_transaction:
        try:
            conn.execute("ROLLBACK")
        except sqlite3.Error as exc:
            log.error("a transaction could not be rolled back: %s", exc, extra={"action": "store.rollback"})


def _retrieve(answer: "asyncio.Future[Any]") -> None:
    """Nobody waits for it any more; without this asyncio reports its exception as lost."""
    if not answer.cancelled():
        answer.exception()


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
