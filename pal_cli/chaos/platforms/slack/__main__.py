"""The platform as a process. The first line it says is its address; it ends with its input."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

from pal_cli.chaos.platforms.clock import Clock
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
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    world.url = "http://{}:{}".format(*runner.addresses[0][:2])
    clock = asyncio.create_task(world.clock.run(), name="clock")
    sys.stdout.write(f"{world.url}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    clock.cancel()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
