"""What only Claude Code does, with the real program."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from pal_daemon.account_keys import write_keys
from tests.runtimes.desk import Desk, approve_all, of_kind, open_desk
from tests.runtimes.drivers.claude_code import DRIVER
from tests.support.models.server import Call, Say, Text, Wait


@pytest.fixture
async def desk(bus, settings, start_daemon, tmp_path) -> AsyncIterator[Desk]:
    async with open_desk(DRIVER, bus=bus, settings=settings, start=start_daemon, root=tmp_path) as opened:
        yield opened


async def test_a_server_the_project_names_is_not_started(desk):
    server = {"command": "touch", "args": [str(desk.folder / "started")]}
    (desk.folder / ".mcp.json").write_text(json.dumps({"mcpServers": {"sly": server}}))

    run = await desk.given("hello")
    end = await desk.end(run)

    assert end["status"] == "succeeded"
    assert not (desk.folder / "started").exists()


async def test_a_command_in_the_background_keeps_the_run_and_both_answers_count(desk):
    go = desk.folder / "go"
    waits = f"until test -e {go}; do sleep 0.1; done; echo finished"
    command = Call(name="Bash", input={"command": waits, "run_in_background": True})
    desk.model.script(command, Text(text="It is started."), Text(text="It is over."))

    run = await desk.given("begin")
    ending = asyncio.create_task(approve_all(desk, run))
    await desk.bus.until(lambda: "started." in run.text("message"), within=desk.driver.patience)
    go.touch()
    end = await ending

    assert (end["status"], end["text"]) == ("succeeded", "It is started.\n\nIt is over.")
    assert [event["data"]["state"] for event in of_kind(run, "subagent")] == ["running", "completed"]


async def test_a_key_that_is_kept_here_reaches_the_service_and_no_tool(desk, settings):
    write_keys(settings, "account_kept", {"ANTHROPIC_API_KEY": "sk-kept-on-this-computer"})
    account = DRIVER.account(url=desk.model.url, home=desk.home)
    del account["env"]["ANTHROPIC_API_KEY"]
    seen = desk.folder / "seen.txt"
    desk.model.script(Call(name="Bash", input={"command": f"env > {seen}"}), Text(text="Seen."))

    run = await desk.given("look", settings={"account": account}, account="account_kept")
    end = await approve_all(desk, run)

    assert (end["status"], end["text"]) == ("succeeded", "Seen.")
    assert "sk-kept-on-this-computer" in str(desk.model.questions[0].headers)
    assert "sk-kept" not in seen.read_text()


async def test_an_edited_plan_reaches_the_agent(desk):
    desk.model.script(*DRIVER.plan("unused"), Text(text="As you wish."))

    run = await desk.given("plan it", settings={"mode": "plan"})
    ask = await desk.asked(run)
    await desk.answer(run, ask, decision="approve", answer="2. Only look.")
    end = await desk.end(run)

    assert "As you wish." in end["text"]
    assert any("2. Only look." in question.text for question in desk.model.questions)


async def test_several_questions_are_answered_on_one_card(desk):
    questions = [
        {
            "question": text,
            "header": header,
            "multiSelect": several,
            "options": [{"label": label, "description": label} for label in ("A", "B", "C")],
        }
        for text, header, several in (("Which one?", "One", False), ("Which ones?", "More", True))
    ]
    desk.model.script(Call(name="AskUserQuestion", input={"questions": questions}), Text(text="Chosen."))

    run = await desk.given("choose")
    ask = await desk.asked(run)
    await desk.answer(run, ask, answer="1: B\n2: A, C")
    end = await desk.end(run)

    assert end["text"] == "Chosen."
    answered = of_kind(run, "tool_result")[0]["text"]
    assert '"Which one?"="B"' in answered
    assert '"Which ones?"="A, C"' in answered


async def test_its_temporary_files_stay_with_its_account(desk, settings):
    until = asyncio.Event()
    desk.model.script(Say(parts=(Text(text="Here."), Wait(until=until))))

    run = await desk.given("hello")
    await desk.bus.until(lambda: run.text("message"), within=desk.driver.patience)
    (scratch,) = (settings.folder / "scratch").iterdir()
    mode = scratch.stat().st_mode & 0o777
    until.set()
    await desk.end(run)

    assert mode == 0o700
    assert any(scratch.iterdir())


async def test_a_session_id_that_is_no_uuid_begins_afresh(desk):
    run = await desk.given("hello", native="../../../etc/passwd")
    end = await desk.end(run)

    assert end["status"] == "succeeded", end
    assert desk.bus.native_sessions[f"session_{run.delivery}"] != "../../../etc/passwd"


@pytest.mark.parametrize("mode", ["plan", "read_only"])
async def test_nothing_is_changed_by_an_agent_that_may_only_look(desk, mode):
    touch = Call(name="Bash", input={"command": "touch made"})
    write = Call(name="Write", input={"file_path": str(desk.folder / "written"), "content": "x"})
    desk.model.script(touch, write, Text(text="I only looked."))

    run = await desk.given("look", settings={"mode": mode})
    end = await desk.end(run)

    assert end["text"] == "I only looked."
    assert run.asks == []
    assert list(desk.folder.iterdir()) == []
    assert {event["data"]["status"] for event in of_kind(run, "tool_result")} <= {"refused", "failed"}


async def test_another_model_applies_to_the_next_run_and_is_said(desk):
    desk.model.script(Text(text="One."), Text(text="Two."))
    first = await desk.given("hello", model="sonnet")
    await desk.end(first)

    second = await desk.given("again", model="opus", native=desk.bus.native_sessions[f"session_{first.delivery}"])
    await desk.end(second)

    models = [question.body["model"] for question in desk.model.questions]
    told = [event["data"]["model"] for event in of_kind(second, "status") if event["data"].get("state") == "session"]
    assert "sonnet" in models[0]
    assert "opus" in models[1]
    assert told == [models[1]]


async def test_a_stop_takes_the_card_of_a_permission_away(desk):
    desk.model.script(Call(name="Bash", input={"command": "touch made"}))

    run = await desk.given("make it")
    ask = await desk.asked(run)
    await desk.bus.given_command("stop", run.id)
    end = await desk.end(run)

    assert (end["status"], end["error_kind"], end["exit_code"]) == ("cancelled", "stopped", 1)
    assert run.withdrawn == [run.interactions[ask["key"]]]
