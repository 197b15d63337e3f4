"""OpenCode, with a scripted Chat Completions service."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtimes.driver import Driver, write_program
from tests.support.models import chat
from tests.support.models.server import Call, Refuse
from tests.support.programs import PACKAGES, need_program

LIMIT = {"context": 100_000, "output": 8000}


def quick(home: Path, *, config: Path) -> dict[str, str]:
    """An environment in which it starts with half the work. `config` is the folder of its own configuration there."""
    models = home / "models.json"
    models.write_text("{}")
    seem_equipped(config)
    return {
        "OPENCODE_PURE": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
        "OPENCODE_MODELS_PATH": str(models),  # in place of the world's models, which it sorts for two seconds
    }


def seem_equipped(folder: Path) -> None:
    """Else it fetches its package for plugins from the registry, into each folder with configuration, before a turn."""
    (folder / "node_modules").mkdir(parents=True, exist_ok=True)
    lock = {"packages": {"": {"dependencies": {"@opencode-ai/plugin": PACKAGES["opencode"].version}}}}
    (folder / "package-lock.json").write_text(json.dumps(lock))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCode(Driver):
    def program(self) -> Path:
        return need_program("opencode")

    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        # An id with a slash of its own: the service is asked for just what the agent's profile says.
        models = {name: {"id": f"loop/{name}", "name": name, "limit": LIMIT} for name in ("small", "other")}
        loop = {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": f"{url}/v1", "apiKey": "test"},
            "models": models,
        }
        config = {
            "model": "loop/other",
            "small_model": "loop/other",
            "provider": {"loop": loop},
            "agent": {"title": {"disable": True}},
        }
        env = {
            "HOME": str(home),
            "OPENCODE_CONFIG_CONTENT": json.dumps(config),
            **quick(home, config=home / "config" / "opencode"),
        }
        return {"label": "test", "bin": str(self.program()), "home": str(home), "env": env, "args": []}

    def command(self, command: str) -> Call:
        return Call(name="bash", input={"command": command, "description": "as asked"})

    def write(self, path: Path, content: str) -> Call:
        return Call(name="write", input={"filePath": str(path), "content": content})

    def old_program(self, folder: Path) -> Path:
        return write_program(folder / "opencode", "echo 1.2.3")


DRIVER = OpenCode(
    runtime="opencode",
    dialects=(chat.add_routes,),
    model="loop/small",
    hears_reasons=True,
    # Its words are all it passes on. It asks again until it has had enough, each time after as long as it is told.
    rate_limit=(Refuse(status=429, message="Rate limit reached", headers={"retry-after-ms": "10"}),) * 20,
)
