"""Pages that need no build: the log-in link's landing, and what to do next where there is no web client."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from aiohttp import web
from aiohttp.web_response import StreamResponse

from pal_server.api.answers import PAGE_POLICY
from pal_server.api.routing import Call


async def login(_: Call) -> StreamResponse:
    return plain_page("login.html", {})


async def style(_: Call) -> StreamResponse:
    return web.Response(
        text=_text("plain.css"), headers={"Content-Type": "text/css; charset=utf-8", "Cache-Control": "no-cache"}
    )


async def script(_: Call) -> StreamResponse:
    return web.Response(
        text=_text("login.js"), headers={"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache"}
    )


def plain_page(name: str, said: Mapping[str, str], /) -> web.Response:
    """The page with `{name}` replaced by what is said, which is HTML already."""
    text = _text(name)
    for word, markup in said.items():
        text = text.replace(f"{{{word}}}", markup)
    return web.Response(
        text=text, headers={"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": PAGE_POLICY}
    )


@cache
def _text(name: str) -> str:
    return (files("pal_server.api") / "plain" / name).read_text(encoding="utf-8")
