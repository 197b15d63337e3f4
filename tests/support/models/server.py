"""A model service on loopback that says what a script tells it to, in whichever dialects it is given.

A script is a list of answers, taken one per question. A question is a request that offers the model tools or that
nobody else accounts for; small side requests of a program (titles, token counts) are answered by the dialect itself.
When the script is used up, the model says DONE.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.patience import LONG_PATIENCE

DONE = "Nothing more to say."


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Said in `pieces` parts, so that deltas can be seen."""

    text: str
    pieces: int = 2

    def split(self) -> list[str]:
        size = max(1, -(-len(self.text) // self.pieces))
        return [self.text[at : at + size] for at in range(0, len(self.text), size)] or [""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The model wants a tool used. `id` is made up when left out."""

    name: str
    input: dict[str, Any]
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """The stream stands still here until the event is set."""

    until: asyncio.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    input: int = 100
    output: int = 10
    cached: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """One whole answer. `is_cut` breaks the connection before its end."""

    parts: tuple[Text | Thinking | Call | Wait, ...]
    tokens: Tokens = Tokens()
    is_cut: bool = False
    stop: str | None = None  # the dialect's own word; follows from the parts when left out

    @property
    def has_calls(self) -> bool:
        return any(isinstance(part, Call) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """The service answers with an HTTP error; `retry_after` in seconds."""

    status: int
    message: str = "the script says no"
    retry_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Step = Say | Refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The body as JSON, to look for words in it."""
        return json.dumps(self.body, ensure_ascii=False)


@dataclass(slots=True)
class Model:
    """The script, and what was asked. `questions` took a step each; `requests` has everything."""

    url: str = ""
    questions: list[Asked] = field(default_factory=list)
    requests: list[Asked] = field(default_factory=list)
    _steps: deque[Step] = field(default_factory=deque)
    _calls: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def script(self, *steps: Step | Text | Call) -> None:
        """What comes next, after what was scripted before; a lone text or call is a whole answer."""
        self._steps.extend(step if isinstance(step, Say | Refuse) else Say(parts=(step,)) for step in steps)

    async def asked(self, number: int) -> Asked:
        """The question of this number, the first is 1, once it has come."""
        async with asyncio.timeout(LONG_PATIENCE), self._changed:
            await self._changed.wait_for(lambda: len(self.questions) >= number)
        return self.questions[number - 1]

    # For the dialects

    async def note(self, request: web.Request) -> Asked:
        raw = await request.read()
        asked = Asked(path=request.path, headers=dict(request.headers), body=json.loads(raw) if raw else {})
        self.requests.append(asked)
        return asked

    async def next_step(self, asked: Asked) -> Step:
        async with self._changed:
            self.questions.append(asked)
            self._changed.notify_all()
        return self._steps.popleft() if self._steps else Say(parts=(Text(text=DONE),))

    def call_id(self, call: Call, *, prefix: str) -> str:
        self._calls += 1
        return call.id or f"{prefix}{self._calls:04d}"


Dialect = Callable[[web.Application, Model], None]


@contextlib.asynccontextmanager
async def serve(*dialects: Dialect) -> AsyncIterator[Model]:
    """A model service on a free port of 127.0.0.1; `url` has no path."""
    model = Model()
    app = web.Application(client_max_size=64 << 20)
    for add_routes in dialects:
        add_routes(app, model)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        model.url = f"http://{host}:{port}"
        yield model
    finally:
        await runner.cleanup()


class EventStream:
    """Server-sent events on one response."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})

    async def open(self) -> None:
        await self._response.prepare(self._request)

    async def send(self, data: object, *, event: str | None = None) -> None:
        body = data if isinstance(data, str) else json.dumps(data)
        head = f"event: {event}\n" if event else ""
        await self._response.write(f"{head}data: {body}\n\n".encode())

    async def close(self) -> web.StreamResponse:
        await self._response.write_eof()
        return self._response

    def cut(self) -> web.StreamResponse:
        """Break the connection as a network would."""
        transport = self._request.transport
        if transport is not None:
            transport.abort()
        return self._response
