"""What Slack says when it refuses, for faults that were ordered."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.faults import Fault, Faults

Json = dict[str, Any]


def slack_faults() -> Faults:
    return Faults(answers={"ratelimited": _limited, "error": _error}, broken=_body)


def _body(fault: Fault) -> Json:
    return {"ok": False, "error": fault.code or "internal_error"}


def _limited(fault: Fault) -> web.Response:
    headers = {"Retry-After": str(int(fault.seconds))}
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


def _error(fault: Fault) -> web.Response:
    """Slack refuses with 200."""
    return web.json_response({**_body(fault), **fault.more})
