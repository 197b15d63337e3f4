"""The `openai` runtime, with a scripted Chat Completions service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtimes.driver import Driver
from tests.support.models import chat


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAi(Driver):
    def program(self) -> None:
        return None

    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        env = {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "sk-test", "OPENAI_MAX_RETRIES": "1"}
        return {"label": "test", "bin": None, "home": None, "env": env, "args": []}

    def agent(self) -> dict[str, Any]:
        return {"model": self.model}

    def command(self, command: str) -> None:
        return None

    def write(self, path: Path, content: str) -> None:
        return None

    def effort_in(self, question: dict[str, Any]) -> object:
        return question.get("reasoning_effort")


DRIVER = OpenAi(runtime="openai", dialects=(chat.add_routes,), model="small", efforts=("low",))
