"""TR-7: what a program itself wrote down tells a run again, when the computer has no spool of it any more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pal_daemon.rebuilding import CannotRebuild, Place, retell
from pal_daemon.redaction import Redactor
from pal_daemon.runtimes.base import KeepsTranscripts
from pal_daemon.runtimes.registry import load_registry
from tests.runtimes.desk import approve_all, joined, open_desk
from tests.runtimes.driver import Driver
from tests.runtimes.drivers.claude_code import DRIVER as CLAUDE
from tests.runtimes.drivers.codex import DRIVER as CODEX
from tests.support.models.server import Text

TOLD = ("message", "tool_call", "tool_result", "command", "file_change")
KEYS = ("id", "name", "command", "status", "exit", "path", "change", "diff")
EVER = 2**52  # milliseconds


def say(event: Mapping[str, Any]) -> tuple[object, ...]:
    """What has to be the same, whoever tells it; a message's pieces have names of their own."""
    data = event["data"]
    keys = [] if event["kind"] == "message" else [key for key in KEYS if data.get(key) is not None]
    return event["kind"], event.get("text") or "", *((key, data[key]) for key in keys)


def tell_again(driver: Driver, home: Path, session: str, *, since: int = 0, until: int = EVER) -> list[Any]:
    keeper = load_registry().get(driver.runtime)
    assert isinstance(keeper, KeepsTranscripts)
    place = Place(runtime=driver.runtime, session=session, since=since, until=until, home=str(home))
    return list(retell(keeper, place, env={}, redactor=Redactor()))


@pytest.mark.parametrize("driver", [CLAUDE, CODEX], ids=lambda driver: driver.runtime)
async def test_a_transcript_tells_what_the_run_told(driver, bus, settings, start_daemon, tmp_path):
    async with open_desk(driver, bus=bus, settings=settings, start=start_daemon, root=tmp_path) as desk:
        made = desk.folder / "a.txt"
        desk.model.script(
            driver.command("echo hello; exit 3"), driver.write(made, "one\ntwo\n"), Text(text="All done.")
        )
        run = await desk.given("do it")
        await approve_all(desk, run)
    (session,) = bus.native_sessions.values()
    home = next(path.parents[4 if driver is CODEX else 2] for path in tmp_path.rglob(f"*{session}.jsonl"))

    told = tell_again(driver, home, session)

    again = [{"kind": one.kind, "lane": one.lane, "text": one.text, "data": one.data} for one in told]
    live = [event for event in run.events if event["kind"] in TOLD]
    assert sorted(map(say, joined(again)), key=str) == sorted(map(say, joined(live)), key=str)
    assert [one.seq for one in told] == [*range(1, len(told) + 1)]
    with pytest.raises(CannotRebuild):
        tell_again(driver, home, session, since=0, until=1)
    with pytest.raises(CannotRebuild):
        tell_again(driver, home, "../../etc/passwd")
