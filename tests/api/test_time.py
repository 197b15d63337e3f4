"""The clock of a server that is started again."""

import time
from pathlib import Path
from typing import cast

from pal_server import clock as clocks
from tests.support.server import MovableClock, expect, start_server


async def test_a_restart_with_a_clock_set_back_does_not_go_back(tmp_path: Path) -> None:
    ahead = clocks.Clock(wall=lambda: time.time_ns() + 8 * 3600 * 10**9)
    async with start_server(tmp_path / "home", clock=cast(MovableClock, ahead)) as server:
        before = expect(await server.post("/api/messages", {"room": "general", "content": "before"}), 201)["message"]

    async with start_server(tmp_path / "home", clock=cast(MovableClock, clocks.Clock())) as server:
        after = expect(await server.post("/api/messages", {"room": "general", "content": "after"}), 201)["message"]

    assert before["created_at"] <= after["created_at"]
