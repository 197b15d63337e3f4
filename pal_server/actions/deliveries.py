"""Deliveries: made by what is said, claimed by computers, ended with their runs.

The rules are `domain.deliveries`; here they meet rows, lanes, wake-ups and the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pal_server.actions import access, cards, client_ids, debate_ends, steering, task_progress, work
from pal_server.domain import deliveries as rules
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.addressing import Addressed, Reason
from pal_server.domain.agents import Agent
from pal_server.domain.computers import Computer, check_epoch
from pal_server.domain.deliveries import POLICY, Delivery, Status
from pal_server.domain.effects import Choice
from pal_server.domain.messages import Message
from pal_server.domain.pages import Page, page_of, parse_after, parse_limit
from pal_server.domain.receipts import Outcome, Receipt, for_delivery, for_terminal
from pal_server.domain.rooms import AgentMember, Room
from pal_server.errors import AlreadyExists, Conflict, Forbidden, NotFound
from pal_server.storage import agents as agent_rows
from pal_server.storage import computers as computer_rows
from pal_server.storage import debates, deliveries, messages, rooms, terminals
from pal_server.storage.tx import Tx

CLAIM_LIMIT = 20
REAP_LIMIT = 200  # per step; the loop comes back at once while there is more


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery under its new lease, with everything needed to start."""

    delivery: Delivery
    work: dict[str, Any]

    def lease(self) -> dict[str, Any]:
        return {"id": self.delivery.lease_id, "fence": self.delivery.fence, "until": self.delivery.lease_until}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    claimed: tuple[Claimed, ...]
    more: bool
    now: int


def create(tx: Tx, *, room: Room, message: Message, to: Addressed) -> tuple[int, Receipt]:
    """One delivery for one agent, with the receipt for who sent the message. The room's row is locked."""
    hold_for = 0 if to.reason is not Reason.ALL else room.debounce_for
    delivery_id, waits = deliveries.add(
        tx,
        workspace_id=message.workspace_id,
        room_id=room.id,
        topic_id=message.topic_id,
        message_id=message.id,
        agent=to.agent.key,
        reason=to.reason,
        max_attempts=POLICY.max_attempts,
        not_before=tx.now + hold_for,
        chain_id=message.chain_id,
        hop=message.hop,
    )
    task_progress.look(tx, workspace_id=message.workspace_id, topic_id=message.topic_id)
    place = 0
    if waits:
        held = terminals.of_lane(tx, topic_id=message.topic_id, agent=to.agent.key)
        if held is not None:
            return delivery_id, for_terminal(to.agent, held, delivery=delivery_id)
        place = deliveries.before_in_lane(tx, topic_id=message.topic_id, agent=to.agent.key, id=delivery_id)
    elif to.agent.computer_id is not None:
        tx.wake(f"computer:{to.agent.computer_id}")
    return delivery_id, _receipt(tx, agent=to.agent, delivery=delivery_id, place=place)


def receipt_for(tx: Tx, *, delivery: Delivery, agent: AgentMember) -> Receipt:
    """The receipt of a delivery made earlier, as things are now."""
    place = 0
    if delivery.status is Status.PENDING and delivery.waits:
        place = place_of(tx, delivery)
    if delivery.read_step is not None:
        text = f"{agent.key} read it at step {delivery.read_step} of run {delivery.steered_into}"
        return Receipt(agent=agent.key, outcome=Outcome.READ, text=text, delivery=delivery.id)
    if delivery.status is Status.PENDING and delivery.steered_into is not None:
        text = f"{agent.key} is told while it works, in run {delivery.steered_into}"
        return Receipt(agent=agent.key, outcome=Outcome.STEERED, text=text, delivery=delivery.id, place=place)
    if delivery.status is not Status.PENDING:
        return for_delivery(agent, delivery=delivery.id, place=place)
    if delivery.waits:
        held = terminals.of_lane(tx, topic_id=delivery.topic_id, agent=delivery.agent)
        if held is not None:
            return for_terminal(agent, held, delivery=delivery.id)
    return _receipt(tx, agent=agent, delivery=delivery.id, place=place)


