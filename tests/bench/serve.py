"""A server to measure, as a process: `python -m tests.bench.serve HOME PORT [HOW]`.

`whole` is the server as it is. `alone` is the same with group commit off: one transaction a request. `statements` runs
the statements of a send and none of the code around them. `without-database` is the same HTTP server with the same
matching, authorization, decoding and encoding, whose send answers a constant.
"""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

from uvloop import new_event_loop

from pal_server import app
from pal_server.api import messages as api
from pal_server.api.routing import Call
from pal_server.config import Settings
from pal_server.contract import messages as contract
from pal_server.storage.engines import sqlite
from tests.bench import statements

READY = "bench.json"  # written in the home once the server answers


def main(argv: list[str]) -> int:
    home, port, how = Path(argv[0]), int(argv[1]), argv[2] if len(argv) > 2 else "whole"
    if how == "alone":
        sqlite.BATCH = 1
    if (handler := {"statements": _run_statements, "without-database": _send}.get(how)) is not None:
        app.ROUTES = tuple(
            replace(route, handler=handler) if route.handler is api.send else route for route in app.ROUTES
        )
    settings = Settings(home=home, port=port, log_level="warning")
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(app.serve_until_stopped(settings, announce=_tell))
    return 0


def _tell(server: app.Server) -> None:
    part = server.settings.home / f"{READY}.part"
    part.write_text(json.dumps({"port": server.port}))
    part.replace(server.settings.home / READY)


async def _run_statements(call: Call) -> contract.SentAnswer:
    return await statements.send(call, answer=_SENT)


async def _send(call: Call) -> contract.SentAnswer:
    call.body(contract.SendMessage)
    return _SENT


_SENT = contract.SentAnswer(  # as long as a real one
    message=contract.Message(
        id=123456,
        room="room_aaaaaaaaaaaaaaaaaaaa",
        room_name="busy-1",
        topic=17,
        seq=123456,
        kind="text",
        sender=contract.Sender(kind="user", name="owner", display_name="Owner"),
        content="@worker please look at build 123456 and say what broke it this time",
        mentions=["worker"],
        client_id="0123456789abcdef-123456",
        created_at=1_800_000_000_000,
    ),
    deliveries=[contract.SentDelivery(id=123456, agent="worker", status="pending", reason="mention")],
    receipts=[
        contract.Receipt(
            agent="worker",
            outcome="offline",
            text="kept: worker is not assigned to a computer yet",
            delivery=123456,
            place=100,
        )
    ],
)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
