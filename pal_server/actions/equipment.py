"""Which skills and tool servers an agent's computer has for it in a folder, and which of them its profile names."""

from dataclasses import dataclass
from typing import Any

from pal_server.actions import access, introductions
from pal_server.domain.actors import Actor
from pal_server.domain.agents import Agent
from pal_server.domain.findings import Finding, Kind
from pal_server.storage.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    agent: Agent
    skills: Finding | None
    servers: Finding | None

    def fact(self) -> dict[str, Any]:
        skills = _chosen(self.skills, self.agent.skills)
        servers = _chosen(self.servers, self.agent.servers)
        known = {one["name"] for one in (*skills, *servers)}
        found = self.skills
        return {
            "agent": self.agent.key,
            "skills": skills,
            "servers": servers,
            "missing": [name for name in (*self.agent.skills, *self.agent.servers) if name not in known],
            "found_at": None if found is None else found.found_at,
            "tried_at": None if found is None else found.tried_at,
            "is_stale": found is None or found.is_stale,
            "error": None if found is None else found.error,
        }


def of_agent(tx: Tx, *, actor: Actor, key: str, folder: str | None = None) -> Equipment:
    """In its own folder or another one."""
    agent = access.agent(tx, actor, key)
    return Equipment(
        agent=agent,
        skills=introductions.of_agent(tx, agent=agent, kind=Kind.SKILLS, folder=folder),
        servers=introductions.of_agent(tx, agent=agent, kind=Kind.SERVERS, folder=folder),
    )


def _chosen(found: Finding | None, names: tuple[str, ...]) -> list[dict[str, Any]]:
    listed = found.data if found is not None and isinstance(found.data, list) else []
    return [{**one, "selected": one["name"] in names} for one in listed]
