"""A real server, the loopback world, and a bridge between them, all in one process; the agent is played by the test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any, TypeVar

import pytest_asyncio

from pal_server.bridges.bridge import Bridge
from pal_server.client.aio import Client
from tests.support.patience import PATIENCE
from tests.support.platforms.loopback import Loopback, World, running_world
from tests.support.server import MovableClock, ProvisionedComputer, ServerUnderTest, expect, start_server

T = TypeVar("T")


class RealClock(MovableClock):
    """Time as it is: leases and pauses of a bridge are real here."""

    def __call__(self) -> int:
        return int(time() * 1000)


class ShiftedClock(RealClock):
    """Time as it is, moved ahead by hand: what a dead bridge held is free at once."""

    ahead = 0  # milliseconds

    def __call__(self) -> int:
        return super().__call__() + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += round(seconds * 1000)


async def poll(ask: Callable[[], Awaitable[T]], check: Callable[[T], bool], *, within: float = PATIENCE) -> T:
    """What `ask` answers once `check` is true of it; for what tells nobody when it changes."""
    pause = asyncio.Event()  # never set
    async with asyncio.timeout(within):
        while not check(found := await ask()):
            with suppress(TimeoutError):
                await asyncio.wait_for(pause.wait(), 0.03)
    return found


@dataclass(slots=True)
class Scene:
    """`ann` may operate. The bot `app-1` is bound to the agent `reviewer` on the computer `laptop`."""

    server: ServerUnderTest
    world: World
    computer: ProvisionedComputer
    platform: Loopback

    async def bind(self, agent: str = "reviewer", *, app_id: str = "app-1", **more: Any) -> Any:
        """Beside the check of the real route, which is a process of its own."""
        body = {
            "platform": "loopback",
            "app_id": app_id,
            "credentials": {"secret": "right"},
            "agent": agent,
            "base_url": self.world.url,
            "verify": False,
            **more,
        }
        return expect(await self.server.post("/api/bots", body), 200)["bot"]

    async def allow(self, person: str = "ann", **more: Any) -> None:
        body = {"platform": "loopback", "external_id": person, "name": person.title(), **more}
        expect(await self.server.post("/api/identities", body), 200)

    async def bot(self, app_id: str = "app-1") -> Any:
        bots = expect(await self.server.get("/api/bots"), 200)["bots"]
        return next(bot for bot in bots if bot["app_id"] == app_id)

    async def posts(self, **more: Any) -> list[Any]:
        found: list[Any] = expect(await self.server.get("/api/posts", limit=200, **more), 200)["posts"]
        return found

    async def claim(self) -> Any:
        """The next delivery, as the daemon gets it, and its run."""
        claimed = await poll(lambda: self.server.claim(self.computer), bool)
        return claimed[0], (await self.server.open_run(self.computer, claimed[0]))["run"]

    async def answer(self, text: str) -> Any:
        """The agent does what waits first, and says this."""
        claimed, run = await self.claim()
        expect(await self.server.finish(self.computer, claimed, run, text=text), 200)
        return run

    @asynccontextmanager
    async def bridge(self) -> AsyncIterator[Bridge]:
        """A bridge for as long as the block runs."""
        token = await self.server.token("owner", kind="bridge")
        stop = asyncio.Event()
        async with Client(self.server.url, token, timeout=45.0) as client:
            bridge = Bridge(platform=self.platform, client=client)
            running = asyncio.create_task(bridge.run(stop))
            try:
                yield bridge
            finally:
                stop.set()
                await running


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with (
        running_world() as world,
        start_server(tmp_path / "home", clock=RealClock(), with_loops=True, bridges=False) as server,
    ):
        computer = await server.provision()
        await server.connect(computer)
        await server.agent("reviewer", computer=computer)
        made = Scene(server=server, world=world, computer=computer, platform=Loopback())
        await made.bind()
        await made.allow()
        yield made
