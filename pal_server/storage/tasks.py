"""Tasks, what they depend on and their verifications, as rows."""

import json

from pal_server.domain.actors import Actor
from pal_server.domain.runs import Status as RunStatus
from pal_server.domain.task_status import Work
from pal_server.domain.tasks import VERIFICATIONS_KEPT, Dependency, Outcome, Status, Task, Verification, Waiting
from pal_server.storage.patterns import containing
from pal_server.storage.tx import Row, Tx
from pal_server.storage.viewers import viewer

_MOST = 2**31 - 1  # more than any number


def add(tx: Tx, task: Task) -> None:
    tx.sql.run(
        "tasks.add",
        id=task.id,
        workspace_id=task.workspace_id,
        project_id=task.project_id,
        number=task.number,
        topic_id=task.topic_id,
        status=task.status,
        seen_run=task.seen_run,
        created_by=task.created_by,
        now=tx.now,
        **_plan(task),
    )
    tx.batch_cache.pop(("task_of", task.topic_id), None)


def put(tx: Tx, task: Task) -> None:
    """As of now. Title and archiving are its topic's, its dependencies are put apart."""
    tx.sql.run(
        "tasks.put",
        id=task.id,
        status=task.status,
        waiting=task.waiting,
        note=task.note,
        last_outcome=task.last_outcome,
        result=None if task.result is None else json.dumps(task.result, ensure_ascii=False),
        verified_at=task.verified_at,
        is_moved=int(task.is_moved),
        seen_run=task.seen_run,
        updated_at=task.updated_at,
        **_plan(task),
    )


def remove(tx: Tx, task: Task) -> None:
    """With what is known of it alone: its verifications, and what comes before and after it."""
    tx.sql.run("tasks.forget_dependencies", task_id=task.id)
    tx.sql.run("tasks.forget_all_verifications", task_id=task.id)
    tx.sql.run("tasks.remove", id=task.id)
    tx.batch_cache.pop(("task_of", task.topic_id), None)


