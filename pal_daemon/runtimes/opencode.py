"""The `opencode` runtime: OpenCode over ACP.

Its token counts leave out all model calls of a turn but the last, so usage is not claimed; context and cost are told.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pal_daemon.runtimes.acp_client.dialect import Dialect, SecondPrompt
from pal_daemon.runtimes.acp_client.runtime import AcpRuntime, home_of
from pal_daemon.runtimes.base import Capabilities, Context
from pal_daemon.runtimes.offer import CannotTell, Offer
from pal_daemon.runtimes.profile import Account, Mode, mode_of
from pal_daemon.runtimes.shelf import Shelf
from pal_daemon.runtimes.way_in import OUT, Login, Seen, WayIn, read_json
from pal_server.contract.deliveries import Work

MAKERS_OWN = "opencode"  # the provider a prompt goes to when nobody is logged in anywhere
PERMISSIONS: dict[Mode, dict[str, str]] = {
    Mode.ASK: {"bash": "ask", "edit": "ask"},
    Mode.ACCEPT_EDITS: {"bash": "ask", "edit": "allow"},
    Mode.AUTO: {},
    Mode.BYPASS: {"bash": "allow", "edit": "allow"},
    Mode.READ_ONLY: {"bash": "deny", "edit": "deny"},
    Mode.PLAN: {"bash": "deny", "edit": "deny"},  # "ask" would override what its plan agent may not do
}


QUIET = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
}


class OpenCodeRuntime(AcpRuntime):
    name = "opencode"
    programs = ("opencode",)
    arguments = ("acp",)
    remedy = "npm install -g opencode-ai"
    oldest = (1, 18)
    capabilities = Capabilities(
        resume=True,
        live_input=True,
        interrupt=True,
        permissions=True,
        plan=True,
        images=True,
        tool_events=True,
        skills=True,
        servers=True,
        terminal=True,
    )
    resuming = ("--session",)
    dialect = Dialect(inlines_paths=False, second_prompt=SecondPrompt.JOINS, is_usage_of_last_call=True)
    quiet = QUIET
    shelf = Shelf(
        skills=(".opencode/skills", ".claude/skills", ".agents/skills"),
        home_skills=lambda env: tuple(
            Path(env.get("HOME", "/")) / name / "skills" for name in (".config/opencode", ".claude", ".agents")
        ),
    )
    way_in = WayIn(
        programs=("opencode",),
        home=lambda home: _homes(home),
        look=lambda program, env: _look(env),
        begin=("auth", "login"),
        end=("auth", "logout"),
        quiet=QUIET,
    )

    def offer(self, program: Path | None, *, env: Mapping[str, str], folder: Path, args: Sequence[str]) -> Offer:
        """The maker's free models are no offer of an account's: a prompt would go to somebody nobody has chosen.

        Raises CannotTell.
        """
        if MAKERS_OWN not in _kept_logins(env):
            config = _without_makers_own(_config(env.get("OPENCODE_CONFIG_CONTENT")))
            env = {**env, "OPENCODE_CONFIG_CONTENT": json.dumps(config)}
        found = super().offer(program, env=env, folder=folder, args=args)
        if not found.models:
            raise CannotTell("no provider has a model to choose: nobody is logged in")
        return found

    def environment(self, work: Work, account: Account, context: Context) -> dict[str, str]:
        given = _config(work.env.get("OPENCODE_CONFIG_CONTENT") or account.env.get("OPENCODE_CONFIG_CONTENT"))
        config = _with_mode(given, mode_of(work))
        if context.skills is not None:
            skills = config.get("skills")
            known = skills if isinstance(skills, dict) else {}
            config["skills"] = {**known, "paths": [*known.get("paths", []), str(context.skills / ".claude" / "skills")]}
        if not (work.agent.model or "").startswith(f"{MAKERS_OWN}/"):
            config = _without_makers_own(config)
        return {"OPENCODE_CONFIG_CONTENT": json.dumps(config), **_homes(home_of(account))}


def _without_makers_own(config: dict[str, Any]) -> dict[str, Any]:
    if "enabled_providers" in config:
        return config
    return config | {"disabled_providers": [*config.get("disabled_providers", []), MAKERS_OWN]}


def _with_mode(config: dict[str, Any], mode: Mode) -> dict[str, Any]:
    """A refusal that goes on: otherwise the turn ends there and nobody hears why."""
    permission = config.get("permission")
    experimental = config.get("experimental")
    return config | {
        "share": "disabled",
        "permission": (permission if isinstance(permission, dict) else {}) | PERMISSIONS[mode],
        "experimental": (experimental if isinstance(experimental, dict) else {}) | {"continue_loop_on_deny": True},
    }


def _config(text: str | None) -> dict[str, Any]:
    """What the agent's account configures; what cannot be read counts as nothing."""
    try:
        config = json.loads(text or "{}")
    except ValueError:
        return {}
    return config if isinstance(config, dict) else {}


def _look(env: Mapping[str, str]) -> Seen:
    """By the file it keeps its logins in; a provider that is configured with a key of its own counts, too."""
    kept = _kept_logins(env)
    if kept:
        return Seen(login=Login.IN, method=", ".join(sorted(kept))[:100])
    providers = _config(env.get("OPENCODE_CONFIG_CONTENT")).get("provider")
    return Seen(login=Login.IN, method="configuration") if providers else OUT


def _kept_logins(env: Mapping[str, str]) -> dict[str, object]:
    """By provider."""
    data = Path(env.get("XDG_DATA_HOME") or Path(env.get("HOME", "/")) / ".local" / "share")
    return read_json(data / "opencode" / "auth.json")


def _homes(home: str | None) -> dict[str, str]:
    if home is None:
        return {}
    return {f"XDG_{kind}_HOME": os.path.join(home, kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
