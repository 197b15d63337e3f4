"""Messages: sending is where everything begins.

`send` stores the message at its room's next number, decides whom it is for, makes one delivery per agent, and says
truthfully what happens now. All of it is one transaction; the wake-up comes after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pal_server.actions import (
    access,
    audit,
    cards,
    client_ids,
    deliveries,
    files,
    freshness,
    slash,
    steering,
    task_progress,
)
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.addressing import Addressed, Addressing, Reason, address
from pal_server.domain.chains import stopped_by
from pal_server.domain.deliveries import Delivery
from pal_server.domain.deliveries import Status as DeliveryStatus
from pal_server.domain.interactions import Interaction, Kind, fingerprint
from pal_server.domain.invites import ORIGIN
from pal_server.domain.messages import (
    FILES_LIMIT,
    MENTIONS_LIMIT,
    Message,
    Sender,
    mentions_in,
    parse_content,
    parse_guest,
)
from pal_server.domain.pages import Page, page_of, parse_limit
from pal_server.domain.receipts import Outcome, Receipt
from pal_server.domain.rooms import Room, Topic
from pal_server.domain.runs import Run
from pal_server.domain.slash import Slash, parse_slash
from pal_server.domain.steering import Busy, parse_busy
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import agents as agent_rows
from pal_server.storage import chains, interactions, messages, rooms, runs, search
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage.tx import Tx

_ADDRESSED = frozenset({Reason.MENTION, Reason.REPLY, Reason.ALL})  # reasons that lie in the words themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class SentDelivery:
    id: int
    agent: str
    status: str
    reason: Reason

    def fact(self) -> dict[str, Any]:
        return {"id": self.id, "agent": self.agent, "status": self.status, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    message: Message
    deliveries: tuple[SentDelivery, ...]
    unresolved_mentions: tuple[str, ...]
    receipts: tuple[Receipt, ...]


@dataclass(slots=True)
class _Outcome:
    deliveries: list[SentDelivery] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)


def send(
    tx: Tx,
    *,
    actor: Actor,
    content: str,
    room: str | None = None,
    topic: int | None = None,
    parent: int | None = None,
    sender: str | None = None,
    mentions: Iterable[str] = (),
    files: Iterable[str] = (),
    steer: str | None = None,
    client_id: str | None = None,
) -> Sent:
    """Say something. Without a topic it goes to the parent's, a run's own, or the room's default one.

    `steer` says what it does to an agent that is at work there; without it the room's rule counts. An agent never
    interrupts: where the room says so, its words wait.
    """
    access.need_writer(actor)
    wanted = None if steer is None else parse_busy(steer)
    if wanted is Busy.INTERRUPT:
        access.need_person(actor)
    called = list(mentions)
    file_ids = list(files)
    said = {
        "room": room,
        "topic": topic,
        "parent": parent,
        "sender": sender,
        "mentions": called,
        "content": content,
        "files": file_ids,
        **({} if wanted is None else {"steer": wanted}),
    }
    if (
        target := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="messages.send", said=said)
    ) is not None:
        return _sent_before(tx, actor=actor, id=int(target))
    if len(called) > MENTIONS_LIMIT:
        raise Invalid(f"a message has at most {MENTIONS_LIMIT} mentions", field="mentions", limit=MENTIONS_LIMIT)
    content = parse_content(content, has_files=bool(file_ids))
    found, in_topic, answered = _place(tx, actor=actor, room=room, topic=topic, parent=parent)
    who = _sender(tx, actor=actor, name=sender)
    run = _speaking_run(tx, actor=actor, topic=in_topic)
    carried = files_of(tx, actor=actor, room=found, ids=file_ids)
    if run is not None and (unread := _unread(tx, room=found, run=run, topic=in_topic)):
        card = freshness.hold(
            tx, room=found, run=run, content=content, unread=unread, called=called, files=carried, parent=parent
        )
        client_ids.remember(tx, actor=actor, client_id=client_id, verb="messages.send", said=said, target=card.id)
        return _held(card)
    sent = say(
        tx,
        workspace_id=actor.workspace_id,
        room=found,
        topic=in_topic,
        parent=answered,
        sender=who,
        content=content,
        called=called,
        files=carried,
        run=run,
        busy=_busy(actor, wanted, room=found),
        by=actor,
        client_id=client_id,
    )
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="messages.send", said=said, target=sent.message.id)
    return sent


def say(
    tx: Tx,
    *,
    workspace_id: str,
    room: Room,
    topic: Topic,
    parent: Message | None,
    sender: Sender,
    content: str,
    called: Iterable[str] = (),
    files: tuple[dict[str, Any], ...] = (),
    run: Run | None = None,
    busy: Busy = Busy.QUEUE,
    by: Actor | None = None,
    client_id: str | None = None,
    is_heard: bool = True,
) -> Sent:
    """Store a message and what follows from it. The caller has checked who speaks and where, and that `by` may
    interrupt when `busy` says so. What is not heard calls no agent, whatever it says.
    """
    seq = rooms.next_seq(tx, room_id=room.id)
    work = None if run is None or run.delivery_id is None else _work_of(tx, run)
    is_debate = run is not None and work is not None and _is_turn(tx, run=run, work=work, topic=topic)
    addressing = _address(tx, room=room, parent=parent, sender=sender, content=content, called=called, work=work)
    message = messages.add(
        tx,
        workspace_id=workspace_id,
        room_id=room.id,
        room_name=room.name,
        topic_id=topic.id,
        seq=seq,
        parent_id=None if parent is None else parent.id,
        kind="text",
        sender=sender,
        content=content,
        mentions=addressing.mentions,
        unresolved=addressing.unresolved,
        files=files,
        run_id=None if run is None else run.id,
        chain_id=None if work is None else work.chain_id,
        hop=0 if work is None else work.hop + 1,
        client_id=client_id,
    )
    tx.index_message(message.id, room_id=room.id, text=content)
    rooms.touch_topic(tx, id=topic.id)
    if run is not None and run.topic_id == topic.id and not run.posted:
        runs.has_posted(tx, id=run.id)

    outcome = _Outcome()
    command = slash.command_of(message, by=by)
    if (
        not is_debate and command is None and is_heard
    ):  # a debate's turns are handed over when a run ends, and by nothing
        _deliver(tx, room=room, message=message, addressing=addressing, outcome=outcome, busy=busy, by=by)
    tx.emit(
        "message.created",
        workspace_id=workspace_id,
        room_id=room.id,
        data={**message.fact(), "deliveries": [delivery.fact() for delivery in outcome.deliveries]},
    )
    if command is not None and by is not None:
        _carry_out(tx, actor=by, room=room, message=message, addressing=addressing, command=command, outcome=outcome)
    return Sent(
        message=message,
        deliveries=tuple(outcome.deliveries),
        unresolved_mentions=addressing.unresolved,
        receipts=tuple(outcome.receipts),
    )


def say_unheard(tx: Tx, *, actor: Actor, room: Room, topic_id: int, content: str) -> Message:
    """Words of a person that call nobody by themselves, whatever they say: a workflow hands them over."""
    topic = _topic(tx, room=room, id=topic_id)
    sender = _sender(tx, actor=actor, name=None)
    return say(
        tx,
        workspace_id=actor.workspace_id,
        room=room,
        topic=topic,
        parent=None,
        sender=sender,
        content=content,
        is_heard=False,
    ).message


def edit(tx: Tx, *, actor: Actor, id: int, content: str, mentions: Iterable[str] | None = None) -> Message:
    """Change one's own words. Waiting deliveries follow: agents no longer called lose theirs, others get one.

    Without `mentions` whoever was called beside the text stays called.
    """
    access.need_writer(actor)
    message = _own(tx, actor=actor, id=id)
    content = parse_content(content, has_files=bool(message.files))
    room = access.room(tx, actor, message.room_id)
    rooms.lock(tx, room_id=room.id)
    parent = (
        None if message.parent_id is None else messages.find(tx, workspace_id=actor.workspace_id, id=message.parent_id)
    )
    if mentions is None:
        in_text = {name.lower() for name in mentions_in(message.content, known=_lower(message.mentions))}
        mentions = [name for name in (*message.mentions, *message.unresolved) if name.lower() not in in_text]
    addressing = _address(
        tx, room=room, parent=parent, sender=message.sender, content=content, called=mentions, work=None
    )
    messages.edit(tx, id=id, content=content, mentions=addressing.mentions, unresolved=addressing.unresolved)
    tx.index_message(id, room_id=room.id, text=content)
    wanted = {to.agent.key for to in addressing.deliver}
    for delivery in delivery_rows.of_message(tx, message_id=id):
        steering.reword(tx, delivery=delivery, message=message)
        if delivery.agent not in wanted and delivery.status is DeliveryStatus.PENDING and delivery.reason in _ADDRESSED:
            deliveries.without_message(tx, workspace_id=delivery.workspace_id, id=delivery.id)
        is_called_again = delivery.agent in wanted and delivery.agent not in message.mentions
        if is_called_again and delivery.status is DeliveryStatus.CANCELLED:
            deliveries.reopen(tx, delivery)
    known = {delivery.agent for delivery in deliveries.all_of_message(tx, message=message)}
    outcome = _Outcome()
    may_call = message.sender.kind != "agent" and parse_slash(content) is None  # an edit orders nobody about
    new = tuple(to for to in addressing.deliver if to.agent.key not in known and may_call)
    _deliver(tx, room=room, message=message, addressing=replace(addressing, deliver=new), outcome=outcome)
    changed = access.message(tx, actor, id)
    data = {**changed.fact(), "deliveries": [delivery.fact() for delivery in outcome.deliveries]}
    tx.emit("message.edited", workspace_id=actor.workspace_id, room_id=room.id, data=data)
    return changed


def delete(tx: Tx, *, actor: Actor, id: int) -> Message:
    """Take back one's own words, or anybody's for an admin. What waits for them is dropped; what runs goes on."""
    access.need_writer(actor)
    message = _own(tx, actor=actor, id=id, or_admin=True)
    rooms.lock(tx, room_id=message.room_id)
    for delivery in delivery_rows.of_message(tx, message_id=id):
        deliveries.without_message(tx, workspace_id=delivery.workspace_id, id=delivery.id)
    delivery_rows.leave_burst(tx, message_id=id)
    messages.delete(tx, id=id)
    search.unindex(tx, id)
    files.of_deleted_message(tx, message=message)
    gone = access.message(tx, actor, id)
    tx.emit("message.deleted", workspace_id=actor.workspace_id, room_id=message.room_id, data=gone.fact())
    said_by: dict[str, object] = {"room": message.room_id, "sender": message.sender.key}
    audit.record(tx, actor=actor, action="message.deleted", target=f"message:{id}", detail=said_by)
    return gone


def get(tx: Tx, *, actor: Actor, id: int) -> Message:
    return access.message(tx, actor, id)


def list_page(
    tx: Tx,
    *,
    actor: Actor,
    room: str | None = None,
    topic: int | None = None,
    parent: int | None = None,
    after: int | None = None,
    before: int | None = None,
    q: str | None = None,
    limit: int = 50,
) -> Page[Message]:
    """Oldest first after an id, or the page before an id, oldest first too. `next` goes on in the page's direction."""
    limit = parse_limit(limit)
    if after is not None and before is not None:
        raise Invalid("after and before exclude each other", field="before")
    found = None if room is None else access.room(tx, actor, room)
    in_topic = None if topic is None else access.topic(tx, actor, topic)
    if found is not None and in_topic is not None and in_topic.room_id != found.id:
        raise NotFound("there is no such topic in this room", topic=topic)
    if q is not None and q.strip():
        return _search(
            tx, actor=actor, room=found, topic=in_topic, parent=parent, after=after, before=before, q=q, limit=limit
        )
    if parent is not None:
        answered = access.message(tx, actor, parent)
        if found is not None and answered.room_id != found.id:
            raise NotFound("there is no such message in this room", message=parent)
        page = messages.page_of_parent(tx, parent_id=parent, after=after, before=before, limit=limit + 1)
    elif in_topic is not None:
        page = messages.page_of_topic(tx, topic_id=in_topic.id, after=after, before=before, limit=limit + 1)
    elif found is not None:
        page = messages.page_of_room(tx, room_id=found.id, after=after, before=before, limit=limit + 1)
    else:
        page = messages.page_of_all(tx, actor=actor, after=after, before=before, limit=limit + 1)
    if before is None:
        return page_of(page, limit=limit, cursor=lambda message: str(message.id))
    more = len(page) > limit
    page = page[-limit:]
    return Page(items=tuple(page), next=str(page[0].id) if more else None)


