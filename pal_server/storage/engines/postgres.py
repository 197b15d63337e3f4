"""PostgreSQL through psycopg, for several servers.

Each action is one short READ COMMITTED transaction in a thread of a small pool; the same synchronous actions serve
both engines, and threads measured faster than an async driver. A transaction that lost to another one (serialization
failure, deadlock) or whose connection died before the commit is run again a few times. The log is written last, so
the workspace's row is held for as short as positions in commit order allow.

One thing differs from SQLite: when the connection dies while a commit is on its way, nobody knows whether it
happened, and the caller gets `Unavailable`. Requests that carry a `client_id` may be sent again anyway.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.abc import Params
from psycopg.rows import RowMaker
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from pal_server.errors import Invalid, PalError, Unavailable
from pal_server.storage import violations
from pal_server.storage.effects import Publisher, write_effects
from pal_server.storage.statements import Statements
from pal_server.storage.tx import Effects, EngineName, Event, ReadOnly, Tx

WRITERS = 8  # threads and connections; more only wait for each other at the workspace's row
READERS = 4
ATTEMPTS = WRITERS + 1  # runs of one action that keeps losing to others, or finds each connection outdated
BACK_OFF = 0.004  # seconds before the second attempt, at most; doubled for each further one
CONNECT_FOR = 5.0  # seconds a caller waits for a connection
Rules = dict[str, tuple[str, list[str]]]  # name of a unique index → its table and columns
Connection = psycopg.Connection["Row"]

# Bounds on what a lost or careless transaction can hold: a lock waits 5 s, a statement takes 30 s, an idle
# transaction lives 60 s.
_SETTINGS = b"SET lock_timeout = '5s'; SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'"
_RULES = b"""
SELECT i.relname, t.relname, array_agg(a.attname::text ORDER BY k.place)
  FROM pg_index x
  JOIN pg_class i ON i.oid = x.indexrelid
  JOIN pg_class t ON t.oid = x.indrelid
 CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (attnum, place)
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
 WHERE x.indisunique AND t.relnamespace = current_schema()::regnamespace
 GROUP BY i.relname, t.relname
