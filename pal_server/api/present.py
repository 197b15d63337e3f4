"""Domain values become contract structs. A value's `fact()` has the contract's names; the conversion checks that it
does.
"""

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

import msgspec

from pal_server.actions.deliveries import Claimed
from pal_server.actions.messages import Sent
from pal_server.contract import agents, deliveries, messages, people, runs
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.runs import Run, RunEvent

A = TypeVar("A")


class HasFact(Protocol):
    def fact(self) -> dict[str, Any]: ...


def present(value: HasFact, kind: type[A], /) -> A:
    """One thing, as `kind` of the contract."""
    return msgspec.convert(value.fact(), kind)


def present_all(values: Iterable[HasFact], kind: type[A], /) -> list[A]:
    return [msgspec.convert(value.fact(), kind) for value in values]


def present_sent(sent: Sent, /) -> messages.SentAnswer:
    return messages.SentAnswer(
        message=present(sent.message, messages.Message),
        deliveries=present_all(sent.deliveries, messages.SentDelivery),
        unresolved_mentions=list(sent.unresolved_mentions),
        receipts=present_all(sent.receipts, messages.Receipt),
    )


def present_claimed(claimed: Claimed, /) -> deliveries.ClaimedDelivery:
    """As it is in the answer to a claim from the queue."""
    return msgspec.convert(
        {**claimed.delivery.fact(), "lease": claimed.lease(), "work": claimed.work}, deliveries.ClaimedDelivery
    )


def present_claim(claimed: Claimed, /, *, now: int) -> deliveries.ClaimAnswer:
    """As it is in the answer to a claim by id."""
    return deliveries.ClaimAnswer(
        delivery=present(claimed.delivery, deliveries.Delivery),
        lease=msgspec.convert(claimed.lease(), deliveries.Lease),
        work=msgspec.convert(claimed.work, deliveries.Work),
        now=now,
    )


def present_live_run(run: Run, /) -> agents.LiveRun | None:
    """A run as its daemon knows it; None for one without a lease, which no daemon has."""
    if run.delivery_id is None or run.lease_id is None or run.fence is None:
        return None
    return agents.LiveRun(
        id=run.id,
        delivery=run.delivery_id,
        agent=run.agent,
        status=run.status,
        lease_id=run.lease_id,
        fence=run.fence,
        last_seq=run.last_seq,
        last_source=run.last_source,
    )


def present_run(run: Run, /) -> runs.Run:
    return present(run, runs.Run)


def present_run_event(event: RunEvent, /) -> runs.RunEvent:
    return msgspec.convert({**event.fact(), "data": msgspec.json.decode(event.data)}, runs.RunEvent)


def render_run_event(event: RunEvent, /) -> bytes:
    """The event as JSON; its `data` is JSON already."""
    return msgspec.json.encode({**event.fact(), "data": msgspec.Raw(event.data.encode())})


def present_me(actor: Actor, /) -> people.Me:
    return people.Me(
        kind=actor.kind,
        name=actor.name,
        display_name=actor.display_name,
        role=None if actor.role is None else actor.role.value,
        workspace=actor.workspace_id,
        agent=actor.agent,
        computer=actor.id if actor.kind is ActorKind.COMPUTER else actor.computer_id,
        run=actor.run_id,
        room=actor.room_id,
        topic=actor.topic_id,
    )
