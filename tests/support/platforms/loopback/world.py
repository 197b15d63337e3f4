"""The outside world of the loopback platform: chats, people, bots, and faults on demand.

It lives in the test's own process and counts what is visible, so it can tell what was lost or shown twice, whatever
server and bridge die of. `faults` are taken one by one, by the next call of their kind:

    cut_before, cut_after · error_before, error_after (HTTP 500) · limited · refused:WHY · slow
"""

import asyncio
import itertools
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.patience import PATIENCE

REDELIVER = 0.4  # seconds after which an event nobody acknowledged is told again
LONG = 5.0  # seconds a bot may wait for the next event


@dataclass(slots=True)
class Shown:
    """One visible thing, with every state it was in."""

    ref: str
    bot: str
    chat: str
    thread: str
    kind: str
    key: str
    states: list[Any]
    gone: bool = False

    @property
    def now(self) -> Any:
        return self.states[-1]


@dataclass(slots=True)
class Told:
    event: dict[str, Any]
    bot: str
    pushed: int = 0
    not_before: float = 0.0
    answer: dict[str, Any] | None = None
    acked: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class World:
    url: str = ""
    shown: dict[str, Shown] = field(default_factory=dict)
    reactions: dict[tuple[str, str], int] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    faults: deque[str] = field(default_factory=deque)
    secrets: dict[str, str] = field(default_factory=lambda: {"app-1": "right"})
    connected: set[str] = field(default_factory=set)
    is_away: bool = False  # every request is cut
    pings: int = 0
    finds: int = 0
    sends: int = 0
    hanging: int = 0  # sends that are still waited for
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    history: list[dict[str, Any]] = field(default_factory=list)  # what was said, for reading back
    tells_history: bool = True
    _events: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _connections: dict[str, int] = field(default_factory=dict)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    # People

    def say(self, text: str, *, bot: str = "app-1", event: str | None = None, lost: bool = False, **more: Any) -> Told:
        """Somebody says something to a bot; told again until it is acknowledged. `lost`: only history knows it."""
        number = next(self._numbers)
        said = {
            "type": "said",
            "event": event or f"e{number}",
            "chat": "g1",
            "thread": "t1",
            "kind": "group",
            "title": "Builders",
            "person": "ann",
            "name": "Ann",
            "ref": f"in-{number}",
            "text": text,
            **more,
        }
        told = Told(event=said, bot=bot)
        self.history.append({**said, "bot": bot})
        if not lost:
            self._events[bot].append(told)
            self._poke()
        return told

    def press(self, token: str, *, bot: str = "app-1", **more: Any) -> Told:
        return self.say("", bot=bot, type="action", token=token, **more)

    def again(self, told: Told) -> Told:
        """The platform tells the same event once more."""
        repeat = Told(event=told.event, bot=told.bot)
        self._events[told.bot].append(repeat)
        self._poke()
        return repeat

    def drop(self, bot: str) -> None:
        """Cut the bot's socket."""
        self._connections[bot] = self._connections.get(bot, 0) + 1
        self._poke()

    # What tests look at

    def texts(self, chat: str = "g1") -> list[str]:
        """Everything readable in a chat now, in order of appearing."""
        return [one.now for one in self.shown.values() if one.chat == chat and one.kind == "text" and not one.gone]

    def cards(self, chat: str = "g1") -> list[dict[str, Any]]:
        return [one.now for one in self.shown.values() if one.chat == chat and one.kind == "card" and not one.gone]

    def doubled(self) -> list[str]:
        """Keys that are visible twice."""
        counts: dict[str, int] = defaultdict(int)
        for one in self.shown.values():
            counts[one.key] += not one.gone
        return [key for key, count in counts.items() if count > 1]

    async def until(self, check: Any, *, within: float = PATIENCE) -> None:
        """Wait until `check()` is true; it is asked after each thing that happens here."""
        async with asyncio.timeout(within), self.changed:
            await self.changed.wait_for(check)

    # The wire

    async def open(self, request: web.Request) -> web.Response:
        told = await request.json()
        self.pings += 1
        if self.is_away:
            self._poke()
            return self._cut(request)
        if self.secrets.get(told["app_id"]) != told["secret"]:
            return web.json_response({"error": "wrong secret"}, status=401)
        self.connected.add(told["app_id"])
        self._poke()
        return web.json_response({"connection": self._connections.setdefault(told["app_id"], 0)})

    async def next(self, request: web.Request) -> web.Response:
        """The next event that is not acknowledged; 410 when the socket was cut."""
        bot, connection = request.query["bot"], int(request.query["connection"])
        loop = asyncio.get_running_loop()
        end = loop.time() + LONG
        while loop.time() < end and not self._stop.is_set():
            if self._connections.get(bot) != connection:
                return web.json_response({}, status=410)
            waiting = [told for told in self._events[bot] if not told.acked.is_set()]
            due = next((told for told in waiting if told.not_before <= loop.time()), None)
            if due is not None:
                due.pushed += 1
                due.not_before = loop.time() + REDELIVER
                return web.json_response({"number": self._events[bot].index(due), **due.event})
            pause = min([told.not_before - loop.time() for told in waiting] + [end - loop.time()])
            try:
                async with asyncio.timeout(max(0.01, pause)), self.changed:
                    await self.changed.wait()
            except TimeoutError:
                continue
        return web.json_response({}, status=204)

    async def ack(self, request: web.Request) -> web.Response:
        told = await request.json()
        event = self._events[told["bot"]][told["number"]]
        event.answer = told["answer"]
        event.acked.set()
        self._poke()
        return web.json_response({})

    async def send(self, request: web.Request) -> web.Response:
        told = await request.json()
        self.sends += 1
        fault = "cut_before" if self.is_away else self.faults.popleft() if self.faults else ""
        if fault == "limited":
            return web.json_response({"after": 0.2}, status=429)
        if fault.startswith("refused:"):
            return web.json_response({"why": fault.removeprefix("refused:")}, status=403)
        if fault == "error_before":
            return web.json_response({}, status=500)
        if fault == "cut_before":
            return self._cut(request)
        ref = self._carry_out(told)
        self._poke()
        if fault == "slow":
            await self._hang()
        if fault == "cut_after":
            return self._cut(request)
        if fault == "error_after":
            return web.json_response({}, status=500)
        return web.json_response({"ref": ref})

    async def find(self, request: web.Request) -> web.Response:
        self.finds += 1
        if self.is_away:
            return self._cut(request)
        found = [one.ref for one in self.shown.values() if one.key == request.query["key"] and not one.gone]
        return web.json_response({"ref": found[0] if found else None})

    async def file(self, request: web.Request) -> web.Response:
        content = self.files.get(request.query["key"])
        return web.Response(status=404) if content is None else web.Response(body=content)

    async def read_back(self, request: web.Request) -> web.Response:
        if not self.tells_history:
            return web.Response(status=503)
        return web.json_response([one for one in self.history if one["bot"] == request.query["bot"]])

    async def _hang(self) -> None:
        """Until nobody waits for the answer any more: the handler is cancelled then."""
        self.hanging += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.hanging -= 1

    def _carry_out(self, told: dict[str, Any]) -> str:
        match told["verb"]:
            case "post":
                ref = f"out-{next(self._numbers)}"
                self.shown[ref] = Shown(
                    ref=ref,
                    bot=told["bot"],
                    chat=told["chat"],
                    thread=told["thread"],
                    kind=told["kind"],
                    key=told["key"],
                    states=[told["content"]],
                )
                return ref
            case "edit":
                self.shown[told["ref"]].states.append(told["content"])
                return str(told["ref"])
            case "withdraw":
                self.shown[told["ref"]].gone = True
                return str(told["ref"])
            case "react":
                self.reactions[(told["message"], told["emoji"])] = 1
                return str(told["emoji"])
            case _:
                self.reactions.pop((told["message"], told["emoji"]), None)
                return str(told["emoji"])

    def _cut(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.json_response({})

    def _poke(self) -> None:
        """Tell who waits; from the loop."""

        async def tell() -> None:
            async with self.changed:
                self.changed.notify_all()

        task = asyncio.get_running_loop().create_task(tell())
        task.add_done_callback(lambda done: done.exception())


@asynccontextmanager
async def running_world() -> AsyncIterator[World]:
    world = World()
    app = web.Application()
    app.add_routes(
        [
            web.post("/open", world.open),
            web.get("/next", world.next),
            web.post("/ack", world.ack),
            web.post("/send", world.send),
            web.get("/find", world.find),
            web.get("/file", world.file),
            web.get("/history", world.read_back),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=0.2, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    world.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield world
    finally:
        world._stop.set()
        async with world.changed:
            world.changed.notify_all()
        await runner.cleanup()