def inbox(tx: Tx, *, actor: Actor, agent: str | None, after: int | None, limit: int) -> Page[messages.InboxItem]:
    """What was addressed to an agent, oldest first, also when it was muted."""
    limit = parse_limit(limit)
    agent = agent or actor.agent
    if agent is None:
        raise Invalid("agent is missing: whose inbox?", field="agent")
    if actor.kind is ActorKind.RUN and agent != actor.agent:
        raise Forbidden("a run reads its own agent's inbox", agent=agent)
    if agent_rows.get(tx, agent, workspace_id=actor.workspace_id) is None or (
        actor.kind is ActorKind.COMPUTER and not access.is_assigned(tx, actor, agent)
    ):
        raise NotFound("there is no such agent", agent=agent)
    found = messages.inbox(tx, workspace_id=actor.workspace_id, agent=agent, after=after or 0, limit=limit + 1)
    page = page_of(found, limit=limit, cursor=lambda item: str(item.message.id))
    seen = tuple(item for item in page.items if rooms.sees(tx, actor=actor, room_id=item.message.room_id))
    return Page(items=seen, next=page.next)


def let_chain_go_on(tx: Tx, interaction: Interaction) -> None:
    """A person said so: deliver what was held."""
    found = [messages.find(tx, workspace_id=interaction.workspace_id, id=message_id) for message_id in interaction.held]
    held = [message for message in found if message is not None and message.deleted_at is None]
    for room_id in sorted({message.room_id for message in held}):
        rooms.lock(tx, room_id=room_id)
    for message in held:
        room = rooms.find(tx, workspace_id=interaction.workspace_id, ref=message.room_id)
        assert room is not None, "a message has a room"
        parent = None
        if message.parent_id is not None:
            parent = messages.find(tx, workspace_id=interaction.workspace_id, id=message.parent_id)
        addressing = _address(
            tx,
            room=room,
            parent=parent,
            sender=message.sender,
            content=message.content,
            called=message.mentions,
            work=_work_behind(tx, message),
        )
        outcome = _Outcome()
        _deliver(tx, room=room, message=message, addressing=addressing, outcome=outcome)
        for made in outcome.deliveries:
            delivery = delivery_rows.find(tx, workspace_id=message.workspace_id, id=made.id)
            assert delivery is not None, "it was written in this transaction"
            deliveries.changed(tx, "delivery.created", delivery)