def _receipt(tx: Tx, *, agent: AgentMember, delivery: int, place: int) -> Receipt:
    load = None
    if not place and agent.computer_id is not None and agent.computer_online:
        load = deliveries.load_of(tx, agent=agent.key, computer_id=agent.computer_id, id=delivery)
    return for_delivery(agent, delivery=delivery, place=place, load=load)


def place_of(tx: Tx, delivery: Delivery) -> int:
    """How many of its lane come before a waiting delivery."""
    return deliveries.before_in_lane(
        tx, topic_id=delivery.topic_id, agent=delivery.agent, id=delivery.id, ahead=delivery.ahead
    )


def create_by_hand(tx: Tx, *, actor: Actor, message: int, agent: str, client_id: str | None = None) -> Delivery:
    """Give a message to an agent that it was not addressed to."""
    access.need_person(actor)
    said = {"message": message, "agent": agent}
    made = client_ids.earlier(tx, actor=actor, client_id=client_id, verb="deliveries.create", said=said)
    if made is not None:
        return access.delivery(tx, actor, int(made))
    found = access.message(tx, actor, message)
    if found.deleted_at is not None:
        raise Conflict("the message is deleted", message=message)
    room = access.room(tx, actor, found.room_id)
    members = {member.key: member for member in rooms.agents_in(tx, room_id=room.id)}
    if agent not in members:
        raise NotFound("there is no such agent in this room", agent=agent, room=room.name)
    rooms.lock(tx, room_id=room.id)
    for delivery in all_of_message(tx, message=found):
        if delivery.agent == agent:
            raise AlreadyExists("the agent has this message already: retry that delivery", delivery=delivery.id)
    delivery_id, _ = create(tx, room=room, message=found, to=Addressed(agent=members[agent], reason=Reason.MANUAL))
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="deliveries.create", said=said, target=delivery_id)
    delivery = access.delivery(tx, actor, delivery_id)
    _emit(tx, "delivery.created", delivery)
    return delivery


def all_of_message(tx: Tx, *, message: Message) -> list[Delivery]:
    """Those the message began, and those it joined as part of a burst."""
    joined = [
        deliveries.find(tx, workspace_id=message.workspace_id, id=delivery_id)
        for delivery_id in deliveries.bursts_of(tx, message_id=message.id)
    ]
    return [*deliveries.of_message(tx, message_id=message.id), *(found for found in joined if found is not None)]


def claim_queue(
    tx: Tx,
    *,
    actor: Actor,
    agents: Sequence[str] | None = None,
    limit: int = 1,
    held: Sequence[int] | None = None,
    epoch: int | None = None,
) -> Claims:
    """Lease up to `limit` deliveries to the computer that asks, oldest first, at most one of each lane.

    `held` follows a claim whose answer was lost: what was given then need not wait until its lease is over.
    """
    computer = _claiming(tx, actor=actor, epoch=epoch)
    if held is not None:
        _give_back_unheard(tx, computer=computer, held=frozenset(held))
    limit = min(parse_limit(limit), CLAIM_LIMIT)
    if computer.draining:
        return Claims(claimed=(), more=False, now=tx.now)
    in_hand = deliveries.held_on(tx, computer_id=computer.id)
    room_left = min(limit, computer.max_runs - sum(in_hand.values()))
    found: list[tuple[Delivery, Agent]] = []
    for agent in agent_rows.list_of_computer(tx, computer.id):
        if not agent.enabled or (agents is not None and agent.key not in agents):
            continue
        free = agent.concurrency - in_hand.get(agent.key, 0)
        if free > 0 and room_left > 0:
            ready = deliveries.ready(
                tx, workspace_id=agent.workspace_id, agent=agent.key, limit=min(free, room_left + 1)
            )
            found.extend((delivery, agent) for delivery in ready)
    found.sort(key=lambda pair: pair[0].id)
    taken = [
        _lease(tx, delivery=delivery, agent=agent, computer=computer) for delivery, agent in found[: max(room_left, 0)]
    ]
    return Claims(claimed=tuple(taken), more=len(found) > len(taken), now=tx.now)


