"""Faults ordered for calls of an API whose calls have names: Slack's methods, DingTalk's paths.

What a refusal looks like is the platform's to say; how it is ordered and met, cut, delayed or broken on the way is one
thing here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]

BROKEN = ("http", "text", "html", "cut", "delay")  # before the effect, or with `_after` after it


@dataclass(slots=True, kw_only=True)
class Fault:
    """What befalls the next `count` calls of `call` (`*` is any) whose arguments have `having` in them.

    `kind` is `limited`, `error`, one of the platform's own, or one of `BROKEN`, with `_after` once all is done.
    """

    call: str
    kind: str
    count: int = 1
    having: str = ""
    app: str = ""
    code: str = ""  # the platform's word for it; empty for a usual one
    status: int = 503
    seconds: float = 1.0  # of a delay, or to wait after a 429
    message: str = ""
    more: Json = field(default_factory=dict)  # beside the code


Answer = Callable[[Fault], web.Response]


class Faults:
    """`answers` has what a platform says of each kind of its own, `broken` the body of an HTTP error."""

    def __init__(self, *, answers: dict[str, Answer], broken: Callable[[Fault], Json]) -> None:
        self._answers = answers
        self._broken = broken
        self._orders: list[Fault] = []

    def order(self, **said: Any) -> None:
        fault = Fault(**said)
        if fault.kind not in self._answers and fault.kind.removesuffix("_after") not in BROKEN:
            raise ValueError(f"no fault of this kind: {fault.kind}")
        self._orders.append(fault)

    @property
    def waiting(self) -> int:
        """Ordered, and met by no call yet."""
        return sum(fault.count for fault in self._orders)

    def clear(self) -> None:
        self._orders.clear()

    def take(self, call: str, args: Json, *, app: str) -> Fault | None:
        """The fate of this call."""
        said = json.dumps(args, ensure_ascii=False, default=str)
        for fault in self._orders:
            fits = fault.call in ("*", call) and fault.having in said and fault.app in ("", app)
            if fits and fault.count > 0:
                fault.count -= 1
                return fault
        return None

    async def before(self, fault: Fault, request: web.Request) -> web.StreamResponse | None:
        """The answer in place of the effect; None lets it happen."""
        answer = self._answers.get(fault.kind)
        if answer is not None:
            return answer(fault)
        return None if fault.kind.endswith("_after") else await self._break(fault.kind, fault, request)

    async def after(self, fault: Fault, request: web.Request) -> web.StreamResponse | None:
        """The answer in place of the good one, once everything is done; None lets it through."""
        is_after = fault.kind.endswith("_after")
        return await self._break(fault.kind.removesuffix("_after"), fault, request) if is_after else None

    async def _break(self, kind: str, fault: Fault, request: web.Request) -> web.StreamResponse | None:
        match kind:
            case "http":
                return web.json_response(self._broken(fault), status=fault.status)
            case "text":
                return web.Response(status=fault.status, text="upstream connect error")
            case "html":
                return web.Response(status=fault.status, text="<html>busy</html>", content_type="text/html")
            case "cut":
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            case _:
                await asyncio.sleep(fault.seconds)
                return None
