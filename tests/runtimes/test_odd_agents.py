"""Agents with odd habits, driven by the daemon: a run ends, and says how."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pal_daemon import attempt
from pal_daemon.process_tree import find_left_over
from tests.runtimes.desk import of_kind
from tests.support.fake_bus import FakeRun

PROGRAM = Path(__file__).with_name("odd_agent.py")


@pytest.fixture
async def begin(bus, start_daemon, tmp_path):
    await start_daemon()

    async def begin(habit: str) -> FakeRun:
        account = {"label": "odd", "bin": sys.executable, "home": None, "env": {}, "args": [str(PROGRAM), habit]}
        delivery = await bus.given_delivery(
            content="do it", runtime="acp", cwd=str(tmp_path), settings={"account": account}
        )
        return await bus.run_of(delivery)

    return begin


async def end_of(bus, run: FakeRun) -> dict[str, Any]:
    await bus.end_of(bus.deliveries[run.delivery])
    assert run.finish is not None
    return run.finish


@pytest.mark.parametrize(("habit", "text"), [("noise", "done"), ("bad-exit", "done"), ("twice-over", "done and more")])
async def test_a_turn_that_was_answered_is_answered(bus, begin, habit, text):
    run = await begin(habit)
    end = await end_of(bus, run)

    assert (end["status"], end["text"]) == ("succeeded", text)


async def test_a_program_that_ends_in_its_turn_has_failed_whatever_its_exit(bus, begin):
    run = await begin("silent-death")
    end = await end_of(bus, run)

    assert (end["status"], end["exit_code"]) == ("failed", 0)
    assert "before its turn did" in end["error"]


async def test_a_program_that_does_not_leave_is_ended_and_its_answer_counts(bus, begin, settings, monkeypatch):
    monkeypatch.setattr(attempt, "LEAVE_FOR", 0.1)

    run = await begin("stays")
    end = await end_of(bus, run)

    assert (end["status"], end["text"]) == ("succeeded", "done")
    assert find_left_over(settings.runs_folder / str(run.id)) == []


async def test_the_same_permission_asked_twice_is_one_card(bus, begin):
    run = await begin("asks-twice")
    await bus.until(lambda: run.asks)
    ask = run.asks[0]
    await bus.given_command(
        "answer", run.id, interaction=run.interactions[ask["key"]], key=ask["key"], kind=ask["kind"], decision="approve"
    )
    end = await end_of(bus, run)

    assert end["text"] == "yes done"
    assert len(run.interactions) == 1


async def test_what_no_server_can_store_costs_nothing_else(bus, begin):
    run = await begin("unstorable")
    end = await end_of(bus, run)

    assert (end["status"], end["text"]) == ("succeeded", "a NUL \ufffd, done")
    assert (end["usage"]["input_tokens"], end["usage"]["output_tokens"]) == (None, None)
    (call,) = of_kind(run, "tool_call")
    assert call["data"]["input"] == {"n\ufffd": [2**63 - 1, 1 - 2**63, True]}
    assert "\0" not in str(run.events) + str(end)


async def test_an_answer_longer_than_a_body_is_told_as_far_as_it_is_shown(bus, begin):
    run = await begin("talks-on")
    end = await end_of(bus, run)

    assert end["status"] == "succeeded"
    assert len(run.text("message")) > 3_600_000
    assert end["text"].startswith("0 words words")
    assert 100_000 < len(end["text"]) < 200_000
