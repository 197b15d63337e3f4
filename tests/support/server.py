"""A real server in this process: own home, free port, a clock that is moved by hand, loops that are stepped by hand.

    async def test_something(server):
        computer = await server.provision("laptop")
        agent = await server.agent("reviewer", computer=computer)
        sent = await server.send("@reviewer look", room="general")

Requests go over HTTP. They are the owner's unless `token` says otherwise; `token=None` sends no credential.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from pal_server.app import Server, running_server
from pal_server.config import Settings
from pal_server.storage.store import Store
from tests.support.migrated import place_migrated

START = 1_800_000_000_000  # UTC milliseconds

_OWNER: Any = object()


class MovableClock:
    """UTC milliseconds; stands still until it is moved. As a real one it is never twice the same."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: Any  # parsed JSON, or bytes where it is none

    @property
    def code(self) -> str:
        """Of an error."""
        return str(self.body["error"]["code"])

    @property
    def facts(self) -> dict[str, Any]:
        """Of an error."""
        facts: dict[str, Any] = self.body["error"]["facts"]
        return facts

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedComputer:
    id: str
    name: str
    key: str
    command: str


class ServerUnderTest:
    """One running server and one HTTP client. Made by `start_server` or the fixture `server`."""

    def __init__(self, *, app: Server, clock: MovableClock, session: aiohttp.ClientSession) -> None:
        self.app = app
        self.clock = clock
        self.url = f"http://127.0.0.1:{app.port}"
        self.home = app.settings.home
        self.owner = (self.home / "owner.token").read_text().strip()
        self.session = session

    @property
    def store(self) -> Store:
        """The server's own store, for what no route does."""
        return self.app.store

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = _OWNER,
        json: Any = None,
        data: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request, its answer whatever it is."""
        sent = dict(headers or {})
        if token is _OWNER:
            token = self.owner
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        given = None if params is None else {name: str(value) for name, value in params.items() if value is not None}
        async with self.session.request(
            method, self.url + path, json=json, data=data, params=given, headers=sent, allow_redirects=False
        ) as response:
            is_json = response.headers.get("Content-Type", "").startswith("application/json")
            body = await response.json() if is_json else await response.read()
            return Response(status=response.status, headers=response.headers, body=body)

    async def get(self, path: str, *, token: str | None = _OWNER, **params: Any) -> Response:
        return await self.request("GET", path, token=token, params=params)

    async def post(
        self,
        path: str,
        json: Any = None,
        *,
        token: str | None = _OWNER,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        return await self.request("POST", path, json={} if json is None else json, token=token, headers=headers)

    async def patch(self, path: str, json: Any, *, token: str | None = _OWNER) -> Response:
        return await self.request("PATCH", path, json=json, token=token)

    async def delete(self, path: str, *, token: str | None = _OWNER) -> Response:
        return await self.request("DELETE", path, token=token)

    async def step(self, loop: str) -> None:
        """Let a loop of the server do what is due now."""
        while await self.app.loop(loop).step():
            pass

    async def provision(self, name: str = "laptop") -> ProvisionedComputer:
        """A computer whose daemon has not come yet."""
        answer = expect(await self.post("/api/computers/provision", {"name": name}), 201)
        return ProvisionedComputer(
            id=answer["computer"]["id"], name=name, key=answer["api_key"], command=answer["command"]
        )

    async def connect(self, computer: ProvisionedComputer, *, machine: str = "machine-1", **more: Any) -> Any:
        """What its daemon does first; the answer of `connect`."""
        runtimes = [{"name": name, "available": True} for name in ("demo", "command", "manual")]
        body = {"machine": machine, "host": "test", "os": "linux", "runtimes": runtimes, **more}
        return expect(await self.post("/api/computers/connect", body, token=computer.key), 200)

    async def agent(
        self,
        key: str = "reviewer",
        *,
        computer: ProvisionedComputer | None = None,
        room: str | None = None,
        mode: str = "mentions",
        **more: Any,
    ) -> str:
        """An agent, assigned when `computer` is given, and in `room` besides the first one."""
        body = {"agent_key": key, "runtime": "demo", **more}
        if computer is not None:
            body["computer_id"] = computer.id
        expect(await self.post("/api/agents/onboard", body), 201)
        if room is not None or mode != "mentions":
            expect(await self.post(f"/api/rooms/{room or 'general'}/agents", {"agent": key, "mode": mode}), 201)
        return key

    async def user(self, username: str = "alice", *, role: str = "member", password: str | None = None) -> str:
        """A user; a token of theirs."""
        expect(await self.post("/api/users", {"username": username, "role": role, "password": password}), 201)
        return await self.token(username)

    async def token(self, username: str, *, kind: str = "user", **more: Any) -> str:
        body = {"name": f"test {secrets.token_hex(3)}", "kind": kind, "user": username, **more}
        return str(expect(await self.post("/api/tokens", body), 201)["secret"])

    async def revoke_tokens(self) -> None:
        """End every token made by `token` and `user`."""
        for token in expect(await self.get("/api/tokens", limit=200), 200)["tokens"]:
            if token["name"].startswith("test "):
                expect(await self.post(f"/api/tokens/{token['id']}/revoke"), 200)

    async def room(self, name: str, **more: Any) -> Any:
        return expect(await self.post("/api/rooms", {"name": name, **more}), 201)["room"]

    async def send(self, content: str, *, room: str | None = "general", token: str = _OWNER, **more: Any) -> Any:
        """The answer to a message that is accepted."""
        body = {"content": content, **({"room": room} if room is not None else {}), **more}
        return expect(await self.post("/api/messages", body, token=token), 201)

    async def claim(self, computer: ProvisionedComputer, *, limit: int = 1) -> list[Any]:
        """What its daemon gets from the queue."""
        answer = await self.post("/api/deliveries/claim", {"limit": limit}, token=computer.key)
        claimed: list[Any] = expect(answer, 200)["deliveries"]
        return claimed

    async def open_run(self, computer: ProvisionedComputer, claimed: Any) -> Any:
        """A run for a claimed delivery: `{"run": …, "token": …}`."""
        body = {"delivery_id": claimed["id"], **lease_of(claimed)}
        return expect(await self.post("/api/runs", body, token=computer.key), 201)

    async def finish(self, computer: ProvisionedComputer, claimed: Any, run: Any, **more: Any) -> Response:
        body = {"status": "succeeded", **lease_of(claimed), **more}
        return await self.post(f"/api/runs/{run['id']}/finish", body, token=computer.key)

    async def running(
        self, content: str = "@reviewer go", *, agent: str = "reviewer", computer_name: str = "laptop"
    ) -> tuple[ProvisionedComputer, Any, Any]:
        """A new computer with an agent that is at work: computer, claimed delivery, `{"run", "token"}`."""
        computer = await self.provision(computer_name)
        await self.connect(computer)
        await self.agent(agent, computer=computer)
        await self.send(content)
        self.clock.advance(5)  # past the pause in which more of a burst may come
        [claimed] = await self.claim(computer)
        return computer, claimed, await self.open_run(computer, claimed)


def lease_of(claimed: Any) -> dict[str, Any]:
    """What every later write under the claim carries."""
    return {"lease_id": claimed["lease"]["id"], "fence": claimed["lease"]["fence"]}


def expect(response: Response, status: int) -> Any:
    """The body of an answer that has to have this status."""
    assert response.status == status, response.body
    return response.body


@asynccontextmanager
async def start_server(
    home: Path, *, clock: MovableClock | None = None, with_loops: bool = False, **settings: Any
) -> AsyncIterator[ServerUnderTest]:
    """A server on a free port for as long as the block runs. Started again on the same home it has everything back."""
    moving = clock or MovableClock()
    chosen = Settings(home=home, **{"port": 0, **settings})
    if chosen.is_embedded:
        place_migrated(Path(chosen.database))
    started: asyncio.Future[Server] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    async def live() -> None:
        # In a task of its own: fixtures are entered and left in different tasks, which a task group does not allow.
        try:
            async with running_server(chosen, clock=moving, with_loops=with_loops) as app:
                started.set_result(app)
                await stop.wait()
        except BaseException as exc:
            if started.done():
                raise
            started.set_exception(exc)

    living = asyncio.create_task(live(), name="server under test")
    app = await started
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield ServerUnderTest(app=app, clock=moving, session=session)
    finally:
        stop.set()
        await living


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest_asyncio.fixture
async def server(tmp_path: Path, clock: MovableClock) -> AsyncIterator[ServerUnderTest]:
    async with start_server(tmp_path / "home", clock=clock) as running:
        yield running


@pytest.fixture
def api(server: ServerUnderTest) -> ServerUnderTest:
    """The same server under the name of what is tested."""
    return server
