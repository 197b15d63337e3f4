"""Agents that print too much, no text, or nothing, and programs that cannot be started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.stack import Json, Stack

MEGABYTE = 1_000_000


def ask(stack: Stack, *does: str, **how: object) -> tuple[Json, Json, list[str]]:
    """The delivery, its last run, and what was said, of an agent that does that."""
    room = stack.room()
    agent = stack.agent(room, *does, **how)  # type: ignore[arg-type]
    message = stack.mention(room, agent)
    delivery = stack.wait_delivery(message)
    return delivery, stack.runs(message)[-1], stack.said_by(room, agent)


def test_fifty_megabytes_are_taken_and_the_answer_says_what_was_cut_off(stack: Stack) -> None:
    delivery, run, said = ask(stack, "flood", str(50 * MEGABYTE))

    assert (delivery["status"], run["status"]) == ("acked", "succeeded")
    assert len(said) == 1
    assert len(said[0]) < 200_000
    assert "cut here" in said[0]
    room = stack.room()
    assert stack.wait_delivery(stack.mention(room, stack.agent(room)))["status"] == "acked"


def test_binary_output_is_kept_as_far_as_it_is_text(stack: Stack) -> None:
    delivery, run, said = ask(stack, "binary")

    assert (delivery["status"], run["status"]) == ("acked", "succeeded")
    assert len(said) == 1
    assert "ABCDEFGHIJKLMNOPQRSTUVWXYZ" in said[0]
    assert "ABCDEFGHIJKLMNOPQRSTUVWXYZ" in stack.output(run["id"])


def test_broken_utf8_costs_only_what_is_broken(stack: Stack) -> None:
    delivery, run, said = ask(stack, "broken")

    assert delivery["status"] == "acked"
    assert said[0].startswith("Grüße ")
    assert said[0].endswith("ende €")
    assert "broken on stderr" in run["stderr"]


def test_a_silent_agent_says_nothing(stack: Stack) -> None:
    delivery, run, said = ask(stack, command="true")

    assert (delivery["status"], run["status"], said) == ("acked", "succeeded", [])


def test_a_failure_shows_its_code_and_its_last_lines(stack: Stack) -> None:
    delivery, run, said = ask(stack, "fail")

    assert (delivery["status"], run["status"], run["exit_code"]) == ("failed", "failed", 3)
    assert run["stderr"].splitlines()[-1] == "the last line of trouble"
    assert said == []


@pytest.mark.parametrize("what", ["missing", "not executable", "no folder", "bad quotes", "no interpreter"])
def test_what_cannot_be_started_fails_at_once_and_says_why(stack: Stack, tmp_path: Path, what: str) -> None:
    file = tmp_path / "program"
    file.write_text("#!/no/such/interpreter\n")
    file.chmod(0o755 if what == "no interpreter" else 0o644)
    command = {"missing": "no-such-program --flag", "bad quotes": "sh -c 'oops"}.get(what, str(file))
    cwd = str(tmp_path / "nowhere") if what == "no folder" else None

    delivery, run, _ = ask(stack, command="true" if cwd else command, cwd=cwd)

    assert (delivery["status"], run["status"]) == ("failed", "failed")
    kind = "spawn" if what in ("no folder", "bad quotes") else "missing_program"
    assert run["error_kind"] == kind
    assert run["error"]
    assert (run["pid"], delivery["attempts"]) == (None, 1)


def test_a_missing_program_that_was_installed_can_be_tried_again(stack: Stack, tmp_path: Path) -> None:
    room = stack.room()
    program = tmp_path / "program"
    agent = stack.agent(room, command=str(program))
    message = stack.mention(room, agent)
    delivery = stack.wait_delivery(message, "failed")

    program.write_text("#!/bin/sh\necho here I am\n")
    program.chmod(0o755)
    stack.api.post(f"/api/deliveries/{delivery['id']}/retry", {})

    assert stack.wait_delivery(message, "acked")["status"] == "acked"
    assert stack.said_by(room, agent) == ["here I am"]
