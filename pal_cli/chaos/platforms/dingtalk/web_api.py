"""The doors of both hosts: tokens, permissions, rates, faults, and a record of every call."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.dingtalk.faults import dingtalk_faults
from pal_cli.chaos.platforms.dingtalk.limits import MOST_MESSAGE, Rates, size_of
from pal_cli.chaos.platforms.dingtalk.methods import METHODS, Methods, Refused
from pal_cli.chaos.platforms.dingtalk.sockets import Line
from pal_cli.chaos.platforms.dingtalk.world import App, World

Json = dict[str, Any]

HEADER = "x-acs-dingtalk-access-token"
KINDS = ("text", "markdown", "link", "actionCard", "feedCard")


class WebApi:
    def __init__(self, world: World, methods: Methods) -> None:
        self._world = world
        self._methods = methods
        self._lines: dict[str, Line] = {}
        self.faults = dingtalk_faults()
        self.rates = Rates(world.clock)

    def line(self, app: str) -> Line:
        line = self._lines.get(app)
        if line is None:
            line = self._lines[app] = Line(self._world.apps[app], self._world)
        return line

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path, is_old = request.path, request.path.startswith(("/topapi", "/media", "/robot/"))
        body, upload = await self._body(request)
        token = request.query.get("access_token", "") or request.headers.get(HEADER, "")
        app = self._app_of(path, token, body, request)
        call: Json = {
            "method": request.method,
            "path": path,
            "body": body,
            "app": app.id if app is not None else "",
            "at": self._world.clock.now(),
            "error": None,
            "has_token": bool(token),
        }
        self._world.calls.append(call)
        self._world.note()
        fault = self.faults.take(path, body, app=call["app"])
        if fault is not None:
            call["error"] = fault.kind
            spoiled = await self.faults.before(fault, request)
            if spoiled is not None:
                return spoiled
        try:
            done = self._do(request, path, token, app, body, upload)
            response = web.json_response({"errcode": 0, "errmsg": "ok", **done} if is_old else done)
        except Refused as refused:
            call["error"] = str(refused.code)
            response = _refusal(refused, is_old=is_old)
        self._world.note()
        spoiled = await self.faults.after(fault, request) if fault is not None else None
        return spoiled or response

    async def _body(self, request: web.Request) -> tuple[Json, Json]:
        """JSON, or a form with a file."""
        if request.content_type.startswith("multipart/"):
            form = await request.post()
            media = form["media"]
            assert isinstance(media, web.FileField)
            return dict(request.query), {
                "kind": request.query.get("type") or str(form.get("type")),
                "name": media.filename,
                "data": media.file.read(),
            }
        raw = await request.read()
        return (json.loads(raw) if raw else {}), {}

    def _app_of(self, path: str, token: str, body: Json, request: web.Request) -> App | None:
        if path == "/v1.0/gateway/connections/open":
            return self._world.apps.get(str(body.get("clientId")))
        if path == "/v1.0/oauth2/accessToken":
            return self._world.apps.get(str(body.get("appKey")))
        if path == "/robot/sendBySession":
            return self._world.apps.get(self._world.sessions.get(request.query.get("session", ""), ("", "", 0.0))[0])
        return self._world.app_of(token)

    def _do(self, request: web.Request, path: str, token: str, app: App | None, body: Json, upload: Json) -> Json:
        if path == "/v1.0/gateway/connections/open":
            return self._open(app, body)
        if path == "/v1.0/oauth2/accessToken":
            return self._token(app, body)
        if path == "/robot/sendBySession":
            return self._answer(request.query.get("session", ""), body)
        if app is None or app.is_disabled:
            raise Refused(40014 if path.startswith(("/topapi", "/media")) else "InvalidAuthentication", status=401)
        if self.rates.is_too_fast(app.id, path):
            raise Refused("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", status=403)
        if path == "/media/upload":
            return self._methods.upload(app, **upload)
        if f"{request.method} {path}" not in METHODS:
            raise Refused("InvalidAction.NotFound", status=404)
        scope, do = METHODS[f"{request.method} {path}"]
        if scope and scope not in app.scopes:
            raise _forbidden(scope, is_old=path.startswith("/topapi"))
        return do(self._methods, app, body)

    def _open(self, app: App | None, body: Json) -> Json:
        if app is None or body.get("clientSecret") != app.secret or app.is_disabled:
            raise Refused("authFailed", status=401, message=f"鉴权失败 {body.get('clientSecret')}")
        if not app.has_stream:
            raise Refused("stream.notEnabled", status=400)
        topics = {(str(one["type"]), str(one["topic"])) for one in body.get("subscriptions") or ()}
        if not topics or any(kind == "EVENT" and topic != "*" for kind, topic in topics):
            raise Refused("invalidParameter.subscriptions")
        address = self._world.url.replace("http", "ws", 1)
        return {"endpoint": f"{address}/connect", "ticket": self.line(app.id).ticket(topics)}

    def _token(self, app: App | None, body: Json) -> Json:
        if app is None or body.get("appSecret") != app.secret or app.is_disabled:
            raise Refused("invalidClientIdOrSecret", status=400)
        return {"accessToken": self._world.new_token(app.id), "expireIn": 7200}

    def _answer(self, session: str, body: Json) -> Json:
        app, conversation, until = self._world.sessions.get(session, ("", "", 0.0))
        if until <= self._world.clock.now():
            raise Refused(300001, errmsg="session 不存在")
        if self.rates.is_silent(conversation):
            raise Refused(130101, errmsg="send too fast, exceed 20 times per minute")
        kind = str(body.get("msgtype"))
        if kind not in KINDS or kind not in body:
            raise Refused(400101, errmsg="msgtype")
        if size_of(body) > MOST_MESSAGE:
            raise Refused(460101, errmsg="message too long")
        shown = body[kind]
        at = (body.get("at") or {}).get("atUserIds") or []
        self._world.post(
            app,
            conversation,
            via="session",
            kind=kind,
            text=shown.get("text") or shown.get("content") or "",
            title=shown.get("title", ""),
            at=[one for one in at if kind != "markdown" or f"@{one}" in shown.get("text", "")],
        )
        return {}

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """A ticket opens one socket, once."""
        ticket = request.query.get("ticket", "")
        for line in self._lines.values():
            if line.has(ticket):
                return await line.serve(ticket, request)
        return web.Response(status=401)

    async def download(self, request: web.Request) -> web.Response:
        """The address of a file wants no token, and one that comes with it is noted."""
        media = self._world.codes.get(request.match_info["code"])
        has_token = HEADER in request.headers or "Authorization" in request.headers
        self._world.calls.append({"method": "GET", "path": "/download", "app": "", "has_token": has_token})
        if media is None:
            return web.Response(status=403)
        return web.Response(body=media.data)


def _forbidden(scope: str, *, is_old: bool) -> Refused:
    if is_old:
        return Refused(60011, errmsg=f"没有调用该接口的权限 {scope}")
    return Refused(
        "Forbidden.AccessDenied.AccessTokenPermissionDenied",
        status=403,
        accessdenieddetail={"requiredScopes": [scope]},
    )


def _refusal(refused: Refused, *, is_old: bool) -> web.Response:
    if is_old:
        return web.json_response({"errcode": refused.code, "errmsg": "", **refused.more})
    body = {"code": refused.code, "requestid": "r1", "message": str(refused.code), **refused.more}
    return web.json_response(body, status=refused.status)
