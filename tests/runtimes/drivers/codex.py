"""Codex, with a scripted Responses service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtimes.driver import Driver, write_program
from tests.support.models import responses
from tests.support.models.server import Call, Step, Text
from tests.support.programs import need_program, node_path

CONFIG = """\
model = "gpt-5.5"
model_provider = "loop"

[model_providers.loop]
name = "loop"
base_url = "{url}/v1"
env_key = "LOOP_API_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codex(Driver):
    def program(self) -> Path:
        return need_program("codex")

    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        folder = home / ".codex"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(CONFIG.format(url=url))
        env = {"HOME": str(home), "PATH": node_path("/usr/bin:/bin"), "LOOP_API_KEY": "test"}
        return {"label": "test", "bin": str(self.program()), "home": str(folder), "env": env, "args": []}

    def command(self, command: str) -> Call:
        return Call(name="exec_command", input={"cmd": command, "yield_time_ms": 30_000})

    def write(self, path: Path, content: str) -> Call:
        lines = "".join(f"+{line}\n" for line in content.splitlines())
        return Call(name="apply_patch", input={"input": f"*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch"})

    def question(self, text: str, options: tuple[str, ...]) -> Call:
        offered = [{"label": option, "description": f"it is {option}"} for option in options]
        asked = {"id": "q1", "header": "Choice", "question": text, "options": offered}
        return Call(name="request_user_input", input={"questions": [asked]})

    def asking_agent(self) -> dict[str, Any]:
        return {"mode": "plan"}

    def plan_agent(self) -> dict[str, Any]:
        return {"mode": "plan"}

    def plan(self, text: str) -> tuple[Step | Call | Text, ...]:
        return (Text(text=f"<proposed_plan>\n{text}\n</proposed_plan>"),)

    def old_program(self, folder: Path) -> Path:
        return write_program(folder / "codex", 'echo "codex-cli 0.100.0"')

    def effort_in(self, question: dict[str, Any]) -> object:
        return question.get("reasoning", {}).get("effort")


DRIVER = Codex(
    runtime="codex",
    dialects=(responses.add_routes,),
    model="gpt-5.5",
    efforts=("low",),
    hears_reasons=True,
)
