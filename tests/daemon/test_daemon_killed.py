"""The daemon is SIGKILLed at each step of a run; the next one puts things right, and nothing is started twice."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from pal_daemon.process_tree import find_left_over
from pal_daemon.settings import Settings
from tests.support.fake_bus import KEY, FakeBus
from tests.support.patience import PATIENCE

NOTHING_STARTED = ("after:claim", "before:claimed", "after:claimed", "before:open_run")
OPENED_ONLY = ("after:open_run", "before:spawning", "after:spawning", "before:launch")
STARTED = (
    "after:launch",
    "before:report_pid",
    "after:report_pid",
    "before:add_events",
    "after:add_events",
    "before:finish",
    "after:finish",
    "before:done",
    "after:done",
)


async def killed_at(step: str, settings: Settings) -> None:
    """Run a daemon until it has killed itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.dying_daemon",
        step,
        env={**os.environ, "PAL_HOME": str(settings.home), "PAL_API_KEY": KEY, "PAL_SERVER": settings.server},
        cwd=Path(__file__).parents[2],
    )
    async with asyncio.timeout(PATIENCE):
        assert await process.wait() == -9


async def given_counted(bus: FakeBus, tmp_path: Path):
    """A delivery whose program leaves a line for each time it is started."""
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\necho started >> {tmp_path}/starts\nsleep 0.3\necho answer\n")
    program.chmod(0o755)
    return await bus.given_delivery(runtime="command", command=str(program), command_allowed=True, look=False)


def starts(tmp_path: Path) -> int:
    file = tmp_path / "starts"
    return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.mark.parametrize("step", NOTHING_STARTED)
async def test_before_the_run_is_opened_the_delivery_is_done_later(bus, settings, start_daemon, tmp_path, step):
    delivery = await given_counted(bus, tmp_path)
    await killed_at(step, settings)
    if not (settings.folder / "journal").read_bytes():
        delivery.status = "pending"  # what the server does once the lease is over

    await start_daemon()

    run = await bus.end_of(delivery)
    assert (run.finish["status"], run.finish["text"]) == ("succeeded", "answer")
    assert starts(tmp_path) == 1


@pytest.mark.parametrize("step", OPENED_ONLY)
async def test_a_run_that_was_opened_and_not_started_is_interrupted(bus, settings, start_daemon, tmp_path, step):
    delivery = await given_counted(bus, tmp_path)
    await killed_at(step, settings)

    await start_daemon()

    run = await bus.end_of(delivery)
    assert (run.finish["status"], run.finish["error_kind"]) == ("interrupted", "lost")
    assert starts(tmp_path) == 0
    assert find_left_over(settings.runs_folder / str(run.id)) == []


@pytest.mark.parametrize("step", STARTED)
async def test_a_run_that_was_started_is_seen_to_its_end(bus, settings, start_daemon, tmp_path, step):
    delivery = await given_counted(bus, tmp_path)
    await killed_at(step, settings)

    await start_daemon()

    run = await bus.end_of(delivery)
    assert (run.finish["status"], run.finish["text"], run.text("output")) == ("succeeded", "answer", "answer\n")
    assert starts(tmp_path) == 1
    assert len(bus.runs) == 1
