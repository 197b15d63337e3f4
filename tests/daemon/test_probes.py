"""RT-14, RT-18, SK-5: what a computer finds when it is asked to look at a program."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.test_logins import account
from tests.support.fake_bus import FakeBus

PROGRAM = """#!/bin/sh
case "$*" in
  --version) echo "2.1.328 (Claude Code)" ;;
  "auth status") echo '{"loggedIn": true, "authMethod": "claude.ai"}' ;;
  -p*)
    pwd > "$CLAUDE_CONFIG_DIR/where"
    test -f "$CLAUDE_CONFIG_DIR/broken" && exit 1
    read ask
    echo 'a line of something else'
    cat "$CLAUDE_CONFIG_DIR/answer"; echo
    exec sleep 600 ;;
esac
"""
ANSWER = {
    "models": [
        {"value": "default", "displayName": "Best", "supportedEffortLevels": ["low", "high"]},
        {"value": "quick", "displayName": "Quick"},
        "odd",
    ],
    "commands": [{"name": "compact", "description": "make it short", "argumentHint": "[how]"}],
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The usual home of a program that introduces itself as Claude Code does."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "claude"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    home = tmp_path / "config"
    home.mkdir()
    response = {"subtype": "success", "request_id": "pal-initialize", "response": ANSWER}
    (home / "answer").write_text(json.dumps({"type": "control_response", "response": response}))
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(home))
    monkeypatch.setenv("HOME", str(tmp_path))
    return home


def given_skill(folder: Path, name: str, description: str = "") -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "SKILL.md").write_text(f"---\nname: {name}\ndescription: {description}\n---\nDo it.\n")


async def looked(bus: FakeBus, **order: Any) -> dict[str, Any]:
    """What the computer reported for an order, once that is done."""
    number = await bus.given_command("probe", None, runtime="claude-code", **order)
    done = await bus.until(lambda: bus.commands_done.get(number))
    assert done.get("ok", True), done
    return dict(next(one for one in reversed(bus.findings) if "models" in one or "errors" in one))


async def test_a_look_finds_models_and_commands_without_asking_a_model(bus, start_daemon):
    await start_daemon()

    found = await looked(bus, agent="worker")

    assert found["models"] == [
        {"id": "default", "name": "Best", "efforts": ["low", "high"], "is_default": True},
        {"id": "quick", "name": "Quick"},
    ]
    assert [(one["name"], one["hint"]) for one in found["commands"]] == [("compact", "[how]")]
    assert found["agent"] == "worker"


async def test_what_it_was_asked_with_is_gone_afterwards(bus, start_daemon, tmp_path):
    await start_daemon()

    await looked(bus)

    left = [pid for pid in os.listdir("/proc") if pid.isdigit() and str(tmp_path) in _command_line(pid)]
    assert left == []


async def test_a_look_that_fails_says_why_and_takes_nothing_away(bus, start_daemon, home):
    (home / "broken").touch()
    await start_daemon()

    found = await looked(bus)

    assert found["errors"] == {"models": "claude ended without saying what it offers"}
    assert found.get("models") is None


async def test_skills_and_servers_of_the_folder_are_found_and_not_run(bus, start_daemon, home, tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    given_skill(folder / ".claude" / "skills", "release", "how we release")
    given_skill(home / "skills", "tidy")
    given_skill(home / "skills", "release", "of the home")
    (folder / ".mcp.json").write_text(json.dumps({"mcpServers": {"db": {"command": "touch", "args": ["ran"]}, "x": 1}}))
    await start_daemon()

    found = await looked(bus, agent="worker", folder=str(folder))

    skills = {one["name"]: (one.get("description", ""), one.get("source", "project")) for one in found["skills"]}
    assert skills["release"] == ("how we release", "project")
    assert skills["tidy"] == ("", "home")
    assert skills["pal-room"][1] == "pal"
    assert {one["name"]: one.get("source", "project") for one in found["servers"]} == {"pal": "pal", "db": "project"}
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(("isolation", "is_there"), [(None, True), ("box {folder}", False)])
async def test_the_program_of_an_isolated_agent_is_not_asked_in_its_folder(
    bus, start_daemon, home, tmp_path, isolation, is_there
):
    folder = tmp_path / "shop"
    given_skill(folder / ".claude" / "skills", "release")
    await start_daemon()

    found = await looked(bus, agent="worker", folder=str(folder), isolation=isolation)

    assert ((home / "where").read_text().strip() == str(folder)) is is_there
    assert "release" in [one["name"] for one in found["skills"]]


async def test_a_pipe_in_the_place_of_a_list_of_servers_holds_nobody_up(bus, start_daemon, tmp_path):
    os.mkfifo(tmp_path / ".mcp.json")
    await start_daemon()

    found = await looked(bus, agent="worker", folder=str(tmp_path))

    assert [one["name"] for one in found["servers"]] == ["pal"]


async def test_an_account_is_looked_at_in_its_own_home_and_its_login_told_by_itself(bus, start_daemon, tmp_path):
    bus.accounts = [account(home=str(tmp_path / "other"))]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "answer").write_text("no answer")

    await start_daemon()

    await bus.until(lambda: bus.findings)
    assert bus.findings[0]["account"] == "account_work"
    assert bus.findings[0]["login"] == {"state": "in", "method": "subscription"}
    (tmp_path / "other" / "broken").touch()
    assert "ended" in (await looked(bus, account="account_work"))["errors"]["models"]


async def test_an_order_for_what_is_not_here_is_refused_in_words(bus, start_daemon):
    await start_daemon()

    number = await bus.given_command("probe", None, runtime="claude-code", account="account_gone")
    done = await bus.until(lambda: bus.commands_done.get(number))

    assert done["ok"] is False
    assert "account_gone" in done["detail"]


def _command_line(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
