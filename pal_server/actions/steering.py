"""Messages told to a run that works already.

Such a message is an ordinary delivery that waits in its lane and is, beside that, offered to the live run. When the
program says that it has read the words, the delivery is done with that run; when the run ends before, or cannot take
them, it goes on waiting like any other. So a message is never lost and never worked on twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pal_server.actions import audit, orders
from pal_server.domain import deliveries as rules
from pal_server.domain.actors import Actor
from pal_server.domain.deliveries import Delivery, Status
from pal_server.domain.messages import Message
from pal_server.domain.prompts import compose_aside
from pal_server.domain.receipts import Outcome, Receipt
from pal_server.domain.rooms import AgentMember
from pal_server.domain.runs import Run, Wanted
from pal_server.domain.steering import Read, reads_in, why_not_steered
from pal_server.storage import agents as agent_rows
from pal_server.storage import commands, deliveries, messages, runs
from pal_server.storage import computers as computer_rows
from pal_server.storage.tx import Tx


def live_run(tx: Tx, *, topic_id: int, agent: str) -> Run | None:
    """What an agent runs in a topic now. The room's row is locked, so it cannot end meanwhile."""
    return runs.live_of_lane(tx, topic_id=topic_id, agent=agent)


def why_not(tx: Tx, *, run: Run) -> str | None:
    """What stands against telling it something, in words; None when nothing does."""
    agent = agent_rows.get(tx, run.agent, workspace_id=run.workspace_id)
    computer = None if run.computer_id is None else computer_rows.get(tx, run.computer_id)
    runtime = run.agent if agent is None else agent.runtime
    takes_text = computer is not None and computer.can(runtime, "live_input")
    is_revoked = computer is None or computer.revoked_at is not None
    return why_not_steered(run, runtime=runtime, takes_text=takes_text, is_revoked=is_revoked)


def tell(tx: Tx, *, run: Run, message: Message, agent: AgentMember, receipt: Receipt) -> Receipt:
    """Offer the message of a waiting delivery to the live run of its lane; the receipt says whether that can be."""
    assert receipt.delivery is not None, "it is the receipt of a delivery"
    if (why := why_not(tx, run=run)) is not None:
        return replace(receipt, text=f"{agent.key} cannot be told now: {why}. It waits, {_place(receipt.place)}")
    assert run.computer_id is not None, "it could not be told otherwise"
    commands.add(
        tx,
        workspace_id=run.workspace_id,
        computer_id=run.computer_id,
        kind="steer",
        run_id=run.id,
        data={"message": message.id, "delivery": receipt.delivery, "text": _words(tx, message)},
    )
    deliveries.offer(tx, id=receipt.delivery, run_id=run.id)
    tx.wake(f"commands:{run.computer_id}")
    _emit(tx, "delivery.steered", _reread(tx, workspace_id=run.workspace_id, id=receipt.delivery))
    if not agent.computer_online:
        text = f"{agent.computer_name}, where run {run.id} of {agent.key} works, is away: it is told when that returns"
        return replace(receipt, outcome=Outcome.OFFLINE, text=text)
    return replace(receipt, outcome=Outcome.STEERED, text=f"{agent.key} is told while it works, in run {run.id}")


def interrupt(tx: Tx, *, actor: Actor, run: Run, receipt: Receipt) -> Receipt:
    """Stop the live run of a lane, and let the delivery of the receipt come next."""
    assert receipt.delivery is not None, "it is the receipt of a delivery"
    to_front(tx, _reread(tx, workspace_id=run.workspace_id, id=receipt.delivery))
    computer = None if run.computer_id is None else computer_rows.get(tx, run.computer_id)
    if computer is None or computer.revoked_at is not None:
        text = f"run {run.id} of {run.agent} cannot be stopped: its computer is revoked. Kill it, and this comes next"
        return replace(receipt, text=text, place=1)
    if run.wanted is None:
        orders.end(tx, run=run, wanted=Wanted.STOP, by=actor.name)
        audit.record(
            tx, actor=actor, action="run.stop", target=f"run:{run.id}", detail={"reason": "a message interrupts it"}
        )
    text = f"run {run.id} of {run.agent} is being stopped, and this comes next"
    return replace(receipt, outcome=Outcome.INTERRUPTS, text=text, place=1)


def to_front(tx: Tx, delivery: Delivery) -> Delivery:
    """Let a waiting delivery come before all others that wait in its lane. The room's row is locked."""
    front = deliveries.front_of_lane(tx, topic_id=delivery.topic_id, agent=delivery.agent)
    if front is not None and front.id != delivery.id:
        front = deliveries.find_locked(tx, workspace_id=front.workspace_id, id=front.id)
    if front is None or front.id == delivery.id:
        return delivery
    if front.status is not Status.PENDING:  # a computer took it a moment ago
        front = replace(front, status=Status.PENDING, waits=True)
    moved = rules.go_first(delivery, before=front, now=tx.now)
    if not front.waits:
        deliveries.put(tx, replace(front, waits=True), was=front)
    deliveries.put(tx, moved, was=delivery)
    _emit(tx, "delivery.moved", moved)
    return moved


