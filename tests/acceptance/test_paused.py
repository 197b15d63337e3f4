"""A server that stands still for a moment, and clocks that are wrong; `test_long_waits` has what takes longer."""

from __future__ import annotations

import signal
import time

import pytest

from pal_daemon.leases import HeldLease
from pal_server.contract.deliveries import Lease
from tests.support.faults import is_alive
from tests.support.proxy import Proxy
from tests.support.stack import Stack, eventually


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
