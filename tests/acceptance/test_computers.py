"""Computers as their owners meet them: keys, two daemons, draining, one-time work, and who runs where."""

from __future__ import annotations

import pytest

from tests.support.faults import is_alive
from tests.support.stack import Daemon, Stack, eventually


def test_a_second_daemon_with_the_same_key_is_refused(stack: Stack, box: Daemon) -> None:
    box.start()
    second = stack.add_daemon(key_of=box)

    second.spawn()

    assert second.wait_end() == 3
    assert box.is_running
    room = stack.room()
    message = stack.mention(room, stack.agent(room, computer=box.computer))
    assert stack.wait_delivery(message)["status"] == "acked"


def test_a_second_daemon_in_the_same_home_is_refused(stack: Stack, box: Daemon) -> None:
    box.start()
    second = stack.add_daemon(key_of=box, home=box.home)

    second.spawn()

    assert second.wait_end() == 3
    assert str(box.home) in second.said()


def test_a_wrong_key_says_so(stack: Stack, box: Daemon) -> None:
    box.env["PAL_API_KEY"] = "sk_machine_" + "x" * 43

    box.spawn()

    assert box.wait_end() == 3
    assert "does not accept this key" in box.said()


def test_a_rotated_key_ends_the_daemon_and_the_new_one_takes_its_runs_up(stack: Stack, box: Daemon) -> None:
    box.start()
    box.wait_socket()
    room = stack.room()
    agent = stack.agent(room, "wait", computer=box.computer)
    message = stack.mention(room, agent)
    stack.wait_run(message, "running")

    rotated = stack.api.post(f"/api/computers/{box.computer}/rotate")

    assert box.wait_end() != 0
    assert is_alive(stack.starts(message)[0]["pid"])
    box.env["PAL_API_KEY"] = rotated["api_key"]
    box.start()
    stack.let_go(message)
    assert stack.wait_delivery(message)["status"] == "acked"
    assert len(stack.starts(message)) == 1
    assert stack.said_by(room, agent) == [f"answer to {message}"]


def test_a_revoked_computer_ends_its_daemon_and_its_agents(stack: Stack, box: Daemon) -> None:
    box.start("--interval", "5000")  # so that the socket says it before a heartbeat only hears that the key is void
    box.wait_socket()
    room = stack.room()
    message = stack.mention(room, stack.agent(room, "wait", computer=box.computer))
    pid = stack.wait_started(message)["pid"]

    stack.pal("console", "computers", "revoke", box.computer, "--yes")

    assert box.wait_end() != 0
    eventually("its agent is gone", lambda: not is_alive(pid))
    assert stack.wait_delivery(message)["status"] in ("acked", "interrupted")


def test_a_computer_drained_by_an_admin_finishes_and_takes_nothing_new(stack: Stack, box: Daemon) -> None:
    box.start()
    room = stack.room()
    agent = stack.agent(room, "wait", computer=box.computer)
    running, other = stack.mention(room, agent), stack.room()
    stack.wait_run(running, "running")

    stack.api.post(f"/api/computers/{box.computer}/drain")
    waiting = stack.mention(other, stack.agent(other, computer=box.computer))
    stack.let_go(running)

    assert stack.wait_delivery(running)["status"] == "acked"
    eventually("the daemon knows", lambda: box.health()["draining"])
    assert stack.delivery(waiting)["status"] == "pending"
    stack.api.post(f"/api/computers/{box.computer}/drain", {"draining": False})
    assert stack.wait_delivery(waiting)["status"] == "acked"


def test_drain_with_nothing_running_ends_well(stack: Stack, box: Daemon) -> None:
    room = stack.room()
    waiting = stack.mention(room, stack.agent(room, computer=box.computer))

    box.spawn("--drain")

    assert box.wait_end() == 0
    assert stack.delivery(waiting)["status"] == "pending"


def test_drain_sees_what_runs_to_its_end(stack: Stack, box: Daemon) -> None:
    box.start()
    room = stack.room()
    message = stack.mention(room, stack.agent(room, "wait", computer=box.computer))
    stack.wait_run(message, "running")
    box.kill()

    box.start("--drain")
    stack.let_go(message)

    assert box.wait_end() == 0
    assert stack.delivery(message)["status"] == "acked"


@pytest.mark.parametrize(("last", "code"), [("reply", 0), ("fail", 1)])
def test_once_does_the_backlog_and_tells_how_it_went(stack: Stack, box: Daemon, last: str, code: int) -> None:
    room = stack.room()
    messages = [stack.mention(room, stack.agent(room, does, computer=box.computer)) for does in ("reply", last)]

    box.spawn("--once")

    assert box.wait_end() == code
    assert [stack.delivery(m)["status"] for m in messages] == ["acked", "acked" if code == 0 else "failed"]


def test_once_does_all_that_waits_for_one_agent_in_order(stack: Stack, box: Daemon) -> None:
    room = stack.room()
    agent = stack.agent(room, computer=box.computer)
    messages = [stack.mention(room, agent, f"number {n}") for n in range(3)]

    box.spawn("--once")

    assert box.wait_end() == 0
    assert stack.said_by(room, agent) == [f"answer to {message}" for message in messages]


def test_a_dry_run_starts_nothing(stack: Stack, box: Daemon) -> None:
    room = stack.room()
    message = stack.mention(room, stack.agent(room, computer=box.computer))

    box.spawn("--dry-run", "--once")

    assert box.wait_end() == 0
    assert [run["status"] for run in stack.runs(message)] == ["dry_run"]
    assert stack.starts(message) == []
    assert stack.delivery(message)["status"] not in ("pending", "claimed")


def test_assigning_and_unassigning_needs_no_restart(stack: Stack, box: Daemon) -> None:
    box.start()
    room = stack.room()
    agent = stack.agent(room, "wait", computer=None)
    message = stack.mention(room, agent)

    stack.api.post(f"/api/agents/{agent}/assignment", {"computer_id": box.computer})
    stack.wait_run(message, "running")
    stack.api.post(f"/api/agents/{agent}/assignment", {"computer_id": None})
    later = stack.mention(room, agent)
    stack.let_go(message)

    assert stack.wait_delivery(message)["status"] == "acked"
    assert stack.said_by(room, agent) == [f"answer to {message}"]
    assert stack.delivery(later)["status"] == "pending"


def test_the_command_of_provision_works_as_it_is_printed(stack: Stack, box: Daemon) -> None:
    answer = stack.pal_json("console", "computers", "provision", "--name", "copied")
    words = answer["command"].split()
    assert words[:2] == ["pal", "daemon"]
    box.argv, box.computer = [*words[1:], "--local-port", str(box.port)], answer["computer"]["id"]
    del box.env["PAL_API_KEY"]

    box.start()

    room = stack.room()
    message = stack.mention(room, stack.agent(room, computer=box.computer))
    assert stack.wait_delivery(message)["status"] == "acked"


def test_the_legacy_form_works_and_says_that_it_is_old(stack: Stack, box: Daemon) -> None:
    room = stack.room()
    agent = stack.agent(room, computer=box.computer)
    message = stack.mention(room, agent)
    secret = box.env.pop("PAL_API_KEY")

    box.start("--agent", agent, "--computer-id", box.computer, "--computer-secret", secret)

    assert "deprecated" in box.said()
    assert stack.wait_delivery(message)["status"] == "acked"
