"""Health, metrics, version and the description of the API itself."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from aiohttp import web
from aiohttp.web_response import StreamResponse

from pal_server.api.answers import encode
from pal_server.api.routing import Call
from pal_server.contract.system import PROTOCOL, Health, Version


async def health(_: Call) -> Health:
    """It answers, so it lives."""
    return Health(status="ok")


async def ready(call: Call) -> Health | StreamResponse:
    """Whether work gets done here: the database takes writes, the loops run, the disk has room."""
    readiness = await call.services.readiness()
    answer = Health(status="ok" if readiness.is_ready else "not ready", checks=dict(readiness.checks))
    if readiness.is_ready:
        return answer
    return web.Response(
        body=encode(answer), status=503, headers={"Content-Type": "application/json", "Retry-After": "1"}
    )


async def metrics(call: Call) -> StreamResponse:
    return web.Response(text=call.services.metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4"})


async def show_version(_: Call) -> Version:
    return Version(name="pal", version=own_version(), protocol=PROTOCOL)


async def openapi(call: Call) -> StreamResponse:
    return web.Response(body=call.services.api_document(), headers={"Content-Type": "application/json"})


@cache
def own_version() -> str:
    try:
        return version("pal")
    except PackageNotFoundError:  # run from a source tree that was not installed
        return "0"
