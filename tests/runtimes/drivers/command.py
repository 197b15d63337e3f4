"""The `command` runtime, with a program that passes the prompt to a scripted model and its words on."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtimes.driver import Driver
from tests.support.models import plain

PROGRAM = Path(__file__).parents[1] / "plain_program.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Driver):
    def program(self) -> None:
        return None

    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        return {"label": "test", "bin": None, "home": None, "env": {"MODEL_URL": url}, "args": []}

    def agent(self) -> dict[str, Any]:
        return {"command": shlex.join((sys.executable, "-I", "-S", str(PROGRAM))), "command_allowed": True}

    def missing(self, folder: Path) -> dict[str, Any]:
        return {"command": str(folder / "no-such-program")}

    def command(self, command: str) -> None:
        return None

    def write(self, path: Path, content: str) -> None:
        return None


DRIVER = Command(
    runtime="command", dialects=(plain.add_routes,), words="output", fault="log", model=None, rate_limit=(), remedy=""
)
