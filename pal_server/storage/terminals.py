"""Terminals, as rows."""

from pal_server.domain.actors import Actor
from pal_server.domain.pages import Place
from pal_server.domain.terminals import Kind, State, Terminal
from pal_server.errors import Conflict
from pal_server.storage.tx import Row, Tx
from pal_server.storage.viewers import viewer


def add(
    tx: Tx,
    *,
    id: str,
    workspace_id: str,
    room_id: str,
    topic_id: int,
    computer_id: str,
    agent: str | None,
    kind: Kind,
    folder: str | None,
    cols: int,
    rows: int,
    opened_by: str,
) -> Terminal:
    tx.sql.run(
        "terminals.add",
        id=id,
        workspace_id=workspace_id,
        room_id=room_id,
        topic_id=topic_id,
        computer_id=computer_id,
        agent=agent,
        kind=kind,
        folder=folder,
        cols=cols,
        rows=rows,
        opened_by=opened_by,
        now=tx.now,
    )
    added = find(tx, workspace_id=workspace_id, id=id)
    assert added is not None, "it was written in this transaction"
    return added


def find(tx: Tx, *, workspace_id: str, id: str) -> Terminal | None:
    row = tx.sql.one("terminals.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _terminal(row)


def put(tx: Tx, terminal: Terminal, *, was: Terminal) -> None:
    """`Conflict` when its state is another than was read."""
    changed = tx.sql.run(
        "terminals.put",
        id=terminal.id,
        state=terminal.state,
        folder=terminal.folder,
        reason=terminal.reason,
        exit=terminal.exit,
        opened_at=terminal.opened_at,
        closed_at=terminal.closed_at,
        last_used_at=terminal.last_used_at,
        was_state=was.state,
    )
    if not changed:
        raise Conflict("the terminal has changed meanwhile: look again", terminal=terminal.id)


def resize(tx: Tx, *, id: str, cols: int, rows: int) -> None:
    tx.sql.run("terminals.resize", id=id, cols=cols, rows=rows)


def touch(tx: Tx, *, id: str) -> None:
    tx.sql.run("terminals.touch", id=id, now=tx.now)


def live_in_topic(tx: Tx, *, topic_id: int) -> int:
    row = tx.sql.one("terminals.live_in_topic", topic_id=topic_id)
    assert row is not None, "a count is a row"
    return int(row["number"])


def live_on_computer(tx: Tx, *, computer_id: str) -> list[Terminal]:
    return [_terminal(row) for row in tx.sql.all("terminals.live_on_computer", computer_id=computer_id)]


def live_in_room(tx: Tx, *, room_id: str) -> list[Terminal]:
    return [_terminal(row) for row in tx.sql.all("terminals.live_in_room", room_id=room_id)]


def live_of_agent(tx: Tx, *, workspace_id: str, agent: str) -> list[Terminal]:
    rows = tx.sql.all("terminals.live_of_agent", workspace_id=workspace_id, agent=agent)
    return [_terminal(row) for row in rows]


def of_lane(tx: Tx, *, topic_id: int, agent: str) -> Terminal | None:
    """The agent's own terminal in a topic, while it lives."""
    row = tx.sql.one("terminals.of_lane", topic_id=topic_id, agent=agent)
    return None if row is None else _terminal(row)


def overdue(tx: Tx, *, open_within: int, idle_for: int, limit: int) -> list[Terminal]:
    rows = tx.sql.all(
        "terminals.overdue", opening_before=tx.now - open_within, used_before=tx.now - idle_for, limit=limit
    )
    return [_terminal(row) for row in rows]


def page(
    tx: Tx, *, actor: Actor, place: Place, limit: int, room_id: str | None, topic_id: int | None, is_all: bool
) -> list[Terminal]:
    """Newest first."""
    rows = tx.sql.all(
        "terminals.page",
        workspace_id=actor.workspace_id,
        at=place.at,
        id=place.id,
        limit=limit,
        room_id=room_id,
        topic_id=topic_id,
        is_all=int(is_all),
        **viewer(actor),
    )
    return [_terminal(row) for row in rows]


def _terminal(row: Row) -> Terminal:
    return Terminal(
        id=row["id"],
        workspace_id=row["workspace_id"],
        room_id=row["room_id"],
        topic_id=row["topic_id"],
        computer_id=row["computer_id"],
        agent=row["agent"],
        kind=Kind(row["kind"]),
        folder=row["folder"],
        cols=row["cols"],
        rows=row["rows"],
        state=State(row["state"]),
        reason=row["reason"],
        exit=row["exit"],
        opened_by=row["opened_by"],
        created_at=row["created_at"],
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
        last_used_at=row["last_used_at"],
    )
