"""The two plain pages of a server without its workbench: what to do next, and the log-in link's landing."""

from functools import cache
from importlib.resources import files

from aiohttp import web
from aiohttp.web_response import StreamResponse

from pal_server.api.answers import PAGE_POLICY
from pal_server.api.routing import Call


async def index(_: Call) -> StreamResponse:
    return _page("index.html")


async def login(_: Call) -> StreamResponse:
    return _page("login.html")


async def style(_: Call) -> StreamResponse:
    return web.Response(
        text=_text("plain.css"), headers={"Content-Type": "text/css; charset=utf-8", "Cache-Control": "no-cache"}
    )


async def script(_: Call) -> StreamResponse:
    return web.Response(
        text=_text("login.js"), headers={"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache"}
    )


def _page(name: str) -> web.Response:
    return web.Response(
        text=_text(name), headers={"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": PAGE_POLICY}
    )


@cache
def _text(name: str) -> str:
    return (files("pal_server.api") / "plain" / name).read_text(encoding="utf-8")
