"""Workspaces in the database."""

from pal_server.storage.tx import Tx


def insert(tx: Tx, *, id: str, slug: str, name: str) -> bool:
    """False when there is one with this slug already; nothing is changed then."""
    return tx.sql.run("workspaces.insert", id=id, slug=slug, name=name, now=tx.now) == 1


def first(tx: Tx) -> str | None:
    """The id of the oldest workspace."""
    row = tx.sql.one("workspaces.first")
    return None if row is None else row.id
