"""The built web client: one page for all its addresses, and the files it loads.

Files have their content's hash in their names and never change; the page says which, so it is always asked for anew.
Scripts come from this server alone. Style elements need the nonce of their page, because the page brings the style of
its first paint and the component library makes some; style attributes are allowed, because highlighted code is made of
them. Without a build there is the plain page. A person's choice of light or dark is in the page itself: a script would
come after the first paint.
"""

import asyncio
import secrets
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from aiohttp import web
from aiohttp.web_response import StreamResponse

from pal_server.api.pages import plain_page
from pal_server.api.routing import Call
from pal_server.errors import NotFound

DIST = Path(str(files("pal_server"))) / "workbench" / "dist"
NOT_BUILT = "This installation has no web client. To build it: uv sync --reinstall-package pal"

_HTML = "<html "
_SCHEME = "pal_scheme"  # the cookie in which the client keeps a choice that is not the system's
_META = '<meta name="style-nonce" content="'  # where the page has its nonce: for the component library …
_STYLE = '<style nonce="'  # … and on the style of the first paint
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}
_PACKED = (("br", ".br"), ("gzip", ".gz"))  # the smaller one first


async def page(call: Call) -> StreamResponse:
    """The client, at whatever address of its own; without a build the plain page, which says why."""
    try:
        text = await asyncio.to_thread((DIST / "index.html").read_text, encoding="utf-8")
    except FileNotFoundError:
        return plain_page("index.html", {"why": escape(await asyncio.to_thread(_why_not))})
    if (scheme := call.http.cookies.get(_SCHEME)) in ("light", "dark"):
        text = text.replace(_HTML, f'{_HTML}data-mantine-color-scheme="{scheme}" ', 1)
    nonce = secrets.token_urlsafe(16)
    return web.Response(
        text=text.replace(_META, f"{_META}{nonce}", 1).replace(_STYLE, f"{_STYLE}{nonce}", 1),
        headers={
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": _POLICY.format(nonce=nonce),
            "Cache-Control": "no-cache",
        },
    )


async def asset(call: Call) -> StreamResponse:
    """A file of the client, packed as the browser can take it. Names without a hash are kept for an hour."""
    name = call.text("name")
    media = _TYPES.get(Path(name).suffix)
    if media is None:
        raise NotFound("there is no such file", file=name)
    headers = {"Content-Type": media, "Vary": "Accept-Encoding"}
    headers["Cache-Control"] = _FOR_EVER if "-" in name else "public, max-age=3600"
    taken = call.http.headers.get("Accept-Encoding", "")
    for encoding, suffix in _PACKED:
        if encoding in taken and (content := await asyncio.to_thread(_read, name + suffix)) is not None:
            return web.Response(body=content, headers={**headers, "Content-Encoding": encoding})
    content = await asyncio.to_thread(_read, name)
    if content is None:
        raise NotFound("there is no such file", file=name)
    return web.Response(body=content, headers=headers)


@cache
def _read(name: str) -> bytes | None:
    """A name of the path has no slash (`routing`), so nothing outside of the folder is reached. Kept once read: a name
    stands for one content, and all of them together are a few megabytes.
    """
    try:
        return (DIST / "assets" / name).read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return None


def _why_not() -> str:
    try:
        return (DIST / "why.txt").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return NOT_BUILT
