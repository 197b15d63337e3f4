"""A platform's bots on loopback: how soon an event is stored and acknowledged, and what many bots cost."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from tests.bench.api import Api
from tests.bench.figure import Bench, Figure, Seen
from tests.bench.places import Served, serving
from tests.bench.processes import resident
from tests.support.platforms.loopback import World, running_world
from tests.support.platforms.loopback.installed import install

EVENTS = Figure(
    name="bridge-events", what="platform's event → delivery stored and acknowledged, p99", unit="ms", limit=100
)
CONNECT = Figure(name="bridge-connect", what="the last of 49 more bots is bound → all are connected", unit="s", limit=2)
MEMORY = Figure(name="bridge-memory", what="memory of 49 more bots of one platform", unit="MB", limit=60)
FIGURES = (EVENTS, CONNECT, MEMORY)
BOTS = 50
RATE = 50  # events a second
START_FOR = 60.0  # seconds


def measure(bench: Bench) -> Iterator[Seen]:
    folder = bench.folder / "bridges"
    folder.mkdir()
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = install(folder / "installed")
    try:
        with serving(folder / "server") as server:
            yield from asyncio.run(_measured(server, seconds=bench.pick(20, quick=4)))
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


async def _measured(server: Served, *, seconds: int) -> list[Seen]:
    async with running_world() as world:
        world.secrets = {f"app-{number}": "right" for number in range(BOTS)}
        api = server.api
        await asyncio.to_thread(_let_in, api)
        await asyncio.to_thread(_bind, api, world, range(1))
        await world.until(lambda: len(world.connected) == 1, within=START_FOR)
        child = _bridge_of(server.pid)
        await _talk(world, seconds=1, bots=1)
        alone = resident(child)
        await asyncio.to_thread(_bind, api, world, range(1, BOTS))
        begun = perf_counter()
        await world.until(lambda: len(world.connected) == BOTS, within=START_FOR)
        connected = perf_counter() - begun
        took = sorted(await _talk(world, seconds=seconds, bots=BOTS))
        p99 = took[int(len(took) * 0.99)] * 1000
        facts = {"events": len(took), "p50 ms": round(took[len(took) // 2] * 1000, 1), "bots": BOTS}
        return [
            Seen(figure=EVENTS, value=p99, facts=facts),
            Seen(figure=CONNECT, value=connected),
            Seen(figure=MEMORY, value=resident(child) - alone, facts={"the first bot, MB": round(alone)}),
        ]


def _let_in(api: Api) -> None:
    api.post("/api/identities", platform="loopback", external_id="ann", name="Ann")


def _bind(api: Api, world: World, numbers: range) -> None:
    for number in numbers:
        api.post("/api/agents", agent_key=f"agent-{number}", runtime="demo")
        api.post(
            "/api/bots",
            platform="loopback",
            app_id=f"app-{number}",
            credentials={"secret": "right"},
            agent=f"agent-{number}",
            base_url=world.url,
            verify=False,
        )


async def _talk(world: World, *, seconds: int, bots: int) -> list[float]:
    """People talk to all bots at the rate; how long each event took."""
    waiting = []
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(seconds * RATE):
        await asyncio.sleep(max(0.0, begun + number / RATE - loop.time()))
        bot = number % bots
        waiting.append(loop.create_task(_one(world, bot=bot, number=number)))
    return list(await asyncio.gather(*waiting))


async def _one(world: World, *, bot: int, number: int) -> float:
    begun = perf_counter()
    told = world.say(f"event {number}", bot=f"app-{bot}", chat=f"chat-{bot}", thread=f"t{number}")
    async with asyncio.timeout(START_FOR):
        await told.acked.wait()
    return perf_counter() - begun


def _bridge_of(server: int) -> int:
    """The process the server has started for the platform."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            is_child = f"PPid:\t{server}\n" in status.read_text()
            if is_child and b"pal_server.bridges.run" in status.with_name("cmdline").read_bytes():
                return int(status.parent.name)
        except OSError:
            continue
    raise RuntimeError("the server has started no bridge")
