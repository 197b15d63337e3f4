"""What can be said to an agent with a slash: pal's own commands, its program's, prompts and skills of the folder it
works in.
"""

from dataclasses import dataclass
from typing import Any

from pal_server.actions import access, introductions
from pal_server.domain.actors import Actor
from pal_server.domain.agents import Agent
from pal_server.domain.findings import Finding, Kind
from pal_server.domain.slash import COMMANDS, HINTS
from pal_server.storage import rooms
from pal_server.storage.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Sayable:
    """For one agent. What the program told and what lies in its folder may be of different age, or unknown."""

    agent: str
    told: Finding | None
    skills: Finding | None

    def fact(self) -> dict[str, Any]:
        return {
            "agent": self.agent,
            "commands": self._commands(),
            "found_at": None if self.told is None else self.told.found_at,
            "tried_at": None if self.told is None else self.told.tried_at,
            "is_stale": self.told is None or self.told.is_stale,
            "error": None if self.told is None else self.told.error,
        }

    def _commands(self) -> list[dict[str, Any]]:
        """Each name once: pal's win, because pal answers them itself."""
        own = [
            {"name": name, "description": about, "hint": HINTS.get(name, ""), "source": "pal"}
            for name, about in COMMANDS.items()
        ]
        told = [{"source": "program", **command} for command in _data(self.told)]
        skills = [
            {"name": skill["name"], "description": skill.get("description", ""), "hint": "", "source": "skill"}
            for skill in _data(self.skills)
        ]
        return list({command["name"]: command for command in (*skills, *reversed(told), *own)}.values())


def of_agent(tx: Tx, *, actor: Actor, key: str, folder: str | None = None) -> Sayable:
    return _sayable(tx, access.agent(tx, actor, key), folder=folder)


def of_topic(tx: Tx, *, actor: Actor, topic: int) -> list[Sayable]:
    """For each agent in the topic's room, in order of their keys."""
    room = access.topic(tx, actor, topic).room_id
    keys = sorted(member.key for member in rooms.agents_in(tx, room_id=room))
    return [_sayable(tx, access.agent(tx, actor, key), folder=None) for key in keys]


def _sayable(tx: Tx, agent: Agent, *, folder: str | None) -> Sayable:
    return Sayable(
        agent=agent.key,
        told=introductions.of_agent(tx, agent=agent, kind=Kind.COMMANDS, folder=folder),
        skills=introductions.of_agent(tx, agent=agent, kind=Kind.SKILLS, folder=folder),
    )


def _data(finding: Finding | None) -> list[dict[str, Any]]:
    return finding.data if finding is not None and isinstance(finding.data, list) else []
