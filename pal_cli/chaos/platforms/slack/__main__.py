"""The platform as a process; see `serving.py`."""

from __future__ import annotations

import asyncio

from aiohttp import web

from pal_cli.chaos.platforms.clock import Clock
from pal_cli.chaos.platforms.serving import serve
from pal_cli.chaos.platforms.slack.control import Control
from pal_cli.chaos.platforms.slack.files import Files
from pal_cli.chaos.platforms.slack.happenings import Happenings
from pal_cli.chaos.platforms.slack.methods import Methods
from pal_cli.chaos.platforms.slack.people import People
from pal_cli.chaos.platforms.slack.web_api import WebApi
from pal_cli.chaos.platforms.slack.world import World


async def main() -> None:
    world = World(Clock())
    happenings = Happenings(world)
    methods, files = Methods(happenings), Files(happenings)
    people, api = People(happenings, methods), WebApi(happenings, methods, files)
    control = Control(happenings, methods, files, people, api)

    async def respond(request: web.Request) -> web.Response:
        error = people.respond(request.match_info["name"], await request.json())
        return web.Response(status=404 if error else 200, text=error or "ok")

    app = web.Application(client_max_size=256 << 20)
    app.router.add_route("*", "/api/{method}", api.serve)
    app.router.add_get("/link/", api.connect)
    app.router.add_post("/upload/v1/{file}", files.receive)
    app.router.add_get("/files-pri/{team}-{file}/{name}", files.send)
    app.router.add_post("/respond/{name}", respond)
    app.router.add_post("/control/{verb}", control.serve)
    await serve(app, beside=world.clock.run(), named=world.is_at)


if __name__ == "__main__":
    asyncio.run(main())
