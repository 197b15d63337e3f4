"""Who is told what in which chat outside, as rows."""

from pal_server.domain.chat_notices import ChatNotices
from pal_server.errors import Conflict
from pal_server.storage.tx import Row, Tx


def get(tx: Tx, *, user_id: str) -> ChatNotices | None:
    row = tx.sql.one("chat_notices.get", user_id=user_id)
    return None if row is None else _notices(row)


def put(tx: Tx, notices: ChatNotices) -> None:
    """A new choice, or another one in its place."""
    tx.sql.run(
        "chat_notices.put",
        user_id=notices.user_id,
        workspace_id=notices.workspace_id,
        bot_id=notices.bot_id,
        identity_id=notices.identity_id,
        chat=notices.chat,
        needs=int(notices.needs),
        mentions=int(notices.mentions),
        runs=int(notices.runs),
        position=notices.position,
        window_at=notices.window_at,
        newest_key=notices.newest_key,
        now=notices.created_at,
    )


def choose(tx: Tx, notices: ChatNotices) -> None:
    tx.sql.run(
        "chat_notices.choose",
        user_id=notices.user_id,
        needs=int(notices.needs),
        mentions=int(notices.mentions),
        runs=int(notices.runs),
    )


def drop(tx: Tx, *, user_id: str) -> None:
    tx.sql.run("chat_notices.drop", user_id=user_id)


def exist(tx: Tx, *, workspace_id: str) -> bool:
    return tx.sql.one("chat_notices.any", workspace_id=workspace_id) is not None


def behind(tx: Tx, *, workspace_id: str, newest: int, limit: int) -> list[ChatNotices]:
    """Those for whom the log was not read up to its newest event."""
    rows = tx.sql.all("chat_notices.behind", workspace_id=workspace_id, newest=newest, limit=limit)
    return [_notices(row) for row in rows]


def holding(tx: Tx, *, workspace_id: str) -> list[ChatNotices]:
    """Those with something that was not told singly."""
    return [_notices(row) for row in tx.sql.all("chat_notices.holding", workspace_id=workspace_id)]


def advance(tx: Tx, notices: ChatNotices, *, was: int) -> None:
    """Move on. `Conflict` when another server was quicker, or the choice is another one now: what was posted in this
    transaction is undone with it.
    """
    moved = tx.sql.run(
        "chat_notices.advance",
        user_id=notices.user_id,
        position=notices.position,
        window_at=notices.window_at,
        told=notices.told,
        held=notices.held,
        newest_key=notices.newest_key,
        was=was,
        created_at=notices.created_at,
    )
    if not moved:
        raise Conflict("these notices were read on for by another server: look again", user=notices.user_id)


def _notices(row: Row) -> ChatNotices:
    return ChatNotices(
        user_id=row.user_id,
        workspace_id=row.workspace_id,
        bot_id=row.bot_id,
        identity_id=row.identity_id,
        chat=row.chat,
        needs=bool(row.needs),
        mentions=bool(row.mentions),
        runs=bool(row.runs),
        position=row.position,
        window_at=row.window_at,
        told=row.told,
        held=row.held,
        newest_key=row.newest_key,
        created_at=row.created_at,
    )
