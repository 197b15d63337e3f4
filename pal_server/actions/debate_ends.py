"""How a debate ends: at its last turn, by a person, or with a turn that will never be said."""

from dataclasses import replace

from pal_server.actions import cards
from pal_server.domain.addressing import Reason
from pal_server.domain.deliveries import Delivery
from pal_server.storage import debates, rooms
from pal_server.storage.debates import Debate
from pal_server.storage.tx import Tx


def lost(tx: Tx, delivery: Delivery, *, why: str) -> None:
    """A delivery has ended without a run; when it was the turn a debate waits for, the debate ends and a card says why.

    The room's row is locked. `why` follows the name of the agent.
    """
    if delivery.reason is not Reason.DIRECT:
        return
    debate = debates.of_topic(tx, topic_id=delivery.topic_id)
    if debate is None or debate.status != "running" or delivery.agent != debate.next_agent:
        return
    give_up(tx, workspace_id=delivery.workspace_id, debate=debate, why=f"the turn of {delivery.agent} {why}")


def give_up(tx: Tx, *, workspace_id: str, debate: Debate, why: str, run: int | None = None) -> None:
    """End a debate that cannot go on, with a card that says why."""
    end(tx, workspace_id=workspace_id, debate=debate, status="stopped")
    room = rooms.find(tx, workspace_id=workspace_id, ref=debate.room_id)
    assert room is not None, "a debate has a room"
    cards.post(
        tx,
        workspace_id=workspace_id,
        room=room,
        topic_id=debate.topic_id,
        content=f"The debate ends here: {why}.",
        card={"type": "debate_stopped", "debate": debate.id, "run": run},
    )


def end(tx: Tx, *, workspace_id: str, debate: Debate, status: str) -> Debate:
    """Only a running debate ends; `status` is finished or stopped."""
    ended = replace(debate, status=status)
    debates.put(tx, ended)
    tell(tx, workspace_id, f"debate.{status}", ended)
    return ended


def tell(tx: Tx, workspace_id: str, kind: str, debate: Debate) -> None:
    """Append a debate's change to the log."""
    tx.emit(kind, workspace_id=workspace_id, room_id=debate.room_id, data=debate.fact())
