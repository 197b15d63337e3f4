"""`pal why MESSAGE`: each link of the way is broken on purpose, and named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.stack import Stack


def no_daemon(stack: Stack, room: str) -> int:
    computer = stack.api.post("/api/computers/provision", {"name": f"never {room}"})["computer"]["id"]
    return stack.mention(room, stack.agent(room, computer=computer))


def not_in_the_room(stack: Stack, room: str) -> int:
    return int(stack.send(room, "hello", stack.agent(stack.room()))["message"]["id"])


def wrong_name(stack: Stack, room: str) -> int:
    return int(stack.send(room, "hello @nobody-of-that-name")["message"]["id"])


def unassigned(stack: Stack, room: str) -> int:
    return stack.mention(room, stack.agent(room, computer=None))


def no_runtime(stack: Stack, room: str) -> int:
    return stack.mention(room, stack.agent(room, runtime="neeko"))


def no_program(stack: Stack, room: str) -> int:
    message = stack.mention(room, stack.agent(room, command="no-such-program"))
    stack.wait_delivery(message)
    return message


def waits_for_approval(stack: Stack, room: str) -> int:
    message = stack.mention(room, stack.agent(room, runtime="demo"), "/approve the move")
    stack.interaction(stack.wait_run(message, "starting", "running", "waiting")["id"])
    return message


def failed(stack: Stack, room: str) -> int:
    message = stack.mention(room, stack.agent(room, "fail"))
    stack.wait_delivery(message)
    return message


def drained(stack: Stack, room: str) -> int:
    computer = stack.api.post("/api/computers/provision", {"name": f"revoked {room}"})["computer"]["id"]
    agent = stack.agent(room, computer=computer)
    stack.api.post(f"/api/computers/{computer}/revoke")
    return stack.mention(room, agent)


def muted(stack: Stack, room: str) -> int:
    return stack.mention(room, stack.agent(room, mode="muted"))


BROKEN: list[tuple[Callable[[Stack, str], int], str, str]] = [  # what is broken, words of the verdict, of the advice
    (no_daemon, "no daemon has ever connected", "pal up"),
    (not_in_the_room, "is not in room", "rooms invite"),
    (wrong_name, "nobody-of-that-name", "members"),
    (unassigned, "assigned to no computer", "agents"),
    (no_runtime, "neeko", "retry"),
    (no_program, "no-such-program", "retry"),
    (waits_for_approval, "the move", "pal cli approve"),
    (failed, "exit code 3", "pal logs"),
    (drained, "revoked", "provision"),
    (muted, "muted", "--mode mentions"),
]


@pytest.mark.parametrize(("break_it", "verdict", "advice"), BROKEN, ids=[row[0].__name__ for row in BROKEN])
def test_the_broken_link_is_named(
    stack: Stack, break_it: Callable[[Stack, str], int], verdict: str, advice: str
) -> None:
    message = break_it(stack, stack.room())

    trace = stack.pal_json("why", str(message))
    told = stack.pal("why", str(message))

    broken = [step for step in trace["steps"] if step["ok"] is False]
    assert broken, trace
    assert verdict in broken[0]["text"], trace
    assert advice in (trace["advice"] or ""), trace
    assert trace["broken"]
    assert verdict in told.stdout
    assert told.returncode == 0


def test_an_answered_message_has_no_broken_link(stack: Stack) -> None:
    room = stack.room()
    message = stack.mention(room, stack.agent(room))
    stack.wait_delivery(message)

    trace = stack.pal_json("why", str(message))

    assert trace["broken"] is None
    assert [step["what"] for step in trace["steps"]][-1] == "answered"
