"""Cursor, in whose place a program of the tests' own speaks as the documentation says: its own cannot be had here."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtimes.driver import Driver
from tests.support.models import plain
from tests.support.models.server import Call, Step

PROGRAM = Path(__file__).parents[1] / "programs" / "cursor-agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor(Driver):
    def program(self) -> Path:
        return PROGRAM

    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        env = {
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "MODEL_URL": url,
            "CURSOR_API_KEY": "test",
            "PAL_TESTS_PYTHON": sys.executable,
        }
        return {"label": "test", "bin": str(PROGRAM), "home": None, "env": env, "args": []}

    def command(self, command: str) -> Call:
        return Call(name="shell", input={"command": command})

    def write(self, path: Path, content: str) -> Call:
        return Call(name="write", input={"path": str(path), "content": content})

    def question(self, text: str, options: tuple[str, ...]) -> Call:
        offered = [{"id": option.lower(), "label": option} for option in options]
        return Call(name="ask_question", input={"text": text, "options": offered})

    def plan_agent(self) -> dict[str, Any]:
        return {"mode": "plan"}

    def plan(self, text: str) -> tuple[Step | Call, ...]:
        return (Call(name="create_plan", input={"plan": text}),)


DRIVER = Cursor(
    runtime="cursor", dialects=(plain.add_routes,), model=None, rate_limit=(), remedy="https://cursor.com/install"
)
