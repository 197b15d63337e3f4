"""Interactions, as rows."""

from dataclasses import asdict
from typing import Any

import msgspec

from pal_server.domain.actors import Actor
from pal_server.domain.interactions import Approval, Interaction, Kind, Status
from pal_server.domain.questions import Question, load_questions
from pal_server.errors import Conflict
from pal_server.storage.tx import Row, Tx
from pal_server.storage.viewers import viewer

_decode = msgspec.json.Decoder().decode


def add(
    tx: Tx,
    *,
    workspace_id: str,
    room_id: str,
    topic_id: int,
    run_id: int | None,
    chain_id: int | None,
    key: str,
    agent: str | None,
    kind: Kind,
    title: str,
    body: str,
    options: tuple[str, ...],
    hash: str,
    held: tuple[int, ...] = (),
    deny_at: int | None = None,
    folder: str = "",
    needs: int = 1,
    questions: tuple[Question, ...] = (),
    version: int | None = None,
    decision_id: int | None = None,
) -> int:
    row = tx.sql.one(
        "interactions.add",
        workspace_id=workspace_id,
        room_id=room_id,
        topic_id=topic_id,
        run_id=run_id,
        chain_id=chain_id,
        key=key,
        agent=agent,
        kind=kind,
        title=title,
        body=body,
        options=_text(options),
        hash=hash,
        held=_text(held),
        deny_at=deny_at,
        folder=folder,
        needs=needs,
        version=version,
        decision_id=decision_id,
        questions=_text([question.fact() for question in questions]),
        now=tx.now,
    )
    assert row is not None, "an insert returns its row"
    return int(row["id"])


def find(tx: Tx, *, workspace_id: str, id: int) -> Interaction | None:
    row = tx.sql.one("interactions.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _interaction(row)


def by_key(tx: Tx, *, run_id: int, key: str) -> Interaction | None:
    row = tx.sql.one("interactions.by_key", run_id=run_id, key=key)
    return None if row is None else _interaction(row)


def pending_of_chain(tx: Tx, *, chain_id: int) -> Interaction | None:
    row = tx.sql.one("interactions.pending_of_chain", chain_id=chain_id)
    return None if row is None else _interaction(row)


def pending_of_run(tx: Tx, *, run_id: int) -> list[Interaction]:
    return [_interaction(row) for row in tx.sql.all("interactions.pending_of_run", run_id=run_id)]


def unsettled_of_run(tx: Tx, *, run_id: int) -> list[Interaction]:
    """Those that still wait, for a person or for the program to take the answer."""
    return [_interaction(row) for row in tx.sql.all("interactions.unsettled_of_run", run_id=run_id)]


def pending_of_lane(tx: Tx, *, workspace_id: str, topic_id: int, agent: str) -> Interaction | None:
    """The newest that a run of the agent in the topic waits for."""
    row = tx.sql.one("interactions.pending_of_lane", workspace_id=workspace_id, topic_id=topic_id, agent=agent)
    return None if row is None else _interaction(row)


def count_plans(tx: Tx, *, run_id: int) -> int:
    row = tx.sql.one("interactions.count_plans", run_id=run_id)
    return 0 if row is None else int(row["number"])


def open_of_run(tx: Tx, *, run_id: int) -> int:
    """How many `unsettled_of_run` would find."""
    row = tx.sql.one("interactions.open_of_run", run_id=run_id)
    return 0 if row is None else int(row["number"])


def same_in_room(tx: Tx, *, room_id: str, action_hash: str, before: int, limit: int) -> list[Interaction]:
    """Answered requests for exactly the same, newest first."""
    rows = tx.sql.all("interactions.same_in_room", room_id=room_id, action_hash=action_hash, before=before, limit=limit)
    return [_interaction(row) for row in rows]


def recall(tx: Tx, *, id: int, action_hash: str, suggestion: dict[str, Any] | None) -> None:
    """Keep what it is the same as, and what history suggests."""
    text = None if suggestion is None else _text(suggestion)
    tx.sql.run("interactions.recall", id=id, action_hash=action_hash, suggestion=text)


def any_overdue(tx: Tx) -> bool:
    return tx.sql.one("interactions.any_overdue", now=tx.now) is not None


def overdue(tx: Tx, *, limit: int) -> list[Interaction]:
    return [_interaction(row) for row in tx.sql.all("interactions.overdue", now=tx.now, limit=limit)]


def put(tx: Tx, new: Interaction, *, was: Status) -> None:
    """Store a transition; `Conflict` when somebody was quicker."""
    changed = tx.sql.run(
        "interactions.put",
        id=new.id,
        status=new.status,
        answer=None if new.answer is None else _text(new.answer),
        answered_by=new.answered_by,
        answered_at=new.answered_at,
        message_id=new.message_id,
        held=_text(new.held),
        approvals=_text([asdict(approval) for approval in new.approvals]),
        was_status=was,
    )
    if not changed:
        raise Conflict("somebody answered a moment ago", interaction=new.id)


def page(
    tx: Tx,
    *,
    actor: Actor,
    before: int,
    limit: int,
    status: str | None,
    topic_id: int | None,
    run_id: int | None,
    kind: str | None,
) -> list[Interaction]:
    """Newest first."""
    rows = tx.sql.all(
        "interactions.page",
        workspace_id=actor.workspace_id,
        before=before,
        limit=limit,
        status=status,
        topic_id=topic_id,
        run_id=run_id,
        asked_kind=kind,
        **viewer(actor),
    )
    return [_interaction(row) for row in rows]


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _interaction(row: Row) -> Interaction:
    return Interaction(
        id=row["id"],
        workspace_id=row["workspace_id"],
        room_id=row["room_id"],
        topic_id=row["topic_id"],
        run_id=row["run_id"],
        chain_id=row["chain_id"],
        key=row["key"],
        agent=row["agent"],
        kind=Kind(row["kind"]),
        status=Status(row["status"]),
        title=row["title"],
        body=row["body"],
        options=tuple(_decode(row["options"])),
        hash=row["hash"],
        held=tuple(_decode(row["held"])),
        answer=None if row["answer"] is None else _decode(row["answer"]),
        answered_by=row["answered_by"],
        message_id=row["message_id"],
        created_at=row["created_at"],
        answered_at=row["answered_at"],
        deny_at=row["deny_at"],
        folder=row["folder"],
        needs=row["needs"],
        approvals=tuple(Approval(**one) for one in _decode(row["approvals"])),
        version=row["version"],
        decision_id=row["decision_id"],
        questions=load_questions(_decode(row["questions"])),
        suggestion=None if row["suggestion"] is None else _decode(row["suggestion"]),
    )
