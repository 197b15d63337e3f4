"""Rooms, their members and topics, as rows."""

from dataclasses import dataclass
from typing import Any

from pal_server.domain.actors import Actor
from pal_server.domain.rooms import AgentMember, Member, Mode, Room, Topic
from pal_server.storage.tx import Row, Tx
from pal_server.storage.viewers import viewer

_ENDINGS = (  # in this order: what is found by its topic or run goes before those
    "endings.messages",
    "endings.run_events",
    "endings.runs",
    "endings.interactions",
    "endings.decisions",
    "endings.drafts",
    "endings.saved",
    "endings.log",
    "endings.members",
    "endings.topics",
    "endings.tasks",
    "endings.dependencies",
    "endings.verifications",
    "endings.guests",
    "endings.invites",
    "endings.files",
    "endings.terminals",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    id: str
    username: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    id: str
    workspace_id: str
    has_ended: bool  # it is gone; something still ran in it then


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDigest:
    workspace_id: str
    room_id: str
    topic_id: int
    agent: str
    after_seq: int
    seq: int


def add(
    tx: Tx,
    *,
    id: str,
    workspace_id: str,
    name: str,
    title: str,
    rules: str,
    visibility: str,
    created_by: str,
    expires_at: int | None = None,
) -> None:
    tx.sql.run(
        "rooms.add",
        id=id,
        workspace_id=workspace_id,
        name=name,
        title=title,
        rules=rules,
        visibility=visibility,
        created_by=created_by,
        expires_at=expires_at,
        now=tx.now,
    )


def set_default_topic(tx: Tx, *, room_id: str, topic_id: int) -> None:
    tx.sql.run("rooms.set_default_topic", id=room_id, topic_id=topic_id)


def find(tx: Tx, *, workspace_id: str, ref: str) -> Room | None:
    """By id or by name. Looked up once per commit; `seq` may be older than the row's."""
    cached: Room | None = tx.batch_cache.get(("room", workspace_id, ref))
    if cached is not None:
        return cached
    name = "rooms.by_id" if ref.startswith("room_") else "rooms.by_name"
    row = tx.sql.one(name, workspace_id=workspace_id, ref=ref)
    if row is None:
        return None
    room = _room(row)
    tx.batch_cache[("room", workspace_id, ref)] = room
    return room


def find_by_prefix(tx: Tx, *, workspace_id: str, prefix: str) -> list[str]:
    rows = tx.sql.all("rooms.by_prefix", workspace_id=workspace_id, prefix=prefix, past=prefix + "\x7f")
    return [row["id"] for row in rows]


def sees(tx: Tx, *, actor: Actor, room_id: str) -> bool:
    """Whether the actor may see the room. Looked up once per commit."""
    who = viewer(actor)
    key = ("sees", room_id, *who.values())
    cached = tx.batch_cache.get(key)
    if cached is None:
        cached = tx.batch_cache[key] = tx.sql.one("rooms.sees", room_id=room_id, **who) is not None
    return bool(cached)


def page(tx: Tx, *, actor: Actor, after: str, limit: int) -> list[Room]:
    rows = tx.sql.all("rooms.page", workspace_id=actor.workspace_id, after=after, limit=limit, **viewer(actor))
    return [_room(row) for row in rows]


def sees_all(tx: Tx, *, actor: Actor) -> bool:
    """Whether no room of the workspace is hidden from the actor."""
    return tx.sql.one("rooms.any_hidden", workspace_id=actor.workspace_id, **viewer(actor)) is None


def any_hidden_of(tx: Tx, *, actor: Actor, project_id: str) -> bool:
    """Whether a room of the project is hidden from the actor."""
    return tx.sql.one("rooms.any_hidden_of", project_id=project_id, **viewer(actor)) is not None


def visible_ids(tx: Tx, *, actor: Actor) -> frozenset[str]:
    rows = tx.sql.all("rooms.visible_ids", workspace_id=actor.workspace_id, **viewer(actor))
    return frozenset(row["id"] for row in rows)


def change(tx: Tx, *, room: Room) -> None:
    tx.sql.run(
        "rooms.change",
        id=room.id,
        title=room.title,
        rules=room.rules,
        debounce_for=room.debounce_for,
        digest_every=room.digest_every,
        max_duration=room.max_duration,
        busy=room.busy,
        deny_after=room.deny_after,
        approvers=room.approvers,
        fresh=int(room.fresh),
        hop_limit=room.hop_limit,
    )
    forget(tx, room_id=room.id)


def live_runs(tx: Tx, *, room_id: str) -> list[int]:
    return [row["id"] for row in tx.sql.all("endings.live_runs", room_id=room_id)]


def pending_deliveries(tx: Tx, *, room_id: str) -> list[int]:
    return [row["id"] for row in tx.sql.all("endings.pending", room_id=room_id)]


def expired(tx: Tx, *, limit: int) -> list[Expired]:
    """Rooms whose time is over and that are still there, or in which something still runs."""
    rows = tx.sql.all("rooms.expired", now=tx.now, limit=limit)
    return [Expired(id=row["id"], workspace_id=row["workspace_id"], has_ended=bool(row["has_ended"])) for row in rows]


def end(tx: Tx, *, room_id: str) -> None:
    """Take away what was said and who was there. The room's row stays, without name and words: others point at it."""
    tx.sql.run("search.remove_room", room_id=room_id)
    for name in _ENDINGS:
        tx.sql.run(name, room_id=room_id, now=tx.now)
    tx.sql.run("rooms.end", id=room_id, now=tx.now)
    forget(tx, room_id=room_id)


def forget(tx: Tx, *, room_id: str) -> None:
    """Drop what was looked up about a room in this commit, because it or its members change."""
    for key in [key for key, value in tx.batch_cache.items() if _is_about(key, value, room_id)]:
        del tx.batch_cache[key]


def _is_about(key: Any, value: Any, room_id: str) -> bool:
    if not isinstance(key, tuple):
        return False
    return room_id in key or (key[0] == "room" and value.id == room_id)


def next_seq(tx: Tx, *, room_id: str) -> int:
    """The next message's number; holds the room's row until the commit."""
    row = tx.sql.one("rooms.next_seq", id=room_id)
    assert row is not None, "the room was looked up in this transaction"
    return int(row["seq"])


def lock(tx: Tx, *, room_id: str) -> None:
    """The first lock of whatever changes a lane of the room."""
    if tx.has_other_writers:
        tx.sql.one("rooms.lock", id=room_id)


def set_member(tx: Tx, *, room_id: str, kind: str, principal: str, mode: Mode | None) -> None:
    tx.sql.run("rooms.set_member", room_id=room_id, kind=kind, principal=principal, mode=mode, now=tx.now)
    forget(tx, room_id=room_id)


def remove_member(tx: Tx, *, room_id: str, kind: str, principal: str) -> int:
    forget(tx, room_id=room_id)
    return tx.sql.run("rooms.remove_member", room_id=room_id, kind=kind, principal=principal)


def member(tx: Tx, *, room_id: str, kind: str, principal: str) -> Member | None:
    row = tx.sql.one("rooms.member", room_id=room_id, kind=kind, principal=principal)
    return None if row is None else _member(row)


def members(tx: Tx, *, room_id: str, after: tuple[str, str], limit: int) -> list[tuple[Member, str]]:
    """Members with their principal, which a page goes on from."""
    rows = tx.sql.all("rooms.members", room_id=room_id, after_kind=after[0], after_principal=after[1], limit=limit)
    return [(_member(row), row["principal"]) for row in rows]


def agents_in(tx: Tx, *, room_id: str) -> tuple[AgentMember, ...]:
    """Looked up once per commit."""
    key = ("agents_in", room_id)
    cached = tx.batch_cache.get(key)
    if cached is None:
        rows = tx.sql.all("rooms.agents_in", room_id=room_id)
        cached = tx.batch_cache[key] = tuple(_agent_member(row) for row in rows)
    return cached


def people_in(tx: Tx, *, room_id: str) -> tuple[Person, ...]:
    """Looked up once per commit."""
    key = ("people_in", room_id)
    cached = tx.batch_cache.get(key)
    if cached is None:
        rows = tx.sql.all("rooms.people_in", room_id=room_id)
        cached = tx.batch_cache[key] = tuple(
            Person(id=row["id"], username=row["username"], display_name=row["display_name"]) for row in rows
        )
    return cached


def name_is_taken(tx: Tx, *, workspace_id: str, name: str) -> bool:
    """Whether a user or an agent has this name, whatever its case."""
    key = ("taken", workspace_id, name)
    cached = tx.batch_cache.get(key)
    if cached is None:
        cached = tx.batch_cache[key] = (
            tx.sql.one("rooms.name_is_taken", workspace_id=workspace_id, name=name) is not None
        )
    return bool(cached)


def due_digests(tx: Tx, *, limit: int) -> list[DueDigest]:
    return [
        DueDigest(
            workspace_id=row["workspace_id"],
            room_id=row["room_id"],
            topic_id=row["default_topic"],
            agent=row["agent"],
            after_seq=row["digest_seq"],
            seq=row["seq"],
        )
        for row in tx.sql.all("rooms.due_digests", now=tx.now, limit=limit)
    ]


def digested(tx: Tx, *, room_id: str, agent: str, seq: int) -> None:
    tx.sql.run("rooms.digested", room_id=room_id, agent=agent, seq=seq, now=tx.now)


def add_topic(
    tx: Tx, *, room_id: str, title: str, is_default: bool, created_by: str, is_placeholder: bool = False
) -> int:
    row = tx.sql.one(
        "topics.add",
        room_id=room_id,
        title=title,
        is_default=int(is_default),
        is_placeholder=int(is_placeholder),
        created_by=created_by,
        now=tx.now,
    )
    assert row is not None, "an insert returns its row"
    return int(row["id"])


def find_topic(tx: Tx, *, workspace_id: str, id: int) -> Topic | None:
    row = tx.sql.one("topics.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _topic(row)


def topics(tx: Tx, *, room_id: str, after: int, limit: int) -> list[Topic]:
    return [_topic(row) for row in tx.sql.all("topics.page", room_id=room_id, after=after, limit=limit)]


def change_topic(tx: Tx, topic: Topic) -> None:
    tx.sql.run(
        "topics.change",
        id=topic.id,
        title=topic.title,
        is_placeholder=int(topic.is_placeholder),
        archived_at=topic.archived_at,
    )
    tx.batch_cache.pop(("topic", topic.id), None)  # as a sender looks it up


def touch_topic(tx: Tx, *, id: int) -> None:
    """Once per commit is enough."""
    key = ("touched", id)
    if key not in tx.batch_cache:
        tx.sql.run("topics.touch", id=id, now=tx.now)
        tx.batch_cache[key] = True


def speak_in_topic(tx: Tx, *, room_id: str, id: int) -> Topic | None:
    """The open topic of the room, with its newest message being now; one statement does both. Once per commit."""
    key = ("topic", id)
    topic: Topic | None = tx.batch_cache.get(key)
    if topic is None:
        row = tx.sql.one("topics.speak", id=id, room_id=room_id, now=tx.now)
        if row is None:
            return None
        topic = tx.batch_cache[key] = _topic(row)
        tx.batch_cache[("touched", id)] = True
    return topic if topic.room_id == room_id else None


def _room(row: Row) -> Room:
    return Room(
        id=row["id"],
        workspace_id=row["workspace_id"],
        name=row["name"],
        title=row["title"],
        rules=row["rules"],
        visibility=row["visibility"],
        seq=row["seq"],
        default_topic=row["default_topic"],
        debounce_for=row["debounce_for"],
        digest_every=row["digest_every"],
        max_duration=row["max_duration"],
        busy=row["busy"],
        deny_after=row["deny_after"],
        approvers=row["approvers"],
        fresh=bool(row["fresh"]),
        hop_limit=row["hop_limit"],
        project_id=row["project_id"],
        created_at=row["created_at"],
        archived_at=row["archived_at"],
        expires_at=row["expires_at"],
    )


def _topic(row: Row) -> Topic:
    return Topic(
        id=row["id"],
        room_id=row["room_id"],
        title=row["title"],
        is_default=bool(row["is_default"]),
        created_at=row["created_at"],
        last_message_at=row["last_message_at"],
        archived_at=row["archived_at"],
        is_placeholder=bool(row["is_placeholder"]),
    )


def _member(row: Row) -> Member:
    return Member(
        room_id=row["room_id"],
        kind=row["kind"],
        name=row["name"],
        display_name=row["display_name"],
        mode=None if row["mode"] is None else Mode(row["mode"]),
        role=row["role"],
        runtime=row["runtime"],
        joined_at=row["joined_at"],
    )


def _agent_member(row: Row) -> AgentMember:
    return AgentMember(
        key=row["key"],
        display_name=row["display_name"],
        mode=Mode(row["mode"]),
        enabled=bool(row["enabled"]),
        runtime=row["runtime"],
        concurrency=row["concurrency"],
        computer_id=row["computer_id"],
        computer_name=row["computer_name"],
        computer_online=row["computer_id"] is not None and not row["is_offline"] and row["revoked_at"] is None,
        computer_draining=bool(row["draining"]),
    )
