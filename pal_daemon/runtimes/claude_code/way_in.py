"""How people log in to Claude Code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pal_daemon.runtimes.way_in import OUT, UNKNOWN, Login, Seen, WayIn, ask_program

METHODS = {"api_key": "api key", "claude.ai": "subscription", "oauth_token": "subscription"}
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
}
LOGIN = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_MODEL",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CONFIG_DIR",
)


def _home(home: str) -> dict[str, str]:
    return {"CLAUDE_CONFIG_DIR": home}


def home_in(env: Mapping[str, str]) -> Path:
    return Path(env.get("CLAUDE_CONFIG_DIR") or Path(env.get("HOME", "/")) / ".claude")


def _look(program: Path | None, env: Mapping[str, str]) -> Seen:
    answer = None if program is None else ask_program(program, "auth", "status", env={**env, **QUIET})
    if answer is None:
        return UNKNOWN
    try:
        status = json.loads(answer[1])
    except ValueError:
        return UNKNOWN
    match status:
        case {"loggedIn": True}:
            method = str(status.get("authMethod") or "")
            return Seen(login=Login.IN, method=METHODS.get(method, method)[:100])
        case {"loggedIn": False}:
            return OUT
        case _:
            return UNKNOWN


WAY_IN = WayIn(
    programs=("claude",),
    home=_home,
    look=_look,
    key="ANTHROPIC_API_KEY",
    begin=("auth", "login"),
    end=("auth", "logout"),
    quiet=QUIET,
    reads=LOGIN,
)
