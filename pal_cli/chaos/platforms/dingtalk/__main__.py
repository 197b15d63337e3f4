"""The platform as a process. The first line it says is its address; it ends with its input."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

from pal_cli.chaos.platforms.clock import Clock
from pal_cli.chaos.platforms.dingtalk.control import Control
from pal_cli.chaos.platforms.dingtalk.happenings import Happenings
from pal_cli.chaos.platforms.dingtalk.methods import Methods
from pal_cli.chaos.platforms.dingtalk.web_api import WebApi
from pal_cli.chaos.platforms.dingtalk.world import World


async def main() -> None:
    world = World(Clock())
    api = WebApi(world, Methods(world))
    control = Control(world, api, Happenings(world, api))

    app = web.Application(client_max_size=256 << 20)
    app.router.add_post("/control/{verb}", control.serve)
    app.router.add_get("/connect", api.connect)
    app.router.add_get("/download/{code}", api.download)
    for root in ("v1.0", "topapi", "media", "robot"):
        app.router.add_route("*", f"/{root}/{{rest:.*}}", api.serve)
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
