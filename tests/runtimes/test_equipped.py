"""SK-5: the skills and tool servers of an agent's profile reach the real program, by its own mechanism."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pal_daemon.runtimes.base import Capabilities
from pal_daemon.runtimes.registry import load_registry
from pal_daemon.settings import Settings
from tests.runtimes.desk import Desk, of_kind, open_desk
from tests.runtimes.driver import Driver
from tests.runtimes.drivers import opencode
from tests.runtimes.test_conformance import KNOWN, need
from tests.support.models.server import Say, Text, Wait
from tests.support.stack import eventually

MARKING = Path(__file__).with_name("marking_server.py")
WORD = "key-5d1f0c7e9a2b4863"  # a secret of the tool server


def can(driver: Driver) -> Capabilities:
    runtime = load_registry().get(driver.runtime)
    assert runtime is not None
    return runtime.capabilities


@pytest.fixture(params=[one for one in KNOWN if can(one).servers], ids=lambda driver: driver.runtime)
async def desk(request, bus, settings, start_daemon, tmp_path) -> AsyncIterator[Desk]:
    async with open_desk(request.param, bus=bus, settings=settings, start=start_daemon, root=tmp_path) as opened:
        yield opened


async def test_a_tool_server_is_started_with_its_secret_and_the_secret_is_nowhere_else(desk, settings, tmp_path):
    mark = tmp_path / "mark"
    server = {"command": sys.executable, "args": [str(MARKING), str(mark)], "env": {"MARK_WORD": WORD}}
    (settings.home / "mcp.json").write_text(json.dumps({"mcpServers": {"marking": server}}))
    given_skill(settings)
    until = asyncio.Event()  # nobody promises that a turn waits for its servers
    desk.model.script(Say(parts=(Text(text="Done."), Wait(until=until))))

    run = await desk.given("hello", settings={"servers": ["marking", "absent"]})
    await desk.bus.until(lambda: run.pid)
    await asyncio.to_thread(eventually, "the server was started", lambda: mark.exists() and mark.read_text() == WORD)
    until.set()
    kept = [path.read_bytes() for path in (settings.runs_folder / str(run.id)).iterdir() if path.is_file()]
    end = await desk.end(run)

    assert end["status"] == "succeeded"
    assert mark.read_text() == WORD
    assert not any(WORD.encode() in data for data in kept)
    assert WORD not in desk.bus.everything_said()
    assert any("absent" in (event.get("text") or "") for event in of_kind(run, "status"))
    assert list((settings.folder / "equipment").iterdir()) == []
    assert "pelican" not in desk.model.questions[0].text  # a skill that its profile does not name


GREET = "Greet the $ARGUMENTS warmly.\n"
SKILL = "---\nname: greet\ndescription: How somebody is greeted.\n---\nGreet the pelican warmly.\n"
COMMANDS = {
    "claude-code": (".claude/commands/greet.md", GREET),
    "codex": (".agents/skills/greet/SKILL.md", SKILL),
    "opencode": (".opencode/command/greet.md", GREET),
}


async def test_a_command_of_the_project_is_carried_out_by_the_program(desk):
    path, content = need(COMMANDS.get(desk.driver.runtime), "commands of a project over this protocol")
    file = desk.folder / path
    file.parent.mkdir(parents=True)
    file.write_text(content)
    opencode.seem_equipped(desk.folder / ".opencode")  # where no other program looks
    desk.model.script(Text(text="Hello, bird."))

    command = await desk.delivered("/greet pelican", slash="/greet pelican")
    end = await desk.end(await desk.bus.run_of(command))

    assert end["status"] == "succeeded"
    assert "Greet the pelican warmly." in desk.model.questions[-1].text


async def test_a_skill_of_the_profile_is_offered_to_the_model(desk, settings):
    runtime = load_registry().get(desk.driver.runtime)
    need(runtime.capabilities.skills or None, "skills of a profile")
    given_skill(settings)

    for _ in range(3):  # Claude Code asked before it had read its skills once in some hundreds of starts
        desk.model.script(Text(text="Done."))
        end = await desk.end(await desk.given("hello", settings={"skills": ["release-shop"]}))
        assert end["status"] == "succeeded"
        if is_offered := "pelican" in desk.model.questions[-1].text:
            break

    assert is_offered


def given_skill(settings: Settings) -> None:
    """One of the computer's, which an agent gets whose profile names it."""
    skill = settings.home / "skills" / "release-shop"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text(
        "---\nname: release-shop\ndescription: How the pelican is released.\n---\nGently.\n"
    )
