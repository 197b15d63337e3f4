"""Faults a test orders for calls of the Web API."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]

BEFORE = ("ratelimited", "error", "http", "text", "html", "cut", "delay")
AFTER = ("http_after", "text_after", "cut_after", "delay_after")


@dataclass(kw_only=True)
class Fault:
    """What befalls the next `count` calls of `method` (`*` is any) whose arguments have `having` in them."""

    method: str
    kind: str
    count: int = 1
    having: str = ""
    app: str = ""
    error: str = "internal_error"
    status: int = 503
    seconds: float = 1.0  # of a delay, or to wait after a 429
    more: Json = field(default_factory=dict)  # beside `error`

    def __post_init__(self) -> None:
        if self.kind not in BEFORE + AFTER:
            raise ValueError(f"no fault of this kind: {self.kind}")


class Faults:
    def __init__(self) -> None:
        self._orders: list[Fault] = []

    def order(self, fault: Fault) -> None:
        self._orders.append(fault)

    @property
    def waiting(self) -> int:
        """Ordered, and met by no call yet."""
        return sum(fault.count for fault in self._orders)

    def clear(self) -> None:
        self._orders.clear()

    def take(self, method: str, args: Json, *, app: str) -> Fault | None:
        said = json.dumps(args, ensure_ascii=False)
        for fault in self._orders:
            fits = fault.method in ("*", method) and fault.having in said and fault.app in ("", app)
            if fits and fault.count > 0:
                fault.count -= 1
                return fault
        return None


async def before(fault: Fault, request: web.Request) -> web.StreamResponse | None:
    """The answer in place of the effect; None lets it happen."""
    match fault.kind:
        case "ratelimited":
            headers = {"Retry-After": str(int(fault.seconds))}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        case "error":
            return web.json_response({"ok": False, "error": fault.error, **fault.more})
        case "http" | "text" | "html":
            return _broken(fault)
        case "cut":
            return _cut(request)
        case "delay":
            await asyncio.sleep(fault.seconds)
    return None


async def after(fault: Fault, request: web.Request) -> web.StreamResponse | None:
    """The answer in place of the good one, once everything is done; None lets it through."""
    match fault.kind:
        case "http_after" | "text_after":
            return _broken(fault)
        case "cut_after":
            return _cut(request)
        case "delay_after":
            await asyncio.sleep(fault.seconds)
    return None


def _broken(fault: Fault) -> web.Response:
    if fault.kind.startswith("text"):
        return web.Response(status=fault.status, text="upstream connect error")
    if fault.kind == "html":
        return web.Response(status=fault.status, text="<html>busy</html>", content_type="text/html")
    return web.json_response({"ok": False, "error": fault.error}, status=fault.status)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
