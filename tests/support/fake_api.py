"""A stand-in for server and daemon: answers what it was told to, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came. `body` is parsed JSON, or the bytes where it is none."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer. `cut` closes the line without a word; `raw` goes out as it is, for streams."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    cut: bool = False


def problem(status: int, code: str, message: str = "no", **facts: Any) -> Told:
    """An error in the one shape."""
    return Told(
        status=status,
        body={"error": {"code": code, "message": message, "facts": facts, "request_id": "req_1"}},
    )


def events(*told: dict[str, Any]) -> Told:
    """A stream of events that is cut after the last one."""
    text = "".join(f"id: {e['position']}\nevent: {e['kind']}\ndata: {json.dumps(e)}\n\n" for e in told)
    return Told(raw=text.encode(), headers={"Content-Type": "text/event-stream"})


Answerer = Told | dict[str, Any] | Callable[[Asked], Told] | list["Told | dict[str, Any]"]


class FakeApi:
    """`answers` maps "METHOD /path" to an answer, a function of the request, or a list given out one by one."""

    def __init__(self) -> None:
        self.answers: dict[str, Answerer] = {}
        self.asked: list[Asked] = []
        self.url = ""

    def last(self) -> Asked:
        return self.asked[-1]

    def answer(self, asked: Asked) -> Told:
        self.asked.append(asked)
        answer = self.answers.get(f"{asked.method} {asked.path}")
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if answer is None:
            return problem(404, "not_found", f"nothing is known of {asked.path}")
        if isinstance(answer, dict):
            return Told(body=answer)
        return answer(asked) if callable(answer) else answer


@contextmanager
def fake_api() -> Iterator[FakeApi]:
    """A fake that listens on a free port for as long as the block runs."""
    fake = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            is_json = self.headers.get("Content-Type") == "application/json"
            parts = urlsplit(self.path)
            asked = Asked(
                method=self.command,
                path=unquote(parts.path),
                query=dict(parse_qsl(parts.query)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=json.loads(raw) if is_json and raw else raw,
            )
            self.tell(fake.answer(asked))

        def tell(self, told: Told) -> None:
            self.close_connection = True
            if told.cut:
                return
            data = told.raw if told.raw is not None else json.dumps(told.body).encode()
            self.send_response_only(told.status)
            for name, value in {"Content-Type": "application/json", **told.headers}.items():
                self.send_header(name, value)
            if told.raw is None:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names http.server calls

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