def _place(
    tx: Tx, *, actor: Actor, room: str | None, topic: int | None, parent: int | None
) -> tuple[Room, Topic, Message | None]:
    if room is None:
        if parent is not None:
            room = access.message(tx, actor, parent).room_id
        elif topic is not None:
            room = access.topic(tx, actor, topic).room_id
        elif actor.kind is ActorKind.RUN and actor.room_id is not None:
            room = actor.room_id
        else:
            raise Invalid("room is missing: where should it be said?", field="room")
    found = access.room(tx, actor, room)
    if found.archived_at is not None:
        raise Conflict("the room is archived", room=found.name)
    answered = None
    if parent is not None:
        answered = messages.find(tx, workspace_id=actor.workspace_id, id=parent)
        if answered is None or answered.room_id != found.id:
            raise Invalid("parent is no message of this room", field="parent", parent=parent, room=found.name)
        if topic is not None and topic != answered.topic_id:
            raise Invalid("parent is in another topic", field="topic", topic=topic, parent_topic=answered.topic_id)
        topic = answered.topic_id
    if topic is None:
        topic = actor.topic_id if actor.room_id == found.id and actor.topic_id is not None else found.default_topic
    in_topic = _topic(tx, room=found, id=topic)
    return found, in_topic, answered


def _topic(tx: Tx, *, room: Room, id: int) -> Topic:
    """The topic that something is said in now."""
    rooms.lock(tx, room_id=room.id)
    topic = rooms.speak_in_topic(tx, room_id=room.id, id=id)
    if topic is not None:
        return topic
    found = rooms.find_topic(tx, workspace_id=room.workspace_id, id=id)
    if found is None or found.room_id != room.id:
        raise NotFound("there is no such topic in this room", topic=id, room=room.name)
    raise Conflict("the topic is archived", topic=id)


