"""What happened that a person may have to be told, from the log."""

import json
from typing import Any

from pal_server.domain.actors import Actor
from pal_server.storage.tx import Tx
from pal_server.storage.viewers import viewer


def since(tx: Tx, *, actor: Actor, position: int, newest: int, limit: int) -> list[tuple[int, str, dict[str, Any]]]:
    """What happened where this person may look: (position, kind, data)."""
    rows = tx.sql.all(
        "news.since",
        workspace_id=actor.workspace_id,
        position=position,
        newest=newest,
        limit=limit,
        **viewer(actor),
    )
    return [(row["position"], row["kind"], json.loads(row["data"])) for row in rows]


def asked_by(tx: Tx, *, message_id: int) -> str | None:
    """The name of the person who said a message; None when it was none."""
    row = tx.sql.one("news.asked_by", id=message_id)
    return str(row["sender"]) if row is not None and row["sender_kind"] == "user" else None
