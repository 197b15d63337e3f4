"""Topics: what they are called and whether they are open. They are made in `rooms`."""

from dataclasses import replace

from pal_server.actions import access, task_progress
from pal_server.domain.actors import Actor
from pal_server.domain.rooms import Topic, parse_title, title_from
from pal_server.domain.runs import Run
from pal_server.errors import Conflict
from pal_server.storage import deliveries, messages, rooms
from pal_server.storage.tx import Tx


def get(tx: Tx, *, actor: Actor, id: int) -> Topic:
    return access.topic(tx, actor, id)


def change(tx: Tx, *, actor: Actor, id: int, title: str | None = None, archived: bool | None = None) -> Topic:
    """Name it, close it or open it again; None leaves a thing as it is. A name that a person gave stays."""
    access.need_person(actor)
    topic = access.topic(tx, actor, id)
    rooms.lock(tx, room_id=topic.room_id)
    topic = access.topic(tx, actor, id)
    wanted = topic
    if title is not None:
        wanted = replace(wanted, title=parse_title(title), is_placeholder=False)
    if archived is not None and archived != (topic.archived_at is not None):
        if archived:
            _need_closable(tx, topic)
        wanted = replace(wanted, archived_at=tx.now if archived else None)
    if wanted == topic:
        return topic
    _store(tx, actor.workspace_id, wanted)
    return wanted


def name_after_first_run(tx: Tx, *, run: Run) -> None:
    """A run has succeeded in a topic that nobody has named: its first words do. Once, and never over a person's name.

    The room's row is locked.
    """
    topic = rooms.find_topic(tx, workspace_id=run.workspace_id, id=run.topic_id)
    if topic is None or not topic.is_placeholder:
        return
    first = messages.first_words(tx, topic_id=topic.id)
    title = None if first is None else title_from(first)
    if title is not None:
        _store(tx, run.workspace_id, replace(topic, title=title, is_placeholder=False))


def _need_closable(tx: Tx, topic: Topic) -> None:
    if topic.is_default:
        raise Conflict("the default topic of a room stays open: archive the room instead", topic=topic.id)
    if deliveries.any_at_work(tx, topic_id=topic.id):
        raise Conflict("agents work in this topic or are about to: stop them first", topic=topic.id)


def _store(tx: Tx, workspace_id: str, topic: Topic) -> None:
    rooms.change_topic(tx, topic)
    tx.emit("topic.changed", workspace_id=workspace_id, room_id=topic.room_id, data=topic.fact())
    task_progress.tell(tx, workspace_id=workspace_id, topic_id=topic.id)
