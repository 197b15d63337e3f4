"""Many watchers of the workspace's events, a process of its own: `python -m tests.bench.watch < order.json`.

Says `ready` once everybody is connected; whoever started it says `stop` when the last event was sent, and then gets how
long after it was stored each watcher had each event.
"""

import asyncio
import json
import re
import sys
from collections.abc import Callable
from time import time
from typing import Any

from uvloop import new_event_loop

from tests.bench.statistics import percentile

EVENT = re.compile(rb'"at":(\d+),"data"')
AT_ONCE = 50  # connections made at the same time
LINGER = 1.0  # seconds for the last events to come


class Watcher(asyncio.Protocol):
    def __init__(self, request: bytes, *, note: Callable[[float], None]) -> None:
        self._request = request
        self._note = note
        self.is_watching: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.events = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvloop's is no subclass
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time() * 1000
        for at in EVENT.findall(data):
            self._note(now - int(at))
            self.events += 1
        if not self.is_watching.done() and b"position" in data:
            self.is_watching.set_result(None)

    def close(self) -> None:
        self._transport.close()


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """Milliseconds from an event's time to its arrival, over all watchers and events."""
    loop = asyncio.get_running_loop()
    late: list[float] = []
    request = (
        f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{order['port']}\r\nAuthorization: Bearer {order['token']}\r\n"
        "Accept: text/event-stream\r\n\r\n"
    ).encode()
    watchers = [Watcher(request, note=late.append) for _ in range(order["watchers"])]
    for first in range(0, len(watchers), AT_ONCE):
        group = watchers[first : first + AT_ONCE]
        for watcher in group:
            await loop.create_connection(lambda watcher=watcher: watcher, "127.0.0.1", order["port"])  # type: ignore[misc]
        async with asyncio.timeout(30):
            await asyncio.gather(*(watcher.is_watching for watcher in group))
    late.clear()
    seen = [watcher.events for watcher in watchers]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.readline)
    await asyncio.sleep(LINGER)
    events = [watcher.events - before for watcher, before in zip(watchers, seen, strict=True)]
    for watcher in watchers:
        watcher.close()
    return {
        "p50_ms": percentile(late, 0.5),
        "p99_ms": percentile(late, 0.99),
        "most_ms": max(late, default=0.0),
        "fewest": min(events),
        "most": max(events),
    }


if __name__ == "__main__":
    order = json.loads(sys.stdin.readline())
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        sys.stdout.write(json.dumps(runner.run(run(order))) + "\n")
