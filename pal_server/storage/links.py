"""Links between outside places and topics, and between outside messages and ours, as rows."""

import json
from dataclasses import dataclass
from typing import Any

from pal_server.storage.tx import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One bot's place outside. `answer_to` is the newest message heard there, `asker` who said it (`id`, `name`)."""

    id: int
    workspace_id: str
    bot_id: str
    platform: str
    chat: str
    thread: str
    kind: str
    title: str
    memo: str
    room_id: str
    topic_id: int
    answer_to: str
    asker: dict[str, Any]

    @property
    def place(self) -> tuple[str, str, str]:
        return self.platform, self.chat, self.thread


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideRef:
    platform: str
    chat: str
    ref: str
    bot_id: str


def find(tx: Tx, *, bot_id: str, chat: str, thread: str) -> Link | None:
    row = tx.sql.one("links.find", bot_id=bot_id, chat=chat, thread=thread)
    return None if row is None else _link(row)


def by_id(tx: Tx, id: int) -> Link | None:
    row = tx.sql.one("links.by_id", id=id)
    return None if row is None else _link(row)


def of_place(tx: Tx, *, workspace_id: str, platform: str, chat: str, thread: str) -> list[Link]:
    """The same place, as every bot there knows it; the oldest first."""
    rows = tx.sql.all("links.of_place", workspace_id=workspace_id, platform=platform, chat=chat, thread=thread)
    return [_link(row) for row in rows]


def room_of_chat(tx: Tx, *, workspace_id: str, platform: str, chat: str) -> str | None:
    row = tx.sql.one("links.room_of_chat", workspace_id=workspace_id, platform=platform, chat=chat)
    return None if row is None else row.room_id


def add(
    tx: Tx,
    *,
    workspace_id: str,
    bot_id: str,
    platform: str,
    chat: str,
    thread: str,
    kind: str,
    title: str,
    memo: str,
    room_id: str,
    topic_id: int,
    answer_to: str,
    asker: dict[str, Any],
) -> Link:
    row = tx.sql.one(
        "links.insert",
        workspace_id=workspace_id,
        bot_id=bot_id,
        platform=platform,
        chat=chat,
        thread=thread,
        kind=kind,
        title=title,
        memo=memo,
        room_id=room_id,
        topic_id=topic_id,
        answer_to=answer_to,
        asker=json.dumps(asker),
        now=tx.now,
    )
    assert row is not None, "an insert returns its row"
    tx.sql.run("links.add_topic", topic_id=topic_id, link_id=row.id)
    made = by_id(tx, row.id)
    assert made is not None, "it was written in this transaction"
    return made


def heard(tx: Tx, *, id: int, title: str, memo: str, answer_to: str, asker: dict[str, Any]) -> None:
    """Note what came from there last; what is empty leaves what was known."""
    asked = json.dumps(asker)
    tx.sql.run("links.heard", id=id, title=title, memo=memo, answer_to=answer_to, asker=asked, now=tx.now)


def lead_to(tx: Tx, *, link: Link, topic_id: int) -> None:
    """From now on the place is another topic, for every bot that is there."""
    platform, chat, thread = link.place
    tx.sql.run(
        "links.lead_to",
        workspace_id=link.workspace_id,
        platform=platform,
        chat=chat,
        thread=thread,
        topic_id=topic_id,
    )
    for one in of_place(tx, workspace_id=link.workspace_id, platform=platform, chat=chat, thread=thread):
        tx.sql.run("links.add_topic", topic_id=topic_id, link_id=one.id)


def of_topic(tx: Tx, *, topic_id: int) -> list[Link]:
    """Every place a topic is shown at, the oldest first."""
    return [_link(row) for row in tx.sql.all("links.of_topic", topic_id=topic_id)]


def rooms(tx: Tx, *, workspace_id: str) -> frozenset[str]:
    """Rooms that are shown anywhere outside."""
    return frozenset(row.room_id for row in tx.sql.all("links.rooms", workspace_id=workspace_id))


def any_there(tx: Tx, *, workspace_id: str) -> bool:
    return tx.sql.one("links.any", workspace_id=workspace_id) is not None


def recent(tx: Tx, *, bot_id: str, since: int, limit: int) -> list[Link]:
    """Where something was said since then, the newest first."""
    return [_link(row) for row in tx.sql.all("links.recent", bot_id=bot_id, since=since, limit=limit)]


def of_chat(tx: Tx, *, bot_id: str, chat: str, since: int, limit: int) -> list[Link]:
    """Where in a chat something was said since then, the newest first."""
    return [_link(row) for row in tx.sql.all("links.of_chat", bot_id=bot_id, chat=chat, since=since, limit=limit)]


def remember_ref(
    tx: Tx, *, workspace_id: str, platform: str, chat: str, ref: str, message_id: int, bot_id: str, incoming: bool
) -> None:
    tx.sql.run(
        "links.remember_ref",
        workspace_id=workspace_id,
        platform=platform,
        chat=chat,
        ref=ref,
        message_id=message_id,
        bot_id=bot_id,
        incoming=int(incoming),
    )


def message_of_ref(tx: Tx, *, workspace_id: str, platform: str, chat: str, ref: str) -> int | None:
    row = tx.sql.one("links.message_of_ref", workspace_id=workspace_id, platform=platform, chat=chat, ref=ref)
    return None if row is None else row.message_id


def refs_of_message(tx: Tx, *, message_id: int) -> list[OutsideRef]:
    """Where it was said outside; empty for what came from here."""
    rows = tx.sql.all("links.refs_of_message", message_id=message_id)
    return [OutsideRef(platform=row.platform, chat=row.chat, ref=row.ref, bot_id=row.bot_id) for row in rows]


def _link(row: Row) -> Link:
    return Link(
        id=row.id,
        workspace_id=row.workspace_id,
        bot_id=row.bot_id,
        platform=row.platform,
        chat=row.chat,
        thread=row.thread,
        kind=row.kind,
        title=row.title,
        memo=row.memo,
        room_id=row.room_id,
        topic_id=row.topic_id,
        answer_to=row.answer_to,
        asker=json.loads(row.asker),
    )
