"""Chains, as rows. A chain has none until an agent has sent something in it."""

from pal_server.domain.chains import DELIVERY_LIMIT, Chain
from pal_server.storage.tx import Tx


def open_chain(tx: Tx, *, id: int, workspace_id: str, hop_limit: int) -> Chain:
    """The chain of this root message, made with that limit when it is new."""
    row = tx.sql.one("chains.by_id", id=id)
    if row is None:
        tx.sql.run("chains.open", id=id, workspace_id=workspace_id, hop_limit=hop_limit, delivery_limit=DELIVERY_LIMIT)
        row = tx.sql.one("chains.by_id", id=id)  # somebody may have opened it a moment ago
    assert row is not None, "it was written in this transaction"
    return Chain(
        id=row["id"], hop_limit=row["hop_limit"], delivery_limit=row["delivery_limit"], deliveries=row["deliveries"]
    )


def count(tx: Tx, *, id: int, more: int) -> None:
    tx.sql.run("chains.count", id=id, more=more)


def put(tx: Tx, chain: Chain) -> None:
    tx.sql.run("chains.put", id=chain.id, hop_limit=chain.hop_limit, delivery_limit=chain.delivery_limit)
