"""What one person keeps, and the lists a client begins with, as rows."""

from typing import Any

import msgspec

from pal_server.domain.actors import Actor
from pal_server.domain.desk import UNREAD_MAX, WORDS, Draft, Glance, LastWords, Preferences, Saved, SavedPrompt
from pal_server.domain.rooms import Topic
from pal_server.domain.runs import Run
from pal_server.storage import runs
from pal_server.storage.tx import Row, Tx
from pal_server.storage.viewers import viewer

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read_mark(tx: Tx, *, user_id: str, topic_id: int) -> int | None:
    row = tx.sql.one("desk.read_mark", user_id=user_id, topic_id=topic_id)
    return None if row is None else int(row["message_id"])


def mark_read(tx: Tx, *, user_id: str, topic_id: int, message_id: int) -> None:
    tx.sql.run("desk.mark_read", user_id=user_id, topic_id=topic_id, message_id=message_id)


def unread(tx: Tx, *, actor: Actor, topic_id: int, after: int) -> int:
    """Messages of others in the topic after one of them, counted up to `UNREAD_MAX`."""
    row = tx.sql.one("desk.unread", topic_id=topic_id, after=after, sender_key=actor.key, unread_max=UNREAD_MAX)
    return 0 if row is None else int(row["unread"])


def glances(tx: Tx, *, actor: Actor, limit: int) -> list[Glance]:
    """The topics in which something was said last, newest first, as the actor sees them."""
    came = tx.sql.one("desk.came_at", user_id=actor.id)
    workers: dict[int, list[str]] = {}
    for row in tx.sql.all("desk.workers", workspace_id=actor.workspace_id):
        workers.setdefault(row["topic_id"], []).append(row["agent"])
    rows = tx.sql.all(
        "desk.glances",
        workspace_id=actor.workspace_id,
        user_id=actor.id,
        sender_key=actor.key,
        since=0 if came is None else came["created_at"],
        unread_max=UNREAD_MAX,
        limit=limit,
        **viewer(actor),
    )
    return [_glance(row, agents=workers.get(row["id"], [])) for row in rows]


def live_runs(tx: Tx, *, actor: Actor, limit: int) -> list[Run]:
    """Newest first."""
    rows = tx.sql.all("desk.live_runs", workspace_id=actor.workspace_id, limit=limit, **viewer(actor))
    return [runs.run_of(row) for row in rows]


def drafts(tx: Tx, *, user_id: str) -> list[Draft]:
    rows = tx.sql.all("desk.drafts", user_id=user_id)
    return [Draft(topic_id=row["topic_id"], content=row["content"], updated_at=row["updated_at"]) for row in rows]


def put_draft(tx: Tx, *, user_id: str, topic_id: int, content: str) -> None:
    """Empty: the row goes."""
    if content:
        tx.sql.run("desk.put_draft", user_id=user_id, topic_id=topic_id, content=content, now=tx.now)
    else:
        tx.sql.run("desk.drop_draft", user_id=user_id, topic_id=topic_id)


def saved(tx: Tx, *, user_id: str) -> tuple[Saved, ...]:
    """In the person's order."""
    return tuple(_saved(row) for row in tx.sql.all("desk.saved", user_id=user_id))


def add_saved(tx: Tx, *, user_id: str, topic_id: int, content: str, place: int) -> Saved:
    row = tx.sql.one("desk.add_saved", user_id=user_id, topic_id=topic_id, content=content, place=place, now=tx.now)
    assert row is not None, "an insert returns its row"
    return _saved(row)


def set_saved(tx: Tx, one: Saved) -> None:
    tx.sql.run("desk.set_saved", id=one.id, user_id=one.user_id, content=one.content, place=one.place)


def drop_saved(tx: Tx, *, id: int, user_id: str) -> None:
    tx.sql.run("desk.drop_saved", id=id, user_id=user_id)


def saved_prompts(tx: Tx, *, user_id: str) -> tuple[SavedPrompt, ...]:
    """By name."""
    rows = tx.sql.all("desk.saved_prompts", user_id=user_id)
    return tuple(SavedPrompt(name=row["name"], content=row["content"], updated_at=row["updated_at"]) for row in rows)


def put_saved_prompt(tx: Tx, one: SavedPrompt, *, user_id: str) -> None:
    tx.sql.run("desk.put_saved_prompt", user_id=user_id, name=one.name, content=one.content, now=one.updated_at)


def drop_saved_prompt(tx: Tx, *, user_id: str, name: str) -> None:
    tx.sql.run("desk.drop_saved_prompt", user_id=user_id, name=name)


def preferences(tx: Tx, *, user_id: str) -> Preferences:
    """What was never chosen is as it is for everybody."""
    row = tx.sql.one("desk.preferences", user_id=user_id)
    return Preferences() if row is None else Preferences(**_decode(row["data"]))


def put_preferences(tx: Tx, wanted: Preferences, *, user_id: str) -> None:
    tx.sql.run("desk.put_preferences", user_id=user_id, data=_encode(wanted.fact()).decode())


def seen(tx: Tx, *, user_id: str) -> str | None:
    """Somebody's browser is there. Their name when nobody knew that they are here, else None."""
    came = tx.sql.one("desk.came", user_id=user_id, now=tx.now)
    if came is None:
        tx.sql.run("desk.seen", user_id=user_id, now=tx.now)
        return None
    return str(came["username"])


def any_gone(tx: Tx, *, before: int) -> bool:
    return tx.sql.one("desk.any_gone", before=before) is not None


def went(tx: Tx, *, before: int, limit: int) -> list[tuple[str, str]]:
    """Id and name of those who gave no sign since `before` and counted as here until now."""
    rows = tx.sql.all("desk.went", before=before, limit=limit)
    return [(row["id"], row["username"]) for row in rows]


def present(tx: Tx, *, workspace_id: str) -> list[str]:
    return [row["username"] for row in tx.sql.all("desk.present", workspace_id=workspace_id)]


def workspaces_of(tx: Tx, *, user_id: str) -> list[str]:
    return [row["workspace_id"] for row in tx.sql.all("desk.workspaces_of", user_id=user_id)]


def _glance(row: Row, *, agents: list[str]) -> Glance:
    last: Any = row["last_id"]
    return Glance(
        topic=Topic(
            id=row["id"],
            room_id=row["room_id"],
            title=row["title"],
            is_default=bool(row["is_default"]),
            created_at=row["created_at"],
            last_message_at=row["last_message_at"],
            archived_at=row["archived_at"],
            is_placeholder=bool(row["is_placeholder"]),
        ),
        last=None
        if last is None
        else LastWords(
            message_id=last,
            sender_kind=row["sender_kind"],
            sender=row["sender"],
            sender_name=row["sender_name"],
            text=row["content"][:WORDS],
            at=row["last_at"],
        ),
        run=None if row["run_id"] is None else (row["run_id"], row["run_agent"], row["run_status"]),
        agents=tuple(agents),
        read=row["read_id"],
        unread=row["unread"],
    )


def _saved(row: Row) -> Saved:
    return Saved(
        id=row["id"],
        user_id=row["user_id"],
        topic_id=row["topic_id"],
        content=row["content"],
        place=row["place"],
        created_at=row["created_at"],
    )
