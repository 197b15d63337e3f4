"""The profile a session begins with and keeps: an edited agent is not another one in the middle of a conversation.

A person applies the newer profile, or begins a new session. One thing does not wait for that: a mode that allows less
counts at once.
"""

import json
from dataclasses import replace
from typing import Any

from pal_server.domain.agents import Agent, AgentMode, Settings
from pal_server.errors import Invalid

SKILLS_LIMIT = 100  # names of skills, and of tool servers
NAME_LIMIT = 200  # characters of one
STRICTNESS = (
    AgentMode.PLAN,
    AgentMode.READ_ONLY,
    AgentMode.ASK,
    AgentMode.ACCEPT_EDITS,
    AgentMode.AUTO,
    AgentMode.BYPASS,
)  # the strictest first


def freeze(agent: Agent) -> str:
    """What of the agent a session keeps, as JSON that is the same for the same profile."""
    kept = {
        "instructions": agent.instructions,
        "model": agent.model,
        "effort": agent.effort,
        "mode": agent.mode,
        "skills": list(agent.skills),
        "servers": list(agent.servers),
        "settings": agent.settings.fact(),
    }
    return json.dumps(kept, sort_keys=True, ensure_ascii=False)


def thaw(agent: Agent, profile: str | None) -> Agent:
    """The agent as a session has it: with the profile it began with, or the present one before its first run."""
    if profile is None:
        return agent
    kept: dict[str, Any] = json.loads(profile)
    return replace(
        agent,
        instructions=kept["instructions"],
        model=kept["model"],
        effort=kept["effort"],
        mode=min(AgentMode(kept["mode"]), agent.mode, key=STRICTNESS.index),
        skills=tuple(kept["skills"]),
        servers=tuple(server for server in kept["servers"] if server in agent.servers or server == "pal"),
        settings=_stricter(Settings(**kept["settings"]), agent.settings),
    )


def is_outdated(profile: str | None, *, agent: Agent) -> bool:
    """Whether the session goes on with another profile than the agent has now."""
    return profile is not None and profile != freeze(agent)


def parse_names(names: list[str] | tuple[str, ...], *, field: str) -> tuple[str, ...]:
    """Names of skills or tool servers, each once, or `Invalid`."""
    if len(names) > SKILLS_LIMIT:
        raise Invalid(f"{field} are at most {SKILLS_LIMIT}", field=field, limit=SKILLS_LIMIT)
    for name in names:
        if not 1 <= len(name) <= NAME_LIMIT or not name.isprintable() or name != name.strip():
            raise Invalid(f"each of {field} is a name of 1 to {NAME_LIMIT} characters", field=field, value=name[:64])
    return tuple(dict.fromkeys(names))


def _stricter(kept: Settings, now: Settings) -> Settings:
    """A network that was taken away is gone at once."""
    return replace(kept, network=kept.network and now.network)