def find(tx: Tx, *, workspace_id: str, id: str) -> Task | None:
    row = tx.sql.one("tasks.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _task(tx, row)


def lock_order(tx: Tx, *, project_id: str) -> None:
    """Until the commit nobody else says which task of the project comes after which."""
    if tx.has_other_writers:
        tx.sql.one("tasks.lock_order", project_id=project_id)


def find_locked(tx: Tx, *, workspace_id: str, id: str) -> Task | None:
    """As it is once nobody else changes it. Whoever locks a room too does that first."""
    if tx.has_other_writers:
        tx.sql.one("tasks.lock", id=id)
    return find(tx, workspace_id=workspace_id, id=id)


def id_of_topic(tx: Tx, *, topic_id: int) -> str | None:
    """Looked up once per commit: whatever changes in a topic asks for it."""
    key = ("task_of", topic_id)
    if key not in tx.batch_cache:
        row = tx.sql.one("tasks.id_of_topic", topic_id=topic_id)
        tx.batch_cache[key] = None if row is None else row["id"]
    found: str | None = tx.batch_cache[key]
    return found


def id_by_number(tx: Tx, *, project_id: str, number: int) -> str | None:
    row = tx.sql.one("tasks.id_by_number", project_id=project_id, number=number)
    return None if row is None else row["id"]


def ids_by_number(tx: Tx, *, workspace_id: str, number: int) -> list[str]:
    return [row["id"] for row in tx.sql.all("tasks.ids_by_number", workspace_id=workspace_id, number=number)]


def ids_by_prefix(tx: Tx, prefix: str, *, workspace_id: str) -> list[str]:
    rows = tx.sql.all("tasks.ids_by_prefix", workspace_id=workspace_id, prefix=prefix, past=prefix + "\x7f")
    return [row["id"] for row in rows]


def page(
    tx: Tx,
    *,
    actor: Actor,
    after: tuple[int, str],
    limit: int,
    project_id: str | None = None,
    topic_id: int | None = None,
    status: str | None = None,
    agent: str | None = None,
    owner: str | None = None,
    type: str | None = None,
    q: str = "",
    archived: bool = False,
) -> list[Task]:
    """By number, and by id where projects have the same; `after` is such a pair."""
    last = _MOST
    if topic_id is not None:
        task_id = id_of_topic(tx, topic_id=topic_id)
        own = None if task_id is None else find(tx, workspace_id=actor.workspace_id, id=task_id)
        if own is None:
            return []
        after, last = max(after, (own.number, "")), own.number
    rows = tx.sql.all(
        "tasks.page",
        workspace_id=actor.workspace_id,
        number=after[0],
        id=after[1],
        last=last,
        limit=limit,
        project_id=project_id,
        topic_id=topic_id,
        status=status,
        agent=agent,
        owner=owner,
        type=type,
        pattern=containing(q),
        archived=int(archived),
        **viewer(actor),
    )
    return [_task(tx, row) for row in rows]


def dependents(tx: Tx, *, task_id: str) -> list[str]:
    """The tasks that come after it."""
    return [row["task_id"] for row in tx.sql.all("tasks.dependents", task_id=task_id)]


def dependents_of_room(tx: Tx, *, room_id: str) -> list[str]:
    """The tasks of other rooms that come after one of this room."""
    return [row["task_id"] for row in tx.sql.all("tasks.dependents_of_room", room_id=room_id)]


def comes_before_itself(tx: Tx, *, task_id: str) -> bool:
    """Whether what it depends on, or what that depends on, depends on it."""
    return tx.sql.one("tasks.comes_before_itself", task_id=task_id) is not None


def unbegun_of(tx: Tx, *, project_id: str, created_by: str) -> int:
    """How many tasks somebody has planned in a project of which nothing came yet; archived ones are none."""
    row = tx.sql.one("tasks.unbegun_of", project_id=project_id, created_by=created_by)
    assert row is not None, "a count has a row"
    planned: int = row["planned"]
    return planned


def any_in_room(tx: Tx, *, room_id: str) -> bool:
    return tx.sql.one("tasks.any_in_room", room_id=room_id) is not None


def set_dependencies(tx: Tx, *, task_id: str, depends_on: list[str]) -> None:
    tx.sql.run("tasks.drop_dependencies", task_id=task_id)
    for other in depends_on:
        tx.sql.run("tasks.add_dependency", task_id=task_id, depends_on=other)


def work(tx: Tx, *, topic_id: int) -> Work:
    """What is going on in a topic."""
    counts = tx.sql.one("tasks.work", topic_id=topic_id)
    assert counts is not None, "a count has a row"
    run = tx.sql.one("tasks.newest_run", topic_id=topic_id)
    now = Work(open=counts["open"], asks=counts["asks"], died_at=counts["died_at"])
    if run is None:
        return now
    return Work(
        open=now.open,
        asks=now.asks,
        died_at=now.died_at,
        run_id=run["id"],
        run_status=RunStatus(run["status"]),
        run_at=run["created_at"],
        agent=run["agent"],
        is_given_up=run["delivery_status"] == "cancelled",
        result=None if run["result"] is None else json.loads(run["result"]),
    )


def add_verification(
    tx: Tx, *, task_id: str, command: str, exit_code: int, output: str, by: str, run_id: int | None
) -> Verification:
    """The newest `VERIFICATIONS_KEPT` of a task stay."""
    row = tx.sql.one(
        "tasks.add_verification",
        task_id=task_id,
        command=command,
        exit_code=exit_code,
        output=output,
        made_by=by,
        run_id=run_id,
        now=tx.now,
    )
    assert row is not None, "an insert returns its row"
    made = verification(tx, task_id=task_id, id=row["id"])
    assert made is not None, "it was written in this transaction"
    tx.sql.run("tasks.forget_verifications", task_id=task_id, kept=VERIFICATIONS_KEPT)
    return made


def verification(tx: Tx, *, task_id: str, id: int) -> Verification | None:
    row = tx.sql.one("tasks.verification", id=id, task_id=task_id)
    return None if row is None else _verification(row)


def verifications(tx: Tx, *, task_id: str, before: int, limit: int) -> list[Verification]:
    """Newest first."""
    return [
        _verification(row) for row in tx.sql.all("tasks.verifications", task_id=task_id, before=before, limit=limit)
    ]


def _plan(task: Task) -> dict[str, object]:
    return {
        "body": task.body,
        "acceptance": json.dumps(task.acceptance, ensure_ascii=False),
        "verification": task.verification,
        "verification_required": int(task.verification_required),
        "paths": json.dumps(task.paths, ensure_ascii=False),
        "references": json.dumps(task.references, ensure_ascii=False),
        "owner": task.owner,
        "agent": task.agent,
        "type": task.type,
        "order": float(task.order),
    }


def _task(tx: Tx, row: Row) -> Task:
    before = tx.sql.all("tasks.dependencies", task_id=row["id"]) if row["dependencies"] else []
    return Task(
        id=row["id"],
        workspace_id=row["workspace_id"],
        project_id=row["project_id"],
        project=row["project"],
        number=row["number"],
        topic_id=row["topic_id"],
        room_id=row["room_id"],
        title=row["title"],
        body=row["body"],
        acceptance=tuple(json.loads(row["acceptance"])),
        verification=row["verification"],
        verification_required=bool(row["verification_required"]),
        paths=tuple(json.loads(row["paths"])),
        references=tuple(json.loads(row["references"])),
        owner=row["owner"],
        agent=row["agent"],
        type=row["type"],
        order=row["order"],
        depends_on=tuple(Dependency(number=one["number"], status=Status(one["status"])) for one in before),
        status=Status(row["status"]),
        waiting=None if row["waiting"] is None else Waiting(row["waiting"]),
        note=row["note"],
        last_outcome=None if row["last_outcome"] is None else Outcome(row["last_outcome"]),
        result=None if row["result"] is None else json.loads(row["result"]),
        verified_at=row["verified_at"],
        is_moved=bool(row["is_moved"]),
        seen_run=row["seen_run"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        archived_at=row["archived_at"],
    )


def _verification(row: Row) -> Verification:
    return Verification(
        id=row["id"],
        task_id=row["task_id"],
        command=row["command"],
        exit_code=row["exit_code"],
        output=row["output"],
        by=row["made_by"],
        run_id=row["run_id"],
        created_at=row["created_at"],
    )
