"""Agents: named bots with a profile, and whether the computer they are assigned to can run them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pal_server.domain.computers import RuntimeState
from pal_server.errors import Invalid

RUNTIME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
KNOWN = (
    "claude-code",
    "codex",
    "gemini",
    "opencode",
    "cursor",
    "acp",
    "openai",
    "command",
    "http",
    "manual",
    "demo",
    "neeko",
    "coco",
)
COMMANDED = frozenset({"command", "http"})  # do what stands in the agent's command, which an admin sets
CHOICE_LIMIT = 200  # characters
CHOICE = re.compile(rf"[^\s\x00-\x1f\x7f-]\S{{0,{CHOICE_LIMIT - 1}}}")  # what begins with a dash could be a flag
TEXT_LIMIT = 2_000  # characters of description, command and paths
INSTRUCTIONS_LIMIT = 20_000  # characters; they are part of every prompt
CONCURRENCY_MAX = 50  # topics one agent may work in at once


class AgentMode(StrEnum):
    """What an agent may do without asking a person; its runtime holds it to that."""

    ASK = "ask"
    ACCEPT_EDITS = "accept_edits"  # files in its folder without asking, the rest with
    AUTO = "auto"  # the program decides what is worth asking
    BYPASS = "bypass"  # everything; only an admin gives that
    READ_ONLY = "read_only"  # no changes; what would change something is refused, not asked
    PLAN = "plan"  # as read_only, until a person approves its plan


class Readiness(StrEnum):
    """Whether the agent's computer has its runtime."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"  # the computer says so, or knows no such runtime; the note says what to do
    UNKNOWN = "unknown"  # no computer, or one whose daemon never came


class Sandbox(StrEnum):
    """What the program's own sandbox lets its commands change."""

    READ_ONLY = "read-only"
    WORKSPACE_WRITE = "workspace-write"  # its folder


