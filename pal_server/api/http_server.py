"""aiohttp's low-level server with one handler for everything, and our error shape even for what is no HTTP."""

import logging

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from pal_server.api.middleware import Edge, bad_request_response

KEEPALIVE_FOR = 75.0  # seconds an idle connection is kept; longer than what usual proxies keep
LINE_LIMIT = 16 * 1024  # bytes of the request line, which carries search texts


_NO_ACCESS_LOG = logging.getLogger("pal_server.no_access_log")
_NO_ACCESS_LOG.setLevel(logging.CRITICAL)


class HttpServer(web.Server):
    """Pass it to a runner. Connections are parsed by aiohttp; requests go straight to the edge."""

    def __init__(self, edge: Edge) -> None:
        super().__init__(edge.handle)

    def __call__(self) -> RequestHandler:
        return _Protocol(
            self,
            loop=self._loop,
            keepalive_timeout=KEEPALIVE_FOR,
            access_log=_NO_ACCESS_LOG,  # the edge writes its own
            max_line_size=LINE_LIMIT,
            lingering_time=5.0,
        )


class _Protocol(RequestHandler):
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
