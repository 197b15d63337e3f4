"""Interrupted runs: a card lists what they had done, and a person chooses once what becomes of their work."""

from typing import Any

from pal_server.actions import access, audit, cards, deliveries
from pal_server.domain import deliveries as rules
from pal_server.domain.actors import Actor
from pal_server.domain.deliveries import Delivery
from pal_server.domain.deliveries import Status as DeliveryStatus
from pal_server.domain.effects import Choice, describe, effects_of, parse_choice
from pal_server.domain.messages import Message
from pal_server.domain.runs import Run, Status
from pal_server.errors import Conflict
from pal_server.storage import commands, messages, rooms, runs
from pal_server.storage import computers as computer_rows
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage.tx import Tx

MESSAGES_LIMIT = 100


def show(tx: Tx, *, run: Run, found: dict[str, Any]) -> Message:
    """The card of a run that was interrupted a moment ago. `found` is what its computer says of what it left."""
    told = runs.told(tx, run=run)
    sent = messages.sent_by_run(tx, run_id=run.id, after=run.message_id or 0, limit=MESSAGES_LIMIT)
    effects = effects_of(told, messages=sent, found=found)
    room = rooms.find(tx, workspace_id=run.workspace_id, ref=run.room_id)
    assert room is not None, "a run has a room"
    content = "\n".join(
        [
            f"{run.agent} was interrupted, and nobody knows how far it came.",
            *describe(effects),
            "Resume the session, start over, drop it (what it changed is put aside), or keep the files and do no more.",
        ]
    )
    return cards.post(
        tx,
        workspace_id=run.workspace_id,
        room=room,
        topic_id=run.topic_id,
        content=content,
        card={
            "type": cards.INTERRUPTED,
            "run": run.id,
            "delivery": run.delivery_id,
            "agent": run.agent,
            "status": "pending",
            "actions": list(Choice),
            "effects": effects,
        },
        parent_id=run.message_id,
    )


def choose(tx: Tx, *, actor: Actor, id: int, choice: str) -> Run:
    """What becomes of an interrupted run's work. Chosen once: later choices are a `Conflict`."""
    access.need_person(actor)
    chosen = parse_choice(choice)
    rooms.lock(tx, room_id=access.run(tx, actor, id).room_id)
    run = access.run(tx, actor, id)
    delivery = _undecided(tx, actor, run)
    match chosen:
        case Choice.RESUME | Choice.START_OVER:
            deliveries.retry(tx, actor=actor, id=delivery.id, fresh=chosen is Choice.START_OVER)
        case Choice.DROP | Choice.KEEP_FILES:
            given_up = rules.give_up(delivery, now=tx.now)
            delivery_rows.put(tx, given_up, was=delivery)
            deliveries.changed(tx, "delivery.cancelled", given_up)
            aside = {"set_aside": _order_aside(tx, run=run)} if chosen is Choice.DROP else {}
            cards.close_interrupted(tx, delivery=delivery, choice=chosen, by=actor.name, more=aside)
    audit.record(tx, actor=actor, action="run.chosen", target=f"run:{id}", detail={"choice": chosen})
    return run


def has_set_aside(tx: Tx, *, run: Run, ok: bool, detail: str) -> None:
    """Its computer says what became of the files. The room's row is locked."""
    card = cards.of_interrupted(tx, workspace_id=run.workspace_id, run_id=run.id, message_id=run.message_id)
    if card is not None:
        state = "done" if ok else "failed"
        cards.change(tx, message=card, card={**(card.card or {}), "set_aside": {"state": state, "detail": detail}})


def _undecided(tx: Tx, actor: Actor, run: Run) -> Delivery:
    if run.status is not Status.INTERRUPTED or run.delivery_id is None:
        raise Conflict(f"there is nothing to choose: the run is {run.status}", run=run.id, status=run.status)
    delivery = access.delivery(tx, actor, run.delivery_id, locked=True)
    if delivery.status is not DeliveryStatus.INTERRUPTED or delivery.run_id != run.id:
        raise Conflict("it was chosen already what becomes of this run", run=run.id, delivery=delivery.id)
    return delivery


def _order_aside(tx: Tx, *, run: Run) -> dict[str, str]:
    computer = None if run.computer_id is None else computer_rows.get(tx, run.computer_id)
    if computer is None or computer.revoked_at is not None:
        return {"state": "failed", "detail": "its computer cannot be reached any more: the files stay as they are"}
    commands.add(tx, workspace_id=run.workspace_id, computer_id=computer.id, kind="set_aside", run_id=run.id, data={})
    tx.wake(f"commands:{computer.id}")
    return {"state": "ordered", "detail": "its computer puts the files aside"}