def _sender(tx: Tx, *, actor: Actor, name: str | None) -> Sender:
    """Who speaks, from the credential. Another name is a guest's, shown with where it came from."""
    if actor.kind is ActorKind.RUN:
        if name is not None and name != actor.agent:
            raise Forbidden("a run speaks only as its agent", field="sender", sender=name)
        key = actor.agent or actor.id
        return Sender(kind="agent", name=key, display_name=actor.display_name or key, origin="", key=f"agent:{key}")
    if actor.kind is ActorKind.USER and (name is None or name == actor.name):
        return Sender(
            kind="user", name=actor.name, display_name=actor.display_name or actor.name, origin="", key=actor.key
        )
    if actor.kind is ActorKind.GUEST:
        if name is not None and name != actor.name:
            raise Forbidden("a guest speaks only under the name it joined with", field="sender", sender=name)
        return Sender(kind="guest", name=actor.name, display_name=actor.name, origin=ORIGIN, key=actor.key)
    guest = parse_guest(name if name is not None else actor.name)
    if rooms.name_is_taken(tx, workspace_id=actor.workspace_id, name=guest):
        raise Forbidden(
            f"{guest} is the name of a user or an agent: only its own credential speaks in that name",
            field="sender",
            sender=guest,
        )
    return Sender(kind="guest", name=guest, display_name=guest, origin=f"{actor.kind} {actor.name}", key=actor.key)