def claim(tx: Tx, *, actor: Actor, id: int, epoch: int | None = None) -> Claimed:
    """Lease one delivery by its id. A second claim is `AlreadyClaimed`, by the same computer too."""
    computer = _claiming(tx, actor=actor, epoch=epoch)
    delivery = access.delivery(tx, actor, id, locked=True)
    agent = agent_rows.get(tx, delivery.agent, workspace_id=actor.workspace_id)
    if agent is None or not access.is_assigned(tx, actor, delivery.agent):
        raise NotFound("there is no such delivery", delivery=id)
    if delivery.status is Status.PENDING:
        if not agent.enabled:
            raise Conflict("the agent is disabled", agent=agent.key)
        if computer.draining:
            raise Conflict("the computer is draining and takes nothing new", computer=computer.id)
        held = deliveries.held_on(tx, computer_id=computer.id)
        if sum(held.values()) >= computer.max_runs or held.get(agent.key, 0) >= agent.concurrency:
            raise Conflict("as many runs as are allowed are going on", agent=agent.key, computer=computer.id)
    return _lease(tx, delivery=delivery, agent=agent, computer=computer)


def renew(tx: Tx, *, actor: Actor, id: int, lease_id: str, fence: int) -> Delivery:
    """Keep an attempt for as long again."""
    delivery = _held(tx, actor=actor, id=id)
    renewed = rules.renew(delivery, lease_id=lease_id, fence=fence, now=tx.now)
    deliveries.put(tx, renewed, was=delivery)
    return renewed


def release(
    tx: Tx,
    *,
    actor: Actor,
    id: int,
    lease_id: str,
    fence: int,
    reason: str = "",
    delay_for: int = 0,
    burn_attempt: bool = True,
) -> Delivery:
    """Hand an attempt back that has not started."""
    rooms.lock(tx, room_id=_held(tx, actor=actor, id=id, locked=False).room_id)
    delivery = _held(tx, actor=actor, id=id)
    released = rules.release(
        delivery,
        lease_id=lease_id,
        fence=fence,
        now=tx.now,
        delay_for=max(0, delay_for),
        burn_attempt=burn_attempt,
        reason=reason[:500],
    )
    _store_given_back(tx, released, was=delivery)
    return released


def cancel(tx: Tx, *, actor: Actor, id: int) -> Delivery:
    """Drop a delivery that waits."""
    access.need_person(actor)
    delivery = access.delivery(tx, actor, id)
    rooms.lock(tx, room_id=delivery.room_id)
    return drop(tx, access.delivery(tx, actor, id, locked=True))


def move_to_front(tx: Tx, *, actor: Actor, id: int) -> Delivery:
    """Let what waits come before all others that wait for the same agent in the topic."""
    access.need_person(actor)
    delivery = access.delivery(tx, actor, id)
    rooms.lock(tx, room_id=delivery.room_id)
    return steering.to_front(tx, access.delivery(tx, actor, id, locked=True))


def merge(tx: Tx, *, actor: Actor, id: int, into: int) -> Delivery:
    """Let one run answer both: the words of a waiting delivery join those of another one of its lane."""
    access.need_person(actor)
    rooms.lock(tx, room_id=access.delivery(tx, actor, id).room_id)
    first, second = sorted((id, into))  # locked in one order
    locked = {one: access.delivery(tx, actor, one, locked=True) for one in (first, second)}
    merged, kept = locked[id], locked[into]
    rules.need_mergeable(merged, into=kept)
    for message_id in (merged.message_id, *deliveries.burst_messages(tx, delivery_id=id)):
        deliveries.leave_burst(tx, message_id=message_id)
        deliveries.join_burst(tx, delivery_id=into, message_id=message_id)
    drop(tx, merged)
    _emit(tx, "delivery.changed", kept)
    return kept


