"""A bus of a few hundred lines in memory, for tests of the daemon: claims, leases, runs, events, orders, and faults to
order.

It checks what the real server checks where the daemon depends on it: leases and fences, numbering and
`after_source`, one open run per delivery. What it stored is plain Python for tests to look at.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from tests.support.patience import PATIENCE
from tests.support.ports import free_port

KEY = "sk_machine_test"
COMPUTER = "machine_test"


class Refusal(Exception):
    def __init__(self, status: int, code: str, **facts: object) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.facts = facts


@dataclass
class FakeDelivery:
    id: int
    work: dict[str, Any]
    status: str = "pending"
    fence: int = 0
    lease_until: int = 0
    run: int | None = None
    is_started: bool = False
    released: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class FakeRun:
    id: int
    delivery: int
    fence: int
    token: str
    status: str = "starting"
    pid: int | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    finish: dict[str, Any] | None = None
    interactions: dict[str, int] = field(default_factory=dict)
    asks: list[dict[str, Any]] = field(default_factory=list)  # the first of each key
    withdrawn: list[int] = field(default_factory=list)

    @property
    def last_seq(self) -> int:
        return self.events[-1]["seq"] if self.events else 0

    @property
    def last_source(self) -> int | None:
        return self.events[-1]["source"] if self.events else None

    def text(self, kind: str) -> str:
        return "".join(event["text"] or "" for event in self.events if event["kind"] == kind)


class FakeBus:
    """`url` once started. Faults: `is_away` (503), `lose_answers` (carried out, then the connection is cut)."""

    def __init__(self, *, lease_for: int = 60_000, first_run: int = 1) -> None:
        self.lease_for = lease_for
        self.deliveries: dict[int, FakeDelivery] = {}
        self.runs: dict[int, FakeRun] = {}
        self.commands: dict[int, dict[str, Any]] = {}
        self.commands_done: dict[int, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.heartbeats: list[dict[str, Any]] = []
        self.connected: dict[str, Any] = {}
        self.agents = ["worker"]
        self.findings: list[dict[str, Any]] = []
        self.accounts: list[dict[str, Any]] = []
        self.is_away = False
        self.is_key_good = True
        self.is_revoked = False
        self.has_socket = True
        self.interactions: dict[int, dict[str, Any]] = {}  # as they were asked
        self.native_sessions: dict[str, str | None] = {}
        self.lose_answers: set[str] = set()  # last words of paths whose next answer is lost
        self.unknown_at_end: set[str] = set()  # fields of an end that this older server does not know
        self.epoch = 1
        self.status = "online"
        self.url = ""
        self.websocket = self._websocket
        self._first_run = first_run
        self._said: list[str] = []
        self._sockets: set[web.WebSocketResponse] = set()
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._port = free_port()  # which is there again when it comes back

    async def start(self) -> None:
        app = web.Application(client_max_size=32 << 20)
        app.router.add_get("/api/daemon/ws", self._open_websocket)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._port}"

    async def close(self) -> None:
        for socket in tuple(self._sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # What tests do

    async def given_delivery(self, *, content: str = "hello", look: bool = True, **agent: Any) -> FakeDelivery:
        number = len(self.deliveries) + 1
        profile = {"key": "worker", "display_name": "Worker", "runtime": "demo", **agent}
        work = {
            "agent": profile,
            "prompt": f"prompt: {content}",
            "content": content,
            "room": "room_1",
            "room_name": "general",
            "topic": 7,
            "message": 70 + number,
            "session": f"session_{number}",
        }
        delivery = FakeDelivery(id=number, work=work)
        self.deliveries[number] = delivery
        if look:
            await self.say_look("deliveries")
        return delivery

    async def given_command(self, order: str, run: int | None, **data: Any) -> int:
        number = len(self.commands) + 1
        self.commands[number] = {"id": number, "kind": order, "run": run, "data": data, "created_at": _now()}
        await self.say_look("commands")
        return number

    async def say_look(self, what: str) -> None:
        await self._send({"type": "look", "what": what})

    async def say_bye(self, code: str, *, retry: bool) -> None:
        await self._send({"type": "bye", "code": code, "message": f"because of {code}", "retry": retry})

    def everything_said(self) -> str:
        """Every body a daemon has sent."""
        return "\n".join(self._said)

    async def until(self, condition: Any, *, within: float = PATIENCE) -> Any:
        """The first true value of `condition()`, asked after each request."""
        async with asyncio.timeout(within), self._changed:
            while not (value := condition()):
                await self._changed.wait()
            return value

    async def run_of(self, delivery: FakeDelivery) -> FakeRun:
        return self.runs[await self.until(lambda: delivery.run)]

    async def end_of(self, delivery: FakeDelivery, *, within: float = PATIENCE) -> FakeRun:
        run: FakeRun = await self.until(lambda: self._ended(delivery), within=within)
        return run

    def _ended(self, delivery: FakeDelivery) -> FakeRun | None:
        run = self.runs.get(delivery.run or 0)
        return run if run is not None and run.finish is not None else None

    # What the daemon sees

    async def _send(self, frame: dict[str, Any]) -> None:
        for socket in tuple(self._sockets):
            await socket.send_json(frame)

    async def _open_websocket(self, request: web.Request) -> web.StreamResponse:
        return await self.websocket(request)

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if not self.has_socket or self.is_away:
            return web.Response(status=503)
        self._check_key(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and "ping" in message.data:
                    await socket.send_json({"type": "pong"})
        finally:
            self._sockets.discard(socket)
        return socket

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.is_away:
            return _json(503, {"error": {"code": "unavailable", "message": "away"}})
        raw = await request.read()
        body = msgspec.json.decode(raw) if raw else {}
        self.asked.append((request.method, request.path))
        self._said.append(raw.decode())
        try:
            self._check_key(request)
            answer = self._act(request.method, request.path.removeprefix("/api/").split("/"), body, request)
        except Refusal as refusal:
            error = {"code": refusal.code, "message": refusal.code, "facts": refusal.facts}
            return _json(refusal.status, {"error": error})
        finally:
            async with self._changed:
                self._changed.notify_all()
        word = request.path.rsplit("/", 1)[1]
        if word in self.lose_answers:
            self.lose_answers.discard(word)
            assert request.transport is not None
            request.transport.close()
        return _json(200, answer)

    def _check_key(self, request: web.Request) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        is_run = any(token == run.token for run in self.runs.values())
        if not (is_run or (self.is_key_good and token == KEY)):
            raise Refusal(401, "unauthenticated", **({"reason": "revoked"} if self.is_revoked else {}))
        epoch = request.headers.get("X-Pal-Epoch")
        if epoch is not None and int(epoch) < self.epoch:
            raise Refusal(409, "conflict", epoch=int(epoch), current=self.epoch)

    def _act(self, method: str, path: list[str], body: dict[str, Any], request: web.Request) -> Any:
        match path:
            case ["computers", "connect"]:
                return self._connect(body)
            case ["computers", _, "findings"]:
                self.findings.append(body)
                return {"ok": True}
            case ["accounts"]:
                return {"accounts": self.accounts, "next": None}
            case ["computers", _, "heartbeat"]:
                return self._heartbeat(body)
            case ["computers", _, "commands", id, "done"]:
                self.commands_done[int(id)] = body
                return {"ok": True}
            case ["deliveries", "claim"]:
                return self._claim(body)
            case ["deliveries", id, "renew"]:
                return self._renew(self._held(int(id), body))
            case ["deliveries", id, "release"]:
                delivery = self._held(int(id), body)
                delivery.released.append(body)
                delivery.status, delivery.fence = "pending", delivery.fence + 1
                return {"delivery": self._delivery(delivery)}
            case ["runs"] if method == "POST":
                return self._open(body)
            case ["runs", id, what]:
                return self._on_run(self._run(int(id), body), what, body)
            case ["interactions", id, "applied"]:
                return self._applied(int(id), body)
            case ["sessions", session, "runtime-session"]:
                self.native_sessions[session] = body["native_session"]
                return {"session": _session(session, body["native_session"])}
            case ["echo"]:
                return {
                    "method": method,
                    "as": request.headers["Authorization"],
                    "query": request.query_string,
                    "body": body,
                }
            case _:
                raise Refusal(404, "not_found")

    def _connect(self, body: dict[str, Any]) -> dict[str, Any]:
        self.connected = body
        live = [run for run in self.runs.values() if run.finish is None and not self._is_dropped(run)]
        return {
            "computer": self._computer(),
            "epoch": self.epoch,
            "agents": self.agents,
            "commands": self._open_commands(),
            "runs": [self._live(run) for run in live],
            "lease_for": self.lease_for,
            "now": _now(),
        }

    def _live(self, run: FakeRun) -> dict[str, Any]:
        return {
            "id": run.id,
            "delivery": run.delivery,
            "agent": "worker",
            "status": run.status,
            "lease_id": f"lease_{run.delivery}_{run.fence}",
            "fence": run.fence,
            "last_seq": run.last_seq,
            "last_source": run.last_source,
        }

    def _is_dropped(self, run: FakeRun) -> bool:
        return self.deliveries[run.delivery].fence != run.fence

    def _heartbeat(self, body: dict[str, Any]) -> dict[str, Any]:
        self.heartbeats.append(body)
        pending = sum(delivery.status == "pending" for delivery in self.deliveries.values())
        return {
            "agents": self.agents,
            "commands": self._open_commands(),
            "status": self.status,
            "pending": pending,
            "strays": [
                self._live(run)
                for run in self.runs.values()
                if run.finish is None and not self._is_dropped(run) and run.id not in body.get("running", [])
            ],
            "now": _now(),
        }

    def _claim(self, body: dict[str, Any]) -> dict[str, Any]:
        given = []
        for delivery in self.deliveries.values():
            if delivery.status == "pending" and len(given) < body.get("limit", 1):
                delivery.status, delivery.fence = "claimed", delivery.fence + 1
                delivery.is_started = False
                given.append({**self._delivery(delivery), "lease": self._lease(delivery), "work": delivery.work})
        return {"deliveries": given, "now": _now(), "more": False}

    def _renew(self, delivery: FakeDelivery) -> dict[str, Any]:
        return {"lease": self._lease(delivery), "now": _now()}

    def _open(self, body: dict[str, Any]) -> dict[str, Any]:
        delivery = self._held(body["delivery_id"], body)
        run = self.runs.get(delivery.run or 0)
        if run is None or run.fence != delivery.fence:
            number = self._first_run + len(self.runs)
            run = FakeRun(id=number, delivery=delivery.id, fence=delivery.fence, token=f"pal_run_secret{number}")
            self.runs[run.id] = run
            delivery.run, delivery.is_started = run.id, True
        return {"run": self._run_answer(run), "token": run.token}

    def _on_run(self, run: FakeRun, what: str, body: dict[str, Any]) -> dict[str, Any]:
        if run.finish is not None and what != "finish":
            raise Refusal(409, "lease_lost")
        match what:
            case "pid":
                run.pid, run.status = body["pid"], "running"
            case "state":
                run.status = body["status"]
            case "events":
                return self._add_events(run, body)
            case "interactions":
                if body["key"] not in run.interactions:
                    run.interactions[body["key"]] = 100 + sum(len(known.interactions) for known in self.runs.values())
                    run.asks.append(body)
                number = run.interactions[body["key"]]
                self.interactions[number] = body
                run.status = "waiting"
                return {"interaction": self._interaction(number, body)}
            case "finish":
                if self.unknown_at_end & body.keys():
                    raise Refusal(400, "invalid")
                if run.finish is None:
                    run.finish, run.status = body, body["status"]
                    self.deliveries[run.delivery].status = "acked"
        return {"run": self._run_answer(run)}

    def _applied(self, id: int, body: dict[str, Any]) -> dict[str, Any]:
        for run in self.runs.values():
            if id in run.interactions.values() and not body.get("applied", True):
                run.withdrawn.append(id)
        return {"interaction": self._interaction(id, body)}

    def _add_events(self, run: FakeRun, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("after_source", 0) != (run.last_source or 0):
            raise Refusal(409, "conflict", last_seq=run.last_seq, last_source=run.last_source)
        for event in body["events"]:
            assert event["seq"] == run.last_seq + 1, "events are numbered without holes"
            run.events.append(event)
        return {"accepted": len(body["events"]), "last_seq": run.last_seq, "last_source": run.last_source}

    def _held(self, id: int, body: dict[str, Any]) -> FakeDelivery:
        delivery = self.deliveries[id]
        if (
            delivery.status != "claimed"
            or body["fence"] != delivery.fence
            or body["lease_id"] != self._lease_id(delivery)
        ):
            raise Refusal(409, "lease_lost")
        return delivery

    def _run(self, id: int, body: dict[str, Any]) -> FakeRun:
        run = self.runs.get(id)
        if run is None:
            raise Refusal(404, "not_found")
        if body["fence"] != self.deliveries[run.delivery].fence or run.fence != body["fence"]:
            raise Refusal(409, "lease_lost")
        return run

    # Shapes

    def _open_commands(self) -> list[dict[str, Any]]:
        return [command for number, command in self.commands.items() if number not in self.commands_done]

    def _lease_id(self, delivery: FakeDelivery) -> str:
        return f"lease_{delivery.id}_{delivery.fence}"

    def _lease(self, delivery: FakeDelivery) -> dict[str, Any]:
        return {"id": self._lease_id(delivery), "fence": delivery.fence, "until": _now() + self.lease_for}

    def _computer(self) -> dict[str, Any]:
        return {"id": COMPUTER, "name": "test", "status": self.status, "created_at": 0}

    def _delivery(self, delivery: FakeDelivery) -> dict[str, Any]:
        return {
            "id": delivery.id,
            "message": delivery.work["message"],
            "room": "room_1",
            "topic": 7,
            "agent": "worker",
            "status": delivery.status,
            "reason": "mention",
            "attempts": delivery.fence,
            "max_attempts": 5,
            "hop": 0,
            "not_before": 0,
            "created_at": 0,
            "updated_at": 0,
        }

    def _run_answer(self, run: FakeRun) -> dict[str, Any]:
        return {
            "id": run.id,
            "delivery": run.delivery,
            "agent": "worker",
            "computer": COMPUTER,
            "room": "room_1",
            "topic": 7,
            "message": 1,
            "session": "session_1",
            "status": run.status,
            "last_seq": run.last_seq,
            "last_source": run.last_source,
            "created_at": 0,
        }

    def _interaction(self, id: int, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": id,
            "run": 1,
            "topic": 7,
            "room": "room_1",
            "agent": "worker",
            "kind": body.get("kind", "question"),
            "status": "pending",
            "title": body.get("title", ""),
            "body": "",
            "hash": "",
            "created_at": 0,
        }


def _session(id: str, native: str | None) -> dict[str, Any]:
    return {
        "id": id,
        "topic": 7,
        "agent": "worker",
        "computer": COMPUTER,
        "generation": 1,
        "native_session": native,
        "created_at": 0,
    }


def _json(status: int, value: Any) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


def _now() -> int:
    return time.time_ns() // 1_000_000