def _speaking_run(tx: Tx, *, actor: Actor, topic: Topic) -> Run | None:
    if actor.kind is not ActorKind.RUN or actor.run_id is None:
        return None
    run = runs.find(tx, workspace_id=actor.workspace_id, id=actor.run_id)
    if run is None or run.delivery_id is None or not run.posted:
        return run
    if _is_turn(tx, run=run, work=_work_of(tx, run), topic=topic):
        raise Conflict("a turn of a debate is one message: yours is said", topic=topic.id)
    return run


def _is_turn(tx: Tx, *, run: Run, work: Delivery, topic: Topic) -> bool:
    return run.topic_id == topic.id and deliveries.is_turn(tx, work)


def _unread(tx: Tx, *, room: Room, run: Run, topic: Topic) -> list[int]:
    """What holds the words of a run, where the room asks for that; a debate's turns go on as they come."""
    if not room.fresh or run.delivery_id is None or _is_turn(tx, run=run, work=_work_of(tx, run), topic=topic):
        return []
    return freshness.unread_by(tx, room=room, run=run, topic_id=topic.id)


def _held(card: Message) -> Sent:
    """What the agent hears whose words are held."""
    shown = card.card or {}
    text = f"{freshness.describe(shown['agent'], shown['unread'])}. People decide; you need not say it again"
    receipt = Receipt(agent=shown["agent"], outcome=Outcome.HELD, text=text)
    return Sent(message=card, deliveries=(), unresolved_mentions=(), receipts=(receipt,))


def _work_of(tx: Tx, run: Run) -> Delivery:
    assert run.delivery_id is not None
    work = delivery_rows.find(tx, workspace_id=run.workspace_id, id=run.delivery_id)
    assert work is not None, "a run's delivery is never removed"
    return work


def _work_behind(tx: Tx, message: Message) -> Delivery | None:
    """What an agent worked on when it said this."""
    run = None if message.run_id is None else runs.find(tx, workspace_id=message.workspace_id, id=message.run_id)
    return None if run is None or run.delivery_id is None else _work_of(tx, run)


def files_of(tx: Tx, *, actor: Actor, room: Room, ids: list[str]) -> tuple[dict[str, Any], ...]:
    """What a message carries. A file one may not know of, one that has ended and a missing one are refused alike."""
    if len(ids) > FILES_LIMIT:
        raise Invalid(f"a message has at most {FILES_LIMIT} files", field="files", limit=FILES_LIMIT)
    found = []
    for file_id in ids:
        try:
            file = access.file(tx, actor, file_id)
        except NotFound as exc:
            raise _no_such_file(file_id) from exc
        if not file.is_live(now=tx.now):
            raise _no_such_file(file_id)
        if file.room not in (None, room.id):
            raise Invalid(
                f"the file {file.name} belongs to another room: upload it to this room, {room.name}",
                field="files",
                file=file_id,
                room=room.name,
            )
        file = files.belong_to(tx, actor=actor, file=file, room=room)
        found.append({"id": file.id, "name": file.name, "mime": file.mime, "size": file.size})
    return tuple(found)


