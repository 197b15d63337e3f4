"""Gemini CLI, with a scripted Gemini service."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtimes.driver import Driver, write_program
from tests.support.models import gemini
from tests.support.models.server import Call
from tests.support.programs import COMPILED, need_program, node_path

KEY = "key-of-gemini-7c40d2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemini(Driver):
    def program(self) -> Path:
        return need_program("gemini")

    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        folder = home / ".gemini"
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "general": {"maxAttempts": 1, "enableAutoUpdate": False, "enableAutoUpdateNotification": False},
            "privacy": {"usageStatisticsEnabled": False},
            "model": {"disableLoopDetection": True},  # a scripted model repeats itself
        }
        (folder / "settings.json").write_text(json.dumps(settings))
        env = {
            "HOME": str(home),
            "PATH": node_path("/usr/bin:/bin"),
            "GEMINI_API_KEY": KEY,
            "GOOGLE_GEMINI_BASE_URL": url,
            "NODE_COMPILE_CACHE": str(COMPILED),  # a fifth of a start is compiling the same text again
        }
        return {"label": "test", "bin": str(self.program()), "home": str(home), "env": env, "args": []}

    def agent(self) -> dict[str, Any]:
        return {"model": self.model}  # else another model is asked first which one to take

    def command(self, command: str) -> Call:
        return Call(name="run_shell_command", input={"command": command, "description": "as asked"})

    def write(self, path: Path, content: str) -> Call:
        return Call(name="write_file", input={"file_path": str(path), "content": content})

    def old_program(self, folder: Path) -> Path:
        return write_program(folder / "gemini", "echo 0.20.0")


DRIVER = Gemini(runtime="gemini", dialects=(gemini.add_routes,), model="gemini-2.5-pro", hears_reasons=True)
