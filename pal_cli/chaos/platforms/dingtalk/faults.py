"""What DingTalk says when it refuses, for faults that were ordered."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.faults import Fault, Faults

Json = dict[str, Any]


def dingtalk_faults() -> Faults:
    return Faults(answers={"limited": _limited, "error": _error, "old_error": _old_error}, broken=_body)


def _body(fault: Fault) -> Json:
    code = fault.code or "system.busy"
    return {"code": code, "message": fault.message or code}


def _limited(fault: Fault) -> web.Response:
    """Without seconds the header is left out."""
    headers = {"Retry-After": str(int(fault.seconds))} if fault.seconds else {}
    return web.json_response({"code": "Throttling", "message": "too fast"}, status=429, headers=headers)


def _error(fault: Fault) -> web.Response:
    return web.json_response(_body(fault), status=fault.status)


def _old_error(fault: Fault) -> web.Response:
    """As the older API refuses: with 200 and a number."""
    return web.json_response({"errcode": int(fault.code), "errmsg": fault.message})
