"""Receipts: what happens now with a message for one agent, told truthfully."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .rooms import AgentMember


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

    def fact(self) -> dict[str, Any]:
        """The receipt as others see it."""
        return {
            "agent": self.agent,
            "outcome": self.outcome,
            "text": self.text,
            "delivery": self.delivery,
            "place": self.place,
        }


def for_delivery(agent: AgentMember, *, delivery: int, place: int) -> Receipt:
    """`place` is how many deliveries of the lane come before this one."""
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
    return Receipt(agent=agent.key, outcome=Outcome.STARTED, text=f"{agent.key} starts now", delivery=delivery)
