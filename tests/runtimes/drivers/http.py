"""The `http` runtime: the service it asks is the scripted model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtimes.driver import Driver
from tests.support.models import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Http(Driver):
    def program(self) -> None:
        return None

    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        return {"label": "test", "bin": None, "home": None, "env": {}, "args": []}

    def agent_at(self, url: str) -> dict[str, Any]:
        return {"command": f"POST {url}/plain", "command_allowed": True}

    def command(self, command: str) -> None:
        return None

    def write(self, path: Path, content: str) -> None:
        return None


DRIVER = Http(
    runtime="http",
    dialects=(plain.add_routes,),
    streams=False,
    fault="log",
    model=None,
    rate_limit=(),
    answer_limit=500_000,
)
