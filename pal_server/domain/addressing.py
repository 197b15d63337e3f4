"""Whom a message is for, and by which rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .rooms import AgentMember, Mode


class Reason(StrEnum):
    """Why a delivery exists; shown by `pal why`."""

    MENTION = "mention"  # the agent was called by name
    REPLY = "reply"  # the message answers one of the agent's
    ALL = "all"  # the agent hears every message of a person in the room
    DIRECT = "direct"  # handed over by a workflow, as a debate's turn
    PERIODIC = "periodic"  # a digest of what was unread
    SCHEDULE = "schedule"  # a beat of a schedule
    TASK = "task"  # started from a task
    MANUAL = "manual"  # made by hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    agent: AgentMember
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressing:
    """`deliver` makes deliveries; `keep` goes to inboxes only; `refused` is named in a receipt with its reason."""

    deliver: tuple[Addressed, ...]
    keep: tuple[Addressed, ...]
    refused: tuple[tuple[AgentMember, str], ...]
    mentions: tuple[str, ...]
    unresolved: tuple[str, ...]


def address(
    *,
    called: Iterable[str],
    agents: Iterable[AgentMember],
    people: Iterable[str],
    author_agent: str | None,
    by_person: bool,
    parent_agent: str | None,
    reply_counts: bool = True,
) -> Addressing:
    """Decide who gets a message in a room with these agents and people.

    `called` are the names of the text and of `mentions`, `author_agent` the agent that speaks, `parent_agent` the one
    whose message is answered. An agent never addresses itself. `reply_counts=False` is an agent's answer to an answer:
    it ends the exchange unless it calls somebody by name.
    """
    by_key = {agent.key.lower(): agent for agent in agents}
    off = {key: by_key.pop(key) for key, agent in list(by_key.items()) if agent.mode is Mode.OFF}
    by_person_name = {name.lower(): name for name in people}
    mentions: dict[str, None] = {}
    unresolved: dict[str, None] = {}
    for name in called:
        if (agent := by_key.get(name.lower())) is not None:
            mentions.setdefault(agent.key, None)
        elif (person := by_person_name.get(name.lower())) is not None:
            mentions.setdefault(person, None)
        else:
            unresolved.setdefault(name, None)

    called_off = dict.fromkeys(name.lower() for name in unresolved if name.lower() in off)
    deliver: list[Addressed] = []
    keep: list[Addressed] = []
    refused = [(off[key], "its mode is off here") for key in called_off]
    for agent in by_key.values():
        if agent.key == author_agent:
            continue
        reason = _reason(
            agent,
            mentioned=agent.key in mentions,
            replied=reply_counts and agent.key == parent_agent,
            by_person=by_person,
        )
        if reason is None:
            continue
        if not agent.enabled:
            if reason is not Reason.ALL:
                refused.append((agent, "it is disabled"))
        elif agent.mode in (Mode.MUTED, Mode.PERIODIC):
            keep.append(Addressed(agent=agent, reason=reason))
        else:
            deliver.append(Addressed(agent=agent, reason=reason))
    return Addressing(
        deliver=tuple(deliver),
        keep=tuple(keep),
        refused=tuple(refused),
        mentions=tuple(mentions),
        unresolved=tuple(unresolved),
    )


def _reason(agent: AgentMember, *, mentioned: bool, replied: bool, by_person: bool) -> Reason | None:
    if mentioned:
        return Reason.MENTION
    if replied:
        return Reason.REPLY
    if agent.mode is Mode.ALL and by_person:
        return Reason.ALL
    return None
