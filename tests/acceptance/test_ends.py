"""Ends that somebody asked for, and what is left behind: nothing, in any session, whoever died."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.support.faults import is_alive, keeper_of, kill, processes_of
from tests.support.stack import Daemon, Json, Stack, eventually


def begin(stack: Stack, *does: str) -> tuple[str, str, int, Json]:
    """Room, agent, message and run of an agent that is in the middle of it."""
    room = stack.room()
    agent = stack.agent(room, *does)
    message = stack.mention(room, agent)
    stack.wait_started(message)
    return room, agent, message, stack.wait_run(message, "running")


def act(stack: Stack, run: Json, action: str) -> Json:
    return dict(stack.api.post(f"/api/runs/{run['id']}/{action}", {})["run"])


def all_gone(pids: list[int]) -> None:
    eventually(f"{pids} are gone", lambda: not any(is_alive(pid) for pid in pids))


def test_a_kill_ends_the_whole_tree_and_the_next_message_starts(stack: Stack) -> None:
    room, agent, message, run = begin(stack, "children")
    children = stack.report(f"children-{message}")
    queued = stack.mention(room, agent, "and then this")
    stack.let_go(queued)

    act(stack, run, "kill")

    all_gone([run["pid"], *children])
    assert (stack.wait_run(message)["status"], stack.wait_delivery(message)["status"]) == ("cancelled", "acked")
    assert stack.wait_delivery(queued)["status"] == "acked"
    assert stack.said_by(room, agent) == [f"answer to {queued}"]


def test_a_stop_asks_first(stack: Stack) -> None:
    _, _, message, run = begin(stack, "polite")

    act(stack, run, "stop")

    ended = stack.wait_run(message)
    assert (ended["status"], ended["error_kind"]) == ("cancelled", "stopped")
    assert "goodbye" in stack.output(run["id"])
    assert stack.wait_delivery(message)["status"] == "acked"


def test_a_stop_that_is_not_heard_is_forced(stack: Stack) -> None:
    _, _, message, run = begin(stack, "stubborn")

    act(stack, run, "stop")

    all_gone([run["pid"]])
    assert stack.wait_run(message)["status"] == "cancelled"


def test_a_restart_is_a_new_run_for_the_same_message(stack: Stack) -> None:
    room, agent, message, run = begin(stack, "wait")

    act(stack, run, "restart")

    eventually("it starts again", lambda: len(stack.starts(message)) == 2)
    stack.let_go(message)
    assert stack.wait_delivery(message)["status"] == "acked"
    first, second = stack.runs(message)
    assert (first["status"], second["status"]) == ("cancelled", "succeeded")
    assert second["restart_of"] == first["id"]
    assert stack.said_by(room, agent) == [f"answer to {message}"]


def test_a_finished_run_can_be_restarted(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, "reply")
    message = stack.mention(room, agent)
    stack.wait_delivery(message)

    act(stack, stack.runs(message)[0], "restart")

    eventually("there is a second run", lambda: len(stack.runs(message)) == 2)
    assert stack.wait_run(message)["restart_of"] == stack.runs(message)[0]["id"]
    assert stack.wait_delivery(message)["status"] == "acked"


def test_restarting_an_agent_of_a_room_leaves_the_others_alone(stack: Stack) -> None:
    room = stack.room()
    one, other = stack.agent(room, "wait"), stack.agent(room, "wait")
    message = int(stack.send(room, "both of you", one, other)["message"]["id"])
    eventually("both are at it", lambda: len(stack.starts(message)) == 2)
    stack.pal("cli", "rooms", "restart-agent", "--room", room, "--agent", one)

    eventually("the one starts again", lambda: len(stack.starts(message, one)) == 2)

    assert len(stack.starts(message, other)) == 1
    stack.let_go(message)
    eventually("both answer", lambda: stack.said_by(room, one) and stack.said_by(room, other))


def test_what_a_run_leaves_behind_is_gone_soon_after_it(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, "leave_children")
    message = stack.mention(room, agent)

    assert stack.wait_delivery(message)["status"] == "acked"

    all_gone(stack.report(f"children-{message}"))


def test_a_killed_keeper_takes_its_agent_and_all_its_children_along(stack: Stack) -> None:
    _, _, message, run = begin(stack, "children")
    children = stack.report(f"children-{message}")

    kill(keeper_of(stack.daemon.run_folder(run["id"])))

    all_gone([run["pid"], *children])
    assert stack.wait_run(message)["status"] == "interrupted"
    assert stack.wait_delivery(message)["status"] == "interrupted"


def test_an_interrupted_message_is_done_again_only_when_a_person_says_so(stack: Stack) -> None:
    room, agent, message, run = begin(stack, "wait")
    kill(keeper_of(stack.daemon.run_folder(run["id"])))
    delivery = stack.wait_delivery(message, "interrupted")
    assert len(stack.starts(message)) == 1

    stack.api.post(f"/api/deliveries/{delivery['id']}/retry", {})

    stack.let_go(message)
    assert stack.wait_delivery(message, "acked", "failed")["status"] == "acked"
    assert stack.said_by(room, agent) == [f"answer to {message}"]


@pytest.mark.parametrize(("action", "program"), [("kill", "children"), ("stop", "polite")])
def test_an_order_for_a_computer_that_is_away_is_carried_out_when_it_returns(
    stack: Stack, box: Daemon, action: str, program: str
) -> None:
    box.start()
    room = stack.room()
    agent = stack.agent(room, program, computer=box.computer)
    message = stack.mention(room, agent)
    stack.wait_started(message)
    run = stack.wait_run(message, "running")
    box.kill()

    wanted = act(stack, run, action)["wanted"]

    assert (wanted, is_alive(run["pid"])) == (action, True)
    box.start()
    assert stack.wait_run(message)["status"] == "cancelled"
    all_gone([run["pid"]])
    assert stack.wait_delivery(message)["status"] == "acked"


def test_orphans_of_a_lost_journal_are_ended_and_foreign_processes_are_not_touched(stack: Stack, box: Daemon) -> None:
    box.start()
    room = stack.room()
    agent = stack.agent(room, "children", computer=box.computer)
    message = stack.mention(room, agent)
    stack.wait_started(message)
    children = stack.report(f"children-{message}")
    run = stack.wait_run(message, "running")
    box.kill()
    (box.home / "daemon" / "journal").unlink()
    marks = {**stack.env, "PAL_RUN_ID": str(run["id"]), "PAL_KEEPER": f"/elsewhere/runs/{run['id']}"}
    foreign = [subprocess.Popen(["sleep", "600"], env=env) for env in (stack.env, marks)]

    try:
        box.start()

        all_gone([run["pid"], *children])
        assert stack.wait_run(message)["status"] == "interrupted"
        assert not processes_of(box.home / "daemon" / "runs")
        assert all(process.poll() is None for process in foreign)
    finally:
        for process in foreign:
            process.send_signal(signal.SIGKILL)
            process.wait()
