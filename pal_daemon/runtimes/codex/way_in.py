"""How people log in to Codex. It keeps a key in its home, so its tools do not see it in their environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pal_daemon.runtimes.way_in import OUT, UNKNOWN, Login, Seen, WayIn, ask_program, read_json

LOGIN = ("CODEX_API_KEY", "CODEX_HOME", "OPENAI_API_KEY", "OPENAI_BASE_URL")


def _home(home: str) -> dict[str, str]:
    return {"CODEX_HOME": home}


def home_in(env: Mapping[str, str]) -> Path:
    return Path(env.get("CODEX_HOME") or Path(env.get("HOME", "/")) / ".codex")


def _look(program: Path | None, env: Mapping[str, str]) -> Seen:
    answer = None if program is None else ask_program(program, "login", "status", env=env)
    if answer is None:
        return UNKNOWN
    if answer[0] != 0:
        return OUT
    kept = read_json(home_in(env) / "auth.json")
    return Seen(login=Login.IN, method="subscription" if kept.get("tokens") else "api key")


WAY_IN = WayIn(
    programs=("codex",),
    home=_home,
    look=_look,
    keep_key=("login", "--with-api-key"),
    begin=("login",),
    end=("logout",),
    reads=LOGIN,
)
