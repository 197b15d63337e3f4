"""Processes that stand still for longer than a lease, and clocks that are wrong."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from pal_daemon.leases import HeldLease
from pal_server.contract.deliveries import Lease
from tests.support.faults import is_alive
from tests.support.proxy import Proxy
from tests.support.stack import Daemon, Stack, eventually, free_port

LAPSE = 45.0  # seconds; a lease has 30, and its end is acted on within some more


def test_a_daemon_that_stands_still_loses_what_it_had_not_started_and_keeps_what_runs(
    new_stack: Callable[..., Stack],
) -> None:
    stack = new_stack()
    stack.server.start()
    with Proxy(port=free_port(), target=stack.server.port) as proxy:
        slow = stack.add_daemon(server=proxy.url)
        other = stack.add_daemon()
        slow.start()
        other.start()
        room = stack.room()
        running, unstarted = stack.agent(room, "wait"), stack.agent(room)
        going_on = stack.mention(room, running)
        stack.wait_run(going_on, "running")
        opening = proxy.hold("POST /api/runs")
        taken_back = stack.mention(room, unstarted)
        opening.wait_reached()

        slow.signal(signal.SIGSTOP)
        stack.api.post(f"/api/agents/{unstarted}/assignment", {"computer_id": other.computer})

        assert stack.wait_delivery(taken_back, within=LAPSE)["status"] == "acked"
        assert stack.delivery(going_on)["status"] == "claimed"
        slow.signal(signal.SIGCONT)
        opening.let_go()
        stack.let_go(going_on)
        assert stack.wait_delivery(going_on)["status"] == "acked"
        assert [len(stack.starts(message)) for message in (going_on, taken_back)] == [1, 1]
        assert stack.said_by(room, unstarted) == [f"answer to {taken_back}"]
        assert stack.runs(taken_back)[0]["computer"] == other.computer
        assert slow.is_running


def test_a_daemon_that_stood_still_gives_way_to_the_one_that_took_over(new_stack: Callable[..., Stack]) -> None:
    """Never do two of them run agents: the first ends its own when it finds out."""
    stack = new_stack()
    stack.server.start()
    first = stack.add_daemon()
    first.start()
    room = stack.room()
    agent = stack.agent(room, "wait")
    message = stack.mention(room, agent)
    pid = stack.wait_started(message)["pid"]
    second = stack.add_daemon(key_of=first)

    first.signal(signal.SIGSTOP)
    eventually("the second is let in", lambda: starts_well(second), within=LAPSE)
    first.signal(signal.SIGCONT)

    assert first.wait_end() != 0
    eventually("the first one's agent is gone", lambda: not is_alive(pid), within=15)
    assert stack.wait_delivery(message)["status"] == "interrupted"
    again = stack.mention(room, agent)
    stack.let_go(again)
    assert stack.wait_delivery(again)["status"] == "acked"
    assert second.is_running


def starts_well(daemon: Daemon) -> bool:
    """Whether it is let in now; a refused one ends by itself."""
    if not daemon.is_running:
        daemon.spawn()
    eventually("it is in or out", lambda: "is connected to" in daemon.said() or not daemon.is_running)
    if daemon.is_running:
        return True
    assert daemon.wait_end() == 3
    return False


def test_a_server_that_stands_still_for_a_moment_is_waited_for(rig: tuple[Stack, Proxy]) -> None:
    stack, _ = rig
    room = stack.room()
    agent = stack.agent(room, "count", "50", "0.01")
    message = stack.mention(room, agent)
    pid = stack.wait_started(message)["pid"]

    stack.server.signal(signal.SIGSTOP)
    eventually("the agent is through", lambda: not is_alive(pid))
    stack.server.signal(signal.SIGCONT)

    assert stack.wait_delivery(message)["status"] == "acked"
    assert stack.output(stack.runs(message)[0]["id"]) == "".join(f"{number}\n" for number in range(50))


@pytest.mark.parametrize("jump", [-86_400, -60, 60, 86_400], ids=["a day back", "back", "forward", "a day on"])
def test_a_lease_is_counted_without_the_clock(monkeypatch: pytest.MonkeyPatch, jump: int) -> None:
    """The server's moments are only subtracted from each other; ours come from the monotonic clock."""
    now = time.time_ns() // 1_000_000
    lease = Lease(id="lease_x", fence=1, until=now + 30_000)
    monkeypatch.setattr(time, "time", lambda: now / 1000 + jump)
    monkeypatch.setattr(time, "time_ns", lambda: (now + jump * 1000) * 1_000_000)

    fresh = HeldLease.of_claim(1, lease, now=now, asked_at=time.monotonic())
    asked_long_ago = HeldLease.of_claim(1, lease, now=now, asked_at=time.monotonic() - 31)

    assert (fresh.is_over, asked_long_ago.is_over) == (False, True)