class Approval(StrEnum):
    """When a program with a sandbox asks a person."""

    UNTRUSTED = "untrusted"  # for everything but reading
    ON_REQUEST = "on-request"  # when its model wants to leave the sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """For programs with a sandbox of their own, where the mode leaves a choice; None is what the mode says."""

    sandbox: str | None = None
    approval: str | None = None
    network: bool = False  # whether commands in the sandbox reach it

    def fact(self) -> dict[str, Any]:
        return {"sandbox": self.sandbox, "approval": self.approval, "network": self.network}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    workspace_id: str
    key: str
    display_name: str
    description: str
    runtime: str
    runtime_state: Readiness
    runtime_note: str
    computer: str | None
    command: str | None
    command_allowed: bool
    cwd: str | None
    model: str | None
    effort: str | None
    mode: AgentMode = AgentMode.ASK
    instructions: str
    skills: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()  # of tools (MCP), by the names its computer knows
    settings: Settings = Settings()
    isolation: str | None = None  # put before its program, as a container's command line
    account: str | None
    concurrency: int
    max_duration: int | None
    enabled: bool
    created_at: int
    updated_at: int

    def fact(self) -> dict[str, Any]:
        """The agent as others see it."""
        return {
            "key": self.key,
            "display_name": self.display_name,
            "description": self.description,
            "runtime": self.runtime,
            "runtime_state": self.runtime_state,
            "runtime_note": self.runtime_note,
            "computer": self.computer,
            "command": self.command,
            "command_allowed": self.command_allowed,
            "cwd": self.cwd,
            "model": self.model,
            "effort": self.effort,
            "mode": self.mode,
            "instructions": self.instructions,
            "skills": list(self.skills),
            "servers": list(self.servers),
            "settings": self.settings.fact(),
            "isolation": self.isolation,
            "account": self.account,
            "concurrency": self.concurrency,
            "max_duration": self.max_duration,
            "enabled": self.enabled,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen for an agent in one topic; None is what its profile says."""

    topic_id: int
    agent: str
    model: str | None = None
    effort: str | None = None
    mode: AgentMode | None = None

    def fact(self) -> dict[str, Any]:
        """The choice as others see it."""
        return {
            "topic": self.topic_id,
            "agent": self.agent,
            "model": self.model,
            "effort": self.effort,
            "mode": self.mode,
        }


def readiness(
    *,
    runtime: str,
    command: str | None,
    command_allowed: bool,
    computer_name: str | None,
    is_revoked: bool,
    has_reported: bool,
    runtimes: Iterable[RuntimeState],
    account: str | None = None,
    has_own_program: bool = False,
    is_shut: bool = False,
) -> tuple[Readiness, str]:
    """Whether the agent could start now, and in words why not and what to do.

    A computer tells of a program where it usually lies and of who is logged in there. An agent with an `account` has
    another login, and where the account names a program another one of these, too (`has_own_program`).
    """
    if runtime in COMMANDED and command is None:
        return Readiness.UNAVAILABLE, "it has no command: an admin sets one with `pal console agents update --command`"
    if runtime in COMMANDED and not command_allowed:
        return Readiness.UNAVAILABLE, "its command waits for an admin to allow it"
    if computer_name is None:
        return Readiness.UNKNOWN, "it is assigned to no computer"
    if is_revoked:
        return Readiness.UNAVAILABLE, f"its computer {computer_name} was revoked: assign it to another one"
    if not has_reported:
        return Readiness.UNKNOWN, f"the daemon of {computer_name} has not connected yet"
    if is_shut:
        return Readiness.UNAVAILABLE, f"its account {account} is disabled: an admin enables it, or gives it another one"
    for state in runtimes:
        if state.name == runtime:
            if has_own_program and not state.available:
                return Readiness.UNKNOWN, f"its account {account} names a program of its own"
            if account is not None and state.available and state.login == "out":
                return Readiness.AVAILABLE, ""  # what the note says is of the usual place
            return (Readiness.AVAILABLE if state.available else Readiness.UNAVAILABLE), state.note
    if runtime in KNOWN:
        return Readiness.UNAVAILABLE, f"the daemon of {computer_name} does not offer the runtime {runtime}: update it"
    return (
        Readiness.UNAVAILABLE,
        f"{computer_name} knows no runtime {runtime}: install a plugin for it or correct the name",
    )


def default_runtime(key: str) -> str:
    """For an agent made without one: an agent called codex is codex, any other answers by rules and needs nothing."""
    return key if key in KNOWN and key not in COMMANDED else "demo"


def parse_runtime(runtime: str) -> str:
    """The name of a runtime, known here or not (a computer may have a plugin), or `Invalid`."""
    if not RUNTIME.fullmatch(runtime):
        raise Invalid(
            "runtime has 1 to 64 lower-case letters, digits, dots, dashes or underscores, as in claude-code",
            field="runtime",
        )
    return runtime


def parse_text(text: str, *, field: str, limit: int = TEXT_LIMIT) -> str:
    """A text that is not too long and holds no NUL, or `Invalid`."""
    if len(text) > limit or "\0" in text:
        raise Invalid(f"{field} has more than {limit} characters or holds a NUL", field=field, limit=limit)
    return text


def parse_agent_mode(mode: str) -> AgentMode:
    """`accept-edits` is `accept_edits`."""
    try:
        return AgentMode(mode.replace("-", "_"))
    except ValueError:
        raise Invalid(f"mode is one of {', '.join(AgentMode)}", field="mode", value=mode[:64]) from None


def parse_choice(word: str | None, *, field: str) -> str | None:
    """The name of a model or an effort. Which ones there are, the agent's program knows."""
    if word is not None and not CHOICE.fullmatch(word):
        raise Invalid(f"{field} is one word of at most {CHOICE_LIMIT} characters and begins with no dash", field=field)
    return word


def parse_settings(*, sandbox: str | None, approval: str | None, network: bool) -> Settings:
    """`Invalid` for a word no sandbox knows."""
    if sandbox is not None and sandbox not in set(Sandbox):
        raise Invalid(f"sandbox is one of {', '.join(Sandbox)}", field="settings", value=sandbox[:64])
    if approval is not None and approval not in set(Approval):
        raise Invalid(f"approval is one of {', '.join(Approval)}", field="settings", value=approval[:64])
    return Settings(sandbox=sandbox, approval=approval, network=network)


def parse_concurrency(concurrency: int) -> int:
    if not 1 <= concurrency <= CONCURRENCY_MAX:
        raise Invalid(f"concurrency lies between 1 and {CONCURRENCY_MAX}", field="concurrency", value=concurrency)
    return concurrency


def parse_duration(duration: int | None) -> int | None:
    """Milliseconds a run may take, None for no limit, or `Invalid`."""
    if duration is not None and duration < 1000:
        raise Invalid("max_duration is at least 1000 milliseconds, or null for no limit", field="max_duration")
    return duration
