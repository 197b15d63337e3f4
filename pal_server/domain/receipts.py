"""Receipts: what happens now with a message for one agent, told truthfully."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .rooms import AgentMember
from .terminals import Terminal


class Outcome(StrEnum):
    STARTED = "started"  # its computer is being woken
    QUEUED = "queued"  # waits its turn
    OFFLINE = "offline"  # kept until the agent's computer is there
    STEERED = "steered"  # told to the live run; `message.read` follows once it has read it
    READ = "read"  # the live run has read it
    DONE = "done"  # a command to pal, which carried it out; no agent runs
    INTERRUPTS = "interrupts"  # the live run is being stopped, and this comes next
    HELD = "held"  # waits for a person
    REFUSED = "refused"  # not delivered, with the reason
    SAVED = "saved"  # kept in the inbox, nothing runs
    MERGED = "merged"  # joined a delivery that waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    agent: str
    outcome: Outcome
    text: str
    delivery: int | None = None
    place: int | None = None
    interaction: int | None = None  # what its run waits for, which this could be the answer to

    def fact(self) -> dict[str, Any]:
        """The receipt as others see it."""
        return {
            "agent": self.agent,
            "outcome": self.outcome,
            "text": self.text,
            "delivery": self.delivery,
            "place": self.place,
            "interaction": self.interaction,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What stands before a delivery that is first in its own topic."""

    max_runs: int  # of the agent's computer
    on_computer: int  # runs
    in_hand: int  # of them the agent's
    ready: int  # deliveries of the agent that are claimed before this one; counted up to a hundred


def for_delivery(agent: AgentMember, *, delivery: int, place: int, load: Load | None = None) -> Receipt:
    """`place` is how many deliveries of the lane come before this one; `load` what does when that is none."""
    waiting = f"{place} before it" if place != 1 else "one before it"
    if agent.computer_id is None:
        text = f"kept: {agent.key} is not assigned to a computer yet"
        return Receipt(agent=agent.key, outcome=Outcome.OFFLINE, text=text, delivery=delivery, place=place or None)
    if not agent.computer_online:
        text = f"kept: {agent.computer_name}, the computer of {agent.key}, is offline"
        return Receipt(agent=agent.key, outcome=Outcome.OFFLINE, text=text, delivery=delivery, place=place or None)
    if agent.computer_draining:
        text = f"kept: {agent.computer_name}, the computer of {agent.key}, is draining and takes nothing new"
        return Receipt(agent=agent.key, outcome=Outcome.QUEUED, text=text, delivery=delivery, place=max(place, 1))
    if place:
        text = f"{agent.key} is busy in this topic, {waiting}"
        return Receipt(agent=agent.key, outcome=Outcome.QUEUED, text=text, delivery=delivery, place=place)
    if load is not None and (full := _queued(agent, load, delivery=delivery)) is not None:
        return full
    return Receipt(agent=agent.key, outcome=Outcome.STARTED, text=f"{agent.key} starts now", delivery=delivery)


def for_terminal(agent: AgentMember, terminal: Terminal, *, delivery: int) -> Receipt:
    """Somebody drives the agent by hand, so what is said to it waits."""
    text = f"{agent.key} is used in a terminal that {terminal.opened_by} opened: it comes when that is closed"
    return Receipt(agent=agent.key, outcome=Outcome.QUEUED, text=text, delivery=delivery, place=1)


def _queued(agent: AgentMember, load: Load, *, delivery: int) -> Receipt | None:
    """Place is how many have to end before it begins; None when it may begin now."""
    over = load.in_hand + load.ready + 1 - agent.concurrency
    crowd = load.on_computer + 1 - load.max_runs
    if over > 0:
        text = f"{agent.key} works in as many topics as it may ({agent.concurrency}) and comes here when one is done"
    elif crowd > 0:
        text = f"{agent.computer_name} runs as many agents as it may ({load.max_runs}) and starts it when one is done"
    else:
        return None
    return Receipt(agent=agent.key, outcome=Outcome.QUEUED, text=text, delivery=delivery, place=max(over, crowd))
