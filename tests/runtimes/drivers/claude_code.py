"""Claude Code, with a scripted Messages service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtimes.driver import Driver, write_program
from tests.support.models import anthropic
from tests.support.models.server import Call, Step
from tests.support.programs import need_program


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaudeCode(Driver):
    def program(self) -> Path:
        return need_program("claude")

    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        env = {
            "HOME": str(home),
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "sk-test",
            "CLAUDE_CODE_MAX_RETRIES": "1",
        }
        return {"label": "test", "bin": str(self.program()), "home": str(home / ".claude"), "env": env, "args": []}

    def command(self, command: str) -> Call:
        return Call(name="Bash", input={"command": command})

    def write(self, path: Path, content: str) -> Call:
        return Call(name="Write", input={"file_path": str(path), "content": content})

    def question(self, text: str, options: tuple[str, ...]) -> Call:
        offered = [{"label": option, "description": f"it is {option}"} for option in options]
        asked = {"question": text, "header": "Choice", "multiSelect": False, "options": offered}
        return Call(name="AskUserQuestion", input={"questions": [asked]})

    def plan_agent(self) -> dict[str, Any]:
        return {"mode": "plan"}

    def plan(self, text: str) -> tuple[Step | Call, ...]:
        return (Call(name="ExitPlanMode", input={"plan": text}),)

    def old_program(self, folder: Path) -> Path:
        return write_program(folder / "claude", 'echo "2.0.5 (Claude Code)"')

    def effort_in(self, question: dict[str, Any]) -> object:
        return question.get("output_config", {}).get("effort")


DRIVER = ClaudeCode(
    runtime="claude-code",
    dialects=(anthropic.add_routes,),
    model="sonnet",
    efforts=("low",),
    hears_reasons=True,
)
