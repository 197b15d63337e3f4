"""What goes wrong with the HTTP API, as a test ordered it: before the effect or after it, once or more often."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True, kw_only=True)
class Fault:
    """Met by `times` requests whose method and path fit, after `skip` that pass.

    `when` is before (nothing happens) or after (it happened, the answer is another one); `do` is cut, hang, delay or
    answer. `seconds` is for delay; `status`, `body` (object, or text for a proxy's page) and `headers` are the answer.
    """

    path: str
    do: str
    method: str = ""
    when: str = "before"
    times: int = 1
    skip: int = 0
    seconds: float = 0.0
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def meets(self, request: web.Request) -> bool:
        if self.times == 0 or not re.fullmatch(self.path, request.path):
            return False
        if self.method and self.method != request.method:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class Faults:
    """The ordered ones; the first that fits a request is its fate."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []

    def order(self, fault: Fault) -> None:
        self._ordered.append(fault)

    @property
    def waiting(self) -> int:
        """Ordered, and met by no request yet."""
        return sum(fault.times for fault in self._ordered)

    def clear(self) -> None:
        self._ordered.clear()

    async def around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle the request, with what was ordered for it."""
        fault = next((fault for fault in self._ordered if fault.meets(request)), None)
        if fault is None:
            return await handler(request)
        if fault.do == "delay":
            await asyncio.sleep(fault.seconds)
            return await handler(request)
        if fault.when == "after":
            await handler(request)
        if fault.do == "hang":
            await asyncio.Event().wait()
        if fault.do == "cut":
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return _answer(fault)


def _answer(fault: Fault) -> web.Response:
    if isinstance(fault.body, str):
        return web.Response(status=fault.status, text=fault.body, content_type="text/html", headers=fault.headers)
    return web.json_response(fault.body or {}, status=fault.status, headers=fault.headers)
