"""What computers found out of agent programs: log-ins, models, commands, skills, tool servers, quotas."""

from typing import Literal

import msgspec

from .base import Answer, Request
from .words import LoginState

CommandSource = Literal["pal", "program", "prompt", "skill"]


class Model(Answer, frozen=True, kw_only=True):
    """One a program offers. Others pass through as they are named."""

    id: str
    name: str = ""
    efforts: list[str] = []
    """Those it knows; empty when the program does not say."""
    is_default: bool = False


class Found(Answer, frozen=True, kw_only=True):
    """How good a list is."""

    found_at: int | None = None
    """Null: nobody has looked, or no look has found anything."""
    tried_at: int | None = None
    """The newest look, whatever came of it."""
    is_stale: bool = True
    """The newest look failed, or none was made."""
    error: str | None = None
    """Why the newest look found nothing."""


class ModelsAnswer(Found, frozen=True, kw_only=True):
    models: list[Model]


class SlashCommand(Answer, frozen=True, kw_only=True):
    """`/name hint`: said to the agent."""

    name: str
    description: str = ""
    hint: str = ""
    source: CommandSource = "program"


class CommandsAnswer(Found, frozen=True, kw_only=True):
    agent: str
    commands: list[SlashCommand]
    """pal's own first, then the program's, then prompts and skills."""


class TopicCommandsAnswer(Answer, frozen=True, kw_only=True):
    agents: list[CommandsAnswer]
    """One entry for each agent in the topic's room."""


class CommandsQuery(Request, frozen=True, kw_only=True):
    folder: str | None = None
    """Another folder than the agent's own, as a checkout of a branch."""


class Skill(Answer, frozen=True, kw_only=True):
    name: str
    description: str = ""
    source: Literal["project", "home", "pal"] = "project"
    selected: bool
    """In the agent's profile."""


class ToolServer(Answer, frozen=True, kw_only=True):
    name: str
    source: Literal["project", "home", "pal"] = "project"
    selected: bool


class EquipmentAnswer(Found, frozen=True, kw_only=True):
    """What the agent's computer has for it in a folder. Chosen things it has not are `missing`."""

    agent: str
    skills: list[Skill]
    servers: list[ToolServer]
    missing: list[str]


class QuotaWindow(Answer, frozen=True, kw_only=True):
    name: str
    used_percent: float | None = None
    resets_at: int | None = None


class Quota(Found, frozen=True, kw_only=True):
    """How much of a login's subscription is used, as its program told last."""

    computer: str
    runtime: str
    account: str | None
    """Null: the program's usual login."""
    windows: list[QuotaWindow]


class QuotasAnswer(Answer, frozen=True, kw_only=True):
    quotas: list[Quota]


class ProbeAnswer(Answer, frozen=True, kw_only=True):
    """The computer is asked to look; it does so when it is there."""

    computer: str
    is_online: bool
    position: int = 0
    """Of the log when it was asked: that the computer has looked is told later, as `finding.changed`."""


class ModelIn(Request, frozen=True, kw_only=True):
    id: str
    name: str = ""
    efforts: list[str] = []
    is_default: bool = False


class SlashCommandIn(Request, frozen=True, kw_only=True):
    name: str
    description: str = ""
    hint: str = ""
    source: Literal["program", "prompt"] = "program"


class LoginIn(Request, frozen=True, kw_only=True):
    state: LoginState
    method: str = ""


class SkillIn(Request, frozen=True, kw_only=True):
    """A text that tells an agent how to do something; `source` is where it lies: project, home or pal."""

    name: str
    description: str = ""
    source: Literal["project", "home", "pal"] = "project"


class ToolServerIn(Request, frozen=True, kw_only=True):
    """A server of tools (MCP) that is configured on the computer; what starts it stays there."""

    name: str
    source: Literal["project", "home", "pal"] = "project"


class ReportFindings(Request, frozen=True, kw_only=True):
    """What a daemon found. A list that is left out was not looked for; `errors` says which look failed, and why."""

    runtime: str
    account: str | None = None
    agent: str | None = None
    folder: str | None = None
    login: LoginIn | None = None
    models: list[ModelIn] | None = None
    commands: list[SlashCommandIn] | None = None
    skills: list[SkillIn] | None = None
    servers: list[ToolServerIn] | None = None
    errors: dict[Literal["models", "commands", "skills", "servers"], str] = msgspec.field(default_factory=dict)
