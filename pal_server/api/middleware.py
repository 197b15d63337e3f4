"""The one way every request goes: found in the table, authenticated, authorized, checked, handled, answered.

Nothing wraps anything: at 10,000 requests a second each layer would show.
"""

import itertools
import logging
import re
import secrets
from collections.abc import Callable
from time import perf_counter

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError
from aiohttp.web_exceptions import HTTPException, HTTPRequestEntityTooLarge
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse

from pal_server.api.answers import SECURITY, json_response, packed_response
from pal_server.api.auth import credential_of
from pal_server.api.decoding import decode_body, decode_query, read_body
from pal_server.api.pages import is_for_a_person, problem_page
from pal_server.api.problems import present_bug, present_problem
from pal_server.api.routing import Call, Route, Table
from pal_server.api.services import Services
from pal_server.domain.actors import Actor
from pal_server.errors import Forbidden, Invalid, PalError, TooLarge

log = logging.getLogger("pal_server.api")
access_log = logging.getLogger("pal_server.access")

_LINKS = re.compile(r"^(/(?:s|i|api/shared|api/invited)/)[^/]+")
_READS = frozenset({"GET", "HEAD"})


class Edge:
    """Handles every request of the server. `handle` never raises but for a cancellation."""

    def __init__(self, *, table: Table, services: Services, with_access_log: bool = False) -> None:
        self._table = table
        self._services = services
        self._with_access_log = with_access_log
        self._new_request_id = _request_ids()

    async def handle(self, http: BaseRequest, /) -> StreamResponse:
        begun = perf_counter()
        request_id = self._new_request_id()
        route: Route | None = None
        try:
            route, params = self._table.match(http.method, http.raw_path)
            response = await self._answer(http, route, params, request_id)
        except PalError as exc:
            response = _problem_response(exc, request_id, for_a_person=is_for_a_person(http))
        except HTTPException as exc:  # aiohttp's own, of broken bodies and handshakes
            response = _problem_response(_translate(exc), request_id)
        except (RequestPayloadError, HttpProcessingError) as exc:
            response = _problem_response(
                Invalid(f"The body cannot be read: {_last_line(str(exc))}.", field="body"), request_id
            )
        except ConnectionError:  # nobody is there any more to read an answer
            response = Response(status=400)
            response.force_close()
        except Exception:
            log.exception(
                "a request failed in a way nobody planned for",
                extra={
                    "action": "api.bug",
                    "request_id": request_id,
                    "path": shown_path(http.path),
                    "method": http.method,
                },
            )
            status, body, headers = present_bug(request_id=request_id)
            response = json_response(body, status=status, request_id=request_id, headers=headers)
        self._note(http, route, response, request_id=request_id, took=perf_counter() - begun)
        return response

    async def _answer(
        self, http: BaseRequest, route: Route, params: dict[str, int | str], request_id: str
    ) -> StreamResponse:
        services = self._services
        headers = http.headers
        is_write = http.method not in _READS
        if is_write or route.upgrades:
            services.origins.check(http)
        actor: Actor | None = None
        secret_hash = ""
        if not route.who.is_open:
            secret_hash, is_cookie = credential_of(http, cookie=services.cookie)
            actor = await services.credentials.actor(secret_hash)
            if is_cookie and is_write:
                services.origins.check_cookie(http)
            if not route.who.allows(actor):
                raise Forbidden(f"This is for {route.who.describe()}.", needs=route.who.describe())
        if route.upgrades and headers.get("Upgrade", "").lower() != "websocket":
            raise Invalid(
                "This path is a WebSocket: come with Connection: Upgrade and Upgrade: websocket.", field="Upgrade"
            )
        is_page = route.media == "text/html" and route.query is None  # links to pages carry all sorts of things
        query = None if is_page else decode_query(http.raw_path.partition("?")[2], route.query)
        body = None
        if route.body is not None:
            raw = await read_body(http, limit=route.limit)
            body = decode_body(raw, route.body, content_type=headers.get("Content-Type", ""), is_data=route.is_data)
        call = Call(
            http=http,
            route=route,
            services=services,
            params=params,
            request_id=request_id,
            actor=actor,
            secret_hash=secret_hash,
            query=query,
            body=body,
        )
        answer = await route.handler(call)
        if isinstance(answer, StreamResponse):
            if not answer.prepared:
                answer.headers["X-Request-Id"] = request_id
                for name, value in SECURITY.items():
                    answer.headers.setdefault(name, value)
                answer.headers.setdefault("Cache-Control", "no-store")
            return answer
        return await packed_response(answer, http=http, status=route.status, request_id=request_id)

    def _note(
        self, http: BaseRequest, route: Route | None, response: StreamResponse, *, request_id: str, took: float
    ) -> None:
        operation = "none" if route is None else route.operation
        metrics = self._services.metrics
        metrics.count("pal_http_requests_total", "Requests answered.", operation=operation, status=str(response.status))
        if route is not None and route.answer is not None:
            metrics.observe("pal_http_request_seconds", "Time to answer.", took, operation=operation)
        if self._with_access_log:
            access_log.info(
                "%s %s %s",
                http.method,
                shown_path(http.path),  # without the query, which may hold what somebody searched for
                response.status,
                extra={
                    "action": "api.request",
                    "request_id": request_id,
                    "operation": operation,
                    "status": response.status,
                    "took_ms": round(took * 1000, 2),
                    "remote": http.remote,
                },
            )


def shown_path(path: str, /) -> str:
    """The path as logs may have it: without the token of a link."""
    return _LINKS.sub(r"\1…", path)


def bad_request_response(message: str, /) -> Response:
    """For what is no HTTP at all."""
    return _problem_response(Invalid(f"This is not valid HTTP: {message}."), "")


def _problem_response(error: PalError, request_id: str, *, for_a_person: bool = False) -> Response:
    status, body, headers = present_problem(error, request_id=request_id)
    if for_a_person:
        page = problem_page(error.message, status=status, request_id=request_id)
        page.headers.update(headers)
        return page
    return json_response(body, status=status, request_id=request_id, headers=headers)


def _translate(error: HTTPException) -> PalError:
    if isinstance(error, HTTPRequestEntityTooLarge):
        return TooLarge("The body is too large.")
    return Invalid(f"The request is not right: {_last_line(error.text or error.reason)}.")


def _last_line(text: str) -> str:
    """What aiohttp says of it, without what it says around it."""
    return (text.strip().splitlines() or [""])[-1].strip().rstrip(".")


def _request_ids() -> Callable[[], str]:
    """Short, unlike those of other servers and of this one's last life."""
    prefix, counter = secrets.token_hex(4), itertools.count(1)
    return lambda: f"{prefix}-{next(counter):x}"
