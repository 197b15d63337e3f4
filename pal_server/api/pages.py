"""Pages that need no build: the log-in link's landing, what to do next where there is no web client, and errors as a
person's browser shows them.
"""

from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files

from aiohttp import web
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from pal_server.api.answers import PAGE_POLICY, SECURITY
from pal_server.api.routing import Call

_TITLES = {401: "Log in first", 403: "This is not for you", 404: "There is nothing here", 503: "Not now"}


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


def is_for_a_person(http: BaseRequest, /) -> bool:
    """Whether somebody opens an address outside of the API in a browser and has no use for JSON."""
    return http.method == "GET" and "text/html" in http.headers.get("Accept", "") and not http.path.startswith("/api/")


def problem_page(message: str, /, *, status: int, request_id: str) -> web.Response:
    """An error for a person."""
    title = _TITLES.get(status, "This did not work")
    said = {"title": title, "message": escape(message), "request": escape(request_id)}
    page = plain_page("problem.html", said)
    page.set_status(status)
    for name, value in SECURITY.items():
        page.headers.setdefault(name, value)
    page.headers["Cache-Control"] = "no-store"
    page.headers["X-Request-Id"] = request_id
    return page


@cache
def _text(name: str) -> str:
    return (files("pal_server.api") / "plain" / name).read_text(encoding="utf-8")