def drop(tx: Tx, delivery: Delivery, *, withdraw: bool = False) -> Delivery:
    """Cancel a delivery that waits, with `withdraw` one that is claimed and not started too; the lane goes on. The
    room's row is locked.
    """
    cancelled = (rules.withdraw if withdraw else rules.cancel)(delivery, now=tx.now)
    if cancelled is delivery:
        return delivery
    deliveries.put(tx, cancelled, was=delivery)
    steering.withdraw(tx, delivery)
    _emit(tx, "delivery.cancelled", cancelled)
    debate_ends.lost(tx, cancelled, why="was dropped")
    go_on(tx, delivery)
    return cancelled


def without_message(tx: Tx, *, workspace_id: str, id: int) -> None:
    """The message it began with is taken back: go on with the rest of its burst, or drop it. What has started or ended
    stays as it is. The room's row is locked.
    """
    delivery = deliveries.find_locked(tx, workspace_id=workspace_id, id=id)
    if delivery is None or delivery.is_final or delivery.started:
        return
    rest = deliveries.burst_messages(tx, delivery_id=id)
    if not rest:
        drop(tx, delivery, withdraw=True)
        return
    deliveries.leave_burst(tx, message_id=rest[0])
    deliveries.lead_with(tx, id=id, message_id=rest[0])
    led = deliveries.find(tx, workspace_id=workspace_id, id=id)
    assert led is not None, "it was read in this transaction"
    _emit(tx, "delivery.changed", led)


def reopen(tx: Tx, delivery: Delivery) -> Delivery:
    """An edit calls an agent again that an earlier one no longer called. The room's row is locked."""
    lane_is_open = deliveries.lane_is_open(tx, topic_id=delivery.topic_id, agent=delivery.agent)
    again = rules.retry(delivery, fresh=delivery.fresh, lane_is_open=lane_is_open, now=tx.now, any_end=True)
    deliveries.put(tx, again, was=delivery)
    _emit(tx, "delivery.retried", again)
    wake_agent(tx, workspace_id=delivery.workspace_id, agent=delivery.agent)
    return again


def retry(tx: Tx, *, actor: Actor, id: int, fresh: bool = False, any_end: bool = False) -> Delivery:
    """Do it again, because a person says so: resume the session, or begin a new one when `fresh`."""
    access.need_person(actor)
    delivery = access.delivery(tx, actor, id)
    rooms.lock(tx, room_id=delivery.room_id)
    delivery = access.delivery(tx, actor, id, locked=True)
    if delivery.is_final and (why := why_not_again(tx, delivery)) is not None:
        raise Conflict(f"it cannot be done again: {why}", delivery=id)
    lane_is_open = deliveries.lane_is_open(tx, topic_id=delivery.topic_id, agent=delivery.agent)
    again = rules.retry(delivery, fresh=fresh, lane_is_open=lane_is_open, now=tx.now, any_end=any_end)
    deliveries.put(tx, again, was=delivery)
    if delivery.status is Status.INTERRUPTED:
        choice = Choice.START_OVER if fresh else Choice.RESUME
        cards.close_interrupted(tx, delivery=delivery, choice=choice, by=actor.name)
    _emit(tx, "delivery.retried", again)
    wake_agent(tx, workspace_id=actor.workspace_id, agent=delivery.agent)
    return again


def why_not_again(tx: Tx, delivery: Delivery) -> str | None:
    """What stands against doing it once more, in words; None when nothing does."""
    if agent_rows.get(tx, delivery.agent, workspace_id=delivery.workspace_id) is None:
        return "its agent is deleted"
    if not work.burst_of(tx, delivery):
        return "what it was for is deleted"
    if is_said_turn(tx, delivery):
        return "a turn of a debate is said once"
    return None


def is_said_turn(tx: Tx, delivery: Delivery) -> bool:
    """Whether it is a turn of a debate, and its newest run has said it."""
    if not is_turn(tx, delivery) or delivery.run_id is None:
        return False
    return messages.last_of_run(tx, topic_id=delivery.topic_id, run_id=delivery.run_id) is not None


