"""Model, effort and mode of an agent in one topic, in place of what its profile says.

A run that lives goes on as it began; the next turn begins with what is chosen now.
"""

from dataclasses import replace

from pal_server.actions import access, audit
from pal_server.domain.actors import Actor, Role
from pal_server.domain.agents import AgentMode, Choice, parse_agent_mode, parse_choice
from pal_server.domain.keep import KEEP, Keep
from pal_server.storage import choices
from pal_server.storage.tx import Tx


def get(tx: Tx, *, actor: Actor, topic: int, agent: str) -> Choice:
    found = access.topic(tx, actor, topic)
    return choices.find(tx, topic_id=found.id, agent=access.agent(tx, actor, agent).key)


def change(
    tx: Tx,
    *,
    actor: Actor,
    topic: int,
    agent: str,
    model: str | Keep | None = KEEP,
    effort: str | Keep | None = KEEP,
    mode: str | Keep | None = KEEP,
) -> Choice:
    """Choose what is named; None goes back to the agent's profile. A mode that asks nobody is an admin's to give."""
    access.need_person(actor)
    found = access.topic(tx, actor, topic)
    before = choices.find(tx, topic_id=found.id, agent=access.agent(tx, actor, agent).key)
    wanted = replace(
        before,
        model=before.model if model is KEEP else parse_choice(model, field="model"),
        effort=before.effort if effort is KEEP else parse_choice(effort, field="effort"),
        mode=before.mode if mode is KEEP else None if mode is None else parse_agent_mode(mode),
    )
    if wanted == before:
        return before
    if wanted.mode is AgentMode.BYPASS and before.mode is not AgentMode.BYPASS:
        access.need(actor, Role.ADMIN)
    choices.put(tx, wanted)
    tx.emit("choice.changed", workspace_id=actor.workspace_id, room_id=found.room_id, data=wanted.fact())
    if wanted.mode is not before.mode:
        target = f"{agent} in topic {topic}"
        audit.record(tx, actor=actor, action="agent.mode_set", target=target, detail={"mode": wanted.mode})
    return wanted
