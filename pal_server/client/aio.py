"""The client for programs that run on: typed calls on aiohttp, and a stream that resumes.

async with Client(url, token) as client:
    answer = await client.call("POST", "/api/deliveries/claim", body=ClaimDeliveries(limit=4), answer=ClaimsAnswer)
"""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

import aiohttp
import msgspec

from pal_server.client.problems import ApiProblem, Unreachable, problem_of
from pal_server.client.retry import Pauses, is_worth_repeating
from pal_server.client.stream import SILENCE, SseReader
from pal_server.contract.base import Request
from pal_server.contract.events import Event
from pal_server.contract.runs import RunEvent

__all__ = ["ApiProblem", "Client", "Unreachable"]

TIMEOUT = 30.0  # seconds for one call
CONNECT_TIMEOUT = 5.0  # seconds until somebody answers the connection
PART = 256 * 1024  # bytes handed to the disk at a time
BEAT = 25.0  # seconds between pings of a WebSocket

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


class Client:
    """Calls to one server with one credential. Connections are kept and shared; close it, or use `async with`."""

    def __init__(self, url: str, token: str | None = None, *, timeout: float = TIMEOUT) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_TIMEOUT)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of all connections. The client may be used again afterwards."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Request | Mapping[str, object] | bytes | None = None,
        query: Mapping[str, object] | None = None,
        answer: type[T],
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """One request. `ApiProblem` when the server refused, `Unreachable` when no answer of its came.

        Nothing is repeated here: only the caller knows whether the request may be.
        """
        sent = self._headers(headers)
        content: bytes | None = None
        if isinstance(body, bytes):
            content, sent["Content-Type"] = body, "application/octet-stream"
        elif body is not None:
            content, sent["Content-Type"] = _encode(body), "application/json"
        try:
            async with self._open().request(
                method, self.url + path, data=content, params=_parameters(query), headers=sent, allow_redirects=False
            ) as response:
                raw = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise Unreachable(_reason(exc)) from exc
        if not 200 <= response.status < 300:
            raise problem_of(response.status, _document(raw), retry_after=response.headers.get("Retry-After"))
        try:
            return _decoder(answer).decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise Unreachable(f"the answer to {method} {path} is not what was agreed: {exc}") from exc

    async def download(self, path: str) -> bytes:
        """A file's bytes. `ApiProblem` or `Unreachable` as `call`."""
        content = io.BytesIO()
        await self.download_into(content, path)
        return content.getvalue()

    async def download_into(self, into: BinaryIO, path: str) -> None:
        """A file's bytes, from the beginning of `into` on. `ApiProblem` or `Unreachable` as `call`."""
        into.seek(0)
        into.truncate()
        try:
            async with self._open().get(
                self.url + path, headers=self._headers(None), allow_redirects=False, timeout=_STREAMING
            ) as response:
                if response.status != 200:
                    raw = await response.read()
                    raise problem_of(response.status, _document(raw), retry_after=response.headers.get("Retry-After"))
                async for part in response.content.iter_chunked(PART):
                    await asyncio.to_thread(into.write, part)
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise Unreachable(_reason(exc)) from exc

    def events(self, after: int | None = None) -> AsyncIterator[Event]:
        """The workspace's events, each once and in order; see `stream`."""
        return self.stream("/api/events", after, kind=Event)

    def run_events(self, run: int, after: int = 0) -> AsyncIterator[RunEvent]:
        """The events of one run, each once and in order; ends when the run has."""
        return self.stream(f"/api/runs/{run}/events", after, kind=RunEvent)

    async def stream(self, path: str, after: int | None = None, *, kind: type[T]) -> AsyncIterator[T]:
        """Events one by one: a stream that is cut goes on from its position, a server that is away is waited for.

        Without `after`: from now on. A refusal (`ApiProblem`) ends it, and so does a frame `end` of the server.
        """
        position = after
        pauses = Pauses()
        decoder = _decoder(kind)
        while True:
            headers = self._headers({"Accept": "text/event-stream"})
            if position is not None:
                headers["Last-Event-ID"] = str(position)
            at_least: float | None = None
            try:
                async with self._open().get(self.url + path, headers=headers, timeout=_STREAMING) as response:
                    if response.status != 200:
                        raw = await response.read()
                        raise problem_of(
                            response.status, _document(raw), retry_after=response.headers.get("Retry-After")
                        )
                    reader = SseReader()
                    async for received in response.content.iter_any():
                        for frame in reader.feed(received):
                            if frame.event == "end":
                                return
                            if frame.id is not None:
                                position = frame.id
                            pauses.reset()
                            yield decoder.decode(frame.data)
                        position = reader.position if position is None else position
            except ApiProblem as exc:
                if not is_worth_repeating(exc):
                    raise
                at_least = exc.retry_after
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
                pass  # cut: the same again from the position we have
            await asyncio.sleep(pauses.next(at_least=at_least))

    async def websocket(
        self, path: str, *, headers: Mapping[str, str] | None = None
    ) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket; the caller closes it. `ApiProblem` or `Unreachable` when it cannot be opened."""
        try:
            return await self._open().ws_connect(
                self.url + path, headers=self._headers(headers), heartbeat=BEAT, max_msg_size=0
            )
        except aiohttp.WSServerHandshakeError as exc:
            retry_after = None if exc.headers is None else exc.headers.get("Retry-After")
            raise _handshake_problem(exc.status, retry_after) from exc
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise Unreachable(_reason(exc)) from exc

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _headers(self, more: Mapping[str, str] | None) -> dict[str, str]:
        headers = dict(more or {})
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers


_STREAMING = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=SILENCE)
_DECODERS: dict[type, Any] = {}  # by type; a dictionary cannot say that what it gives follows what it gets
_CODES = {
    400: "invalid",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    429: "rate_limited",
}


def _handshake_problem(status: int, retry_after: str | None) -> ApiProblem:
    """A refused WebSocket comes without its body; the status says enough."""
    code = _CODES.get(status, "unavailable")
    document = {"error": {"code": code, "message": f"the WebSocket was refused with HTTP {status}"}}
    return problem_of(status, document, retry_after=retry_after)


def _parameters(query: Mapping[str, object] | None) -> dict[str, str]:
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _decoder(kind: type[T]) -> "msgspec.json.Decoder[T]":
    known: msgspec.json.Decoder[T] | None = _DECODERS.get(kind)
    if known is None:
        known = _DECODERS[kind] = msgspec.json.Decoder(kind)
    return known


def _document(raw: bytes) -> object:
    try:
        document: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return document


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
