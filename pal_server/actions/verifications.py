"""Verifications: somebody has run a task's verification command in their folder and says what came of it.

pal runs no command itself and believes who reports: a person, or a run of the task's own topic. Both are shown.
"""

from dataclasses import replace

from pal_server.actions import access, cards, client_ids, task_progress, tasks
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.pages import Page, page_of, parse_after, parse_limit
from pal_server.domain.tasks import OUTPUT_LIMIT, Status, Task, Verification, move
from pal_server.errors import Conflict, NotFound
from pal_server.storage import rooms
from pal_server.storage import tasks as task_rows
from pal_server.storage.tx import Tx

_NEWEST = 2**62  # above every id


def record(
    tx: Tx,
    *,
    actor: Actor,
    task: str,
    command: str,
    exit_code: int,
    output: str,
    project: str | None = None,
    client_id: str | None = None,
) -> tuple[Task, Verification]:
    """Keep the end of what it printed, and show it in the topic where the last one came out otherwise. A pass makes a
    task that is in review done, when a person reports it; what it means for an agent's work is decided when its run
    ends.
    """
    found = access.task(tx, actor, task, project=project)
    tasks.need_hand(actor, found)
    said = {"task": found.id, "command": command, "exit_code": exit_code, "output": output}
    verb = "verifications.record"
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb=verb, said=said)) is not None:
        known = task_rows.verification(tx, task_id=found.id, id=int(made))
        if known is None:
            raise Conflict("that verification was kept, and newer ones have taken its place", task=found.code)
        return found, known
    rooms.lock(tx, room_id=found.room_id)
    was = task_rows.find_locked(tx, workspace_id=actor.workspace_id, id=found.id)
    if was is None:
        raise NotFound(f"{found.code} was deleted a moment ago", task=found.code)
    if was.archived_at is not None:
        raise Conflict(f"{was.code} is archived", task=was.code)
    if not was.verification or command != was.verification:
        raise Conflict(f"the verification of {was.code} is another one", task=was.code, verification=was.verification)
    last = task_rows.verifications(tx, task_id=was.id, before=_NEWEST, limit=1)
    verification = task_rows.add_verification(
        tx,
        task_id=was.id,
        command=command,
        exit_code=exit_code,
        output=output[-OUTPUT_LIMIT:],
        by=actor.name,
        run_id=actor.run_id,
    )
    client_ids.remember(tx, actor=actor, client_id=client_id, verb=verb, said=said, target=verification.id)
    changed = replace(was, verified_at=tx.now if verification.passed else None)
    if verification.passed and was.status is Status.REVIEW and actor.kind is not ActorKind.RUN:
        work = task_rows.work(tx, topic_id=was.topic_id)
        changed = move(changed, to=Status.DONE, note="", newest_run=work.run_id, verified_since=work.run_at)
    if not last or (last[0].command, last[0].passed) != (command, verification.passed):
        _show(tx, actor=actor, task=was, verification=verification)
    return task_progress.store(tx, changed, was=was), verification


def list_page(
    tx: Tx, *, actor: Actor, task: str, project: str | None = None, after: str | None = None, limit: int = 50
) -> Page[Verification]:
    """Newest first."""
    found = access.task(tx, actor, task, project=project)
    limit = parse_limit(limit)
    before = parse_after(after)
    rows = task_rows.verifications(tx, task_id=found.id, before=_NEWEST if before is None else before, limit=limit + 1)
    return page_of(rows, limit=limit, cursor=lambda one: str(one.id))


def _show(tx: Tx, *, actor: Actor, task: Task, verification: Verification) -> None:
    room = access.room(tx, actor, task.room_id)
    what = "passed" if verification.passed else f"failed with exit code {verification.exit_code}"
    cards.post(
        tx,
        workspace_id=task.workspace_id,
        room=room,
        topic_id=task.topic_id,
        content=f"{task.code}: the verification {what}, run by {verification.by}: {verification.command}",
        card={
            "type": "verification",
            "task": task.code,
            "verification": verification.id,
            "passed": verification.passed,
            "actions": [],
        },
    )
