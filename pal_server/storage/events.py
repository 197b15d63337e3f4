"""The log of a workspace, for those who read it by position."""

from pal_server.storage.tx import Event, Tx


def after(tx: Tx, *, workspace_id: str, position: int, limit: int) -> list[Event]:
    """The next events after `position`, in order, without holes but for what retention removed."""
    rows = tx.sql.all("events.after", workspace_id=workspace_id, position=position, limit=limit)
    return [
        Event(
            workspace_id=row["workspace_id"],
            position=row["position"],
            room_id=row["room_id"],
            audience=row["audience"],
            kind=row["kind"],
            at=row["at"],
            data=row["data"],
        )
        for row in rows
    ]


def newest(tx: Tx, *, workspace_id: str) -> int:
    """The position of the newest event; 0 when there is none."""
    row = tx.sql.one("events.position", workspace_id=workspace_id)
    return 0 if row is None else int(row["position"])
