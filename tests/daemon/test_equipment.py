"""AU-13, SK-5: what is laid out for a run, and what stands around its program."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest

from pal_daemon.equipment import Equipment, equip, equipment_folder, isolate, take_back, take_back_all
from pal_daemon.runtimes.base import CannotStart, Runtime
from pal_daemon.runtimes.claude_code.runtime import ClaudeCodeRuntime
from pal_daemon.runtimes.command import CommandRuntime
from pal_daemon.settings import Settings
from tests.daemon.test_daemon_runtimes import work
from tests.daemon.test_probes import given_skill

ENV = {"PATH": "/usr/bin:/bin", "PAL_RUN_TOKEN": "secret", "PAL_ROOM": "general"}


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    return Settings(home=home, server="http://127.0.0.1:1", key="k")


def equipped(settings: Settings, folder: Path, *, runtime: Runtime | None = None, **names: list[str]) -> Equipment:
    given = work(settings=names)
    return equip(settings, runtime or ClaudeCodeRuntime(), given, run=7, folder=folder, env=ENV)


def test_skills_of_project_computer_and_pal_are_linked_and_gone_with_the_run(place, tmp_path):
    given_skill(tmp_path / "shop" / ".claude" / "skills", "release")
    given_skill(place.home / "skills", "tidy")

    found = equipped(place, tmp_path / "shop", skills=["release", "tidy", "pal-room", "nowhere"])

    assert found.skills is not None
    linked = {path.name for path in (found.skills / ".claude" / "skills").iterdir()}
    assert linked == {"release", "tidy", "room"}
    assert found.missing == ("the skill nowhere",)
    take_back(place, 7)
    assert not equipment_folder(place, 7).exists()
    assert (place.home / "skills" / "tidy" / "SKILL.md").is_file()


def test_a_tool_server_is_a_command_line_without_its_secrets(place, tmp_path):
    server = {"command": "sh", "args": ["-c", "printf %s $WORD"], "env": {"WORD": "secret-word"}}
    (place.home / "mcp.json").write_text(json.dumps({"mcpServers": {"db": server, "remote": {"url": "http://x"}}}))

    found = equipped(place, tmp_path, servers=["db", "remote"])

    argv = found.servers["db"]
    assert "secret" not in " ".join(argv)
    assert subprocess.run(argv, env=ENV, capture_output=True, check=True).stdout == b"secret-word"
    file = equipment_folder(place, 7) / "servers.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert found.missing == ("the tool server remote",)


def test_pals_own_server_has_the_runs_variables_whatever_the_program_passes_on(place, tmp_path):
    program = tmp_path / "pal"
    program.write_text("#!/bin/sh\nprintf '%s %s' $1 $PAL_RUN_TOKEN\n")
    program.chmod(0o755)
    env = {**ENV, "PATH": f"{tmp_path}:{ENV['PATH']}"}

    found = equip(place, ClaudeCodeRuntime(), work(settings={"servers": ["pal"]}), run=7, folder=tmp_path, env=env)

    bare = {"PATH": "/usr/bin:/bin"}
    assert subprocess.run(found.servers["pal"], env=bare, capture_output=True, check=True).stdout == b"mcp secret"


def test_a_runtime_that_takes_none_is_given_none(place, tmp_path):
    assert equipped(place, tmp_path, runtime=CommandRuntime(), skills=["pal-room"], servers=["pal"]) == Equipment()


def test_what_dead_runs_left_is_cleared_and_the_living_keep_theirs(place):
    for run in (1, 2):
        equipment_folder(place, run).mkdir(parents=True)

    take_back_all(place, live={2})

    assert [path.name for path in equipment_folder(place, 0).parent.iterdir()] == ["2"]


def test_an_isolation_stands_before_the_program(tmp_path):
    argv = isolate(
        ("/opt/agent", "-p"),
        "env -i {env} sh -c 'true {folder}'",
        folder=Path("/src/shop"),
        scratch=Path("/tmp/s"),
        env=ENV,
    )

    assert argv[:2] == ("env", "-i")
    assert set(argv[2:5]) == {"--env=PAL_ROOM", "--env=PAL_RUN_TOKEN", "--env=PATH"}
    assert argv[5:] == ("sh", "-c", "true /src/shop", "/opt/agent", "-p")
    assert isolate(("a",), None, folder=tmp_path, scratch=tmp_path, env=ENV) == ("a",)


@pytest.mark.parametrize("wrong", ["no-such-program-here x", "sh -c 'open"])
def test_an_isolation_that_cannot_be_started_starts_nothing(tmp_path, wrong):
    with pytest.raises(CannotStart):
        isolate(("a",), wrong, folder=tmp_path, scratch=tmp_path, env=ENV)


async def test_an_isolated_agent_runs_inside_and_is_stopped_with_it(bus, start_daemon):
    await start_daemon()
    settings = {"isolation": "env INSIDE=yes"}
    command = {"runtime": "command", "command_allowed": True, "settings": settings}

    run = await bus.end_of(await bus.given_delivery(command="sh -c 'echo $INSIDE'", **command))
    other = await bus.run_of(await bus.given_delivery(command="sleep 600", **command))
    await bus.until(lambda: other.pid)
    await bus.given_command("kill", other.id)
    ended = await bus.end_of(bus.deliveries[other.delivery])

    assert run.finish["text"] == "yes"
    assert ended.finish["status"] == "cancelled"
