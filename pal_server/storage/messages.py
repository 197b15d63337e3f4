"""Messages, inboxes and the memory of client ids, as rows."""

from dataclasses import dataclass
from typing import Any

import msgspec

from pal_server.domain.actors import Actor
from pal_server.domain.messages import Message, Sender
from pal_server.storage.tx import Row, Tx
from pal_server.storage.viewers import viewer

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_SOON = 200  # messages after one, among which are an agent's answers to it


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    message: Message
    reason: str
    delivery_id: int | None
    delivery_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an earlier request with the same client id made."""

    verb: str
    target: str
    digest: str


def add(
    tx: Tx,
    *,
    workspace_id: str,
    room_id: str,
    room_name: str,
    topic_id: int,
    seq: int,
    parent_id: int | None,
    kind: str,
    sender: Sender,
    content: str,
    mentions: tuple[str, ...] = (),
    unresolved: tuple[str, ...] = (),
    files: tuple[dict[str, Any], ...] = (),
    card: dict[str, Any] | None = None,
    run_id: int | None = None,
    chain_id: int | None = None,
    hop: int = 0,
    client_id: str | None = None,
) -> Message:
    """Store it; without a `chain_id` it is the root of its own chain."""
    row = tx.sql.one(
        "messages.add",
        workspace_id=workspace_id,
        room_id=room_id,
        topic_id=topic_id,
        seq=seq,
        parent_id=parent_id,
        kind=kind,
        sender_kind=sender.kind,
        sender=sender.name,
        sender_name=sender.display_name,
        sender_origin=sender.origin,
        sender_key=sender.key,
        content=content,
        mentions=_text(mentions) if mentions else "[]",
        unresolved=_text(unresolved) if unresolved else "[]",
        files=_text(files) if files else "[]",
        card=None if card is None else _text(card),
        run_id=run_id,
        chain_id=chain_id,
        hop=hop,
        client_id=client_id,
        now=tx.now,
    )
    assert row is not None, "an insert returns its row"
    return Message(
        id=row["id"],
        workspace_id=workspace_id,
        room_id=room_id,
        room_name=room_name,
        topic_id=topic_id,
        seq=seq,
        parent_id=parent_id,
        kind=kind,
        sender=sender,
        content=content,
        mentions=mentions,
        unresolved=unresolved,
        files=files,
        card=card,
        run_id=run_id,
        chain_id=chain_id if chain_id is not None else row["id"],
        hop=hop,
        client_id=client_id,
        created_at=tx.now,
        edited_at=None,
        deleted_at=None,
    )


def find(tx: Tx, *, workspace_id: str, id: int) -> Message | None:
    row = tx.sql.one("messages.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _message(row)


def page_of_room(tx: Tx, *, room_id: str, after: int | None, before: int | None, limit: int) -> list[Message]:
    """`after` and `before` are message ids, also of other rooms. Oldest first."""
    if before is not None:
        rows = tx.sql.all(
            "messages.room_before", room_id=room_id, before=_seq_at(tx, room_id, before - 1) + 1, limit=limit
        )
        return [_message(row) for row in reversed(rows)]
    rows = tx.sql.all("messages.room_after", room_id=room_id, after=_seq_at(tx, room_id, after or 0), limit=limit)
    return [_message(row) for row in rows]


def _seq_at(tx: Tx, room_id: str, id: int) -> int:
    if id <= 0:
        return 0
    row = tx.sql.one("messages.seq_of", room_id=room_id, id=id) or tx.sql.one("messages.seq_at", room_id=room_id, id=id)
    return 0 if row is None else int(row["seq"])


def page_of_topic(tx: Tx, *, topic_id: int, after: int | None, before: int | None, limit: int) -> list[Message]:
    if before is not None:
        rows = tx.sql.all("messages.topic_before", topic_id=topic_id, before=before, limit=limit)
        return [_message(row) for row in reversed(rows)]
    return [
        _message(row) for row in tx.sql.all("messages.topic_after", topic_id=topic_id, after=after or 0, limit=limit)
    ]


def page_of_parent(tx: Tx, *, parent_id: int, after: int | None, before: int | None, limit: int) -> list[Message]:
    if before is not None:
        rows = tx.sql.all("messages.replies_before", parent_id=parent_id, before=before, limit=limit)
        return [_message(row) for row in reversed(rows)]
    return [
        _message(row)
        for row in tx.sql.all("messages.replies_after", parent_id=parent_id, after=after or 0, limit=limit)
    ]


def page_of_all(tx: Tx, *, actor: Actor, after: int | None, before: int | None, limit: int) -> list[Message]:
    who = viewer(actor)
    if before is not None:
        rows = tx.sql.all("messages.all_before", workspace_id=actor.workspace_id, before=before, limit=limit, **who)
        return [_message(row) for row in reversed(rows)]
    rows = tx.sql.all("messages.all_after", workspace_id=actor.workspace_id, after=after or 0, limit=limit, **who)
    return [_message(row) for row in rows]


def first_words(tx: Tx, *, topic_id: int) -> str | None:
    """What a person said first in a topic."""
    row = tx.sql.one("messages.first_words", topic_id=topic_id)
    return None if row is None else str(row["content"])


def carries(tx: Tx, *, file_id: str, topic_id: int | None = None, room_id: str | None = None) -> bool:
    """Whether a message of the topic, or of the room, has this file attached."""
    pattern = '%"id":"' + file_id.replace("!", "!!").replace("%", "!%").replace("_", "!_") + '"%'
    if topic_id is not None:
        return tx.sql.one("messages.topic_carries", topic_id=topic_id, pattern=pattern) is not None
    return tx.sql.one("messages.room_carries", room_id=room_id, pattern=pattern) is not None


def edit(tx: Tx, *, id: int, content: str, mentions: tuple[str, ...], unresolved: tuple[str, ...]) -> int:
    return tx.sql.run(
        "messages.edit", id=id, content=content, mentions=_text(mentions), unresolved=_text(unresolved), now=tx.now
    )


def delete(tx: Tx, *, id: int) -> int:
    return tx.sql.run("messages.delete", id=id, now=tx.now)


def set_card(tx: Tx, *, id: int, card: dict[str, Any]) -> None:
    tx.sql.run("messages.set_card", id=id, card=_text(card), now=tx.now)


def said_between(tx: Tx, *, topic_id: int, after: int, before: int, agent: str, limit: int) -> list[Message]:
    """The newest of what others said in a topic between two messages, oldest first."""
    rows = tx.sql.all("messages.said_between", topic_id=topic_id, after=after, before=before, agent=agent, limit=limit)
    return [_message(row) for row in reversed(rows)]


def recap(tx: Tx, *, topic_id: int, seen: int, agent: str, limit: int) -> list[Message]:
    """The last words of everybody in a topic up to the message `seen`, and what the agent said soon after; oldest
    first. It reads the same however much was said since.
    """
    before = tx.sql.all("messages.said_up_to", topic_id=topic_id, up_to=seen, limit=limit)
    own = tx.sql.all("messages.said_itself_after", topic_id=topic_id, after=seen, agent=agent, within=_SOON)
    return [_message(row) for row in (*reversed(before), *own)][-limit:]


def last_of_run(tx: Tx, *, topic_id: int, run_id: int) -> Message | None:
    row = tx.sql.one("messages.last_of_run", topic_id=topic_id, run_id=run_id)
    return None if row is None else _message(row)


def of_run(tx: Tx, *, topic_id: int, run_id: int, after: int, limit: int) -> list[int]:
    """Ids of what a run posted in its topic."""
    rows = tx.sql.all("messages.by_ids_of_run", topic_id=topic_id, run_id=run_id, after=after, limit=limit)
    return [row["id"] for row in rows]


def last_of_people(tx: Tx, *, topic_id: int) -> Message | None:
    """The newest words of a person in a topic."""
    row = tx.sql.one("messages.last_of_people", topic_id=topic_id)
    return None if row is None else _message(row)


def sent_by_run(tx: Tx, *, run_id: int, after: int, limit: int) -> list[int]:
    """Ids of what a run said anywhere, after what it was for; reads what was said in all rooms meanwhile."""
    return [row["id"] for row in tx.sql.all("messages.sent_by_run", run_id=run_id, after=after, limit=limit)]


def unread_by_run(tx: Tx, *, topic_id: int, after: int, agent: str, run_id: int, limit: int) -> list[int]:
    """Ids of what others said in a topic after a message, but for what the run was told and has read."""
    rows = tx.sql.all("messages.unread_by_run", topic_id=topic_id, after=after, agent=agent, run_id=run_id, limit=limit)
    return [row["id"] for row in rows]


def cards_under(tx: Tx, *, parent_id: int) -> list[Message]:
    """Cards in answer to a message, newest first."""
    return [_message(row) for row in tx.sql.all("messages.cards_under", parent_id=parent_id)]


def unread(tx: Tx, *, room_id: str, agent: str, after_seq: int, limit: int) -> list[int]:
    rows = tx.sql.all("messages.unread", room_id=room_id, agent=agent, after=after_seq, limit=limit)
    return [row["id"] for row in rows]


def keep_in_inbox(tx: Tx, *, workspace_id: str, agent: str, message_id: int, reason: str) -> None:
    tx.sql.run("messages.inbox_add", workspace_id=workspace_id, agent=agent, message_id=message_id, reason=reason)


def kept_for(tx: Tx, *, message_id: int) -> list[tuple[str, str]]:
    """Agents that have it in their inbox, and why."""
    return [(row["agent"], row["reason"]) for row in tx.sql.all("messages.kept_for", message_id=message_id)]


def inbox(tx: Tx, *, workspace_id: str, agent: str, after: int, limit: int) -> list[InboxItem]:
    rows = tx.sql.all("messages.inbox", workspace_id=workspace_id, agent=agent, after=after, limit=limit)
    return [
        InboxItem(
            message=_message(row),
            reason=row["inbox_reason"],
            delivery_id=row["delivery_id"],
            delivery_status=row["delivery_status"],
        )
        for row in rows
    ]


def lock_client_id(tx: Tx, *, actor: str, client_id: str) -> None:
    """Until the commit nobody else creates something under this id, so that of two at once the second finds the
    first.
    """
    if tx.has_other_writers:
        tx.sql.one("messages.lock_client_id", name=f"{actor} {client_id}")


def kept(tx: Tx, *, actor: str, client_id: str) -> Kept | None:
    row = tx.sql.one("messages.client_id", actor=actor, client_id=client_id)
    return None if row is None else Kept(verb=row["verb"], target=row["target"], digest=row["digest"])


def keep(tx: Tx, *, actor: str, client_id: str, verb: str, target: str, digest: str) -> None:
    tx.sql.run(
        "messages.keep_client_id",
        actor=actor,
        client_id=client_id,
        verb=verb,
        target=target,
        digest=digest,
        now=tx.now,
    )


def forget_client_ids(tx: Tx, *, before: int, limit: int) -> int:
    return tx.sql.run("messages.forget_client_ids", before=before, limit=limit)


def _text(value: object) -> str:
    return _encode(value).decode()


def _message(row: Row) -> Message:
    return Message(
        id=row["id"],
        workspace_id=row["workspace_id"],
        room_id=row["room_id"],
        room_name=row["room_name"],
        topic_id=row["topic_id"],
        seq=row["seq"],
        parent_id=row["parent_id"],
        kind=row["kind"],
        sender=Sender(
            kind=row["sender_kind"],
            name=row["sender"],
            display_name=row["sender_name"],
            origin=row["sender_origin"],
            key=row["sender_key"],
        ),
        content=row["content"],
        mentions=tuple(_decode(row["mentions"])) if row["mentions"] != "[]" else (),
        unresolved=tuple(_decode(row["unresolved"])) if row["unresolved"] != "[]" else (),
        files=tuple(_decode(row["files"])) if row["files"] != "[]" else (),
        card=None if row["card"] is None else _decode(row["card"]),
        run_id=row["run_id"],
        chain_id=row["chain_id"] if row["chain_id"] is not None else row["id"],
        hop=row["hop"],
        client_id=row["client_id"],
        created_at=row["created_at"],
        edited_at=row["edited_at"],
        deleted_at=row["deleted_at"],
    )