def _no_such_file(file_id: str) -> Invalid:
    return Invalid("there is no such file: upload it first", field="files", file=file_id)


def _address(
    tx: Tx,
    *,
    room: Room,
    parent: Message | None,
    sender: Sender,
    content: str,
    called: Iterable[str],
    work: Delivery | None,
) -> Addressing:
    agents = rooms.agents_in(tx, room_id=room.id)
    names = [*called]
    people: list[str] = []
    if names or "@" in content or "\uff20" in content:
        people = [person.username for person in rooms.people_in(tx, room_id=room.id)]
        names += mentions_in(content, known=_lower([*people, *(agent.key for agent in agents)]))
    calls_others_outside = bool(names) and sender.origin != ""  # there people answer an agent's words to each other
    return address(
        called=names,
        agents=agents,
        people=people,
        author_agent=sender.name if sender.kind == "agent" else None,
        by_person=sender.kind in ("user", "guest"),
        parent_agent=parent.sender.name if parent is not None and parent.sender.kind == "agent" else None,
        reply_counts=(work is None or work.reason is not Reason.REPLY) and not calls_others_outside,
    )


def _carry_out(
    tx: Tx, *, actor: Actor, room: Room, message: Message, addressing: Addressing, command: Slash, outcome: _Outcome
) -> None:
    """A command to pal: it answers in the topic, once for each agent that was called."""
    for agent, reason in addressing.refused:
        outcome.receipts.append(Receipt(agent=agent.key, outcome=Outcome.REFUSED, text=f"nothing done: {reason}"))
    for to in addressing.deliver + addressing.keep:
        text = slash.carry_out(tx, actor=actor, room=room, message=message, agent=to.agent, command=command)
        outcome.receipts.append(Receipt(agent=to.agent.key, outcome=Outcome.DONE, text=text))
    if not outcome.receipts and not addressing.mentions and not addressing.unresolved:
        slash.to_nobody(tx, room=room, message=message, command=command)


def _busy(actor: Actor, wanted: Busy | None, *, room: Room) -> Busy:
    """What was chosen for this message, else the room's rule."""
    busy = wanted or Busy(room.busy)
    is_person = actor.kind in (ActorKind.USER, ActorKind.BRIDGE)
    return busy if is_person or busy is not Busy.INTERRUPT else Busy.QUEUE


def _deliver(
    tx: Tx,
    *,
    room: Room,
    message: Message,
    addressing: Addressing,
    outcome: _Outcome,
    busy: Busy = Busy.QUEUE,
    by: Actor | None = None,
) -> None:
    for agent, reason in addressing.refused:
        outcome.receipts.append(Receipt(agent=agent.key, outcome=Outcome.REFUSED, text=f"not delivered: {reason}"))
    for to in addressing.keep:
        messages.keep_in_inbox(
            tx, workspace_id=message.workspace_id, agent=to.agent.key, message_id=message.id, reason=to.reason
        )
        outcome.receipts.append(
            Receipt(
                agent=to.agent.key,
                outcome=Outcome.SAVED,
                text=f"kept in the inbox of {to.agent.key}, which is {to.agent.mode} here",
            )
        )
    if not addressing.deliver:
        return
    if message.hop and _hold(tx, room=room, message=message, addressing=addressing, outcome=outcome):
        return
    for to in addressing.deliver:
        _deliver_to(tx, room=room, message=message, to=to, outcome=outcome, busy=busy, by=by)