def note_reads(tx: Tx, *, run: Run, events: Sequence[Mapping[str, Any]]) -> None:
    """The program has read what it was told: those messages are done with this run. The room's row is locked.

    A message that was taken back after it had reached the program is said to be read, and stays taken back.
    """
    for read in reads_in(events):
        command = commands.find_of_run(tx, id=read.command, run_id=run.id)
        if command is None or command.kind != "steer":
            continue
        delivery = deliveries.find_locked(tx, workspace_id=run.workspace_id, id=command.data["delivery"])
        assert delivery is not None, "a delivery is never removed"
        if delivery.read_step is None:
            _has_read(tx, run=run, delivery=delivery, read=read)


def refused(tx: Tx, *, workspace_id: str, delivery_id: int, why: str) -> None:
    """The daemon says that the program does not take the words: they wait their turn. The room's row is locked."""
    delivery = deliveries.find_locked(tx, workspace_id=workspace_id, id=delivery_id)
    if delivery is not None and delivery.status is Status.PENDING and delivery.steered_into is not None:
        _waits_again(tx, delivery, why=why)


def run_ended(tx: Tx, *, run: Run) -> None:
    """What the run was told and had not read waits its turn again. The room's row is locked."""
    for delivery in deliveries.offered_to(tx, run_id=run.id):
        if delivery.status is Status.PENDING:
            _waits_again(tx, delivery, why=f"run {run.id} ended before it read this")


def reword(tx: Tx, *, delivery: Delivery, message: Message) -> None:
    """The message was edited: a computer that has not fetched the words yet gets the new ones."""
    for command in _open_commands(tx, delivery):
        commands.set_data(tx, id=command.id, data={**command.data, "text": _words(tx, message)})


def withdraw(tx: Tx, delivery: Delivery) -> None:
    """The delivery is dropped: a computer that has not fetched the words yet never gets them."""
    for command in _open_commands(tx, delivery):
        commands.done(tx, id=command.id, computer_id=command.computer_id, ok=False, detail="it was dropped")


def _has_read(tx: Tx, *, run: Run, delivery: Delivery, read: Read) -> None:
    step = runs.count_steps(tx, run_id=run.id, before=read.seq) if read.step is None else read.step
    if delivery.status is Status.PENDING:
        taken = rules.read_by(delivery, run_id=run.id, step=step, now=tx.now)
        deliveries.put(tx, taken, was=delivery)
        _emit(tx, "delivery.acked", taken)
    tx.emit(
        "message.read",
        workspace_id=run.workspace_id,
        room_id=run.room_id,
        data={
            "id": delivery.message_id,
            "topic": delivery.topic_id,
            "agent": run.agent,
            "delivery": delivery.id,
            "run": run.id,
            "step": step,
        },
    )


def _waits_again(tx: Tx, delivery: Delivery, *, why: str) -> None:
    waiting = replace(delivery, steered_into=None, updated_at=tx.now)
    deliveries.put(tx, waiting, was=delivery)
    place = deliveries.before_in_lane(
        tx, topic_id=waiting.topic_id, agent=waiting.agent, id=waiting.id, ahead=waiting.ahead
    )
    tx.emit(
        "delivery.queued",
        workspace_id=delivery.workspace_id,
        room_id=delivery.room_id,
        data={**waiting.fact(), "place": place, "why": why},
    )


def _open_commands(tx: Tx, delivery: Delivery) -> list[commands.Command]:
    if delivery.steered_into is None:
        return []
    found = commands.open_of_run(tx, run_id=delivery.steered_into)
    return [command for command in found if command.kind == "steer" and command.data["delivery"] == delivery.id]


def _words(tx: Tx, message: Message) -> str:
    now = messages.find(tx, workspace_id=message.workspace_id, id=message.id) or message
    return compose_aside(now, nonce=tx.new_id("mark").removeprefix("mark_")[:12])


def _place(place: int | None) -> str:
    return "one before it" if place in (None, 1) else f"{place} before it"


def _reread(tx: Tx, *, workspace_id: str, id: int) -> Delivery:
    delivery = deliveries.find(tx, workspace_id=workspace_id, id=id)
    assert delivery is not None, "it was read or written in this transaction"
    return delivery


def _emit(tx: Tx, kind: str, delivery: Delivery) -> None:
    tx.emit(kind, workspace_id=delivery.workspace_id, room_id=delivery.room_id, data=delivery.fact())