"""

log = logging.getLogger(__name__)


class Row:
    """One row, read by name, by place or by attribute; iterating gives the values."""

    __slots__ = ("_places", "_values")

    def __init__(self, values: "tuple[Any, ...]", places: dict[str, int]) -> None:
        self._values = values
        self._places = places

    def keys(self) -> Iterable[str]:
        return self._places.keys()

    def __getitem__(self, key: str | int) -> Any:  # a column has the type the schema gives it
        return self._values[key if isinstance(key, int) else self._places[key]]

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[self._places[name]]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class PostgresEngine:
    """The open database. Made by `open_postgres`; see the module for what it promises."""

    name: EngineName = "postgres"

    def __init__(
        self,
        *,
        writers: "ConnectionPool[Connection]",
        readers: "ConnectionPool[Connection]",
        rules: Rules,
        statements: Mapping[str, bytes],
        errors: violations.Errors,
        publisher: Publisher,
        clock: Callable[[], int],
        new_id: Callable[[str], str],
        chance: Callable[[], float],
        audit_key: bytes,
        waiting: int,
    ) -> None:
        self._writers = writers
        self._readers = readers
        self._write_threads = ThreadPoolExecutor(WRITERS, thread_name_prefix="store-write")
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._rules = rules
        self._statements = statements
        self._errors = errors
        self._publisher = publisher
        self._clock = clock
        self._new_id = new_id
        self._chance = chance
        self._audit_key = audit_key
        self._bound = waiting
        self._loop = asyncio.get_running_loop()
        self._writing = 0  # by the event loop, as is the next
        self._reading = 0
        self._closing: asyncio.Task[None] | None = None

    async def write(self, action: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> Any:
        self._refuse(self._writing)
        self._writing += 1
        try:
            return await self._loop.run_in_executor(self._write_threads, self._run_action, action, args, kwargs)
        finally:
            self._writing -= 1

    async def read(self, query: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> Any:
        self._refuse(self._reading)
        self._reading += 1
        try:
            return await self._loop.run_in_executor(self._read_threads, self._run_query, query, args, kwargs)
        finally:
            self._reading -= 1

    async def close(self) -> None:
        if self._closing is None:
            self._closing = asyncio.create_task(asyncio.to_thread(self._close), name="store close")
        await asyncio.shield(self._closing)

    def _refuse(self, waiting: int) -> None:
        if self._closing is not None:
            raise Unavailable("The server is stopping; send it again.")
        if waiting >= self._bound:
            raise Unavailable("The database is busy; send it again in a moment.", waiting=waiting)

    # What follows runs in threads.

    def _close(self) -> None:
        self._write_threads.shutdown(wait=True)
        self._read_threads.shutdown(wait=True)
        self._writers.close()
        self._readers.close()

    def _run_action(self, action: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(BACK_OFF * 2**attempt * self._chance())
            effects = Effects()
            try:
                with _connected(self._writers) as conn:
                    result, events = self._attempt(conn, effects, action, args, kwargs)
            except _RunAgain as exc:
                log.info("a transaction is run again: %s", exc, extra={"action": "store.retry"})
                if isinstance(exc, _ConnectionDied):
                    self._writers.check()  # the others have died with it, as a rule
                continue
            if events or effects.keys or effects.after:
                self._loop.call_soon_threadsafe(self._publisher.publish, effects, events)
            return result
        raise Unavailable("Too many others change the same things; send it again in a moment.", attempts=ATTEMPTS)

    def _attempt(
        self,
        conn: Connection,
        effects: Effects,
        action: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> tuple[Any, list[Event]]:
        sql = _Sql(conn, self._statements, rules=self._rules, errors=self._errors, can_write=True)
        tx = self._tx(sql, effects)
        try:
            result = action(tx, *args, **kwargs)
            if sql.trouble is None:
                events = write_effects(sql, effects, engine="postgres", audit_key=self._audit_key)
        except BaseException:
            _roll_back(conn)
            if sql.trouble is not None:
                raise sql.trouble from None
            raise
        if sql.trouble is not None:  # the action kept it to itself
            _roll_back(conn)
            raise sql.trouble
        try:
            conn.commit()
        except psycopg.Error as exc:
            _roll_back(conn)
            if isinstance(exc, _LOST_TO_OTHERS):
                raise _RunAgain(str(exc)) from exc
            raise _unavailable(exc) from exc
        return result, events

    def _run_query(self, query: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        for _ in range(READERS + 1):  # each may have died while it was idle, or be outdated
            with _connected(self._readers) as conn:
                sql = _Sql(conn, self._statements, rules=self._rules, errors=self._errors, can_write=False)
                try:
                    return query(self._tx(sql, None), *args, **kwargs)
                except _RunAgain as exc:
                    if isinstance(exc, _ConnectionDied):
                        self._readers.check()
                    continue
                finally:
                    _roll_back(conn)
        raise Unavailable("PostgreSQL does not answer; send it again in a moment.")

    def _tx(self, sql: "_Sql", effects: Effects | None) -> Tx:
        return Tx(
            engine="postgres",
            now=self._clock(),
            sql=sql,
            new_id=self._new_id,
            effects=effects,
            batch_cache={},
            audit_key=self._audit_key,
        )


async def open_postgres(
    url: str,
    /,
    *,
    statements: Statements,
    errors: violations.Errors,
    publisher: Publisher,
    clock: Callable[[], int],
    new_id: Callable[[str], str],
    chance: Callable[[], float],
    audit_key: bytes,
    waiting: int,
) -> PostgresEngine:
    """Open a database that is migrated already. `clock`, `new_id` and `chance` are called from several threads."""
    writers = ConnectionPool(url, min_size=1, max_size=WRITERS, open=False, configure=_set_up_writer, kwargs=_FACTORY)
    readers = ConnectionPool(url, min_size=1, max_size=READERS, open=False, configure=_set_up_reader, kwargs=_FACTORY)
    try:
        rules = await asyncio.to_thread(_open_pools, writers, readers)
    except BaseException:
        for pool in (writers, readers):
            await asyncio.shield(asyncio.to_thread(pool.close))
        raise
    return PostgresEngine(
        writers=writers,
        readers=readers,
        rules=rules,
        statements={name: text.encode() for name, text in statements.items()},
        errors=errors,
        publisher=publisher,
        clock=clock,
        new_id=new_id,
        chance=chance,
        audit_key=audit_key,
        waiting=waiting,
    )


def _open_pools(writers: "ConnectionPool[Connection]", readers: "ConnectionPool[Connection]") -> Rules:
    writers.open()
    readers.open()
    with _connected(writers) as conn:
        rules = {row[0]: (row[1], list(row[2])) for row in conn.execute(_RULES).fetchall()}
        conn.rollback()
        return rules


def _set_up_writer(conn: Connection) -> None:
    conn.execute(_SETTINGS)
    conn.commit()


def _set_up_reader(conn: Connection) -> None:
    conn.execute(_SETTINGS)
    conn.commit()
    conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # one snapshot for all statements of a query
    conn.read_only = True


@contextmanager
def _connected(pool: "ConnectionPool[Connection]") -> Iterator[Connection]:
    """A connection of the pool, to be given back outside of a transaction; the pool replaces one that died."""
    try:
        conn = pool.getconn(timeout=CONNECT_FOR)
    except (PoolTimeout, PoolClosed, psycopg.Error) as exc:
        raise Unavailable("PostgreSQL does not answer; send it again in a moment.", reason=type(exc).__name__) from exc
    try:
        yield conn
    finally:
        pool.putconn(conn)


class _RunAgain(Exception):
    """The transaction was undone through no fault of its action."""


class _ConnectionDied(_RunAgain):
    """Before the commit was sent, so nothing of it is stored."""


class _Sql:
    """The statements on one connection, in one transaction."""

    __slots__ = ("_can_write", "_conn", "_errors", "_rules", "_statements", "trouble")

    def __init__(
        self,
        conn: Connection,
        statements: Mapping[str, bytes],
        *,
        rules: Rules,
        errors: violations.Errors,
        can_write: bool,
    ) -> None:
        self._conn = conn
        self._statements = statements
        self._rules = rules
        self._errors = errors
        self._can_write = can_write
        self.trouble: Exception | None = None  # the transaction is lost, whatever the action makes of it

    def one(self, name: str, /, **params: object) -> Any:
        cursor = self._execute(name, params)
        return cursor.fetchone() if cursor.description else None

    def all(self, name: str, /, **params: object) -> Any:
        cursor = self._execute(name, params)
        return cursor.fetchall() if cursor.description else []

    def run(self, name: str, /, **params: object) -> int:
        if not self._can_write:
            raise ReadOnly(f"a query cannot run {name}")
        return max(self._execute(name, params).rowcount, 0)

    def many(self, name: str, rows: Iterable[Mapping[str, object]], /) -> int:
        if not self._can_write:
            raise ReadOnly(f"a query cannot run {name}")
        text = self._text(name)
        try:
            with self._conn.cursor() as cursor:
                cursor.executemany(text, list(rows))
                return max(cursor.rowcount, 0)
        except _FAULTS as exc:
            raise self._translate(exc, name) from exc

    def names(self, file: str, /) -> list[str]:
        return sorted(name for name in self._statements if name.startswith(f"{file}."))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self._control(b"SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self.trouble is None:
                self._control(b"ROLLBACK TO part; RELEASE part")
            raise
        self._control(b"RELEASE part")

    def _execute(self, name: str, params: Params) -> "psycopg.Cursor[Row]":
        text = self._text(name)
        try:
            return self._conn.execute(text, params)
        except _FAULTS as exc:
            raise self._translate(exc, name) from exc

    def _text(self, name: str) -> bytes:
        if self.trouble is not None:
            raise self.trouble
        try:
            return self._statements[name]
        except KeyError:
            raise LookupError(f"no statement is named {name!r}") from None

    def _control(self, text: bytes) -> None:
        if self.trouble is not None:
            raise self.trouble
        try:
            self._conn.execute(text)
        except psycopg.Error as exc:
            raise self._translate(exc, text.decode()) from exc

    def _translate(self, exc: Exception, name: str) -> Exception:
        if isinstance(exc, psycopg.DataError | UnicodeEncodeError):
            return Invalid("A value cannot be stored: a number beyond 64 bits, or text with a NUL or not Unicode.")
        if isinstance(exc, psycopg.IntegrityError):
            return _violation(exc, self._rules, self._errors)
        if isinstance(exc, psycopg.errors.ReadOnlySqlTransaction) and not self._can_write:
            return ReadOnly(f"a query cannot run {name}")
        if self._conn.closed:
            self.trouble = _ConnectionDied(f"{name}: {exc}")
            return self.trouble
        if isinstance(exc, _LOST_TO_OTHERS) or _is_outdated_plan(exc):
            self.trouble = _RunAgain(f"{name}: {exc}")
            return self.trouble
        if isinstance(exc, psycopg.OperationalError | psycopg.InterfaceError):
            self.trouble = _unavailable(exc)
            return self.trouble
        return RuntimeError(f"{name}: {exc}")  # a bug: wrong SQL, a missing parameter, a wrong type


def _is_outdated_plan(exc: Exception) -> bool:
    """Whether a statement was prepared before its table got another column; undoing forgets what is prepared."""
    if not isinstance(exc, psycopg.errors.FeatureNotSupported):
        return False
    return exc.diag.source_function == "RevalidateCachedQuery"


def _violation(exc: psycopg.IntegrityError, rules: Rules, errors: violations.Errors) -> PalError:
    constraint = exc.diag.constraint_name or ""
    if isinstance(exc, psycopg.errors.UniqueViolation):
        table, columns = rules.get(constraint, (exc.diag.table_name or "", [constraint]))
        return violations.unique_violation(errors, table=table, columns=columns)
    if isinstance(exc, psycopg.errors.ForeignKeyViolation):
        return violations.reference_violation(errors, name="foreign_key")
    return violations.check_violation(errors, name=constraint or f"{exc.diag.table_name}.{exc.diag.column_name}")


def _unavailable(exc: psycopg.Error) -> Unavailable:
    if isinstance(exc, psycopg.errors.DiskFull):
        sentence = "The disk of PostgreSQL is full: nothing was stored. Make room and send it again."
    elif isinstance(exc, psycopg.errors.LockNotAvailable | psycopg.errors.QueryCanceled):
        sentence = "The database took too long; send it again in a moment."
    else:
        sentence = "PostgreSQL does not answer; send it again in a moment."
    return Unavailable(sentence, reason=type(exc).__name__)


def _roll_back(conn: Connection) -> None:
    """Undo what is open; a connection that cannot even do that is closed, and the pool opens another."""
    try:
        conn.rollback()
    except psycopg.Error:
        conn.close()


@functools.lru_cache(maxsize=1024)
def _places(names: tuple[str, ...]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def _row_factory(cursor: psycopg.Cursor[Any]) -> RowMaker[Row]:
    places = _places(tuple(column.name for column in cursor.description or ()))

    def make(values: Any) -> Row:
        return Row(tuple(values), places)

    return make


_FACTORY = {"row_factory": _row_factory}
_FAULTS = (
    psycopg.Error,
    UnicodeEncodeError,
)  # what the driver raises for a statement; the last for text it cannot pass on
_LOST_TO_OTHERS = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
