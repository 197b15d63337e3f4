"""Where agents work: in whose folder somebody who talks in a topic may look for files."""

from dataclasses import dataclass

from pal_server.actions import access
from pal_server.domain.actors import Actor, Role
from pal_server.errors import NotFound, Unavailable
from pal_server.storage import agents, rooms
from pal_server.storage.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`cwd` None: the folder its computer has for it."""

    agent: str
    computer: str
    cwd: str | None


def of_agent(tx: Tx, *, actor: Actor, topic: int, agent: str) -> Place:
    """The folder of an agent that is in the topic's room; any other is `NotFound`."""
    access.need(actor, Role.MEMBER)
    room_id = access.topic(tx, actor, topic).room_id
    found = agents.get(tx, agent, workspace_id=actor.workspace_id)
    if found is None or rooms.member(tx, room_id=room_id, kind="agent", principal=agent) is None:
        raise NotFound(f"there is no agent {agent} in this room", agent=agent)
    if found.computer is None:
        raise Unavailable(f"{agent} has no computer", agent=agent)
    return Place(agent=found.key, computer=found.computer, cwd=found.cwd)
