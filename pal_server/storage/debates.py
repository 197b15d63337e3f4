"""Debates, as rows."""

from dataclasses import dataclass
from typing import Any

from pal_server.storage.tx import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Debate:
    """Two agents take turns; `taken` counts the messages they have said."""

    id: str
    room_id: str
    topic_id: int
    a: str
    b: str
    turns: int
    taken: int
    status: str

    @property
    def next_agent(self) -> str:
        return self.a if self.taken % 2 == 0 else self.b

    def fact(self) -> dict[str, Any]:
        """The debate as others see it."""
        return {
            "id": self.id,
            "topic": self.topic_id,
            "a": self.a,
            "b": self.b,
            "turns": self.turns,
            "taken": self.taken,
            "status": self.status,
        }


def add(tx: Tx, *, id: str, workspace_id: str, room_id: str, topic_id: int, a: str, b: str, turns: int) -> Debate:
    tx.sql.run(
        "debates.add",
        id=id,
        workspace_id=workspace_id,
        room_id=room_id,
        topic_id=topic_id,
        a=a,
        b=b,
        turns=turns,
        now=tx.now,
    )
    return Debate(id=id, room_id=room_id, topic_id=topic_id, a=a, b=b, turns=turns, taken=0, status="running")


def find(tx: Tx, *, workspace_id: str, id: str) -> Debate | None:
    row = tx.sql.one("debates.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _debate(row)


def of_topic(tx: Tx, *, topic_id: int) -> Debate | None:
    row = tx.sql.one("debates.of_topic", topic_id=topic_id)
    return None if row is None else _debate(row)


def put(tx: Tx, debate: Debate) -> None:
    """Only a running debate changes."""
    tx.sql.run("debates.put", id=debate.id, taken=debate.taken, status=debate.status)


def _debate(row: Row) -> Debate:
    return Debate(
        id=row["id"],
        room_id=row["room_id"],
        topic_id=row["topic_id"],
        a=row["a"],
        b=row["b"],
        turns=row["turns"],
        taken=row["taken"],
        status=row["status"],
    )