def is_turn(tx: Tx, delivery: Delivery) -> bool:
    """Whether a debate made it, be that debate over or not."""
    return delivery.reason is Reason.DIRECT and debates.of_topic(tx, topic_id=delivery.topic_id) is not None


def cancel_of_agent(tx: Tx, *, actor: Actor, agent: str) -> int:
    """Drop everything that waits for an agent; how many that was."""
    dropped = 0
    while waiting := deliveries.pending_of_agent(tx, workspace_id=actor.workspace_id, agent=agent, limit=500):
        for room_id in sorted({delivery.room_id for delivery in waiting}):
            rooms.lock(tx, room_id=room_id)
        for delivery in waiting:
            now = deliveries.find_locked(tx, workspace_id=actor.workspace_id, id=delivery.id)
            if now is not None and now.status is Status.PENDING:
                drop(tx, now)
                dropped += 1
    return dropped


def expire_overdue(tx: Tx) -> int:
    """Take back every attempt whose lease is over before its run started; how many that were."""
    overdue = deliveries.overdue(tx, limit=REAP_LIMIT)
    for room_id in sorted({delivery.room_id for delivery in overdue}):
        rooms.lock(tx, room_id=room_id)
    for seen in overdue:
        delivery = deliveries.find_locked(tx, workspace_id=seen.workspace_id, id=seen.id)
        assert delivery is not None, "a delivery is never removed"
        given_back = rules.expire(delivery, now=tx.now)
        if given_back is not delivery:
            _store_given_back(tx, given_back, was=delivery)
    return len(overdue)


def get(tx: Tx, *, actor: Actor, id: int) -> Delivery:
    return access.delivery(tx, actor, id)


def list_page(
    tx: Tx,
    *,
    actor: Actor,
    agent: str | None = None,
    status: str | None = None,
    room: str | None = None,
    topic: int | None = None,
    message: int | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Delivery]:
    """Newest first."""
    limit = parse_limit(limit)
    before = parse_after(after)
    found = deliveries.page(
        tx,
        actor=actor,
        before=2**62 if before is None else before,
        limit=limit + 1,
        agent=agent,
        status=status,
        room_id=None if room is None else access.room(tx, actor, room).id,
        topic_id=None if topic is None else access.topic(tx, actor, topic).id,
        message_id=message,
    )
    return page_of(found, limit=limit, cursor=lambda delivery: str(delivery.id))


def waiting_for(tx: Tx, *, actor: Actor) -> int:
    """How many deliveries the computer that asks could claim now, counted up to 1000."""
    return deliveries.pending_for(tx, computer_id=actor.id)


def any_overdue(tx: Tx) -> bool:
    """Whether `expire_overdue` has anything to do."""
    return deliveries.any_overdue(tx)


def next_due(tx: Tx, *, computer_id: str) -> int | None:
    """When the next delivery that is held back for the rest of its burst may be claimed, in UTC milliseconds."""
    return deliveries.next_due(tx, computer_id=computer_id)


def hand_over(tx: Tx, *, room: Room, message: Message, agent: AgentMember, reason: Reason) -> int:
    """A delivery made by a workflow (a debate's turn, a digest). The room's row is locked."""
    delivery_id, _ = create(tx, room=room, message=message, to=Addressed(agent=agent, reason=reason))
    delivery = deliveries.find(tx, workspace_id=message.workspace_id, id=delivery_id)
    assert delivery is not None, "it was written in this transaction"
    _emit(tx, "delivery.created", delivery)
    return delivery_id


def go_on(tx: Tx, ended: Delivery) -> None:
    """Open the lane of a delivery that no longer holds it, and tell the computers that have room now."""
    deliveries.promote(tx, topic_id=ended.topic_id, agent=ended.agent)
    wake_agent(tx, workspace_id=ended.workspace_id, agent=ended.agent)
    if ended.computer_id is not None:
        tx.wake(f"computer:{ended.computer_id}")


def wake_agent(tx: Tx, *, workspace_id: str, agent: str) -> None:
    found = agent_rows.get(tx, agent, workspace_id=workspace_id)
    if found is not None and found.computer is not None:
        tx.wake(f"computer:{found.computer}")


