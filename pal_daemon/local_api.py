"""The daemon's own door, on loopback: `pal cli` and agents speak to the server through it.

Every request needs the daemon's token (a file only this user may read) or the token of a run that is alive here.
What is under `/api/` is passed on as it is, bodies and streams too. A run's token goes on unchanged, so an agent
speaks as itself; for the daemon's token the relay uses the owner's, when this home holds both the server's and the
daemon's side, else the computer's key.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import web
from yarl import URL

from pal_daemon.house import House, hash_token
from pal_daemon.login_door import LoginDoor
from pal_daemon.logins import Logins
from pal_server.client.resolve import local_server, same_server

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SMALL = 1 << 20  # bytes; a body of at most this is read whole, so that the server gets its length
CONNECT_FOR = 5.0  # seconds
ASKED = frozenset(
    ("accept", "content-type", "content-length", "last-event-id", "if-none-match", "range", "accept-language")
)
ANSWERED = frozenset(
    ("content-type", "content-length", "content-disposition", "retry-after", "etag", "cache-control", "location")
)

log = logging.getLogger(__name__)


class LocalApi:
    """Started once; `url` is known from then on."""

    def __init__(
        self, house: House, *, tokens: tuple[str, ...], health: Callable[[], dict[str, object]], logins: Logins
    ) -> None:
        self._house = house
        self._tokens = tuple(token.encode() for token in tokens)
        self._health = health
        self._logins = logins
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        settings = self._house.settings
        app = web.Application(client_max_size=SMALL * 2)
        app.router.add_get("/health", self._tell_health)
        LoginDoor(self._logins, check=self._check_own, problem=_problem).add_routes(app.router)
        app.router.add_route("*", "/api/{path:.*}", self._relay)
        app.router.add_route("*", "/{path:.*}", _not_here)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, settings.local_host, settings.local_port)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        port = self._runner.addresses[0][1]
        self.url = f"http://{settings.local_host}:{port}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _tell_health(self, request: web.Request) -> web.Response:
        refusal, _ = self._check(request)
        if refusal is not None:
            return refusal
        return _json(200, self._health())

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        """Pass the request on and its answer back, piece by piece."""
        refusal, credential = self._check(request)
        if refusal is not None:
            return refusal
        headers = {name: value for name, value in request.headers.items() if name.lower() in ASKED}
        headers["Authorization"] = f"Bearer {credential}"
        url = URL(self._house.settings.server + request.raw_path, encoded=True)
        try:
            async with self._open().request(
                request.method, url, headers=headers, data=await _body_of(request), allow_redirects=False
            ) as answer:
                return await _pass_back(request, answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.debug("relaying failed: %s", error)
            return _problem(
                503, "unavailable", f"the server at {self._house.settings.server} does not answer: try again"
            )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_FOR)
            self._session = aiohttp.ClientSession(
                timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._session

    def _check(self, request: web.Request) -> tuple[web.Response | None, str]:
        """The refusal, or the credential to go on with."""
        if not _is_loopback(request.headers.get("Host", "")):
            return _problem(403, "forbidden", "this daemon answers on loopback addresses only"), ""
        origin = request.headers.get("Origin")
        if origin is not None and origin != self.url:
            return _problem(403, "forbidden", "no web page may speak to this daemon"), ""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip()
        if kind.lower() != "bearer" or not token:
            return _problem(401, "unauthenticated", "the daemon's token is missing: see $PAL_HOME/daemon/token"), ""
        if hash_token(token) in self._house.tokens:
            return None, token
        given = token.encode("utf-8", "surrogateescape")
        if sum(hmac.compare_digest(given, own) for own in self._tokens):  # a sum: each is compared, in the same time
            return None, self._own_credential()
        return _problem(401, "unauthenticated", "this is neither the daemon's token nor that of a run alive here"), ""

    def _check_own(self, request: web.Request) -> web.Response | None:
        """The refusal of everybody who has not the daemon's own token."""
        refusal, credential = self._check(request)
        if refusal is None and hash_token(credential) in self._house.tokens:
            return _problem(403, "forbidden", "a run may not see or change logins: this is for a person at a terminal")
        return refusal

    def _own_credential(self) -> str:
        settings = self._house.settings
        return owner_token(settings.home, settings.server) or settings.key


def owner_token(home: Path, server: str) -> str | None:
    """The owner's token, if this home's server is the one the daemon speaks to."""
    made_for = local_server(home)
    if made_for is None or not same_server(made_for, server):
        return None
    try:
        return (home / "owner.token").read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


async def _body_of(request: web.Request) -> bytes | aiohttp.StreamReader | None:
    if not request.body_exists:
        return None
    length = request.content_length
    return await request.read() if length is not None and length <= SMALL else request.content


async def _pass_back(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status)
    for name, value in answer.headers.items():
        if name.lower() in ANSWERED or name.lower() == "content-encoding":
            response.headers[name] = value
    await response.prepare(request)
    async for piece in answer.content.iter_any():
        await response.write(piece)
    await response.write_eof()
    return response


async def _not_here(request: web.Request) -> web.Response:
    return _problem(404, "not_found", "the daemon knows /health and /logins, and passes /api/… on to the server")


def _is_loopback(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False


def _problem(status: int, code: str, message: str) -> web.Response:
    return _json(status, {"error": {"code": code, "message": message, "facts": {}, "request_id": ""}})


def _json(status: int, value: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")
