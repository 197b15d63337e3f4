"""What every runtime must do, with its real program, a scripted model service, and the daemon that drives both.

`cursor` has no program that could be had: one of the tests' own takes its place (`cursor_program.py`). `command`,
`http` and `manual` have no vendor's program: what the model is to others, a service or a person is to them.

A driver in `tests/runtimes/drivers` says how a program is scripted. The suite holds what people can rely on whichever
program works for them.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pal_daemon.process_tree import find_left_over
from pal_daemon.runtimes.acp_client.handshake import WORD_JOINER
from pal_daemon.runtimes.base import Event, Out
from pal_daemon.runtimes.registry import load_registry
from tests.runtimes import drivers
from tests.runtimes.desk import Desk, approve_all, of_kind, open_desk
from tests.runtimes.lifeline import Lifeline
from tests.support.fake_bus import FakeRun
from tests.support.models.server import Refuse, Say, Text, Tokens, Wait

KNOWN = [
    importlib.import_module(f"{drivers.__name__}.{module.name}").DRIVER
    for module in pkgutil.iter_modules(drivers.__path__)
]

# Those that plan without handing in a plan, or hand it in in a way of their own.
PLANNERS = [driver for driver in KNOWN if driver.runtime in ("gemini", "opencode")]


@pytest.fixture(params=KNOWN, ids=lambda driver: driver.runtime)
async def desk(request, bus, settings, start_daemon, tmp_path) -> AsyncIterator[Desk]:
    async with open_desk(request.param, bus=bus, settings=settings, start=start_daemon, root=tmp_path) as opened:
        yield opened


def told_states(run: FakeRun) -> list[dict[str, Any]]:
    return [event.get("data", {}) for event in of_kind(run, "status")]


def need(step: Any, what: str) -> Any:
    if step is None:
        pytest.xfail(f"this program has no {what}")  # no skip: that would say that something is missing here
    return step


# A turn


async def test_a_prompt_is_answered_with_the_model_and_effort_that_were_chosen(desk):
    desk.model.script(Say(parts=(Text(text="Good morning, all."),), tokens=Tokens(input=321, output=12)))
    model = {"model": desk.driver.model} if desk.driver.model else {}
    effort = {"effort": desk.driver.efforts[0]} if desk.driver.efforts else {}

    run = await desk.given("say good morning", **model, **effort)
    end = await desk.end(run)

    assert (end["status"], end["text"]) == ("succeeded", "Good morning, all.")
    assert desk.said(run) == "Good morning, all."
    (asked,) = desk.model.questions
    assert "say good morning" in asked.text
    if model:
        assert model["model"] in str(asked.body.get("model") or asked.path)
    if effort:
        assert desk.driver.effort_in(asked.body) == effort["effort"]
    assert find_left_over(desk.runs_folder / str(run.id)) == []


async def test_text_that_looks_like_a_command_or_a_file_is_only_text(desk):
    secret = desk.folder / "secret.txt"
    secret.write_text("the-word-nobody-may-see")

    run = await desk.given(f"/help @{secret}", prompt=f"/help @{secret}")
    end = await desk.end(run)

    assert end["status"] == "succeeded"
    assert f"/help @{secret}" in desk.model.questions[0].text.replace(WORD_JOINER, "")
    assert "the-word-nobody-may-see" not in desk.model.questions[0].text


async def test_five_megabytes_of_answer_come_whole(desk):
    word = "0123456789abcdef" * 64
    desk.model.script(Say(parts=(Text(text=word * 5120, pieces=200),)))
    need(None if desk.driver.answer_limit else True, "answers so long")

    run = await desk.given("talk")
    end = await desk.end(run)

    assert end["status"] == "succeeded"
    assert len(desk.said(run)) == len(word) * 5120


# Tools and permissions


async def test_a_command_runs_in_the_folder_once_a_person_approves_and_sees_no_secrets(desk, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "a-secret-of-the-daemon")
    command = need(desk.driver.command("echo made > here.txt; env > seen.txt"), "shell")
    desk.model.script(command, Text(text="It is made."))

    run = await desk.given("make it")
    ask = await desk.asked(run)
    made_before = (desk.folder / "here.txt").exists()
    await desk.answer(run, ask, decision="approve")
    end = await desk.end(run)

    assert not made_before
    assert ask["kind"] == "approval"
    assert "here.txt" in ask["title"] + ask.get("body", "")
    assert (end["status"], end["text"]) == ("succeeded", "It is made.")
    assert (desk.folder / "here.txt").read_text() == "made\n"
    (call,) = of_kind(run, "tool_call")
    (result,) = of_kind(run, "tool_result")
    assert (call["data"]["id"], result["data"]["status"]) == (result["data"]["id"], "ok")
    assert "here.txt" in of_kind(run, "command")[0]["data"]["command"]
    seen = (desk.folder / "seen.txt").read_text()
    assert f"PAL_RUN_ID={run.id}\n" in seen
    assert "a-secret-of-the-daemon" not in seen


async def test_a_command_that_is_refused_does_not_run(desk):
    desk.model.script(need(desk.driver.command("echo made > here.txt"), "shell"), Text(text="Then not."))

    run = await desk.given("make it")
    await desk.answer(run, await desk.asked(run), decision="deny", reason="it is much too early")
    await desk.end(run)

    assert not (desk.folder / "here.txt").exists()
    assert "ok" not in {result["data"]["status"] for result in of_kind(run, "tool_result")}
    if desk.driver.hears_reasons:
        assert any("it is much too early" in question.text for question in desk.model.questions[1:])


async def test_a_file_is_written_in_the_folder(desk):
    path = desk.folder / "new.txt"
    desk.model.script(need(desk.driver.write(path, "one\ntwo\n"), "tool to write files"), Text(text="Written."))

    run = await desk.given("write it")
    end = await approve_all(desk, run)

    assert end["status"] == "succeeded"
    assert path.read_text() == "one\ntwo\n"
    assert bool(run.asks) is desk.driver.asks_edits
    (change,) = of_kind(run, "file_change")
    assert change["data"]["path"].endswith("new.txt")
    assert change["data"]["change"] == "add"
    assert "two" in change["data"]["diff"]


async def test_a_question_is_answered(desk):
    asking = desk.driver.question("Which colour?", ("Blue", "Red"))
    can = load_registry().get(desk.driver.runtime).capabilities
    assert can.questions is (asking is not None or desk.driver.is_a_question)
    desk.model.script(need(asking, "questions"), Text(text="Painted."))

    run = await desk.given("paint", settings=desk.driver.asking_agent())
    ask = await desk.asked(run)
    await desk.answer(run, ask, answer="Blue")
    end = await desk.end(run)

    assert (ask["kind"], ask["title"]) == ("question", "Which colour?")
    assert "Red" in ask["body"] + "".join(ask["options"])
    assert end["status"] == "succeeded"
    assert "Blue" in desk.model.questions[1].text.split("Which colour?")[-1]


async def test_a_plan_changes_nothing_until_it_is_approved(desk):
    assert load_registry().get(desk.driver.runtime).capabilities.plan is (
        desk.driver.plan_agent() is not None or desk.driver in PLANNERS
    )
    agent = need(desk.driver.plan_agent(), "plan that it hands in like others")
    write = desk.driver.write(desk.folder / "early.txt", "too early\n")
    plan = desk.driver.plan("1. Write it down.")
    later = desk.driver.write(desk.folder / "later.txt", "in time\n")
    desk.model.script(write, *plan, later, Text(text="Done as planned."))

    run = await desk.given("plan it", settings=agent)
    ask = await desk.asked(run)
    early = (desk.folder / "early.txt").exists()
    await desk.answer(run, ask, decision="approve")
    end = await approve_all(desk, run)

    assert ask["kind"] == "plan"
    assert (early, (desk.folder / "early.txt").exists()) == (False, False)
    assert (desk.folder / "later.txt").read_text() == "in time\n"
    assert end["status"] == "succeeded"


@pytest.mark.parametrize("desk", PLANNERS, indirect=True, ids=lambda driver: driver.runtime)
async def test_an_agent_that_plans_without_a_card_changes_nothing(desk):
    write = desk.driver.write(desk.folder / "early.txt", "too early\n")
    command = desk.driver.command("echo made > here.txt")
    desk.model.script(write, command, Text(text="I would write it down."))

    run = await desk.given("plan it", settings={"mode": "plan"})
    end = await desk.end(run)

    assert (end["status"], end["text"], run.asks) == ("succeeded", "I would write it down.", [])
    assert sorted(path.name for path in desk.folder.iterdir()) == []


# Sessions, texts on the way, ends


async def test_the_next_run_goes_on_with_the_session_and_is_told_its_own_use(desk):
    can = load_registry().get(desk.driver.runtime).capabilities
    desk.model.script(
        Say(parts=(Text(text="Noted."),), tokens=Tokens(input=500, output=50)),
        Say(parts=(Text(text="It was 4711."),), tokens=Tokens(input=321, output=12)),
    )
    first = await desk.given("remember 4711")
    await desk.end(first)
    native = desk.bus.native_sessions.get(f"session_{first.delivery}")
    assert (native is not None) is can.resume
    need(native, "sessions")

    second = await desk.given("which number was it", native=native)
    end = await desk.end(second)

    assert end["text"] == "It was 4711."
    assert "remember 4711" in desk.model.questions[1].text
    assert not any(data.get("state") == "afresh" for data in told_states(second))
    if can.usage:  # its own, not the session's
        assert (end["usage"]["input_tokens"], end["usage"]["output_tokens"]) == (321, 12)
        assert of_kind(second, "usage")[-1]["data"]["output_tokens"] == 12


async def test_two_accounts_work_side_by_side(desk):
    until = asyncio.Event()
    desk.model.script(*(Say(parts=(Text(text="Mine."), Wait(until=until))),) * 2)
    homes = [desk.home / "one", desk.home / "two"]
    for home in homes:
        home.mkdir()
    accounts = [desk.driver.account(url=desk.model.url, home=home) for home in homes]

    runs = [await desk.given("hello", settings={"account": account}) for account in accounts]
    for run in runs:
        await desk.at_work(run, asked=len(runs))
    until.set()
    ends = [await desk.end(run) for run in runs]

    assert [end["status"] for end in ends] == ["succeeded", "succeeded"]
    if accounts[0]["home"]:
        assert all(any(home.iterdir()) for home in homes)


async def test_a_session_that_vanished_is_begun_afresh_and_said(desk):
    desk.model.script(Text(text="Here I am."))

    run = await desk.given("go on", native="0d8f1a52-4f7e-4f0c-9b0e-5a3f0e1c2d3b", recap="It was about 4711.")
    end = await desk.end(run)

    assert (end["status"], end["text"]) == ("succeeded", "Here I am.")
    lost = [data["recap"] for data in told_states(run) if data.get("state") == "afresh"]
    assert lost == [True] * load_registry().get(desk.driver.runtime).capabilities.resume
    need(lost or None, "sessions")
    asked = desk.model.questions[0].text
    assert -1 < asked.find("It was about 4711.") < asked.find("go on")


async def test_a_text_on_the_way_is_read_or_refused(desk):
    runtime = load_registry().get(desk.driver.runtime)
    until = asyncio.Event()
    desk.model.script(Say(parts=(Text(text="Working."), Wait(until=until))), Text(text="With honey, then."))

    run = await desk.given("make tea")
    await desk.at_work(run)
    order = await desk.bus.given_command("steer", run.id, text="with honey please")
    is_taken = (await desk.order_done(order)).get("ok", True)
    until.set()
    end = await desk.end(run)

    assert is_taken is runtime.capabilities.live_input
    assert end["status"] == "succeeded"
    if is_taken:
        assert "with honey please" in desk.model.questions[1].text
        reads = [data for data in told_states(run) if data.get("state") == "read"]
        assert [read["input"] for read in reads] == [f"steer-{order}"]
        assert "With honey, then." in end["text"]


async def test_a_stop_ends_the_turn_and_leaves_nothing(desk):
    desk.model.script(Say(parts=(Text(text="Thinking."), Wait(until=asyncio.Event()))))

    run = await desk.given("think for ever")
    await desk.at_work(run)
    await desk.bus.given_command("stop", run.id)
    end = await desk.end(run)

    assert (end["status"], end["error_kind"]) == ("cancelled", "stopped")
    assert find_left_over(desk.runs_folder / str(run.id)) == []


async def test_a_kill_ends_the_command_it_runs_too(desk):
    child = Lifeline(desk.folder / "alive")
    desk.model.script(need(desk.driver.command(child.command), "shell"))

    run = await desk.given("go")
    await desk.answer(run, await desk.asked(run), decision="approve")
    await child.begun()
    await desk.bus.given_command("kill", run.id)
    end = await desk.end(run)
    await child.gone()

    assert (end["status"], end["error_kind"]) == ("cancelled", "killed")
    assert find_left_over(desk.runs_folder / str(run.id)) == []


async def test_a_permission_is_withdrawn_when_the_run_is_stopped(desk):
    desk.model.script(need(desk.driver.command("echo made > here.txt"), "shell"))

    run = await desk.given("make it")
    ask = await desk.asked(run)
    await desk.bus.given_command("stop", run.id)
    await desk.end(run)
    await desk.answer(run, ask, decision="approve")

    assert not (desk.folder / "here.txt").exists()


async def test_a_daemon_that_dies_in_the_middle_costs_nothing(desk):
    until = asyncio.Event()
    command = desk.driver.command("echo made >> here.txt")
    halves = Say(parts=(Text(text="first half, "), Wait(until=until), Text(text="second half")))
    desk.model.script(*((command,) if command else ()), halves)
    run = await desk.given("make it")
    if command:
        ask = await desk.asked(run)
        await desk.daemons.newest.vanish()
        await desk.daemons.start()
        await desk.answer(run, ask, decision="approve")
    await desk.at_work(run)
    await desk.daemons.newest.vanish()
    until.set()
    await desk.daemons.start()
    end = await desk.end(run)

    assert end["status"] == "succeeded"
    assert desk.said(run).count("first half") == desk.said(run).count("second half") == 1
    assert not command or (desk.folder / "here.txt").read_text() == "made\n"
    assert desk.reread(run) == desk.reread(run)
    assert _joined(desk.reread(run)) == _joined(desk.reread(run, size=7))


def _joined(outs: list[Out]) -> list[Out]:
    """Pieces of one text put together: however the output was cut, the same is left."""
    whole: list[Out] = []
    for out in outs:
        last = whole[-1] if whole else None
        if (
            isinstance(out, Event)
            and isinstance(last, Event)
            and out.is_piece
            and last.is_piece
            and (out.kind, out.lane, out.data) == (last.kind, last.lane, last.data)
        ):
            whole[-1] = Event(kind=out.kind, lane=out.lane, data=out.data, is_piece=True, text=f"{last.text}{out.text}")
        else:
            whole.append(out)
    return whole


# Choices and failures


async def test_an_effort_nobody_knows_is_dropped_and_said(desk):
    need(desk.driver.efforts or None, "choice of effort")
    desk.model.script(Text(text="Chosen."))

    run = await desk.given("hello", effort="superhuman")
    end = await desk.end(run)

    assert end["status"] == "succeeded"
    assert any("superhuman" in (event.get("text") or "") for event in of_kind(run, "status"))


async def test_an_error_of_the_model_service_fails_the_run(desk):
    fault = need(desk.driver.fault, "service that could fail")
    desk.model.script(*(Refuse(status=400, message="the-reason-it-gives"),) * 20)

    run = await desk.given("hello")
    end = await desk.end(run)

    assert end["status"] == "failed"
    assert "the-reason-it-gives" in end["error"] + end.get("stderr", "")
    assert of_kind(run, fault)


async def test_a_rate_limit_is_named_as_that(desk):
    desk.model.script(*need(desk.driver.rate_limit or None, "word of its own for a limit"))

    run = await desk.given("hello")
    end = await desk.end(run)

    assert (end["status"], end["error_kind"]) == ("failed", "rate_limit")


async def test_a_missing_program_fails_at_once_with_what_to_do(desk):
    missing = desk.driver.missing(desk.folder)
    if missing is None:
        need(desk.driver.program(), "program of its own")
        account = desk.driver.account(url=desk.model.url, home=desk.home)
        missing = {"settings": {"account": account | {"bin": str(desk.folder / "no-such-program")}}}

    run = await desk.given("hello", **missing)
    end = await desk.end(run)

    assert (end["status"], end["error_kind"]) == ("failed", "missing_program")
    assert desk.driver.remedy in end["error"]


async def test_a_program_that_is_too_old_fails_at_once_with_what_to_do(desk):
    program = need(desk.driver.old_program(desk.folder), "oldest version pal works with")
    account = desk.driver.account(url=desk.model.url, home=desk.home) | {"bin": str(program)}

    run = await desk.given("hello", settings={"account": account})
    end = await desk.end(run)

    assert (end["status"], end["error_kind"]) == ("failed", "old_program")
    assert "install" in end["error"]


async def test_it_is_found_with_its_version(desk, monkeypatch):
    need(desk.driver.is_looked_for or None, "program that is looked for")
    if program := desk.driver.program():
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    await desk.daemons.start(home=desk.folder / "another")

    (state,) = [state for state in desk.bus.connected["runtimes"] if state["name"] == desk.driver.runtime]
    assert state["available"], state
    assert state.get("version") or program is None
