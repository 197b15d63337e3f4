"""A topic that is a task, for tests in which all sorts of things happen: the task has to be what they make of it."""

from pal_server.actions import projects as project_actions
from pal_server.actions import tasks as task_actions
from pal_server.domain.task_status import follow
from pal_server.storage import projects, tasks
from pal_server.storage.tx import Tx
from tests.support.bus import Bus


def make_task(tx: Tx, *, bus: Bus, topic: int) -> str:
    """The topic becomes a task of the one project there is; the task's id."""
    if projects.find(tx, workspace_id="w", ref="shop") is None:
        project_actions.create(tx, actor=bus.people.owner, key="shop", room=bus.room.id)
    return task_actions.promote(tx, actor=bus.people.owner, topic=topic, plan=task_actions.Plan()).id


def check_followed(tx: Tx, *, id: str) -> None:
    """Nothing that moves the task went by unseen."""
    task = tasks.find(tx, workspace_id="w", id=id)
    assert task is not None
    assert follow(task, tasks.work(tx, topic_id=task.topic_id)) == task
