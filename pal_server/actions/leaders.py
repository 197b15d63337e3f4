"""Leaders: of several servers exactly one does a chore at a time."""

from pal_server.storage import leaders
from pal_server.storage.tx import Tx


def hold(tx: Tx, *, chore: str, holder: str, hold_for: int) -> bool:
    """Whether `holder` may do the chore for the next `hold_for` milliseconds. Repeat it well before they are over."""
    return leaders.hold(tx, chore=chore, holder=holder, until=tx.now + hold_for)


def let_go(tx: Tx, *, chore: str, holder: str) -> None:
    """Leave it to others at once, on the way out. Somebody else's hold stays."""
    leaders.let_go(tx, chore=chore, holder=holder)
