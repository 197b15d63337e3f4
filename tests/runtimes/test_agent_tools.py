"""Skills and `pal mcp` with the real programs: each finds the one and talks to the other as docs/skills.md says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pal_cli.main import main
from pal_cli.shipped_skills import PREFIX, shipped
from tests.runtimes.drivers import opencode
from tests.support.patience import LONG_PATIENCE
from tests.support.programs import COMPILED, need_program, node_path

WITHIN = int(LONG_PATIENCE * 1000)  # milliseconds for a server to begin; left alone, some programs give it 5,000
NAMES = {f"{PREFIX}{skill.name}" for skill in shipped()}
RUN = {"PAL_RUN_ID": "7", "PAL_RUN_TOKEN": "of-the-run", "PAL_DAEMON_URL": "http://127.0.0.1:9"}
QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1"}
QUIET |= {
    "ANTHROPIC_API_KEY": "none",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "GEMINI_CLI_TRUST_WORKSPACE": "true",
    "NODE_COMPILE_CACHE": str(COMPILED),
    "MCP_TIMEOUT": str(WITHIN),  # Claude Code's
}


@dataclass
class Place:
    """A folder with skills in it, and the program that works there, inside a run, in an empty home."""

    folder: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def say(self, name: str, *words: str) -> str:
        """What the program prints for a command line."""
        done = subprocess.run(
            [need_program(name), *words],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONG_PATIENCE,
            check=False,
        )
        return done.stdout + done.stderr

    def ask(self, name: str, *words: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
        """The answer to the last of these JSON lines: the first line back that has its id."""
        wanted = lines[-1].get("id") or lines[-1]["request_id"]
        process = subprocess.Popen(
            [need_program(name), *words],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process:
            process.stdin.writelines(json.dumps(line) + "\n" for line in lines)
            process.stdin.flush()
            for line in process.stdout:
                answer = json.loads(line)
                if wanted in (answer.get("id"), answer.get("response", {}).get("request_id")):
                    process.terminate()
                    return dict(answer)
        raise AssertionError(f"{name} ended without an answer")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder, home = tmp_path / "work", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    assert main(["cli", "skills", "install", "--to", str(folder)]) == 0
    path = node_path(os.pathsep.join((str(Path(sys.executable).parent), "/usr/bin", "/bin")))
    return Place(folder=folder, home=home, env={**QUIET, **RUN, "HOME": str(home), "PATH": path})


CODEX_HELLO = [
    {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "test", "version": "1"}}},
    {"method": "initialized"},
]


def test_claude_code_finds_skills_and_door(place: Place) -> None:
    flags = ("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
    hello = {"type": "control_request", "request_id": "1", "request": {"subtype": "initialize"}}

    answer = place.ask("claude", *flags, lines=[hello])
    place.say("claude", "mcp", "add", "pal", "--", "pal", "mcp")

    assert {one["name"] for one in answer["response"]["response"]["commands"]} >= NAMES
    assert "Connected" in place.say("claude", "mcp", "list")


def test_codex_finds_skills_and_door(place: Place) -> None:
    (place.home / ".codex").mkdir()
    (place.home / ".codex" / "config.toml").write_text(
        '[mcp_servers.pal]\ncommand = "pal"\nargs = ["mcp"]\nenv_vars = '
        + json.dumps([*RUN])
        + f"\nstartup_timeout_sec = {WITHIN // 1000}\n"
    )
    listed = {"id": 2, "method": "skills/list", "params": {"cwds": [str(place.folder)]}}
    servers = {"id": 3, "method": "mcpServerStatus/list", "params": {}}

    skills = place.ask("codex", "app-server", lines=[*CODEX_HELLO, listed])["result"]["data"]
    (door,) = place.ask("codex", "app-server", lines=[*CODEX_HELLO, servers])["result"]["data"]

    assert {skill["name"] for one in skills for skill in one["skills"]} >= NAMES
    assert "send" in door["tools"]


def test_gemini_cli_finds_skills_and_door(place: Place) -> None:
    server = {"command": "pal", "args": ["mcp"], "env": {"PAL_RUN_TOKEN": "$PAL_RUN_TOKEN"}, "timeout": WITHIN}
    (place.home / ".gemini").mkdir()
    settings = place.home / ".gemini" / "settings.json"
    settings.write_text(json.dumps({"mcpServers": {"pal": server}}))
    listed = place.say("gemini", "skills", "list")

    assert [name for name in NAMES if name not in listed] == []
    assert "Connected" in place.say("gemini", "mcp", "list")


def test_opencode_finds_skills_and_door(place: Place) -> None:
    server = {"type": "local", "command": ["pal", "mcp"], "timeout": WITHIN}
    (place.folder / "opencode.json").write_text(json.dumps({"mcp": {"pal": server}}))
    place.env |= opencode.quick(place.home, config=place.home / ".config" / "opencode")
    listed = place.say("opencode", "debug", "skill")

    assert [name for name in NAMES if name not in listed] == []
    assert "connected" in place.say("opencode", "mcp", "list")
