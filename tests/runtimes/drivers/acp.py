"""Any agent that speaks ACP; here the adapter of Claude Code, with a scripted Messages service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtimes.driver import Driver, write_program
from tests.support.models import anthropic
from tests.support.models.server import Call, Step
from tests.support.programs import COMPILED, need_program, node_path

# Each run of the adapter starts its program twice more, to tell the client how somebody is logged in. pal does not
# listen to that; what the program says to it is said here without a start.
NO_PROBE = """\
if [ "$1 $2" = "auth status" ]; then
  echo '{{"loggedIn": true, "authMethod": "api_key", "apiProvider": "firstParty", "apiKeySource": "ANTHROPIC_API_KEY"}}'
else
  exec '{program}' "$@"
fi"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaudeAgentAcp(Driver):
    def program(self) -> Path:
        return need_program("claude-agent-acp")

    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        env = {
            "HOME": str(home),
            "PATH": node_path("/usr/bin:/bin"),
            "NODE_COMPILE_CACHE": str(COMPILED),
            "CLAUDE_CONFIG_DIR": str(home / ".claude"),
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "sk-test",
            "CLAUDE_CODE_EXECUTABLE": str(write_program(home / "claude", NO_PROBE.format(program=self._claude()))),
            "CLAUDE_CODE_MAX_RETRIES": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1",
        }
        return {"label": "test", "bin": str(self.program()), "home": None, "env": env, "args": []}

    def _claude(self) -> Path:
        """The program that came with the adapter, for this computer."""
        return next((self.program().parents[1] / "@anthropic-ai").glob("claude-agent-sdk-*/claude"))

    def command(self, command: str) -> Call:
        return Call(name="Bash", input={"command": command, "description": "as asked"})

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

    def effort_in(self, question: dict[str, Any]) -> object:
        return question.get("output_config", {}).get("effort")


DRIVER = ClaudeAgentAcp(
    runtime="acp",
    dialects=(anthropic.add_routes,),
    model="sonnet",
    efforts=("low",),
    hears_reasons=True,
    is_looked_for=False,
)
