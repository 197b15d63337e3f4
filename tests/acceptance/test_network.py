"""A network that fails in every way between daemon and server: nothing is lost, nothing doubled, all come back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.support.faults import is_alive
from tests.support.patience import PATIENCE
from tests.support.proxy import Proxy
from tests.support.stack import PAL, Json, Stack, eventually

CLAIM = "POST /api/deliveries/claim"
NUMBERS = 250
FLOOD = 5_000_000  # bytes
EXPECTED = "".join(f"{number}\n" for number in range(NUMBERS))


def begin_count(stack: Stack) -> tuple[str, str, int, Json]:
    """An agent in the middle of saying numbers: it says the rest once it is let go."""
    room = stack.room()
    agent = stack.agent(room, "count", str(NUMBERS), "0.01", str(NUMBERS // 10))
    message = stack.mention(room, agent)
    run = stack.wait_run(message, "running")
    eventually("its first numbers are here", lambda: stack.output(run["id"]))
    return room, agent, message, run


def check_count(stack: Stack, room: str, agent: str, message: int, run: Json) -> None:
    assert stack.wait_delivery(message)["status"] == "acked"
    assert stack.output(run["id"]) == EXPECTED
    assert stack.said_by(room, agent) == [EXPECTED.strip()]
    assert len(stack.starts(message)) == 1


def test_without_a_socket_a_message_starts_with_the_next_heartbeat(rig: tuple[Stack, Proxy]) -> None:
    stack, proxy = rig
    room = stack.room()
    agent = stack.agent(room)
    proxy.refuses_sockets = True
    proxy.cut()
    eventually("the socket is lost", lambda: not stack.daemon.health()["socket"])
    eventually("the daemon is back without it", lambda: stack.daemon.health()["connected"])

    claim = proxy.hold(CLAIM, at="answer", having=b'"fence"')

    message = stack.mention(room, agent)
    known = len(proxy.seen)
    claim.wait_reached()

    asked = proxy.seen[known:]
    while asked and asked.pop() != CLAIM:
        pass  # what came after the claim that stands here
    assert asked.count(f"POST /api/computers/{stack.daemon.computer}/heartbeat") <= 2, "one may have been on its way"
    claim.let_go()
    assert stack.wait_delivery(message)["status"] == "acked"
    proxy.refuses_sockets = False
    stack.daemon.wait_socket()


def test_a_void_key_ends_a_daemon_in_time_however_seldom_it_beats_and_without_a_socket(
    rig: tuple[Stack, Proxy],
) -> None:
    stack, proxy = rig
    daemon = stack.add_daemon(server=proxy.url)
    proxy.refuses_sockets = True
    daemon.start("--interval", "60000")
    room = stack.room()
    message = stack.mention(room, stack.agent(room, "wait", computer=daemon.computer))
    agent = stack.wait_started(message)["pid"]

    stack.api.post(f"/api/computers/{daemon.computer}/revoke")

    assert daemon.wait_end(PATIENCE) == 3  # its next beat would be later
    eventually("its agent is gone", lambda: not is_alive(agent))
    proxy.refuses_sockets = False
    stack.daemons.remove(daemon)


def test_a_server_away_for_a_while_gets_every_event_once(rig: tuple[Stack, Proxy]) -> None:
    stack, proxy = rig
    room, agent, message, run = begin_count(stack)

    proxy.go_away()
    stack.let_go(message)
    eventually("the agent is through", lambda: not is_alive(run["pid"]))
    assert stack.delivery(message)["status"] == "claimed"
    proxy.come_back()

    check_count(stack, room, agent, message, run)


def test_what_was_said_while_the_server_was_away_survives_the_daemon(rig: tuple[Stack, Proxy]) -> None:
    stack, proxy = rig
    room, agent, message, run = begin_count(stack)

    proxy.go_away()
    stack.daemon.kill()
    stack.let_go(message)
    eventually("the agent is through", lambda: not is_alive(run["pid"]))
    stack.daemon.spawn()
    stack.daemon.wait_said("does not answer, trying on")
    proxy.come_back()

    check_count(stack, room, agent, message, run)


def test_a_server_restarted_in_the_middle_of_a_run_gets_every_event_once(rig: tuple[Stack, Proxy]) -> None:
    stack, _ = rig
    room, agent, message, run = begin_count(stack)

    stack.let_go(message)
    assert stack.server.stop() == 0
    stack.server.start()

    check_count(stack, room, agent, message, run)


def test_a_daemon_restarted_in_the_middle_of_a_run_reports_every_event_once(rig: tuple[Stack, Proxy]) -> None:
    stack, _ = rig
    room, agent, message, run = begin_count(stack)

    stack.let_go(message)
    assert stack.daemon.stop() == 0
    stack.daemon.start()

    check_count(stack, room, agent, message, run)


def test_connections_that_break_all_the_time_cost_nothing(rig: tuple[Stack, Proxy]) -> None:
    stack, proxy = rig
    room, agent, message, run = begin_count(stack)

    stack.let_go(message)
    while is_alive(run["pid"]):
        proxy.cut()
        seen = len(proxy.seen)
        eventually("something was said again", partial(has_more, proxy, seen))

    check_count(stack, room, agent, message, run)


def has_more(proxy: Proxy, seen: int) -> bool:
    return len(proxy.seen) > seen


def test_slow_and_half_closed_connections_cost_nothing(rig: tuple[Stack, Proxy]) -> None:
    stack, proxy = rig
    room, agent, message, run = begin_count(stack)

    proxy.delay = 0.02
    proxy.half_close_next(6)
    stack.let_go(message)
    eventually("the agent is through", lambda: not is_alive(run["pid"]))
    proxy.delay = 0.0

    check_count(stack, room, agent, message, run)


def test_answers_that_get_lost_are_asked_for_again(rig: tuple[Stack, Proxy]) -> None:
    """Of every kind of report one answer is dropped after the server has acted on it."""
    stack, proxy = rig
    room = stack.room()
    agent = stack.agent(room, "count", "20", "0.01")
    holds = [
        proxy.hold(request, at="answer")
        for request in ("POST /api/runs", *(f"POST /api/runs/[0-9]+/{what}" for what in ("pid", "events", "finish")))
    ]

    message = stack.mention(room, agent)
    for hold in holds:
        hold.wait_reached()
        hold.drop()

    assert stack.wait_delivery(message)["status"] == "acked"
    assert stack.output(stack.runs(message)[0]["id"]) == "".join(f"{n}\n" for n in range(20))
    assert len(stack.said_by(room, agent)) == len(stack.starts(message)) == len(stack.runs(message)) == 1


def test_what_a_lost_answer_had_claimed_starts_without_waiting_for_its_lease(rig: tuple[Stack, Proxy]) -> None:
    stack, proxy = rig
    room = stack.room()
    agent = stack.agent(room)
    hold = proxy.hold("POST /api/deliveries/claim", at="answer", having=b'"fence"')

    message = stack.mention(room, agent)
    hold.wait_reached()
    hold.drop()

    assert stack.wait_delivery(message)["status"] == "acked"
    assert stack.delivery(message)["attempts"] == 1
    assert len(stack.starts(message)) == 1


def test_much_output_survives_the_death_of_daemon_and_server_in_the_middle(rig: tuple[Stack, Proxy]) -> None:
    stack, _ = rig
    room = stack.room()
    agent = stack.agent(room, "flood", str(FLOOD))
    message = stack.mention(room, agent)
    run = stack.wait_run(message, "running", "succeeded")
    eventually("some of it is here", lambda: stack.run(run["id"])["last_seq"])

    stack.daemon.kill()
    stack.server.kill()
    stack.server.start()
    stack.daemon.start()

    assert stack.wait_delivery(message)["status"] == "acked"
    assert stack.output(run["id"]) == ("x" * 99 + "\n") * (FLOOD // 100) + "the end\n"
    assert len(stack.starts(message)) == 1


def test_who_listens_hears_everything_once_across_restarts(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack().start()
    room = stack.room()
    heard = stack.folder / "heard"
    env = {**stack.env, "PAL_HOME": str(stack.server.home), "PAL_DAEMON_URL": stack.daemon.url}
    with heard.open("wb") as out:
        listening = subprocess.Popen(
            [PAL, "cli", "listen", "--room", room, "--after", "0", "--json"], env=env, stdout=out
        )
    try:
        expected = []
        for part in (stack.server, stack.daemon, None):
            expected.append(stack.send(room, "hear me")["message"]["id"])
            eventually("it is heard", partial(has_heard, heard, expected))
            if part is not None:
                part.kill()
                part.start()
    finally:
        listening.kill()
        listening.wait()

    assert ids_in(heard) == expected


def has_heard(file: Path, expected: list[int]) -> bool:
    return expected[-1] in ids_in(file)


def ids_in(file: Path) -> list[int]:
    return [json.loads(line)["id"] for line in file.read_text().splitlines()]
