"""The storage port: run an action or a query, on whichever database is configured.

    sent = await store.write(messages.send, actor=actor, request=request)   # one transaction, committed when this
    returns page = await store.read(messages.list_page, actor=actor, query=query)   # one snapshot, no writes

Both engines promise the same (`tests/conformance/test_store.py`):

- An action is wholly committed when `write` returns, and has left nothing when it raises. What it emitted, woke or
  planned for after the commit happens once, and only if it was committed.
- A caller cancelled before its action began leaves nothing; one cancelled later finds it done.
- Positions of a workspace's events follow commit order without holes: who reads position 42 has 1 to 41 before it.
- `Unavailable` means nothing was written and the same call may be made again. Other errors are the action's own.
- A read sees everything committed before it began, and never waits for a writer.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, TypeVar

from pal_server.errors import Invalid
from pal_server.storage import violations
from pal_server.storage.effects import Publisher
from pal_server.storage.engines import Engine
from pal_server.storage.migrate import MIGRATIONS, migrate_postgres, migrate_sqlite
from pal_server.storage.statements import STATEMENTS, load_statements
from pal_server.storage.tx import EngineName, Event, ReadOnly, Row, Sql, Tx

__all__ = ["Event", "ReadOnly", "Row", "Sql", "Store", "Tx", "is_postgres", "open_store"]

WAITING = 10_000  # actions (and as many queries) that may wait, about a second of work; beyond it callers are told
P = ParamSpec("P")
R = TypeVar("R")


class Store:
    """An open, migrated database. Used from one event loop; `async with` closes it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> EngineName:
        return self._engine.name

    async def write(self, action: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `action(tx, …)`, commit, and return what it returned."""
        result: R = await self._engine.write(action, args, kwargs)
        return result

    async def read(self, query: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `query(tx, …)` on one snapshot. Its `tx` refuses to write."""
        result: R = await self._engine.read(query, args, kwargs)
        return result

    async def close(self) -> None:
        """Finish the actions that were accepted, then let go of everything. Safe to call twice and to cancel: it
        goes on.
        """
        await self._engine.close()

    async def __aenter__(self) -> "Store":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def open_store(
    where: str | Path,
    /,
    *,
    clock: Callable[[], int],
    new_id: Callable[[str], str],
    audit_key: bytes = b"",
    hub_wake: Callable[[set[str]], None],
    on_events: Callable[[list[Event]], None] | None = None,
    errors: violations.Errors | None = None,
    backups: Path | None = None,
    chance: Callable[[], float] = random.random,
    migrations: Path = MIGRATIONS,
    statements: Sequence[Path] = (STATEMENTS,),
    waiting: int = WAITING,
) -> Store:
    """Migrate and open the database at `where`, a path or `postgresql://…`.

    `hub_wake(keys)` and `on_events(events)` are called on the event loop once per commit and must not block. Both are
    hints: another server's commits do not come through here, and on PostgreSQL batches of events may come out of
    order; the log itself never does. `audit_key` chains the audit log. `errors` names the domain error of a broken
    constraint (`violations.Errors`); `backups` is where a SQLite file is copied before a migration (beside it in
    `backups/` unless given); `chance` gives the jitter of retries, 0 to 1. On PostgreSQL `clock`, `new_id` and
    `chance` are called from several threads.

    Raises `Unavailable` with a sentence that says what to do when the database is missing, damaged, not writable or
    from another version.
    """
    publisher = Publisher(hub_wake=hub_wake, on_events=on_events)
    if is_postgres(where):
        from pal_server.storage.engines.postgres import open_postgres  # 125 ms that an embedded server saves

        url = str(where)
        texts = load_statements(*statements, engine="postgres")
        await asyncio.to_thread(migrate_postgres, url, migrations=migrations / "postgres", now=clock())
        return Store(
            await open_postgres(
                url,
                statements=texts,
                errors=errors or {},
                publisher=publisher,
                clock=clock,
                new_id=new_id,
                audit_key=audit_key,
                chance=chance,
                waiting=waiting,
            )
        )
    if str(where) in ("", ":memory:"):
        raise Invalid("A database in memory cannot be shared by readers and writer; name a file.", database=str(where))
    from pal_server.storage.engines.sqlite import open_sqlite

    path = Path(where)
    texts = load_statements(*statements, engine="sqlite")
    await asyncio.to_thread(
        migrate_sqlite,
        path,
        migrations=migrations / "sqlite",
        backups=path.parent / "backups" if backups is None else backups,
        now=clock(),
    )
    return Store(
        await open_sqlite(
            path,
            statements=texts,
            errors=errors or {},
            publisher=publisher,
            clock=clock,
            new_id=new_id,
            audit_key=audit_key,
            waiting=waiting,
        )
    )


def is_postgres(where: str | Path, /) -> bool:
    return str(where).startswith(("postgresql://", "postgres://"))
