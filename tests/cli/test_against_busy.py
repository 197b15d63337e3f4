"""People in control of an agent that works, with real server, daemon and agent: told, stopped, asked how it is."""

import sys
from typing import Any

import pytest

from tests.cli.living import Living
from tests.support.stack import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def send(living: Living, room: str, *words: str) -> Any:
    return living.json("cli", "send", "--room", room, "--mention", "demo", *words)


def run_in(living: Living, room: str, status: str) -> int:
    """The run of the room, once it is in this state."""
    found: list[int] = []

    def look() -> bool:
        runs = living.api(f"/api/runs?room={room}")["runs"]
        found[:] = [run["id"] for run in runs if run["status"] == status]
        return bool(found)

    eventually(f"a run is {status}", look)
    return found[0]


def let_it_end(living: Living, run: int) -> None:
    """Approve what the run waits with, as it would else work for a time that may be too short for the test."""
    [asked] = living.api(f"/api/interactions?status=pending&run={run}")["interactions"]
    living.pal("cli", "approve", str(asked["id"]))


def said_by_demo(living: Living, room: str) -> str:
    messages = living.api(f"/api/messages?room={room}")["messages"]
    return "\n".join(m["content"] for m in messages if m["sender"]["name"] == "demo")


def test_a_working_agent_is_told_reads_it_and_no_second_run_follows(living: Living, room: str) -> None:
    """BX-3, DR-6."""
    send(living, room, "/approve go on")
    run = run_in(living, room, "waiting")

    told = send(living, room, "--steer", "mind the tests")
    let_it_end(living, run)

    assert [receipt["outcome"] for receipt in told["receipts"]] == ["steered"]
    eventually("it has read it", lambda: "mind the tests" in said_by_demo(living, room))
    assert run_in(living, room, "succeeded") == run
    assert len(living.json("cli", "runs", "--room", room)["runs"]) == 1
    why = living.pal("why", str(told["message"]["id"]))
    assert f"run {run} read it while it worked" in why


def test_a_run_is_told_by_its_number_and_one_that_has_ended_is_not(living: Living, room: str) -> None:
    send(living, room, "/approve go on")
    run = run_in(living, room, "waiting")

    assert "is told while it works" in living.pal("cli", "run-action", str(run), "steer", "mind the docs")
    let_it_end(living, run)

    run_in(living, room, "succeeded")
    assert "mind the docs" in said_by_demo(living, room)
    living.pal("cli", "run-action", str(run), "steer", "too late", code=3)


def test_an_interruption_stops_it_and_comes_next(living: Living, room: str) -> None:
    send(living, room, "/slow 300")
    run = run_in(living, room, "running")

    first = send(living, room, "--interrupt", "/echo this first")

    assert [receipt["outcome"] for receipt in first["receipts"]] == ["interrupts"]
    assert run_in(living, room, "cancelled") == run
    eventually("the next one answers", lambda: "this first" in said_by_demo(living, room))


def test_a_command_stops_it_at_once(living: Living, room: str) -> None:
    """RT-14, DR-13."""
    send(living, room, "/slow 300")
    run = run_in(living, room, "running")
    assert f"run {run} is running" in send(living, room, "/status")["receipts"][0]["text"]

    stopped = send(living, room, "/stop")

    assert [receipt["outcome"] for receipt in stopped["receipts"]] == ["done"]
    assert run_in(living, room, "cancelled") == run
