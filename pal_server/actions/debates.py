"""Debates: two agents take turns in a topic of their own, for a set number of messages."""

from dataclasses import replace

from pal_server.actions import access, client_ids, debate_ends, deliveries
from pal_server.domain.actors import Actor
from pal_server.domain.addressing import Reason
from pal_server.domain.messages import Message, Sender
from pal_server.domain.rooms import AgentMember, Mode, Room, parse_title
from pal_server.domain.runs import Run
from pal_server.errors import Invalid, NotFound
from pal_server.storage import debates, messages, rooms
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage.debates import Debate
from pal_server.storage.tx import Tx

TURNS_MAX = 100


def start(
    tx: Tx, *, actor: Actor, room: str, a: str, b: str, subject: str, turns: int = 6, client_id: str | None = None
) -> Debate:
    """A new topic, the subject as its first message, and the first turn for `a`."""
    access.need_person(actor)
    found = access.room(tx, actor, room)
    said = {"room": found.id, "a": a, "b": b, "subject": subject, "turns": turns}
    if (
        target := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="debates.start", said=said)
    ) is not None:
        return get(tx, actor=actor, id=target)
    if not 1 <= turns <= TURNS_MAX:
        raise Invalid(f"turns lies between 1 and {TURNS_MAX}", field="turns", value=turns)
    if a == b:
        raise Invalid("a debate needs two agents", field="b")
    if not subject.strip():
        raise Invalid("subject is empty: what shall they talk about?", field="subject")
    first = _agent(tx, room=found, key=a)
    _agent(tx, room=found, key=b)
    rooms.lock(tx, room_id=found.id)
    title = " ".join(subject.split())
    topic_id = rooms.add_topic(
        tx,
        room_id=found.id,
        title=parse_title(title if len(title) <= 100 else title[:99] + "…"),
        is_default=False,
        created_by=actor.key,
    )
    topic = access.topic(tx, actor, topic_id)
    tx.emit("topic.created", workspace_id=actor.workspace_id, room_id=found.id, data=topic.fact())
    debate = debates.add(
        tx,
        id=tx.new_id("debate"),
        workspace_id=actor.workspace_id,
        room_id=found.id,
        topic_id=topic_id,
        a=a,
        b=b,
        turns=turns,
    )
    opening = _open(tx, actor=actor, room=found, topic_id=topic_id, subject=subject)
    deliveries.hand_over(tx, room=found, message=opening, agent=first, reason=Reason.DIRECT)
    debate_ends.tell(tx, actor.workspace_id, "debate.started", debate)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="debates.start", said=said, target=debate.id)
    return debate


def stop(tx: Tx, *, actor: Actor, id: str) -> Debate:
    """No turn after this one; a turn that waits is dropped. Stopping twice is fine."""
    access.need_person(actor)
    debate = get(tx, actor=actor, id=id)
    if debate.status != "running":
        return debate
    rooms.lock(tx, room_id=debate.room_id)
    stopped = debate_ends.end(tx, workspace_id=actor.workspace_id, debate=debate, status="stopped")
    waiting = delivery_rows.pending_of_agent(tx, workspace_id=actor.workspace_id, agent=debate.next_agent, limit=500)
    for delivery in waiting:
        if delivery.topic_id == debate.topic_id and delivery.reason is Reason.DIRECT:
            deliveries.drop(tx, delivery)
    return stopped


def get(tx: Tx, *, actor: Actor, id: str) -> Debate:
    debate = debates.find(tx, workspace_id=actor.workspace_id, id=id)
    if debate is None or not rooms.sees(tx, actor=actor, room_id=debate.room_id):
        raise NotFound("there is no such debate", debate=id)
    return debate


def turn_ended(tx: Tx, *, run: Run) -> None:
    """Hand the next turn over when this one has said something; otherwise end the debate and say why."""
    debate = debates.of_topic(tx, topic_id=run.topic_id)
    if debate is None or debate.status != "running" or run.agent != debate.next_agent:
        return
    room = rooms.find(tx, workspace_id=run.workspace_id, ref=run.room_id)
    assert room is not None, "a run has a room"
    said = messages.last_of_run(tx, topic_id=run.topic_id, run_id=run.id)
    if said is None:
        why = f"the turn of {run.agent} {run.status} and said nothing"
        debate_ends.give_up(tx, workspace_id=run.workspace_id, debate=debate, why=why, run=run.id)
        return
    taken = replace(debate, taken=debate.taken + 1)
    if taken.taken >= taken.turns:
        debate_ends.end(tx, workspace_id=run.workspace_id, debate=taken, status="finished")
        return
    debates.put(tx, taken)
    debate_ends.tell(tx, run.workspace_id, "debate.continued", taken)
    members = {agent.key: agent for agent in rooms.agents_in(tx, room_id=room.id)}
    following = members.get(taken.next_agent)
    if following is None:
        why = f"{taken.next_agent} is not in the room any more"
        debate_ends.give_up(tx, workspace_id=run.workspace_id, debate=taken, why=why, run=run.id)
        return
    deliveries.hand_over(tx, room=room, message=said, agent=following, reason=Reason.DIRECT)


def _open(tx: Tx, *, actor: Actor, room: Room, topic_id: int, subject: str) -> Message:
    sender = Sender(
        kind="user", name=actor.name, display_name=actor.display_name or actor.name, origin="", key=actor.key
    )
    opening = messages.add(
        tx,
        workspace_id=actor.workspace_id,
        room_id=room.id,
        room_name=room.name,
        topic_id=topic_id,
        seq=rooms.next_seq(tx, room_id=room.id),
        parent_id=None,
        kind="text",
        sender=sender,
        content=subject,
    )
    tx.index_message(opening.id, room_id=room.id, text=subject)
    rooms.touch_topic(tx, id=topic_id)
    tx.emit(
        "message.created", workspace_id=actor.workspace_id, room_id=room.id, data={**opening.fact(), "deliveries": []}
    )
    return opening


def _agent(tx: Tx, *, room: Room, key: str) -> AgentMember:
    for agent in rooms.agents_in(tx, room_id=room.id):
        if agent.key == key and agent.mode is not Mode.OFF:
            return agent
    raise NotFound("there is no such agent in this room", agent=key, room=room.name)
