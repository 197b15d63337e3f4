"""A platform as a process: takes a free port of 127.0.0.1, prints its address, ends with its input."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine

from aiohttp import web


async def serve(
    app: web.Application, *, beside: Coroutine[object, object, None], named: Callable[[str], None] = lambda url: None
) -> None:
    """`beside` is what the platform does by itself, `named` is told its address before anybody else is."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = "http://{}:{}".format(*runner.addresses[0][:2])
    named(url)
    at_work = asyncio.create_task(beside, name="the platform's own work")
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    at_work.cancel()
    await runner.cleanup()
