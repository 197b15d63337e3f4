"""The load generator, a process of its own: `python -m tests.bench.load < order.json > seen.json`.

Bare asyncio protocols that write ready bytes and look only for the end of an answer, so that the client is not what is
measured. Each client waits for its answer before it asks again. Kinds of orders: `send`, `events`.
"""

import asyncio
import json
import secrets
import sys
from collections.abc import Callable, Iterator
from time import perf_counter, time
from typing import Any

from uvloop import new_event_loop

from tests.bench.statistics import percentile

HEAD = (
    "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/json\r\nContent-Length: "
)
TEXT = "please look at build %d and say what broke it this time"
LINE = "compiling part %d of the program, nothing unusual so far; 0 warnings, 0 errors"


class Client(asyncio.Protocol):
    """One connection. `requests` yields whole requests for ever; `stop_at` is when no further one is sent."""

    def __init__(self, requests: Iterator[bytes], *, stop_at: float, ended: Callable[[], None]) -> None:
        self._requests = requests
        self._stop_at = stop_at
        self._ended = ended
        self._got = b""
        self._need = 0
        self._asked_at = 0.0
        self.took: list[float] = []  # seconds
        self.failed: list[str] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvloop's is no subclass
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._asked_at = perf_counter()
        if self._asked_at >= self._stop_at:
            self._transport.close()
            return
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._got = got = self._got + data if self._got else data
        if not self._need:
            end = got.find(b"\r\n\r\n")
            if end < 0:
                return
            at = got.index(b"Content-Length: ") + 16
            self._need = end + 4 + int(got[at : got.index(b"\r", at)])
        if len(got) < self._need:
            return
        if got[9:10] != b"2":
            self.failed.append(got[:600].decode("utf-8", "replace"))
        self.took.append(perf_counter() - self._asked_at)
        self._got, self._need = b"", 0
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended()


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """How many answers came in how many seconds, and what a request took in milliseconds."""
    loop = asyncio.get_running_loop()
    begun = perf_counter()
    done = asyncio.Event()
    open_clients = len(order["clients"])

    def ended() -> None:
        nonlocal open_clients
        open_clients -= 1
        if not open_clients:
            done.set()

    make = {"send": _sends, "events": _events}[order["kind"]]
    clients = [Client(make(order, place), stop_at=begun + order["seconds"], ended=ended) for place in order["clients"]]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", order["port"])  # type: ignore[misc]
    await done.wait()
    took = [seconds for client in clients for seconds in client.took]
    failed = [text for client in clients for text in client.failed]
    return {
        "answers": len(took) - len(failed),
        "seconds": perf_counter() - begun,
        "p50_ms": percentile(took, 0.5) * 1000,
        "p99_ms": percentile(took, 0.99) * 1000,
        "failed": len(failed),
        "failure": failed[0] if failed else "",
    }


def _sends(order: dict[str, Any], place: dict[str, Any]) -> Iterator[bytes]:
    """Each with a client id of its own, so that nothing is answered from memory."""
    head = HEAD.format(path="/api/messages", **order)
    begin = json.dumps({**place, "content": "@worker "})[:-2]
    number, mark = 0, secrets.token_hex(8)
    while True:
        number += 1
        body = f'{begin}{TEXT % number}","client_id":"{mark}-{number}"}}'
        yield f"{head}{len(body)}\r\n\r\n{body}".encode()


def _events(order: dict[str, Any], run: dict[str, Any]) -> Iterator[bytes]:
    """Batches of numbered events of one run."""
    head = HEAD.format(path=f"/api/runs/{run['id']}/events", **order)
    begin = json.dumps({"lease_id": run["lease_id"], "fence": run["fence"]})[:-1]
    at, seq = int(time() * 1000), run["seq"]
    while True:
        events = ",".join(
            f'{{"seq":{n},"kind":"text","at":{at},"text":"{LINE % n}","source":{n * 100}}}'
            for n in range(seq + 1, seq + 1 + order["batch"])
        )
        seq += order["batch"]
        body = f'{begin},"events":[{events}]}}'
        yield f"{head}{len(body)}\r\n\r\n{body}".encode()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        print(json.dumps(runner.run(run(json.load(sys.stdin)))))  # noqa: T201 - its answer
