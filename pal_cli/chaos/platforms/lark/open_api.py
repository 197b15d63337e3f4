"""What every API request meets first: token, scope, speed. And how a refusal is written."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.lark.journal import Journal
from pal_cli.chaos.platforms.lark.world import App, World

Json = dict[str, Any]
Route = Callable[[App, web.Request], Awaitable[web.StreamResponse]]
PER_APP, PER_CHAT, PER_MESSAGE = 50, 5, 5  # requests a second


class Refusal(Exception):
    """An answer with another code than 0."""

    def __init__(self, code: int, msg: str, *, status: int = 400, headers: dict[str, str] | None = None) -> None:
        super().__init__(msg)
        self.code = code
        self.msg = msg
        self.status = status
        self.headers = headers or {}


def fine(data: Any = None) -> web.Response:
    return web.json_response({"code": 0, "msg": "success", "data": {} if data is None else data})


class Door:
    """Tokens and limits; wraps a route so that it gets the app that asks."""

    def __init__(self, world: World, journal: Journal) -> None:
        self._world = world
        self._journal = journal
        self._seen: dict[str, deque[float]] = {}
        self.limits_are_on = True

    async def token(self, request: web.Request) -> web.Response:
        """POST …/tenant_access_token/internal. The body is JSON, whatever Content-Type says or does not say."""
        asked = json.loads(await request.read())
        app = self._world.apps.get(asked.get("app_id", ""))
        if app is None or not app.is_active:
            return web.json_response({"code": 10003, "msg": "invalid param"})
        if app.secret != asked.get("app_secret"):
            return web.json_response({"code": 10014, "msg": "app secret invalid"})
        now = self._world.now()
        lasting = [(token, end) for token, end in app.tokens.items() if end - now > 1_800_000]
        if lasting:
            token, end = lasting[-1]
        else:
            token, end = self._world.new_id("t-g"), now + app.token_life * 1000
            app.tokens[token] = end
        self._journal.write("token", app=app.id)
        return web.json_response({"code": 0, "msg": "ok", "tenant_access_token": token, "expire": (end - now) // 1000})

    def needs(self, scope: str | None, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The route behind token, scope and the app's own speed; writes the journal's `request`."""

        async def handle(request: web.Request) -> web.StreamResponse:
            app: App | None = None
            code = 0
            try:
                app = self._app_of(request)
                self.hold_speed(f"app {app.id}", PER_APP)
                if scope and scope not in app.scopes:
                    raise Refusal(99991672, f"Access denied. One of the following scopes is required: [{scope}].")
                return await route(app, request)
            except Refusal as refusal:
                code = refusal.code
                body = {"code": refusal.code, "msg": refusal.msg}
                return web.json_response(body, status=refusal.status, headers=refusal.headers)
            finally:
                peer = request.transport.get_extra_info("peername") if request.transport else None
                facts = {"method": request.method, "path": request.path, "code": code, "port": peer and peer[1]}
                self._journal.write("request", app=app.id if app else "", **facts)

        return handle

    def hold_speed(self, what: str, most: int) -> None:
        """One more of `what`; Refusal 99991400 or 230020 when it is more than `most` within a second."""
        seen = self._seen.setdefault(what, deque())
        now = time.monotonic()
        while seen and seen[0] < now - 1.0:
            seen.popleft()
        if len(seen) >= most and self.limits_are_on:
            self._journal.write("too_fast", what=what)
            if what.startswith("app "):
                headers = {"x-ogw-ratelimit-limit": str(most), "x-ogw-ratelimit-reset": "1"}
                raise Refusal(99991400, "request trigger frequency limit", status=429, headers=headers)
            raise Refusal(230020, "This operation triggers the frequency limit.")
        seen.append(now)

    def _app_of(self, request: web.Request) -> App:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            raise Refusal(99991661, "Missing access token for authorization.")
        for app in self._world.apps.values():
            if app.tokens.get(token, 0) > self._world.now() and app.is_active:
                return app
        raise Refusal(99991663, "Invalid access token for authorization. Please make a request with token attached.")