def _deliver_to(
    tx: Tx, *, room: Room, message: Message, to: Addressed, outcome: _Outcome, busy: Busy, by: Actor | None
) -> None:
    live = None if busy is Busy.QUEUE else steering.live_run(tx, topic_id=message.topic_id, agent=to.agent.key)
    may_join = live is None and to.reason is not Reason.MENTION
    if may_join and (joined := _join_burst(tx, room=room, message=message, to=to)) is not None:
        outcome.receipts.append(joined)
        return
    delivery_id, receipt = deliveries.create(tx, room=room, message=message, to=to)
    outcome.deliveries.append(SentDelivery(id=delivery_id, agent=to.agent.key, status="pending", reason=to.reason))
    if live is not None and busy is Busy.STEER:
        receipt = steering.tell(tx, run=live, message=message, agent=to.agent, receipt=receipt)
    elif live is not None and by is not None:
        receipt = steering.interrupt(tx, actor=by, run=live, receipt=receipt)
    elif receipt.place and message.sender.kind != "agent":
        receipt = _offer_as_answer(tx, message=message, agent=to.agent.key, receipt=receipt)
    outcome.receipts.append(receipt)


def _offer_as_answer(tx: Tx, *, message: Message, agent: str, receipt: Receipt) -> Receipt:
    """Said while a card waits: it is kept as the next turn, and may be the answer instead."""
    asked = interactions.pending_of_lane(tx, workspace_id=message.workspace_id, topic_id=message.topic_id, agent=agent)
    if asked is None:
        return receipt
    text = f"{receipt.text}; it waits for an answer to {asked.id}, which this can be"
    return replace(receipt, text=text, interaction=asked.id)


def _join_burst(tx: Tx, *, room: Room, message: Message, to: Addressed) -> Receipt | None:
    """Several messages of one person that call nobody by name become one run while the first still waits."""
    if room.debounce_for == 0 or message.sender.kind == "agent":
        return None
    burst = delivery_rows.burst(tx, topic_id=message.topic_id, agent=to.agent.key)
    if burst is None or (burst.said_by, burst.said_by_kind) != (message.sender.name, message.sender.kind):
        return None
    now = delivery_rows.find_locked(tx, workspace_id=message.workspace_id, id=burst.delivery.id)
    if now is None or now.status is not DeliveryStatus.PENDING:  # a computer was quicker and has its prompt
        return None
    delivery_rows.join_burst(tx, delivery_id=burst.delivery.id, message_id=message.id)
    messages.keep_in_inbox(
        tx, workspace_id=message.workspace_id, agent=to.agent.key, message_id=message.id, reason=to.reason
    )
    return Receipt(
        agent=to.agent.key,
        outcome=Outcome.MERGED,
        text=f"joined what already waits for {to.agent.key}: one run answers both",
        delivery=burst.delivery.id,
    )


def _hold(tx: Tx, *, room: Room, message: Message, addressing: Addressing, outcome: _Outcome) -> bool:
    """Whether the chain has gone far enough; then nothing is delivered and one card asks a person."""
    chain = chains.open_chain(tx, id=message.chain_id, workspace_id=message.workspace_id, hop_limit=room.hop_limit)
    if chain.is_ended:
        for to in addressing.deliver:
            text = "not delivered: a person ended this exchange between agents"
            outcome.receipts.append(Receipt(agent=to.agent.key, outcome=Outcome.REFUSED, text=text))
        return True
    why = stopped_by(chain, hop=message.hop, more=len(addressing.deliver))
    if why is None:
        chains.count(tx, id=chain.id, more=len(addressing.deliver))
        return False
    for to in addressing.deliver:
        outcome.receipts.append(
            Receipt(agent=to.agent.key, outcome=Outcome.HELD, text=f"held until a person lets it go on: {why}")
        )
    asked = interactions.pending_of_chain(tx, chain_id=chain.id)
    if asked is not None:
        interactions.put(tx, replace(asked, held=(*asked.held, message.id)), was=asked.status)
        return True
    _ask_to_go_on(tx, room=room, message=message, why=why)
    return True


