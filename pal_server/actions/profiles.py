"""The profile a session keeps: frozen at its first run, replaced when a person applies the agent's present one."""

from collections.abc import Sequence
from dataclasses import replace

from pal_server.actions import access
from pal_server.domain.actors import Actor, Role
from pal_server.domain.agents import Agent
from pal_server.domain.profiles import freeze, is_outdated
from pal_server.domain.runs import Session
from pal_server.storage import agents, rooms, runs
from pal_server.storage.tx import Tx


def begin(tx: Tx, *, workspace_id: str, session: Session) -> None:
    """A run begins; the session's first one decides which profile it has."""
    if session.profile is None and (agent := agents.get(tx, session.agent, workspace_id=workspace_id)) is not None:
        runs.freeze_session(tx, id=session.id, profile=freeze(agent))


def apply(tx: Tx, *, actor: Actor, key: str, topic: int | None = None) -> list[int]:
    """Let sessions that began with an earlier profile go on with the present one, from their next run on; the topics
    of those that did. Only topics the actor sees.
    """
    access.need(actor, Role.MEMBER)
    agent = access.agent(tx, actor, key)
    if topic is not None:
        access.topic(tx, actor, topic)
    present = freeze(agent)
    found = _outdated(tx, actor=actor, agent=agent, topic=topic)
    for session in found:
        runs.freeze_session(tx, id=session.id, profile=present)
    if found:
        tx.emit(
            "agent.applied",
            workspace_id=actor.workspace_id,
            data={"agent": agent.key, "topics": [session.topic_id for session in found]},
        )
    return [session.topic_id for session in found]


def outdated(tx: Tx, *, actor: Actor, key: str) -> list[int]:
    """Topics in which the agent goes on with an earlier profile, as far as the actor sees them."""
    return [session.topic_id for session in _outdated(tx, actor=actor, agent=access.agent(tx, actor, key), topic=None)]


def aged(tx: Tx, *, workspace_id: str, sessions: Sequence[Session]) -> list[Session]:
    """The same sessions, each with whether its agent's profile is another one now."""
    known = {key: agents.get(tx, key, workspace_id=workspace_id) for key in {session.agent for session in sessions}}
    return [
        replace(session, is_outdated=agent is not None and is_outdated(session.profile, agent=agent))
        for session in sessions
        for agent in (known[session.agent],)
    ]


def _outdated(tx: Tx, *, actor: Actor, agent: Agent, topic: int | None) -> list[Session]:
    found = runs.outdated_sessions(
        tx, workspace_id=actor.workspace_id, agent=agent.key, profile=freeze(agent), topic_id=topic
    )
    return [session for session in found if _sees(tx, actor=actor, topic=session.topic_id)]


def _sees(tx: Tx, *, actor: Actor, topic: int) -> bool:
    found = rooms.find_topic(tx, workspace_id=actor.workspace_id, id=topic)
    return found is not None and rooms.sees(tx, actor=actor, room_id=found.room_id)
