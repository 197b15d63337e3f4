"""Answers that were held because something newer was said: a person sends, revises or drops each of them, once."""

from typing import Any

from pal_server.actions import access, cards, deliveries, messages
from pal_server.domain.actors import Actor
from pal_server.domain.deliveries import Status as DeliveryStatus
from pal_server.domain.drafts import Choice, parse_choice
from pal_server.domain.messages import Message, Sender
from pal_server.domain.rooms import Topic
from pal_server.errors import Conflict
from pal_server.storage import agents as agent_rows
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage import messages as message_rows
from pal_server.storage import rooms, runs
from pal_server.storage.tx import Tx

QUOTED = 2_000  # characters of the held answer that go back to its agent


def choose(tx: Tx, *, actor: Actor, id: int, choice: str) -> Message:
    """What becomes of a held answer; the card as it is then. A second choice is a `Conflict`."""
    access.need_person(actor)
    chosen = parse_choice(choice)
    rooms.lock(tx, room_id=access.message(tx, actor, id).room_id)
    message = access.message(tx, actor, id)
    card = message.card or {}
    if card.get("type") != cards.DRAFT:
        raise Conflict("this message is no held answer", message=id)
    if card["status"] != "held":
        raise Conflict(f"it was {card['status']} already", message=id, status=card["status"])
    topic = rooms.speak_in_topic(tx, room_id=message.room_id, id=message.topic_id)
    if topic is None:
        raise Conflict("the topic is archived", topic=message.topic_id)
    made: dict[str, Any] = {}
    match chosen:
        case Choice.SEND:
            made = {"message": _send(tx, message=message, topic=topic)}
        case Choice.REVISE:
            made = {"message": _revise(tx, actor=actor, message=message)}
        case Choice.DROP:
            made = {}
    changed = {**card, "status": chosen.done, "answered_by": actor.name, "actions": [], **made}
    cards.change(tx, message=message, card=changed)
    return access.message(tx, actor, id)


def _send(tx: Tx, *, message: Message, topic: Topic) -> int:
    """As it was said; the id of the message."""
    card = message.card or {}
    draft = card["draft"]
    room = rooms.find(tx, workspace_id=message.workspace_id, ref=message.room_id)
    run = runs.find(tx, workspace_id=message.workspace_id, id=card["run"])
    assert room is not None, "a message has a room"
    assert run is not None, "a run is never removed"
    agent = agent_rows.get(tx, run.agent, workspace_id=run.workspace_id)
    parent = draft["parent"]
    sent = messages.say(
        tx,
        workspace_id=message.workspace_id,
        room=room,
        topic=topic,
        parent=None if parent is None else message_rows.find(tx, workspace_id=message.workspace_id, id=parent),
        sender=Sender(
            kind="agent",
            name=run.agent,
            display_name=run.agent if agent is None else agent.display_name,
            origin="",
            key=f"agent:{run.agent}",
        ),
        content=draft["content"],
        called=draft["mentions"],
        files=tuple(draft["files"]),
        run=run,
    )
    return sent.message.id


def _revise(tx: Tx, *, actor: Actor, message: Message) -> int:
    """A new turn, which is told what was said since; what else of that waits for the agent is part of it.

    The id of the message that asks for it.
    """
    card = message.card or {}
    agent = card["agent"]
    words = card["draft"]["content"][:QUOTED].replace("\n", "\n> ")
    content = f"@{agent} something newer was said before this went out. Look at it, and revise:\n\n> {words}"
    sent = messages.send(
        tx,
        actor=actor,
        content=content,
        topic=message.topic_id,
        parent=message.id,
        mentions=(agent,),
        steer="queue",
    )
    mine = next((made for made in sent.deliveries if made.agent == agent), None)
    if mine is None:
        raise Conflict(f"{agent} cannot be asked: {sent.receipts[0].text if sent.receipts else 'it is not here'}")
    for unread in card["unread"]:
        for waiting in delivery_rows.of_message(tx, message_id=unread):
            is_offered = waiting.steered_into is not None
            if waiting.agent == agent and waiting.status is DeliveryStatus.PENDING and not is_offered:
                deliveries.merge(tx, actor=actor, id=waiting.id, into=mine.id)
    return sent.message.id
