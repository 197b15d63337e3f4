"""The control door: what a test does to a platform and sees of it. POST /control/{verb} with JSON, JSON back.

A verb is a method `do_…`. Those that are the same on platforms whose calls have names are here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.changes import Changes
from pal_cli.chaos.platforms.clock import Clock
from pal_cli.chaos.platforms.faults import Faults
from pal_cli.chaos.platforms.wire import Wire

Json = dict[str, Any]


class ControlDoor:
    def __init__(
        self, *, changes: Changes, clock: Clock, faults: Faults, line: Callable[[str], Wire[Any, Any]]
    ) -> None:
        """`line` has the sockets of an app."""
        self._changes = changes
        self._clock = clock
        self._faults = faults
        self._line = line

    async def serve(self, request: web.Request) -> web.Response:
        verb = getattr(self, f"do_{request.match_info['verb']}", None)
        if verb is None:
            return web.json_response({"error": "no such verb"}, status=404)
        try:
            answer: Any = verb(await request.json())
            if isinstance(answer, Awaitable):
                answer = await answer
        except (KeyError, ValueError, TypeError) as wrong:
            return web.json_response({"error": f"{type(wrong).__name__}: {wrong}"}, status=400)
        return web.json_response(answer if answer is not None else {})

    def do_fault(self, said: Json) -> None:
        self._faults.order(**said)

    def do_waiting_faults(self, said: Json) -> Json:
        return {"faults": self._faults.waiting}

    def do_no_faults(self, said: Json) -> None:
        self._faults.clear()

    def do_advance(self, said: Json) -> None:
        self._clock.advance(said["seconds"])

    async def do_changed(self, said: Json) -> Json:
        """Waits until something happens after `after`, `within` seconds at most."""
        return {"changes": await self._changes.changed(said["after"], within=said["within"])}

    async def do_sockets(self, said: Json) -> None:
        """{app, do: one of the words of `socket_words`, reason?, count?, is_reversed?}."""
        done = self.socket_words(said)[said["do"]]()
        if isinstance(done, Awaitable):
            await done

    def socket_words(self, said: Json) -> dict[str, Callable[[], Any]]:
        line = self._line(said["app"])

        def mend() -> None:
            line.freeze(is_frozen=False)
            line.deafen(is_deaf=False)

        return {
            "cut": lambda: line.end(how="cut"),
            "close": lambda: line.end(how="close"),
            "freeze": line.freeze,
            "deafen": line.deafen,
            "mend": mend,
            "refuse": lambda: setattr(line, "is_refusing", True),
            "accept": lambda: setattr(line, "is_refusing", False),
            "hold": lambda: setattr(line, "held", []),
            "release": lambda: line.release(is_reversed=said.get("is_reversed", False)),
            "lose_acks": lambda: setattr(line, "lose_acks", said.get("count", 1)),
        }
