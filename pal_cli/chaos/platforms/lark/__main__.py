"""The platform as a process; see `serving.py`."""

from __future__ import annotations

import asyncio

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
from pal_cli.chaos.platforms.serving import serve

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
    await serve(app, beside=sockets.push_due())


if __name__ == "__main__":
    asyncio.run(main())
