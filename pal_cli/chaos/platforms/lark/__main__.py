"""`python -m pal_cli.chaos.platforms.lark`: takes a free port of 127.0.0.1, prints its URL, ends with its input."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

from pal_cli.chaos.platforms.lark.control import Control
from pal_cli.chaos.platforms.lark.faults import Faults, Handler
from pal_cli.chaos.platforms.lark.journal import Journal
from pal_cli.chaos.platforms.lark.message_api import MessageApi
from pal_cli.chaos.platforms.lark.open_api import Door
from pal_cli.chaos.platforms.lark.registration import Registration
from pal_cli.chaos.platforms.lark.side_api import SideApi
from pal_cli.chaos.platforms.lark.sockets import Sockets
from pal_cli.chaos.platforms.lark.world import World

BIGGEST = 64 << 20  # bytes of a request


def build() -> tuple[web.Application, Sockets]:
    """The whole platform."""
    world, journal, faults = World(), Journal(), Faults()
    door, sockets = Door(world, journal), Sockets(world, journal)
    registration = Registration(world, journal)
    control = Control(world, journal, sockets, faults, door, registration)

    @web.middleware
    async def with_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/control/"):
            return await handler(request)
        return await faults.around(request, handler)

    app = web.Application(middlewares=[with_faults], client_max_size=BIGGEST)
    app.add_routes(
        [
            web.post("/callback/ws/endpoint", sockets.endpoint),
            web.get("/ws/v2", sockets.connect),
            web.post("/open-apis/auth/v3/tenant_access_token/internal", door.token),
            web.post("/oauth/v1/app/registration", registration.handle),
            web.post("/control/{verb}", control.handle),
            *MessageApi(world, journal, door).routes(),
            *SideApi(world, journal, door).routes(),
        ]
    )
    return app, sockets


async def main() -> None:
    app, sockets = build()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)  # noqa: T201 - the line a test waits for
    pushing = asyncio.create_task(sockets.push_due(), name="push-due")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    pushing.cancel()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
