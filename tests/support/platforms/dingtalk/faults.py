"""Faults a test orders for calls of the APIs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

Json = dict[str, Any]

BEFORE = ("limited", "error", "old_error", "http", "html", "cut", "delay")
AFTER = ("http_after", "html_after", "cut_after", "delay_after")


@dataclass(kw_only=True)
class Fault:
    """What befalls the next `count` calls of `path` (`*` is any) whose body has `having` in it."""

    path: str
    kind: str
    count: int = 1
    having: str = ""
    app: str = ""
    code: str = "system.busy"
    status: int = 503
    seconds: float = 1.0  # of a delay, or to wait after a 429; 0 leaves the header out
    message: str = ""

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

    def take(self, path: str, body: Json, *, app: str) -> Fault | None:
        said = json.dumps(body, ensure_ascii=False, default=str)
        for fault in self._orders:
            fits = fault.path in ("*", path) and fault.having in said and fault.app in ("", app)
            if fits and fault.count > 0:
                fault.count -= 1
                return fault
        return None


async def before(fault: Fault, request: web.Request) -> web.StreamResponse | None:
    """The answer in place of the effect; None lets it happen."""
    match fault.kind:
        case "limited":
            headers = {"Retry-After": str(int(fault.seconds))} if fault.seconds else {}
            return web.json_response({"code": "Throttling", "message": "too fast"}, status=429, headers=headers)
        case "error":
            return web.json_response({"code": fault.code, "message": fault.message or fault.code}, status=fault.status)
        case "old_error":
            return web.json_response({"errcode": int(fault.code), "errmsg": fault.message})
        case "http" | "html":
            return _broken(fault)
        case "cut":
            return _cut(request)
        case "delay":
            await asyncio.sleep(fault.seconds)
    return None


async def after(fault: Fault, request: web.Request) -> web.StreamResponse | None:
    """The answer in place of the good one, once everything is done; None lets it through."""
    match fault.kind:
        case "http_after" | "html_after":
            return _broken(fault)
        case "cut_after":
            return _cut(request)
        case "delay_after":
            await asyncio.sleep(fault.seconds)
    return None


def _broken(fault: Fault) -> web.Response:
    if fault.kind.startswith("html"):
        return web.Response(status=fault.status, text="<html>busy</html>", content_type="text/html")
    return web.json_response({"code": fault.code, "message": fault.code}, status=fault.status)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
