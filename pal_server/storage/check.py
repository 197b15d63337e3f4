"""What must hold in any pal database beyond what its constraints say; `pal server check` and the crash tests ask
it.
"""

from pal_server.storage.tx import Tx

LISTED = 100  # rows of one rule; more say nothing new


def find_broken(tx: Tx, /) -> list[str]:
    """A line for each row that breaks a rule of `sql/invariants.sql`; empty when all is well. Reads whole tables."""
    broken = []
    for name in tx.sql.names("invariants"):
        rows = tx.sql.all(name)
        broken += [f"{name.removeprefix('invariants.')}: {row[0]}" for row in rows[:LISTED]]
    return broken
