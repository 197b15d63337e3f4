"""The client for the command line: one request at a time, on the standard library's `http.client`.

Loads neither aiohttp nor msgspec, so that `pal cli send` is quick. Bodies and answers are plain dictionaries.
"""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from pal_server.client.problems import ApiProblem, Unreachable, problem_of
from pal_server.client.retry import Pauses, is_worth_repeating
from pal_server.client.stream import SILENCE, Frame, SseReader

__all__ = ["ApiProblem", "Client", "Unreachable"]

TIMEOUT = 30.0  # seconds without a byte


class Client:
    """Calls to one server or daemon. Holds no connection between calls."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        timeout: float = TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`Unreachable` when `url` is no http address."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            port = parts.port
        except ValueError as exc:
            raise Unreachable(f"{url} has no valid port") from exc
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unreachable(f"{url} is not an http address")
        self._is_secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = port
        self._prefix = parts.path.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._sleep = sleep

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | bytes | None = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer's document. `ApiProblem` when the server refused, `Unreachable` when no answer came."""
        content, sent = None, self._headers(headers)
        if isinstance(body, bytes):
            content, sent["Content-Type"] = body, "application/octet-stream"
        elif body is not None:
            # not escaped: a text of many scripts would be two to three times as long, over the limit of a body
            content = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
            sent["Content-Type"] = "application/json"
        connection = self._connect()
        try:
            connection.request(method, self._target(path, query), body=content, headers=sent)
            answer = connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException) as exc:
            raise Unreachable(_reason(exc)) from exc
        finally:
            connection.close()
        document = _document(raw)
        if not 200 <= answer.status < 300:
            raise problem_of(answer.status, document, retry_after=answer.headers.get("Retry-After"))
        if not isinstance(document, dict):
            raise Unreachable("what answers there is not pal")
        return document

    def stream(
        self,
        path: str,
        after: int | None = None,
        *,
        query: Mapping[str, object] | None = None,
        within: float | None = None,
    ) -> Iterator[Any]:
        """Events one by one, each once and in order, for ever: a stream that is cut goes on from its position.

        Without `after`: from now on. A refusal (`ApiProblem`) ends it; silence, cuts and a busy server do not. With
        `within` it ends after so many seconds.
        """
        position = after
        pauses = Pauses()
        until = None if within is None else time.monotonic() + within
        while until is None or time.monotonic() < until:
            try:
                for begin, frame in self._one_stream(path, position, query, until=until):
                    position = begin if frame is None else frame.id if frame.id is not None else position
                    if frame is None:
                        continue
                    if frame.event == "end":
                        return
                    pauses.reset()
                    yield json.loads(frame.data)
                pause = pauses.next()
            except (ApiProblem, Unreachable) as exc:
                if not is_worth_repeating(exc):
                    raise
                pause = pauses.next(at_least=getattr(exc, "retry_after", None))
            self._sleep(pause if until is None else max(0.0, min(pause, until - time.monotonic())))

    def _one_stream(
        self, path: str, position: int | None, query: Mapping[str, object] | None, *, until: float | None
    ) -> Iterator[tuple[int | None, Frame | None]]:
        """Frames as they come; before the first one (None, so to say) where the stream begins. `until` is a moment of
        the monotonic clock.
        """
        headers = self._headers({"Accept": "text/event-stream"})
        if position is not None:
            headers["Last-Event-ID"] = str(position)
        connection = self._connect(timeout=SILENCE if until is None else _left(until))
        try:
            connection.request("GET", self._target(path, query), headers=headers)
            wire = connection.sock  # the answer may take it over
            answer = connection.getresponse()
            if answer.status != 200:
                retry_after = answer.headers.get("Retry-After")
                raise problem_of(answer.status, _document(answer.read()), retry_after=retry_after)
            reader = SseReader()
            while received := answer.read1(65536):
                frames = reader.feed(received)
                if not frames and reader.position is not None and position is None:
                    yield reader.position, None
                for frame in frames:
                    yield None, frame
                if until is not None:
                    wire.settimeout(_left(until))
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise Unreachable(_reason(exc)) from exc
        finally:
            connection.close()

    def _connect(self, *, timeout: float | None = None) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._is_secure else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=timeout or self._timeout)

    def _target(self, path: str, query: Mapping[str, object] | None) -> str:
        given = {name: _plain(value) for name, value in (query or {}).items() if value is not None}
        return f"{self._prefix}{path}?{urlencode(given)}" if given else f"{self._prefix}{path}"

    def _headers(self, more: Mapping[str, str] | None) -> dict[str, str]:
        headers = {"Accept": "application/json", **(more or {})}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers


def _left(until: float) -> float:
    """Seconds a read may take: never longer than a stream may be silent, and never none at all."""
    return max(0.001, min(SILENCE, until - time.monotonic()))


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _document(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "the name of the host is not known"
    return str(error) or type(error).__name__
