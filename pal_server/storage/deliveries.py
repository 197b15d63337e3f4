"""Deliveries and their lanes, as rows. The rules are in `domain.deliveries`; `put` repeats their guard."""

from dataclasses import dataclass

from pal_server.domain.actors import Actor
from pal_server.domain.addressing import Reason
from pal_server.domain.deliveries import Delivery, Status
from pal_server.domain.receipts import Load
from pal_server.domain.turns import Turn, freeze_turn
from pal_server.errors import Conflict
from pal_server.storage.tx import Row, Tx
from pal_server.storage.viewers import own_work, viewer

_ENDED_BADLY = (Status.FAILED, Status.INTERRUPTED, Status.CANCELLED, Status.DEAD)  # what people look for; indexed


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """The newest waiting delivery of a lane and who wrote its message."""

    delivery: Delivery
    said_by: str
    said_by_kind: str


def add(
    tx: Tx,
    *,
    workspace_id: str,
    room_id: str,
    topic_id: int,
    message_id: int,
    agent: str,
    reason: Reason,
    max_attempts: int,
    not_before: int,
    chain_id: int,
    hop: int,
) -> tuple[int, bool]:
    """Its id, and whether it waits for its lane. The room's row is locked by the caller."""
    row = tx.sql.one(
        "deliveries.add",
        workspace_id=workspace_id,
        room_id=room_id,
        topic_id=topic_id,
        message_id=message_id,
        agent=agent,
        reason=reason,
        max_attempts=max_attempts,
        not_before=not_before,
        chain_id=chain_id,
        hop=hop,
        now=tx.now,
    )
    assert row is not None, "an insert returns its row"
    return row["id"], bool(row["waits"])


