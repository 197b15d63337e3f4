"""The platform as a process; see `serving.py`."""

from __future__ import annotations

import asyncio

from aiohttp import web

from pal_cli.chaos.platforms.clock import Clock
from pal_cli.chaos.platforms.dingtalk.control import Control
from pal_cli.chaos.platforms.dingtalk.happenings import Happenings
from pal_cli.chaos.platforms.dingtalk.methods import Methods
from pal_cli.chaos.platforms.dingtalk.web_api import WebApi
from pal_cli.chaos.platforms.dingtalk.world import World
from pal_cli.chaos.platforms.serving import serve


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
    await serve(app, beside=world.clock.run(), named=world.is_at)


if __name__ == "__main__":
    asyncio.run(main())
