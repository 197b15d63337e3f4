"""aiohttp's low-level server with one handler for everything, and our error shape even for what is no HTTP."""

import asyncio
import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from pal_server.api.middleware import Edge, bad_request_response
from pal_server.api.open_files import OpenFiles

KEEPALIVE_FOR = 75.0  # seconds an idle connection is kept; longer than what usual proxies keep
FIRST_REQUEST_WITHIN = 15.0  # seconds from the connection to its first complete head
LINGER_FOR = 5.0  # seconds the rest of a refused body is read, so that its sender gets to see the answer
LINE_LIMIT = 16 * 1024  # bytes of the request line, which carries search texts


_NO_ACCESS_LOG = logging.getLogger("pal_server.no_access_log")
_NO_ACCESS_LOG.setLevel(logging.CRITICAL)


class HttpServer(web.Server):
    """Pass it to a runner. Connections are parsed by aiohttp; requests go straight to the edge."""

    def __init__(self, edge: Edge) -> None:
        super().__init__(edge.handle)
        self._open_files = OpenFiles()

    def __call__(self) -> RequestHandler:
        return _Protocol(
            self,
            self._open_files,
            loop=self._loop,
            keepalive_timeout=KEEPALIVE_FOR,
            access_log=_NO_ACCESS_LOG,  # the edge writes its own
            max_line_size=LINE_LIMIT,
            lingering_time=LINGER_FOR,
        )


class _Protocol(RequestHandler):
    __slots__ = ("_open_files", "_silence")

    def __init__(self, server: HttpServer, open_files: OpenFiles, **options: Any) -> None:
        super().__init__(server, **options)
        self._open_files = open_files
        self._silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if (accepted := transport.get_extra_info("socket")) is not None:
            self._open_files.opened(accepted.fileno())
        self._silence = self._loop.call_later(FIRST_REQUEST_WITHIN, self._close_if_silent)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._silence is not None:
            self._silence.cancel()
        super().connection_lost(exc)

    def _close_if_silent(self) -> None:
        """Who connects and says nothing, or half a head, holds a connection that somebody else could use."""
        self._silence = None
        if self._request_count == 0:  # counted when a head is complete
            self.force_close()

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """aiohttp reads on in a body that could not be decoded and logs it as its own failure; it is answered."""
        if not isinstance(kwargs.get("exc_info"), (RequestPayloadError, HttpProcessingError)):
            super().log_exception(*args, **kwargs)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> StreamResponse:
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        response = bad_request_response((message or "it cannot be read").strip().splitlines()[0][:200])
        response.force_close()
        return response
