"""Connections to a database that stay open from one test to the next that borrows it.

For each new connection PostgreSQL starts a process that reads the catalogs afresh and plans every statement again; a
store opens two at once, and that was more work than what most tests do with them. Here a store's `close` lays its pools
aside and the next store gets them, with what the session knows: prepared statements above all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

STATEMENTS = 4000  # prepared ones that a connection keeps; more than there are


class KeptPools:
    """The pools of one database. `make` stands in for `ConnectionPool`."""

    def __init__(self) -> None:
        self._idle: list[_KeptPool] = []

    def make(self, url: str, *, configure: Callable[[Connection], None], **how: Any) -> ConnectionPool:
        """One that was laid aside and sets its connections up in the same way, or a new one."""
        for pool in self._idle:
            if (pool.conninfo, pool.sets_up) == (url, configure):
                self._idle.remove(pool)
                return pool
        return _KeptPool(url, sets_up=configure, lay_aside=self._idle.append, **how)

    def pids(self) -> set[int]:
        """Of the backends that serve what is laid aside."""
        return {pid for pool in self._idle for pid in pool.pids}

    def keep_only(self, ready: Collection[int]) -> None:
        """End every pool that has lost a backend or whose backend is not in `ready`."""
        for pool in self._idle[:]:
            if not pool.pids <= set(ready):
                self._idle.remove(pool)
                pool.end()

    def end(self) -> None:
        """End all that are laid aside."""
        self.keep_only(())


class _KeptConnection(Connection):
    def rollback(self) -> None:
        """Of what was only read a commit is the same, and psycopg forgets no prepared statement at it."""
        if self.read_only and self.info.transaction_status == TransactionStatus.INTRANS:
            self.commit()
        else:
            super().rollback()


class _KeptPool(ConnectionPool):
    def __init__(
        self,
        url: str,
        *,
        sets_up: Callable[[Connection], None],
        lay_aside: Callable[[_KeptPool], None],
        **how: Any,
    ) -> None:
        self.sets_up = sets_up
        self.pids: set[int] = set()
        self._lay_aside = lay_aside
        super().__init__(url, connection_class=_KeptConnection, configure=self._set_up, **how)

    def _set_up(self, conn: Connection) -> None:
        self.pids.add(conn.info.backend_pid)
        self.sets_up(conn)
        conn.prepare_threshold = 1
        conn.prepared_max = STATEMENTS

    def close(self, timeout: float = 5.0) -> None:
        """Lay it aside, unless somebody still has a connection of it."""
        has = self.get_stats()
        if not self.closed and has["pool_size"] and has["pool_size"] == has["pool_available"]:
            self._lay_aside(self)
        else:
            self.end(timeout)

    def end(self, timeout: float = 5.0) -> None:
        super().close(timeout)
