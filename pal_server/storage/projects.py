"""Projects as rows."""

import json

from pal_server.domain.actors import Actor
from pal_server.domain.projects import Coded, Project
from pal_server.storage import rooms
from pal_server.storage.tx import Row, Tx
from pal_server.storage.viewers import viewer

_COUNTERS = {
    Coded.TASK: "projects.next_task",
    Coded.DECISION: "projects.next_decision",
    Coded.REQUIREMENT: "projects.next_requirement",
}


def add(tx: Tx, project: Project) -> None:
    tx.sql.run(
        "projects.add",
        id=project.id,
        workspace_id=project.workspace_id,
        key=project.key,
        name=project.name,
        goal=project.goal,
        rules=json.dumps(project.rules, ensure_ascii=False),
        tech_stack=json.dumps(project.tech_stack, ensure_ascii=False),
        default_room=project.default_room,
        created_by=project.created_by,
        now=project.created_at,
    )


def change(tx: Tx, project: Project) -> None:
    tx.sql.run(
        "projects.change",
        id=project.id,
        name=project.name,
        goal=project.goal,
        rules=json.dumps(project.rules, ensure_ascii=False),
        tech_stack=json.dumps(project.tech_stack, ensure_ascii=False),
        default_room=project.default_room,
        archived_at=project.archived_at,
        now=project.updated_at,
    )


def find(tx: Tx, *, workspace_id: str, ref: str) -> Project | None:
    """By id or by key."""
    name = "projects.by_id" if ref.startswith("project_") else "projects.by_key"
    row = tx.sql.one(name, workspace_id=workspace_id, ref=ref)
    return None if row is None else _project(row)


def find_by_prefix(tx: Tx, prefix: str, *, workspace_id: str) -> list[str]:
    rows = tx.sql.all("projects.by_prefix", workspace_id=workspace_id, prefix=prefix, past=prefix + "\x7f")
    return [row["id"] for row in rows]


def page(tx: Tx, *, workspace_id: str, after: str, limit: int) -> list[Project]:
    """All there are, by key."""
    rows = tx.sql.all("projects.page", workspace_id=workspace_id, after=after, limit=limit)
    return [_project(row) for row in rows]


def page_seen(tx: Tx, *, actor: Actor, after: str, limit: int) -> list[Project]:
    """Those of which the actor sees a room, by key."""
    rows = tx.sql.all("projects.page_seen", workspace_id=actor.workspace_id, after=after, limit=limit, **_viewer(actor))
    return [_project(row) for row in rows]


def sees(tx: Tx, *, actor: Actor, project_id: str) -> bool:
    """Whether the actor sees a room of it."""
    return tx.sql.one("projects.sees", project_id=project_id, **_viewer(actor)) is not None


def next_number(tx: Tx, *, id: str, kind: Coded) -> int:
    """The number of the next thing of this kind, from 1; holds the project's row until the commit. Numbers of what was
    rolled back are given again, all others never. Whoever locks a room too does that first.
    """
    row = tx.sql.one(_COUNTERS[kind], id=id)
    assert row is not None, "the project was looked up in this transaction"
    return int(row["number"])


def approvers(tx: Tx, *, id: str) -> int:
    """How many have to approve what is for the whole project: as many as the strictest of its rooms says."""
    row = tx.sql.one("projects.approvers", id=id)
    return 1 if row is None else int(row["number"])


def set_room(tx: Tx, *, room_id: str, project_id: str | None) -> None:
    tx.sql.run("projects.set_room", room_id=room_id, project_id=project_id)
    rooms.forget(tx, room_id=room_id)


def _viewer(actor: Actor) -> dict[str, str]:
    """Those who know of a project by a room alone appear in one way."""
    who = viewer(actor)
    return {"kind": who["kind"], "principal": who["principal"]}


def _project(row: Row) -> Project:
    return Project(
        id=row["id"],
        workspace_id=row["workspace_id"],
        key=row["key"],
        name=row["name"],
        goal=row["goal"],
        rules=tuple(json.loads(row["rules"])),
        tech_stack=tuple(json.loads(row["tech_stack"])),
        default_room=row["default_room"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        archived_at=row["archived_at"],
    )
