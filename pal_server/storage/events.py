"""The log of a workspace, for those who read it by position."""

from pal_server.storage.tx import Event, Row, Tx


def after(tx: Tx, *, workspace_id: str, position: int, limit: int) -> list[Event]:
    """The next events after `position`, in order, without holes but for what retention removed."""
    return _events(tx.sql.all("events.after", workspace_id=workspace_id, position=position, limit=limit))


def of_room_after(tx: Tx, *, workspace_id: str, room_id: str, position: int, limit: int) -> list[Event]:
    """The next events about one room that everybody in it may see."""
    rows = tx.sql.all(
        "events.of_room_after", workspace_id=workspace_id, room_id=room_id, position=position, limit=limit
    )
    return _events(rows)


def newest(tx: Tx, *, workspace_id: str) -> int:
    """The position of the newest event; 0 when there is none."""
    row = tx.sql.one("events.position", workspace_id=workspace_id)
    return 0 if row is None else int(row["position"])


def _events(rows: list[Row]) -> list[Event]:
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
