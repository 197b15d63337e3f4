"""What only Gemini CLI does, with the real program."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest

from pal_daemon.runtimes.gemini import GeminiRuntime
from tests.runtimes.desk import Desk, approve_all, open_desk
from tests.runtimes.drivers.gemini import DRIVER, KEY
from tests.support.models.server import Call, Say, Text, Wait


@pytest.fixture
async def desk(bus, settings, start_daemon, tmp_path) -> AsyncIterator[Desk]:
    async with open_desk(DRIVER, bus=bus, settings=settings, start=start_daemon, root=tmp_path) as opened:
        yield opened


async def test_a_plan_is_shown_and_changes_nothing_until_it_is_approved(desk):
    thought = asyncio.Event()
    early, later = desk.folder / "early.txt", desk.folder / "later.txt"
    desk.model.script(Say(parts=(Text(text="Let me see."), Wait(until=thought), DRIVER.write(early, "too early\n"))))

    run = await desk.given("plan it", settings={"mode": "plan"})
    question = await desk.model.asked(1)
    found = re.search(rf"{desk.home.name}/([^\s`\"\\]+/plans)", question.text)  # where its plans are it says itself
    assert found is not None
    desk.model.script(
        DRIVER.write(desk.home / found[1] / "plan.md", "1. Write it down.\n"),
        Call(name="exit_plan_mode", input={"plan_filename": "plan.md"}),
        DRIVER.write(later, "in time\n"),
        Text(text="Done as planned."),
    )
    thought.set()
    ask = await desk.asked(run)
    before = early.exists(), later.exists()
    await desk.answer(run, ask, decision="approve")
    end = await approve_all(desk, run)

    assert (ask["kind"], "1. Write it down." in ask["body"]) == ("plan", True)
    assert before == (False, False)
    assert (early.exists(), later.read_text()) == (False, "in time\n")
    assert (end["status"], end["text"]) == ("succeeded", "Done as planned.")


OF_THE_HOME = "key-of-a-file-3b1f8a"  # the program itself puts what stands there into its environment


KEEPS_BACK = {"security": {"environmentVariableRedaction": {"enabled": True}}}


async def test_its_commands_have_no_keys_where_its_users_settings_are_all_there_are(desk, monkeypatch):
    quiet = {name: value for name, value in GeminiRuntime.quiet.items() if "SETTINGS" not in name}
    monkeypatch.setattr(GeminiRuntime, "quiet", quiet)
    (desk.home / ".gemini").mkdir()
    (desk.home / ".gemini" / ".env").write_text(f"SOME_TOKEN={OF_THE_HOME}\nSOME_PLACE=there\n")
    desk.model.script(DRIVER.command("env > first.txt"), Text(text="Pelican."))
    desk.model.script(DRIVER.command("env > second.txt"), Text(text="Ostrich."))

    first = await desk.given("look around")
    told = await approve_all(desk, first)
    (desk.folder / ".gemini").mkdir()
    (desk.folder / ".gemini" / "settings.json").write_text(json.dumps(KEEPS_BACK))
    second = await desk.given("and again", native=desk.bus.native_sessions[f"session_{first.delivery}"])
    end = await approve_all(desk, second)
    seen = [(desk.folder / name).read_text() for name in ("first.txt", "second.txt")]

    assert [(one["status"], one["text"]) for one in (told, end)] == [
        ("succeeded", "Pelican."),
        ("succeeded", "Ostrich."),
    ]
    assert "Pelican" in desk.model.questions[-1].text
    for run, environment in zip((first, second), seen, strict=True):
        assert (KEY in environment, OF_THE_HOME in environment) == (False, False)
        assert "SOME_PLACE=there\n" in environment
        assert f"PAL_RUN_ID={run.id}\n" in environment
        assert "PAL_RUN_TOKEN=" in environment
        assert "PAL_AGENT_KEY=worker\n" in environment
