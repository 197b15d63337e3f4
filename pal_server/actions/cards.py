"""Cards: what pal itself says in a topic. They speak to people and are never delivered to an agent."""

from dataclasses import replace
from typing import Any

from pal_server.domain.deliveries import Delivery
from pal_server.domain.effects import Choice
from pal_server.domain.messages import Message, Sender
from pal_server.domain.rooms import Room
from pal_server.storage import messages, rooms
from pal_server.storage.tx import Tx

DRAFT = "draft"  # the type of the card of an answer that is held
INTERRUPTED = "interrupted"  # the type of the card of an interrupted run
SYSTEM = Sender(kind="system", name="pal", display_name="pal", origin="", key="system:pal")


def post(
    tx: Tx,
    *,
    workspace_id: str,
    room: Room,
    topic_id: int,
    content: str,
    card: dict[str, Any],
    parent_id: int | None = None,
    files: tuple[dict[str, Any], ...] = (),
) -> Message:
    """A card of pal's own in a topic: it says something to people and is never delivered to an agent."""
    message = messages.add(
        tx,
        workspace_id=workspace_id,
        room_id=room.id,
        room_name=room.name,
        topic_id=topic_id,
        seq=rooms.next_seq(tx, room_id=room.id),
        parent_id=parent_id,
        kind="card",
        sender=SYSTEM,
        content=content,
        files=files,
        card=card,
    )
    rooms.touch_topic(tx, id=topic_id)
    tx.emit("message.created", workspace_id=workspace_id, room_id=room.id, data={**message.fact(), "deliveries": []})
    return message


def answer(tx: Tx, *, room: Room, message: Message, content: str) -> Message:
    """Pal's own words in answer to a message; never delivered to an agent."""
    return say(tx, room=room, topic_id=message.topic_id, parent_id=message.id, content=content)


def say(tx: Tx, *, room: Room, topic_id: int, parent_id: int | None, content: str) -> Message:
    """Pal's own words in a topic, that ask nobody for anything; never delivered to an agent."""
    said = messages.add(
        tx,
        workspace_id=room.workspace_id,
        room_id=room.id,
        room_name=room.name,
        topic_id=topic_id,
        seq=rooms.next_seq(tx, room_id=room.id),
        parent_id=parent_id,
        kind="system",
        sender=SYSTEM,
        content=content,
    )
    tx.emit("message.created", workspace_id=said.workspace_id, room_id=room.id, data={**said.fact(), "deliveries": []})
    return said


def change(tx: Tx, *, message: Message, card: dict[str, Any]) -> None:
    messages.set_card(tx, id=message.id, card=card)
    changed = replace(message, card=card, edited_at=tx.now)
    tx.emit("message.edited", workspace_id=message.workspace_id, room_id=message.room_id, data=changed.fact())


def of_interrupted(tx: Tx, *, workspace_id: str, run_id: int, message_id: int | None) -> Message | None:
    """The card that asks what becomes of an interrupted run; `message_id` is what the run was for."""
    if message_id is None:
        return None
    for message in messages.cards_under(tx, parent_id=message_id):
        if message.card is not None and (message.card.get("type"), message.card.get("run")) == (INTERRUPTED, run_id):
            return message
    return None


def held_draft(tx: Tx, *, run_id: int, message_id: int | None) -> Message | None:
    """An answer of the run that waits for a person; `message_id` is what the run was for."""
    for message in [] if message_id is None else messages.cards_under(tx, parent_id=message_id):
        card = message.card or {}
        if (card.get("type"), card.get("run"), card.get("status")) == (DRAFT, run_id, "held"):
            return message
    return None


def close_interrupted(
    tx: Tx, *, delivery: Delivery, choice: Choice, by: str, more: dict[str, Any] | None = None
) -> None:
    """A person has chosen, by the card or in another way: it asks nobody any more. The room's row is locked."""
    if delivery.run_id is None:
        return
    found = of_interrupted(
        tx, workspace_id=delivery.workspace_id, run_id=delivery.run_id, message_id=delivery.message_id
    )
    if found is not None and found.card is not None and found.card.get("status") == "pending":
        answered = {"status": "answered", "choice": choice, "answered_by": by, "actions": []}
        change(tx, message=found, card={**found.card, **answered, **(more or {})})
