"""Clocks that somebody sets, and computers that sleep, with a real server and real daemons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.stack import Part, Stack, eventually

CLOCK = Path(__file__).parent.parent / "support" / "clock"
DAY = 86_400  # seconds
ATTEMPTS = 5
LEASE = 30  # seconds


class Clock:
    """The clock of one part: give it before the part is started."""

    def __init__(self, part: Part, file: Path) -> None:
        self._file = file
        self._slept = 0
        self.set(wall=0)
        part.env |= {"PYTHONPATH": str(CLOCK), "TEST_CLOCK": str(file)}

    def set(self, *, wall: int) -> None:
        """Seconds by which the wall clock is wrong."""
        self._wall = wall
        self._write()

    def sleep(self, seconds: int) -> None:
        """As if the computer had slept for so long: the wall clock is right when it wakes."""
        self._slept += seconds
        self._wall += seconds
        self._write()

    def _write(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{self._wall} {self._slept}")
        new.rename(self._file)


@pytest.mark.parametrize("whose", ["server", "daemon"])
def test_a_clock_that_jumps_ends_no_lease_and_doubles_nothing(new_stack: Callable[..., Stack], whose: str) -> None:
    stack = new_stack()
    clocks = {"server": Clock(stack.server, stack.folder / "server.clock")}
    stack.server.start()
    daemon = stack.add_daemon()
    clocks["daemon"] = Clock(daemon, stack.folder / "daemon.clock")
    daemon.start()
    room = stack.room()
    running = stack.agent(room, "wait")
    going_on = stack.mention(room, running)
    stack.wait_run(going_on, "running")

    for wall in (DAY, -DAY, 0):
        clocks[whose].set(wall=wall)
        message = stack.mention(room, stack.agent(room))
        assert stack.wait_delivery(message)["status"] == "acked"
        assert len(stack.starts(message)) == 1
    stack.let_go(going_on)

    assert stack.wait_delivery(going_on)["status"] == "acked"
    assert len(stack.starts(going_on)) == len(stack.runs(going_on)) == 1
    said = [message["created_at"] for message in stack.messages(room)]
    assert said == sorted(said)
    assert daemon.is_running


def test_a_delivery_no_daemon_lives_to_start_is_dead_with_a_card_and_tried_again(
    new_stack: Callable[..., Stack],
) -> None:
    """A daemon is killed between claim and start as often as may be; each lease ends while the computer sleeps."""
    stack = new_stack()
    clock = Clock(stack.server, stack.folder / "server.clock")
    stack.server.start()
    with Proxy(port=free_port(), target=stack.server.port) as proxy:
        daemon = stack.add_daemon(server=proxy.url)
        room = stack.room()
        agent = stack.agent(room)
        message = stack.mention(room, agent)

        for attempt in range(1, ATTEMPTS + 1):
            opening = proxy.hold("POST /api/runs")
            daemon.start()
            opening.wait_reached()
            assert stack.delivery(message)["attempts"] == attempt
            daemon.kill()
            opening.drop()
            clock.sleep(LEASE + 1)
            stack.wait_delivery(message, "dead" if attempt == ATTEMPTS else "pending")

        (card,) = [said["card"] for said in stack.messages(room) if said["card"]]
        assert (card["type"], card["actions"]) == ("dead", ["retry"])
        assert stack.starts(message) == []
        daemon.start()
        assert stack.delivery(message)["status"] == "dead"
        stack.api.post(f"/api/deliveries/{card['delivery']}/retry")
        assert stack.wait_delivery(message)["status"] == "acked"
        eventually("it answered", lambda: stack.said_by(room, agent) == [f"answer to {message}"])
        assert len(stack.starts(message)) == 1
