"""A disk without a byte to spare under the server: a clear no, nothing half-written, and all well with room again."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.support.faults import fill, small_disk
from tests.support.stack import Refused, Stack, eventually

MEGABYTES = 8
BIG = "x" * 50_000
MOST = 400  # messages that size that could ever fit

Disk = tuple[Stack, Callable[[], None]]  # with what makes room again


@pytest.fixture(params=["disk", "limit"])
def narrow(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A server whose files cannot grow for ever: on a small file system, or under a limit for the size of files.

    Only root may mount the first; the second does everywhere.
    """
    with ExitStack() as cleanup:
        folder = tmp_path / "stack"
        stack = Stack(folder)
        cleanup.callback(stack.close)
        if request.param == "disk" and os.geteuid() == 0:
            cleanup.enter_context(small_disk(stack.server.home, megabytes=MEGABYTES))
            cleanup.callback(stack.server.kill)
            stack.server.start()
            yield stack, lambda: (stack.server.home / "ballast").unlink()
        else:
            stack.server.start()
            limit(stack, MEGABYTES << 20)
            yield stack, lambda: limit(stack, resource.RLIM_INFINITY)


def limit(stack: Stack, size: int) -> None:
    resource.prlimit(stack.server.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_is_said_and_nothing_is_half_written(narrow: Disk) -> None:
    stack, make_room = narrow
    room = stack.room()
    agent = stack.agent(room, computer=None)
    kept: list[int] = []

    refusal = fill_up(stack, room, agent, kept)

    assert (refusal.status, refusal.code) == (503, "unavailable")
    assert "disk" in refusal.message or "room" in refusal.message, refusal.message
    assert [message["id"] for message in stack.messages(room)] == kept
    assert stack.api.get("/health")["status"] == "ok"
    assert stack.server.is_running

    make_room()
    sent = eventually("it goes on when there is room", lambda: again(stack, room, agent))

    assert [message["id"] for message in stack.messages(room)] == [*kept, sent]
    assert len(stack.api.get("/api/deliveries", room=room, limit=200)["deliveries"]) >= min(len(kept) + 1, 200)
    assert stack.server.stop() == 0
    shutil.rmtree(stack.server.home / "backups")
    stack.server.start()
    assert [message["id"] for message in stack.messages(room)] == [*kept, sent]


def fill_up(stack: Stack, room: str, agent: str, kept: list[int]) -> Refused:
    """Send until it is refused."""
    if stack.server.home.is_mount():
        kept.append(stack.mention(room, agent, BIG))
        fill(stack.server.home)
    for number in range(MOST):
        try:
            kept.append(stack.mention(room, agent, BIG, client_id=f"fills-{number}"))
        except Refused as refusal:
            return refusal
    raise AssertionError(f"{MOST} messages fitted on a full disk")


def again(stack: Stack, room: str, agent: str) -> int | None:
    with suppress(Refused):
        return stack.mention(room, agent, BIG, client_id="with room")
    return None
