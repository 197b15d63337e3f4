"""Decisions as rows."""

from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.decisions import Decision, Status
from pal_server.domain.projects import Project
from pal_server.domain.rooms import Topic
from pal_server.errors import Conflict
from pal_server.storage.patterns import containing
from pal_server.storage.tx import Row, Tx
from pal_server.storage.viewers import viewer


def add(
    tx: Tx,
    *,
    project: Project,
    number: int,
    title: str,
    rationale: str,
    by: Actor,
    supersedes: int | None,
    topic: Topic,
) -> int:
    row = tx.sql.one(
        "decisions.add",
        workspace_id=project.workspace_id,
        project_id=project.id,
        number=number,
        title=title,
        rationale=rationale,
        proposed_by=by.name,
        proposer=by.key,
        supersedes=supersedes,
        room_id=topic.room_id,
        topic_id=topic.id,
        now=tx.now,
    )
    assert row is not None, "an insert returns its row"
    return int(row["id"])


def show(tx: Tx, *, id: int, message_id: int, interaction_id: int) -> None:
    """Where people answer it."""
    tx.sql.run("decisions.show", id=id, message_id=message_id, interaction_id=interaction_id)


def put(tx: Tx, new: Decision, *, was: Status) -> None:
    """Store a transition; `Conflict` when somebody was quicker."""
    changed = tx.sql.run(
        "decisions.put",
        id=new.id,
        status=new.status,
        superseded_by=new.superseded_by,
        decided_by=new.decided_by,
        decided_at=new.decided_at,
        reason=new.reason,
        updated_at=new.updated_at,
        was_status=was,
    )
    if not changed:
        raise Conflict("somebody settled it a moment ago", decision=new.code)


def get(tx: Tx, id: int) -> Decision:
    """One that is there."""
    row = tx.sql.one("decisions.by_id", id=id)
    assert row is not None, "decisions are never removed"
    return _decision(row)


def by_number(tx: Tx, *, project_id: str, number: int) -> Decision | None:
    row = tx.sql.one("decisions.by_number", project_id=project_id, number=number)
    return None if row is None else _decision(row)


def page(tx: Tx, *, project_id: str, q: str | None, status: str | None, before: int, limit: int) -> list[Decision]:
    """Newest first."""
    rows = tx.sql.all(
        "decisions.page", project_id=project_id, pattern=containing(q), status=status, before=before, limit=limit
    )
    return [_decision(row) for row in rows]


def page_everywhere(
    tx: Tx,
    *,
    actor: Actor,
    knows_all: bool,
    project_id: str | None,
    q: str | None,
    status: str | None,
    before: int,
    limit: int,
) -> list[Decision]:
    """Of all projects, or of those of which the actor sees a room; newest first."""
    who = viewer(actor)
    rows = tx.sql.all(
        "decisions.page_everywhere",
        workspace_id=actor.workspace_id,
        knows_all=int(knows_all),
        kind=who["kind"],
        principal=who["principal"],
        project_id=project_id,
        pattern=containing(q),
        status=status,
        before=before,
        limit=limit,
    )
    return [_decision(row) for row in rows]


def count_proposed_by_runs(tx: Tx, *, project_id: str) -> int:
    row = tx.sql.one("decisions.count_proposed_by_runs", project_id=project_id, beginning=f"{ActorKind.RUN}:%")
    return 0 if row is None else int(row["number"])


def approved(tx: Tx, *, project_id: str, characters: int, limit: int) -> list[Decision]:
    """Those that hold, newest first; of each rationale the beginning."""
    rows = tx.sql.all("decisions.approved", project_id=project_id, characters=characters, limit=limit)
    return [_decision(row) for row in rows]


def _decision(row: Row) -> Decision:
    return Decision(
        id=row["id"],
        workspace_id=row["workspace_id"],
        project_id=row["project_id"],
        number=row["number"],
        title=row["title"],
        rationale=row["rationale"],
        status=Status(row["status"]),
        proposed_by=row["proposed_by"],
        proposer=row["proposer"],
        supersedes=row["supersedes"],
        superseded_by=row["superseded_by"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        reason=row["reason"],
        room_id=row["room_id"],
        topic_id=row["topic_id"],
        message_id=row["message_id"],
        interaction_id=row["interaction_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