def find(tx: Tx, *, workspace_id: str, id: int) -> Delivery | None:
    row = tx.sql.one("deliveries.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _delivery(row)


def find_locked(tx: Tx, *, workspace_id: str, id: int) -> Delivery | None:
    """As `find`; nobody else changes it until the commit."""
    row = tx.sql.one("deliveries.locked", workspace_id=workspace_id, id=id)
    return None if row is None else _delivery(row)


def of_message(tx: Tx, *, message_id: int) -> list[Delivery]:
    return [_delivery(row) for row in tx.sql.all("deliveries.of_message", message_id=message_id)]


def ready(tx: Tx, *, workspace_id: str, agent: str, limit: int) -> list[Delivery]:
    rows = tx.sql.all("deliveries.ready", workspace_id=workspace_id, agent=agent, now=tx.now, limit=limit)
    return [_delivery(row) for row in rows]


def pending_for(tx: Tx, *, computer_id: str) -> int:
    """How many deliveries could run on a computer now, counted up to 1000."""
    row = tx.sql.one("deliveries.pending_for", computer_id=computer_id)
    return 0 if row is None else int(row["waiting"])


def next_due(tx: Tx, *, computer_id: str) -> int | None:
    row = tx.sql.one("deliveries.next_due", computer_id=computer_id, now=tx.now)
    return None if row is None else row["at"]


def held_on(tx: Tx, *, computer_id: str) -> dict[str, int]:
    return {row["agent"]: row["held"] for row in tx.sql.all("deliveries.held_on", computer_id=computer_id)}


def load_of(tx: Tx, *, agent: str, computer_id: str, id: int) -> Load:
    """What stands before delivery `id` of an agent, in other topics and on its computer."""
    row = tx.sql.one("deliveries.load_of", agent=agent, computer_id=computer_id, id=id)
    assert row is not None, "an agent's computer is never removed"
    return Load(max_runs=row["max_runs"], on_computer=row["on_computer"], in_hand=row["in_hand"], ready=row["ready"])


def unstarted_on(tx: Tx, *, computer_id: str) -> list[Delivery]:
    """What a computer has claimed, under a lease that is not over, and not started."""
    return [_delivery(row) for row in tx.sql.all("deliveries.unstarted_on", computer_id=computer_id, now=tx.now)]


def put(tx: Tx, new: Delivery, *, was: Delivery) -> None:
    """Store a transition. `Conflict` when the row is no longer what the rule saw."""
    changed = tx.sql.run(
        "deliveries.put",
        id=new.id,
        status=new.status,
        waits=int(new.waits),
        attempts=new.attempts,
        not_before=new.not_before,
        lease_id=new.lease_id,
        lease_until=new.lease_until,
        fence=new.fence,
        started=int(new.started),
        computer_id=new.computer_id,
        run_id=new.run_id,
        fresh=int(new.fresh),
        error=new.error,
        steered_into=new.steered_into,
        read_step=new.read_step,
        ahead=new.ahead,
        updated_at=new.updated_at,
        was_fence=was.fence,
        was_status=was.status,
        was_started=int(was.started),
    )
    if not changed:
        raise Conflict("the delivery has changed meanwhile: look again", delivery=new.id)


def promote(tx: Tx, *, topic_id: int, agent: str) -> int | None:
    """Let the lane's next delivery be claimed; its id, if there is one."""
    row = tx.sql.one("deliveries.promote", topic_id=topic_id, agent=agent)
    return None if row is None else int(row["id"])


def lane_is_open(tx: Tx, *, topic_id: int, agent: str) -> bool:
    return tx.sql.one("deliveries.lane_is_open", topic_id=topic_id, agent=agent) is not None


def before_in_lane(tx: Tx, *, topic_id: int, agent: str, id: int, ahead: int = 0) -> int:
    row = tx.sql.one("deliveries.before_in_lane", topic_id=topic_id, agent=agent, id=id, ahead=ahead)
    return 0 if row is None else int(row["place"])


def any_at_work(tx: Tx, *, topic_id: int) -> bool:
    """Whether anything waits or runs in a topic."""
    return tx.sql.one("deliveries.any_at_work", topic_id=topic_id) is not None


def waiting_in_lane(tx: Tx, *, topic_id: int, agent: str) -> int:
    row = tx.sql.one("deliveries.waiting_in_lane", topic_id=topic_id, agent=agent)
    return 0 if row is None else int(row["number"])


def front_of_lane(tx: Tx, *, topic_id: int, agent: str) -> Delivery | None:
    """The first of those that wait, be it for its lane or for its computer."""
    row = tx.sql.one("deliveries.front_of_lane", topic_id=topic_id, agent=agent)
    return None if row is None else _delivery(row)


def offer(tx: Tx, *, id: int, run_id: int) -> None:
    tx.sql.run("deliveries.offer", id=id, run_id=run_id, now=tx.now)


def offered_to(tx: Tx, *, run_id: int) -> list[Delivery]:
    """What a run was told while it worked, read or not."""
    return [_delivery(row) for row in tx.sql.all("deliveries.offered_to", run_id=run_id)]


def told_to_runs_of(tx: Tx, *, delivery_id: int) -> list[int]:
    rows = tx.sql.all("deliveries.told_to_runs_of", delivery_id=delivery_id)
    return [row["message_id"] for row in rows]


def burst(tx: Tx, *, topic_id: int, agent: str) -> Burst | None:
    row = tx.sql.one("deliveries.burst", topic_id=topic_id, agent=agent)
    if row is None:
        return None
    return Burst(delivery=_delivery(row), said_by=row["said_by"], said_by_kind=row["said_by_kind"])


def join_burst(tx: Tx, *, delivery_id: int, message_id: int) -> None:
    tx.sql.run("deliveries.join_burst", delivery_id=delivery_id, message_id=message_id)


def burst_messages(tx: Tx, *, delivery_id: int) -> list[int]:
    return [row["message_id"] for row in tx.sql.all("deliveries.burst_messages", delivery_id=delivery_id)]


def bursts_of(tx: Tx, *, message_id: int) -> list[int]:
    return [row["delivery_id"] for row in tx.sql.all("deliveries.burst_of", message_id=message_id)]


def leave_burst(tx: Tx, *, message_id: int) -> None:
    tx.sql.run("deliveries.leave_burst", message_id=message_id)


def lead_with(tx: Tx, *, id: int, message_id: int) -> None:
    tx.sql.run("deliveries.lead_with", id=id, message_id=message_id, now=tx.now)


def set_given(tx: Tx, *, id: int, prompt: str, turn: Turn, recap: str) -> None:
    """What an attempt is told, what it works with, and what it is told first where its session is lost."""
    tx.sql.run("deliveries.set_given", id=id, prompt=prompt, profile=freeze_turn(turn), recap=recap or None)


def take_recap(tx: Tx, *, id: int) -> str | None:
    """What the newest attempt was to be told where its session is lost; taken once."""
    row = tx.sql.one("deliveries.recap", id=id)
    if row is None or row["recap"] is None:
        return None
    tx.sql.run("deliveries.forget_recap", id=id)
    return str(row["recap"])


def given(tx: Tx, *, id: int) -> tuple[str | None, str | None]:
    """Prompt and profile of the newest attempt, as they were stored."""
    row = tx.sql.one("deliveries.given", id=id)
    return (None, None) if row is None else (row["prompt"], row["profile"])


def any_overdue(tx: Tx) -> bool:
    return tx.sql.one("deliveries.any_overdue", now=tx.now) is not None


def overdue(tx: Tx, *, limit: int) -> list[Delivery]:
    return [_delivery(row) for row in tx.sql.all("deliveries.overdue", now=tx.now, limit=limit)]


def pending_of_agent(tx: Tx, *, workspace_id: str, agent: str, limit: int) -> list[Delivery]:
    rows = tx.sql.all("deliveries.pending_of_agent", workspace_id=workspace_id, agent=agent, limit=limit)
    return [_delivery(row) for row in rows]


def page(
    tx: Tx,
    *,
    actor: Actor,
    before: int,
    limit: int,
    agent: str | None,
    status: str | None,
    room_id: str | None,
    topic_id: int | None,
    message_id: int | None,
) -> list[Delivery]:
    """Newest first."""
    who = viewer(actor)
    if topic_id is not None and status == Status.PENDING and room_id is None and message_id is None:
        rows = tx.sql.all(
            "deliveries.page_of_queue",
            workspace_id=actor.workspace_id,
            topic_id=topic_id,
            agent=agent,
            before=before,
            limit=limit,
            computer=own_work(actor),
            **who,
        )
    elif agent is not None and room_id is None and topic_id is None and message_id is None:
        rows = tx.sql.all(
            "deliveries.page_of_agent",
            workspace_id=actor.workspace_id,
            agent=agent,
            status=status,
            before=before,
            limit=limit,
            computer=own_work(actor),
            **who,
        )
    elif status in _ENDED_BADLY and agent is None and room_id is None and topic_id is None and message_id is None:
        rows = tx.sql.all(
            "deliveries.page_of_ended",
            workspace_id=actor.workspace_id,
            status=status,
            before=before,
            limit=limit,
            computer=own_work(actor),
            **who,
        )
    else:
        rows = tx.sql.all(
            "deliveries.page",
            workspace_id=actor.workspace_id,
            agent=agent,
            status=status,
            room_id=room_id,
            topic_id=topic_id,
            message_id=message_id,
            before=before,
            limit=limit,
            computer=own_work(actor),
            **who,
        )
    return [_delivery(row) for row in rows]


def counts(tx: Tx) -> dict[str, int]:
    return {row["status"]: row["number"] for row in tx.sql.all("deliveries.counts")}


def _delivery(row: Row) -> Delivery:
    return Delivery(
        id=row["id"],
        workspace_id=row["workspace_id"],
        room_id=row["room_id"],
        topic_id=row["topic_id"],
        message_id=row["message_id"],
        agent=row["agent"],
        reason=Reason(row["reason"]),
        status=Status(row["status"]),
        waits=bool(row["waits"]),
        attempts=row["attempts"],
        max_attempts=row["max_attempts"],
        not_before=row["not_before"],
        lease_id=row["lease_id"],
        lease_until=row["lease_until"],
        fence=row["fence"],
        started=bool(row["started"]),
        computer_id=row["computer_id"],
        run_id=row["run_id"],
        fresh=bool(row["fresh"]),
        chain_id=row["chain_id"],
        hop=row["hop"],
        error=row["error"],
        steered_into=row["steered_into"],
        read_step=row["read_step"],
        ahead=row["ahead"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
