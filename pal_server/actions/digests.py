"""Digests: a `periodic` agent gets one delivery per interval for all it has not read, none for nothing."""

from pal_server.actions import deliveries
from pal_server.actions.cards import SYSTEM
from pal_server.domain.addressing import Reason
from pal_server.storage import messages, rooms
from pal_server.storage.tx import Tx

STEP_LIMIT = 50  # members per step
NAMED = 50  # messages a digest points at


def any_due(tx: Tx) -> bool:
    """Whether `send_due` has anything to do."""
    return bool(rooms.due_digests(tx, limit=1))


def send_due(tx: Tx) -> int:
    """Send every digest that is due; how many members were looked at."""
    due = rooms.due_digests(tx, limit=STEP_LIMIT)
    for one in due:
        rooms.lock(tx, room_id=one.room_id)
        unread = messages.unread(tx, room_id=one.room_id, agent=one.agent, after_seq=one.after_seq, limit=NAMED + 1)
        room = rooms.find(tx, workspace_id=one.workspace_id, ref=one.room_id)
        members = {agent.key: agent for agent in rooms.agents_in(tx, room_id=one.room_id)}
        agent = members.get(one.agent)
        if unread and room is not None and agent is not None and agent.enabled:
            many = f"more than {NAMED} messages" if len(unread) > NAMED else f"{len(unread)} messages"
            digest = messages.add(
                tx,
                workspace_id=one.workspace_id,
                room_id=one.room_id,
                room_name=room.name,
                topic_id=one.topic_id,
                seq=rooms.next_seq(tx, room_id=one.room_id),
                parent_id=None,
                kind="system",
                sender=SYSTEM,
                content=(
                    f"Digest for {one.agent}: {many} since the last one. Read them with"
                    f" `pal cli messages list --room {room.name} --after {unread[0] - 1}`."
                ),
            )
            tx.emit(
                "message.created",
                workspace_id=one.workspace_id,
                room_id=one.room_id,
                data={**digest.fact(), "deliveries": []},
            )
            deliveries.hand_over(tx, room=room, message=digest, agent=agent, reason=Reason.PERIODIC)
        is_off = agent is not None and not agent.enabled  # what is unread then comes once it is enabled
        rooms.digested(tx, room_id=one.room_id, agent=one.agent, seq=one.after_seq if is_off else one.seq)
    return len(due)