def _ask_to_go_on(tx: Tx, *, room: Room, message: Message, why: str) -> None:
    title = "Agents are talking to each other: let them go on?"
    key = f"chain:{message.chain_id}:{message.id}"
    interaction_id = interactions.add(
        tx,
        workspace_id=message.workspace_id,
        room_id=room.id,
        topic_id=message.topic_id,
        run_id=None,
        chain_id=message.chain_id,
        key=key,
        agent=None,
        kind=Kind.APPROVAL,
        title=title,
        body=why,
        options=(),
        hash=fingerprint(run_id=None, key=key, kind=Kind.APPROVAL, title=title, body=why, options=()),
        held=(message.id,),
    )
    card = cards.post(
        tx,
        workspace_id=message.workspace_id,
        room=room,
        topic_id=message.topic_id,
        content=f"{title} ({why})",
        card={"type": "interaction", "interaction": interaction_id, "status": "pending"},
        parent_id=message.id,
    )
    asked = interactions.find(tx, workspace_id=message.workspace_id, id=interaction_id)
    assert asked is not None, "it was written in this transaction"
    shown = replace(asked, message_id=card.id)
    interactions.put(tx, shown, was=asked.status)
    tx.emit("interaction.opened", workspace_id=message.workspace_id, room_id=room.id, data=shown.fact())
    task_progress.look(tx, workspace_id=message.workspace_id, topic_id=message.topic_id)


def _own(tx: Tx, *, actor: Actor, id: int, or_admin: bool = False) -> Message:
    message = access.message(tx, actor, id)
    mine = f"agent:{actor.agent}" if actor.kind is ActorKind.RUN else actor.key
    if message.sender.key != mine and not (or_admin and actor.is_at_least(Role.ADMIN)):
        raise Forbidden("only who said it may change it", message=id)
    if message.kind != "text":
        raise Forbidden("cards change with what they show", message=id)
    if message.deleted_at is not None:
        raise Conflict("the message is deleted", message=id)
    return message


def _sent_before(tx: Tx, *, actor: Actor, id: int) -> Sent:
    message = access.message(tx, actor, id)
    if message.card is not None:
        return _held(message)
    made = delivery_rows.of_message(tx, message_id=id)
    return Sent(
        message=message,
        deliveries=tuple(SentDelivery(id=d.id, agent=d.agent, status=d.status, reason=d.reason) for d in made),
        unresolved_mentions=message.unresolved,
        receipts=tuple(_receipts_now(tx, message=message)),
    )


def _receipts_now(tx: Tx, *, message: Message) -> list[Receipt]:
    """What became of a message that was sent before, for each agent it was for."""
    members = {agent.key: agent for agent in rooms.agents_in(tx, room_id=message.room_id)}
    receipts = []
    for delivery in deliveries.all_of_message(tx, message=message):
        if delivery.agent in members:
            receipts.append(deliveries.receipt_for(tx, delivery=delivery, agent=members[delivery.agent]))
    for agent, reason in messages.kept_for(tx, message_id=message.id):
        if agent in members and all(receipt.agent != agent for receipt in receipts):
            text = f"kept in the inbox of {agent} ({reason})"
            receipts.append(Receipt(agent=agent, outcome=Outcome.SAVED, text=text))
    return receipts


def _lower(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _search(
    tx: Tx,
    *,
    actor: Actor,
    room: Room | None,
    topic: Topic | None,
    parent: int | None,
    after: int | None,
    before: int | None,
    q: str,
    limit: int,
) -> Page[Message]:
    """As the plain list: oldest first after an id, or what comes before one."""
    visible: list[str] | None
    if room is not None:
        visible = [room.id]
    elif topic is not None:
        visible = [topic.room_id]
    elif rooms.sees_all(tx, actor=actor):  # naming every room would cost a hundred times the search itself
        visible = None
    else:
        visible = sorted(rooms.visible_ids(tx, actor=actor))
    items: list[Message] = []
    at = before if before is not None else after or 0
    while len(items) <= limit:
        if before is not None:
            ids = search.find(tx, q, rooms=visible, before=at, limit=limit + 1)
        else:
            ids = search.find_after(tx, q, rooms=visible, after=at, limit=limit + 1)
        for message_id in ids:
            message = messages.find(tx, workspace_id=actor.workspace_id, id=message_id)
            if message is None or message.deleted_at is not None:
                continue
            if (topic is None or message.topic_id == topic.id) and (parent is None or message.parent_id == parent):
                items.append(message)
        if len(ids) <= limit:
            break
        at = ids[-1]
    page = page_of(items, limit=limit, cursor=lambda message: str(message.id))
    return page if before is None else Page(items=page.items[::-1], next=page.next)