def changed(tx: Tx, kind: str, delivery: Delivery) -> None:
    """Append a delivery's change to the log."""
    _emit(tx, kind, delivery)


def _claiming(tx: Tx, *, actor: Actor, epoch: int | None) -> Computer:
    if actor.kind is not ActorKind.COMPUTER:
        raise Forbidden("only a computer's key claims deliveries")
    computer_rows.lock(tx, actor.id)  # two claims at once would both count what it holds before the other's
    computer = computer_rows.get(tx, actor.id)
    if computer is None:
        raise NotFound("there is no such computer", computer=actor.id)
    check_epoch(computer.epoch, epoch)
    return computer


def _lease(tx: Tx, *, delivery: Delivery, agent: Agent, computer: Computer) -> Claimed:
    claimed = rules.claim(delivery, lease_id=tx.new_id("lease"), computer_id=computer.id, now=tx.now)
    deliveries.put(tx, claimed, was=delivery)
    given = work.compose(tx, delivery=claimed, agent=agent, computer=computer)
    deliveries.set_given(tx, id=delivery.id, prompt=given.prompt, turn=given.turn, recap=given.recap)
    _tell(tx, "delivery.claimed", claimed)  # it was open before
    return Claimed(delivery=claimed, work=given.work)


def _held(tx: Tx, *, actor: Actor, id: int, locked: bool = True) -> Delivery:
    if actor.kind is not ActorKind.COMPUTER:
        raise Forbidden("only the computer that claimed it may")
    return access.delivery(tx, actor, id, locked=locked)


def _give_back_unheard(tx: Tx, *, computer: Computer, held: frozenset[int]) -> None:
    """Take back what was claimed in an answer that never came. Nothing of it has started, so nothing is doubled."""
    for seen in deliveries.unstarted_on(tx, computer_id=computer.id):
        delivery = deliveries.find_locked(tx, workspace_id=seen.workspace_id, id=seen.id)
        if seen.id in held or delivery != seen or delivery.lease_id is None:
            continue
        given_back = rules.release(
            delivery,
            lease_id=delivery.lease_id,
            fence=delivery.fence,
            now=tx.now,
            burn_attempt=False,
            reason="the answer to its claim was lost",
        )
        _store_given_back(tx, given_back, was=delivery)


def _store_given_back(tx: Tx, given_back: Delivery, *, was: Delivery) -> None:
    deliveries.put(tx, given_back, was=was)
    if given_back.status is Status.DEAD:
        _emit(tx, "delivery.died", given_back)
        _show_dead(tx, given_back)
        debate_ends.lost(tx, given_back, why="could not be started")
        go_on(tx, given_back)
    else:
        _emit(tx, "delivery.released", given_back)
        wake_agent(tx, workspace_id=was.workspace_id, agent=was.agent)


def _show_dead(tx: Tx, delivery: Delivery) -> None:
    room = rooms.find(tx, workspace_id=delivery.workspace_id, ref=delivery.room_id)
    assert room is not None, "a delivery has a room"
    cards.post(
        tx,
        workspace_id=delivery.workspace_id,
        room=room,
        topic_id=delivery.topic_id,
        content=(
            f"{delivery.agent} could not be started: {delivery.attempts} attempts, the last one ended because"
            f" {delivery.error or 'of an unknown reason'}. Retry it, or ask `pal why {delivery.message_id}`."
        ),
        card={"type": "dead", "delivery": delivery.id, "agent": delivery.agent, "actions": ["retry"]},
        parent_id=delivery.message_id,
    )


def _emit(tx: Tx, kind: str, delivery: Delivery) -> None:
    _tell(tx, kind, delivery)
    task_progress.look(tx, workspace_id=delivery.workspace_id, topic_id=delivery.topic_id)


def _tell(tx: Tx, kind: str, delivery: Delivery) -> None:
    tx.emit(kind, workspace_id=delivery.workspace_id, room_id=delivery.room_id, data=delivery.fact())
