"""The open transaction an action or a query works with.

    def send(tx: Tx, *, actor: Actor, request: SendRequest) -> Sent: ...

A function of a `Tx` is synchronous and pure but for the database: it may run in any thread and may be **run again**
from the start (after a serialization failure, or when a neighbour in its batch failed), so it changes nothing outside
of `tx` and keeps nothing of an earlier run. What it emits, indexes, wakes or plans for after the commit is gathered
and happens once, for the run that was committed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import msgspec

EngineName = Literal["sqlite", "postgres"]
Result = TypeVar("Result")
Action = Callable[..., Result]  # def action(tx: Tx, *, …) -> Result


class ReadOnly(RuntimeError):
    """A query tried to write. A bug in the caller, so no PalError."""


class Row(Protocol):
    """One row: `row["name"]`, `row.name` and `row[0]` all read a column; iterating gives the values; `dict(row)`
    works.

    Values are int, float, str, bytes or None, as the schema says; hence `Any`.
    """

    def keys(self) -> Iterable[str]: ...
    def __getitem__(self, key: str | int, /) -> Any: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


class Sql(Protocol):
    """The named statements of `storage/sql`, `"file.statement"`, on this transaction's connection."""

    def one(self, name: str, /, **params: object) -> Row | None:
        """The first row, or None."""

    def all(self, name: str, /, **params: object) -> list[Row]:
        """Every row."""

    def run(self, name: str, /, **params: object) -> int:
        """How many rows it changed."""

    def many(self, name: str, rows: Iterable[Mapping[str, object]], /) -> int:
        """Run it once per mapping of parameters; how many rows all of them changed. No RETURNING."""

    def names(self, file: str, /) -> list[str]:
        """The statements of one file, in order of their names."""

    def savepoint(self) -> AbstractContextManager[None]:
        """A part that is undone alone when its block raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact in the log of a workspace, as stored."""

    workspace_id: str
    position: int
    room_id: str | None  # None: not about one room
    audience: str | None  # None: everyone who may see the room or workspace
    kind: str
    at: int  # UTC milliseconds
    data: str  # JSON text, encoded once for all readers


@dataclass(slots=True)
class Effects:
    """What the actions of one commit want to happen with it or after it. Touched only by the thread that runs
    them.
    """

    emitted: list[tuple[str, str | None, str | None, str, int, str]] = field(default_factory=list)
    audited: list[tuple[str, int, str, str, str, str]] = field(default_factory=list)  # workspace, at, actor, action …
    indexed: list[tuple[int, str, str]] = field(default_factory=list)  # message, room, text
    keys: list[str] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)

    def mark(self) -> tuple[int, int, int, int, int]:
        return len(self.emitted), len(self.indexed), len(self.keys), len(self.after), len(self.audited)

    def undo(self, mark: tuple[int, int, int, int, int]) -> None:
        """Forget what was gathered since `mark`."""
        del self.emitted[mark[0] :], self.indexed[mark[1] :], self.keys[mark[2] :], self.after[mark[3] :]
        del self.audited[mark[4] :]


class Tx:
    """One open transaction. Not to be kept beyond the call it was given to."""

    __slots__ = ("_effects", "audit_key", "batch_cache", "engine", "new_id", "now", "sql")

    def __init__(
        self,
        *,
        engine: EngineName,
        now: int,
        sql: Sql,
        new_id: Callable[[str], str],
        effects: Effects | None,
        batch_cache: dict[Any, Any],
        audit_key: bytes = b"",
    ) -> None:
        self.engine: EngineName = engine
        self.now = now  # UTC milliseconds, the same for the whole transaction
        self.sql = sql
        self.new_id = new_id
        self.audit_key = audit_key  # chains the audit log; from the key file, never stored
        # Look-ups shared by the actions of one commit, under keys their modules own. Emptied whenever anything is
        # rolled back. Who writes a row that is looked up here, removes or replaces the entry.
        self.batch_cache = batch_cache
        self._effects = effects  # None: a query

    @property
    def has_other_writers(self) -> bool:
        """Whether another transaction may write at this moment, so that a lock is more than a wasted statement."""
        return self.engine != "sqlite"

    def emit(
        self, kind: str, /, *, workspace_id: str, room_id: str | None = None, audience: str | None = None, data: object
    ) -> None:
        """Append to the workspace's log; the position is given at commit, in commit order, without holes.

        `data` is a dict or a struct and is encoded here, so later changes to it do not count. Wakes
        `events:<workspace_id>`.
        """
        text = msgspec.json.encode(data).decode()
        self._gather().emitted.append((workspace_id, room_id, audience, kind, self.now, text))

    def audit(self, *, workspace_id: str, actor: str, action: str, target: str, detail: str) -> None:
        """Append to the workspace's audit log, chained to the entry before; at commit. `detail` is JSON text."""
        self._gather().audited.append((workspace_id, self.now, actor, action, target, detail))

    def index_message(self, message_id: int, /, *, room_id: str, text: str) -> None:
        """Make the message findable; a second call replaces what was indexed before. Written at commit."""
        self._gather().indexed.append((message_id, room_id, text))

    def wake(self, key: str, /) -> None:
        """Tell whoever waits for `key` to look again, once this is committed."""
        self._gather().keys.append(key)

    def after_commit(self, fn: Callable[[], None], /) -> None:
        """Call `fn` on the event loop once this is committed. It must not block; a crash loses it, so nothing may
        depend on it.
        """
        self._gather().after.append(fn)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that is undone alone, effects included, when its block raises; the exception goes on to the caller.

        Needed wherever an action catches an error of a statement and continues: PostgreSQL refuses further work
        otherwise.
        """
        effects = self._gather()
        mark = effects.mark()
        try:
            with self.sql.savepoint():
                yield
        except BaseException:
            effects.undo(mark)
            self.batch_cache.clear()
            raise

    def _gather(self) -> Effects:
        if self._effects is None:
            raise ReadOnly("a query cannot write, emit or wake")
        return self._effects
