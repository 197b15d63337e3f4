"""The one place where tasks change and follow the work in their topics.

Whatever changes deliveries, runs or cards of a topic calls `look` in its own transaction, after the change. The rule is
`domain.task_status`.
"""

from collections.abc import Iterable
from dataclasses import replace

from pal_server.domain.task_status import follow, unblocked
from pal_server.domain.tasks import Status, Task
from pal_server.storage import tasks
from pal_server.storage.tx import Tx


def look(tx: Tx, *, workspace_id: str, topic_id: int) -> None:
    """Let the topic's task, where it is one, be what its work makes of it. Often costs one look-up, and never harms."""
    task_id = tasks.id_of_topic(tx, topic_id=topic_id)
    if task_id is None:
        return
    task = tasks.find_locked(tx, workspace_id=workspace_id, id=task_id)
    if task is None:  # it was deleted a moment ago
        return
    store(tx, follow(task, tasks.work(tx, topic_id=topic_id)), was=task)


def store(tx: Tx, task: Task, *, was: Task) -> Task:
    """Write what has changed, tell it, and let go on what came after it. Its row is locked."""
    if task == was:
        return was
    changed = replace(task, updated_at=tx.now)
    tasks.put(tx, changed)
    _emit(tx, changed)
    if (was.status is Status.DONE) != (changed.status is Status.DONE):
        let_go(tx, tasks.dependents(tx, task_id=task.id), workspace_id=task.workspace_id)
    return changed


def tell(tx: Tx, *, workspace_id: str, topic_id: int) -> None:
    """The topic has another name, or was archived: so was its task."""
    task_id = tasks.id_of_topic(tx, topic_id=topic_id)
    task = None if task_id is None else tasks.find(tx, workspace_id=workspace_id, id=task_id)
    if task is not None:
        _emit(tx, task)


def let_go(tx: Tx, ids: Iterable[str], *, workspace_id: str) -> None:
    """Something that these come after is done, or not any more, or there no more."""
    for id in ids:
        _tell_dependent(tx, workspace_id=workspace_id, id=id)


def _tell_dependent(tx: Tx, *, workspace_id: str, id: str) -> None:
    task = tasks.find_locked(tx, workspace_id=workspace_id, id=id)
    if task is None:
        return
    freed = unblocked(task)
    if freed != task:
        freed = replace(freed, updated_at=tx.now)
        tasks.put(tx, freed)
    _emit(tx, freed)


def _emit(tx: Tx, task: Task) -> None:
    tx.emit("task.updated", workspace_id=task.workspace_id, room_id=task.room_id, data=task.fact())
