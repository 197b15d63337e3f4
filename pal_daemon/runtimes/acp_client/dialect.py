"""How one agent differs from the text of the Agent Client Protocol. The defaults fit an agent nobody has measured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pal_daemon.runtimes.profile import Mode
from pal_daemon.runtimes.program_probe import Version


class SecondPrompt(StrEnum):
    """What a prompt does while another one is being worked on."""

    UNKNOWN = "unknown"
    JOINS = "joins"  # the model reads it at its next step; both are answered at the end
    REPLACES = "replaces"  # the first is cancelled


MODES: Mapping[Mode, tuple[str, ...]] = {
    Mode.ASK: ("default", "ask"),
    Mode.ACCEPT_EDITS: ("acceptEdits", "autoEdit"),
    Mode.AUTO: ("auto", "acceptEdits", "autoEdit"),
    Mode.BYPASS: ("bypassPermissions", "yolo", "agent-full-access"),
    Mode.READ_ONLY: ("read-only", "plan", "ask"),
    Mode.PLAN: ("plan", "architect", "read-only"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One agent, as far as its own words do not tell."""

    oldest: Version = ()  # the version of `agentInfo` that works; older ones end before they are prompted
    replays_late: bool = False  # a loaded conversation is told once more after the answer to `session/load`
    inlines_paths: bool = True  # puts a file's content in place of `@path` in a prompt, any file and unasked
    second_prompt: SecondPrompt = SecondPrompt.UNKNOWN
    modes: Mapping[Mode, tuple[str, ...]] = field(default_factory=lambda: MODES)  # ids, the best first
    is_usage_of_last_call: bool = False  # token counts in a prompt's answer leave out the calls before the last
    stays_with_servers: bool = False  # given tool servers it does not end when its input does
    noise: re.Pattern[str] | None = None  # messages that are none
