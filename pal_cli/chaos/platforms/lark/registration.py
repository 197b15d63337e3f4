"""Making an app by scanning a code: the device flow of the accounts host."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.lark.journal import Journal
from pal_cli.chaos.platforms.lark.world import App, World


class Registration:
    """POST /oauth/v1/app/registration with action init, begin or poll.

    A test says with `answer` what the next polls are told; after that the app is made.
    """

    def __init__(self, world: World, journal: Journal) -> None:
        self.answers: list[dict[str, Any]] = []  # for polls, before the end
        self.scanned_by: str | None = None  # union_id; None: nobody has scanned yet
        self._world = world
        self._journal = journal

    async def handle(self, request: web.Request) -> web.Response:
        form = await request.post()
        action = str(form.get("action", ""))
        self._journal.write("registration", action=action, form={k: str(v) for k, v in form.items()})
        if action == "init":
            return web.json_response({"nonce": "n-1", "supported_auth_methods": ["client_secret"]})
        if action == "begin":
            link = f"http://{request.host}/page/launcher?user_code=ABCD-EFGH"
            return web.json_response(
                {
                    "device_code": "device-1",
                    "user_code": "ABCD-EFGH",
                    "verification_uri_complete": link,
                    "interval": 0,
                    "expires_in": 600,
                }
            )
        if self.answers:
            return web.json_response(self.answers.pop(0))
        if self.scanned_by is None:
            return web.json_response({"error": "authorization_pending"})
        return web.json_response(self._made(self.scanned_by))

    def _made(self, union_id: str) -> dict[str, Any]:
        app = App(id=self._world.new_id("cli"), secret=self._world.new_id("s"), name="new", open_id="")
        app.open_id = self._world.open_id(app.id, "bot")
        self._world.apps[app.id] = app
        who = {"open_id": self._world.open_id(app.id, union_id), "tenant_brand": "feishu"}
        return {"client_id": app.id, "client_secret": app.secret, "user_info": who}
