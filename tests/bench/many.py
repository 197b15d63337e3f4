"""A home whose database already holds very many messages and deliveries, written straight into the tables.

As a busy team leaves it: 1,000 topics in 100 rooms, ten agents, for every message a delivery, an event, a client id and
its words in the index. All deliveries are over but the newest ones, which wait, each in a lane of its own. Their agents
have read their topics up to there, so that a prompt holds the same however much was said before.
"""

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from pal_server.storage.search import room_token, words
from tests.bench.places import serving

ROOMS, TOPICS, AGENTS = 100, 10, 10
PENDING = 600  # deliveries that wait
ROOM = "room-3"  # as busy as the others
QUIET = "quiet"  # a room with few messages
QUIET_EVERY = 20_000  # one message in so many is in it
WORDS = 5_000  # different ones
SAID = 12  # words in a message
RARE, RARE_EVERY = "zebrafish", 50_000
PHRASE, PHRASE_EVERY = "the lease was lost", 200
CHINESE, CHINESE_EVERY = "请看一下昨天的构建日志", 100
COMMON = "word0"  # in a third of all messages
FACTS = "bench-home.json"  # what a measurement has to know about such a home
AT = 1_700_000_000_000  # UTC milliseconds of the first message, well in the past


def build(home: Path, *, number: int, pending: int = PENDING) -> Path:
    """Make the home with `number` messages and deliveries, the newest `pending` of which wait."""
    with serving(home) as server:
        facts = _set_up(server.api)
    db = sqlite3.connect(home / "lock.sqlite", isolation_level=None)
    try:
        for pragma in ("synchronous = OFF", "cache_size = -400000", "foreign_keys = OFF"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("BEGIN")
        _fill(db, facts, number=number, pending=pending)
        db.execute("COMMIT")
        facts["middle"] = db.execute(
            "SELECT m.id FROM messages m JOIN rooms r ON r.id = m.room_id WHERE r.name = ? AND m.seq = r.seq / 2",
            (ROOM,),
        ).fetchone()[0]
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA optimize")
    finally:
        db.close()
    (home / FACTS).write_text(json.dumps({**facts, "number": number}))
    return home


def facts_of(home: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((home / FACTS).read_text())
    return facts


def _set_up(api: Any) -> dict[str, Any]:
    computer = api.post("/api/computers/provision", name="many")
    agents = [f"agent-{place}" for place in range(AGENTS)]
    for agent in agents:
        api.post("/api/agents", agent_key=agent, runtime="demo", computer_id=computer["computer"]["id"])
    topics = []
    for place in range(ROOMS):
        room = api.post("/api/rooms", name=f"room-{place}")["room"]["id"]
        for agent in agents:
            api.post(f"/api/rooms/{room}/agents", agent=agent)
        topics += [
            (room, api.post(f"/api/rooms/{room}/topics", title=f"topic {topic}")["topic"]["id"])
            for topic in range(TOPICS)
        ]
    quiet = api.post("/api/rooms", name=QUIET)["room"]
    return {
        "workspace": api.get("/api/me")["me"]["workspace"],
        "computer": computer["computer"]["id"],
        "key": computer["api_key"],
        "agents": agents,
        "topics": topics,
        "quiet": [quiet["id"], quiet["default_topic"]],
    }


def _fill(db: sqlite3.Connection, facts: dict[str, Any], *, number: int, pending: int) -> None:
    workspace, topics = facts["workspace"], facts["topics"]
    first = db.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM messages").fetchone()[0]
    position = db.execute("SELECT position FROM workspaces WHERE id = ?", (workspace,)).fetchone()[0]
    seqs: dict[str, int] = {}

    def places() -> Iterator[tuple[int, int, str, int, str]]:
        """Message id, place in the row, room, topic, agent."""
        for place in range(number):
            room, topic = facts["quiet"] if place % QUIET_EVERY == 7 else topics[place % len(topics)]
            yield first + place, place, room, topic, facts["agents"][(place + place // len(topics)) % AGENTS]

    def messages() -> Iterator[tuple[Any, ...]]:
        for (id, place, room, topic, agent), text in zip(places(), _texts(number), strict=True):
            seqs[room] = seqs.get(room, 0) + 1
            client_id = f"{place * 2654435761 % 2**32:08x}-{place}"
            yield (
                id, workspace, room, topic, seqs[room], "text", "user", "owner", "owner", "user:many",
                f"@{agent} {text}", json.dumps([agent]), id, client_id, AT + place,
            )  # fmt: skip

    def deliveries() -> Iterator[tuple[Any, ...]]:
        for id, place, room, topic, agent in places():
            status = "pending" if place >= number - pending else "failed" if place % 1000 == 3 else "acked"
            at = AT + place
            yield workspace, room, topic, id, agent, "mention", status, 1, 3, at, id, at, at

    def events() -> Iterator[tuple[Any, ...]]:
        for id, place, room, _, _ in places():
            data = f'{{"id":{id},"room":"{room}","content":"one of very many messages, told to those who watch"}}'
            yield workspace, position + place + 1, room, "message.created", AT + place, data

    many: Callable[[str, Iterator[tuple[Any, ...]]], object] = db.executemany
    many(
        """INSERT INTO messages (id, workspace_id, room_id, topic_id, seq, kind, sender_kind, sender, sender_name,
                                 sender_key, content, mentions, chain_id, client_id, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        messages(),
    )
    many(
        """INSERT INTO deliveries (workspace_id, room_id, topic_id, message_id, agent, reason, status, attempts,
                                   max_attempts, not_before, chain_id, created_at, updated_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        deliveries(),
    )
    many(
        "INSERT INTO events (workspace_id, position, room_id, kind, at, data) VALUES (?, ?, ?, ?, ?, ?)",
        events(),
    )
    many(
        "INSERT INTO message_index (rowid, body, room) VALUES (?, ?, ?)",
        (
            (id, " ".join(words(text)), room_token(room))
            for (id, _, room, _, _), text in zip(places(), _texts(number), strict=True)
        ),
    )
    db.execute(
        """INSERT INTO client_ids (actor, client_id, verb, target, digest, created_at)
           SELECT sender_key, client_id, 'messages.send', id, hex(randomblob(16)), created_at
             FROM messages WHERE id >= ? ORDER BY id""",
        (first,),
    )
    db.execute(
        """INSERT INTO sessions (id, workspace_id, topic_id, agent, seen_message, created_at)
           SELECT 'session_' || id, workspace_id, topic_id, agent, message_id - 1, created_at
             FROM deliveries WHERE status = 'pending'"""
    )
    many("UPDATE rooms SET seq = seq + ? WHERE id = ?", ((seq, room) for room, seq in seqs.items()))
    db.execute("UPDATE workspaces SET position = position + ? WHERE id = ?", (number, workspace))
    # A thousand claims are measured in a row; limits are not what is measured.
    db.execute("UPDATE computers SET max_runs = 100000")
    db.execute("UPDATE agents SET concurrency = 100000")


def _texts(number: int) -> Iterator[str]:
    """The same every time it is asked: words as people use them, few very often and most seldom."""
    chance = random.Random(1)
    vocabulary = [f"word{place}" for place in range(WORDS)]
    weights = list(accumulate(1 / (place + 3) for place in range(WORDS)))

    def said() -> Iterator[str]:
        while True:
            yield from chance.choices(vocabulary, cum_weights=weights, k=10_000)

    stream = said()
    for place in range(number):
        text = " ".join(islice(stream, SAID))
        if place % RARE_EVERY == 11:
            text += f" {RARE}"
        if place % PHRASE_EVERY == 5:
            text += f" {PHRASE}"
        if place % CHINESE_EVERY == 9:
            text += f" {CHINESE}"
        yield text
