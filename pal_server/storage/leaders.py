"""Leaders in the database."""

from pal_server.storage.tx import Tx


def hold(tx: Tx, *, chore: str, holder: str, until: int) -> bool:
    """True when `holder` now holds the chore, false when another one does."""
    return tx.sql.one("leaders.hold", chore=chore, holder=holder, until=until, now=tx.now) is not None


def let_go(tx: Tx, *, chore: str, holder: str) -> None:
    tx.sql.run("leaders.let_go", chore=chore, holder=holder)
