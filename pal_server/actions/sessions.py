"""Sessions: one agent's conversation in one topic, generation after generation. What was said stays in the topic."""

from pal_server.domain.runs import Session
from pal_server.storage import runs
from pal_server.storage.tx import Tx


def current(tx: Tx, *, workspace_id: str, topic_id: int, agent: str) -> Session:
    """The newest generation; the first one is made when there is none. The room's row is locked."""
    return runs.newest_session(tx, topic_id=topic_id, agent=agent) or _add(
        tx, workspace_id=workspace_id, topic_id=topic_id, agent=agent, generation=1
    )


def begin_anew(tx: Tx, *, workspace_id: str, topic_id: int, agent: str, seen_message: int | None = None) -> Session:
    """A new generation: the next run remembers nothing. With `seen_message` it is not even told what was said up to
    there. The room's row is locked.
    """
    newest = runs.newest_session(tx, topic_id=topic_id, agent=agent)
    generation = 1 if newest is None else newest.generation + 1
    session = _add(tx, workspace_id=workspace_id, topic_id=topic_id, agent=agent, generation=generation)
    if seen_message is not None:
        runs.session_has_seen(tx, id=session.id, message_id=seen_message, computer_id=None)
    return session


def _add(tx: Tx, *, workspace_id: str, topic_id: int, agent: str, generation: int) -> Session:
    return runs.add_session(
        tx,
        id=tx.new_id("session"),
        workspace_id=workspace_id,
        topic_id=topic_id,
        agent=agent,
        computer_id=None,
        generation=generation,
    )
