"""The door of the Web API: arguments however they come, tokens, scopes, rates, faults, and a record of every call."""

from __future__ import annotations

import functools
import json
from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.slack.faults import slack_faults
from pal_cli.chaos.platforms.slack.files import Files
from pal_cli.chaos.platforms.slack.happenings import Happenings
from pal_cli.chaos.platforms.slack.limits import Buckets
from pal_cli.chaos.platforms.slack.methods import METHODS, Methods, Refused
from pal_cli.chaos.platforms.slack.world import Install

Json = dict[str, Any]


class WebApi:
    """`serve` is the handler of /api/{method}."""

    def __init__(self, happenings: Happenings, methods: Methods, files: Files) -> None:
        self._happen = happenings
        self._world = happenings.world
        self._methods = methods
        self._files = files
        self.faults = slack_faults()
        self.buckets = Buckets(self._world.clock)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args = await arguments(request)
        token = str(args.pop("token", "") or request.headers.get("Authorization", "").removeprefix("Bearer "))
        app = self._world.app_of(token)
        install = self._world.install_of(token)
        name = app.id if app is not None else install.app if install is not None else ""
        call: Json = {"method": method, "args": args, "app": name, "at": self._world.clock.now(), "error": None}
        self._world.calls.append(call)
        self._world.note()
        fault = self.faults.take(method, args, app=name)
        if fault is not None:
            call["fault"] = fault.kind
            spoiled = await self.faults.before(fault, request)
            if spoiled is not None:
                call["error"] = fault.kind
                return spoiled
        response = self._answer(method, token, install, args, call)
        self._world.note()
        spoiled = await self.faults.after(fault, request) if fault is not None else None
        return spoiled or response

    def _answer(self, method: str, token: str, install: Install | None, args: Json, call: Json) -> web.Response:
        headers = {} if install is None else {"x-oauth-scopes": ",".join(sorted(install.scopes))}
        channel = str(args.get("channel") or args.get("channel_id") or "")
        team = install.team if install is not None else ""
        wait = self.buckets.call(method, app=call["app"], team=team, channel=channel)
        if wait:
            call["error"] = "ratelimited"
            headers["Retry-After"] = str(wait)
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        try:
            body: Json = {"ok": True, **self._do(method, token, install, args)}
        except Refused as refused:
            call["error"] = refused.error
            body = {"ok": False, "error": refused.error, **refused.more}
        return web.json_response(body, headers=headers)

    def _do(self, method: str, token: str, install: Install | None, args: Json) -> Json:
        if method == "apps.connections.open":
            return self._open(token)
        if install is None:
            raise Refused("not_allowed_token_type" if token.startswith("xapp-") else "invalid_auth")
        if install.error is not None:
            raise Refused(install.error)
        own = {
            "files.getUploadURLExternal": ("files:write", self._files.upload_url),
            "files.completeUploadExternal": ("files:write", self._files.complete),
            "files.delete": ("files:write", self._files.delete),
            "files.info": ("files:read", self._files.info),
        }
        if method in own:
            scope, do = own[method]
        elif method in METHODS:
            scope, do = METHODS[method][0], functools.partial(METHODS[method][1], self._methods)
        else:
            raise Refused("unknown_method")
        if scope and scope not in install.scopes:
            raise Refused("missing_scope", needed=scope, provided=",".join(sorted(install.scopes)))
        return do(install, args)

    def _open(self, token: str) -> Json:
        app = self._world.app_of(token)
        if app is None:
            raise Refused("not_allowed_token_type" if token.startswith("xoxb-") else "invalid_auth")
        if app.app_token_error is not None or not app.has_socket_mode:
            raise Refused(app.app_token_error or "link_disabled")
        ticket = self._happen.line(app.id).ticket()
        address = self._world.url.replace("http", "ws", 1)
        return {"url": f"{address}/link/?ticket={ticket}&app_id={app.id}"}

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Socket Mode: a ticket opens one socket, once."""
        app = self._world.apps.get(request.query.get("app_id", ""))
        if app is None:
            return web.Response(status=404)
        line = self._happen.line(app.id)
        if line.is_refusing:
            return web.Response(status=503)  # the ticket stays as it is, and dies with time
        if not line.redeem(request.query.get("ticket", "")) or len(line.sockets) >= 10:
            return web.Response(status=408)
        return await line.serve(request)


async def arguments(request: web.Request) -> Json:
    """From the query, a form and JSON together; blocks, metadata and views as JSON text are read."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        raw = await request.read()
        args |= json.loads(raw) if raw else {}
    elif request.content_type == "application/x-www-form-urlencoded" or request.content_type.startswith("multipart/"):
        args |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    for name in ("blocks", "metadata", "view", "attachments"):
        if isinstance(args.get(name), str):
            args[name] = json.loads(args[name])
    return args
