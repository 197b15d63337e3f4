"""Real processes that are killed at random while people talk: nothing lost, nothing twice, nothing run again unasked.

PAL_CHAOS_SECONDS and PAL_CHAOS_SEED make it longer or another.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.support.faults import kill, processes_of
from tests.support.platforms.loopback import World, running_world
from tests.support.platforms.loopback.installed import install
from tests.support.stack import Refused, Silent, Stack, eventually

SECONDS = float(os.environ.get("PAL_CHAOS_SECONDS", "10"))
SEED = int(os.environ.get("PAL_CHAOS_SEED", "7"))
FAULTS = ("cut_before", "cut_after", "error_before", "error_after", "limited")
SETTLE = 480.0  # seconds; what fails often pauses for up to five minutes


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path / "stack")
    made.env["PYTHONPATH"] = install(tmp_path / "installed")
    made.server.env["PYTHONPATH"] = made.env["PYTHONPATH"]
    yield made.start()
    made.close()


def set_up(stack: Stack, world: World) -> None:
    body = {"agent_key": "echo", "runtime": "demo", "computer_id": stack.daemon.computer, "concurrency": 8}
    stack.api.post("/api/agents/onboard", body)
    bot = {"platform": "loopback", "app_id": "app-1", "credentials": {"secret": "right"}, "agent": "echo"}
    stack.api.post("/api/bots", {**bot, "base_url": world.url})
    stack.api.post("/api/identities", {"platform": "loopback", "external_id": "ann", "name": "Ann"})


def bridges_of(stack: Stack) -> list[int]:
    """Process ids of the bridges the server has started."""
    found = []
    for pid in processes_of(stack.folder):
        with suppress(OSError):
            if b"pal_server.bridges.run" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


async def strike(stack: Stack, world: World, chance: random.Random) -> str:
    """One thing that goes wrong."""
    victim = chance.choice(["bridge", "server", "socket", "fault", "fault", "fault"])
    match victim:
        case "bridge":
            for pid in await asyncio.to_thread(bridges_of, stack):
                kill(pid)
        case "server":
            await asyncio.to_thread(stack.server.kill)
            await asyncio.to_thread(stack.server.start)
        case "socket":
            world.drop("app-1")
        case _:
            victim = chance.choice(FAULTS)
            world.faults.append(victim)
    return victim


@pytest.mark.timeout(600)
async def test_whatever_dies_each_word_is_answered_once(stack: Stack) -> None:
    chance = random.Random(SEED)
    done: Counter[str] = Counter()
    async with running_world() as world:
        await asyncio.to_thread(set_up, stack, world)
        await world.until(lambda: "app-1" in world.connected)
        words: list[str] = []
        end = monotonic() + SECONDS
        while monotonic() < end:
            word = f"word-{len(words)}-{SEED}"
            words.append(word)
            told = world.say(f"/echo {word}", thread=f"t{len(words) % 12}")
            if chance.random() < 0.2:
                world.again(told)
            if chance.random() < 0.35:
                done[await strike(stack, world, chance)] += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(told.acked.wait(), chance.uniform(0.05, 0.4))
        world.faults.clear()

        def answered() -> bool:
            return all(any(word == text.split("\n")[0] for text in world.texts()) for word in words)

        await world.until(answered, within=SETTLE)
        settled = await asyncio.to_thread(
            eventually, "every post is settled", lambda: all_settled(stack), within=SETTLE
        )

        shown = Counter(text.split("\n")[0] for text in world.texts())
        counts = {
            "said": len(words),
            "faults": sum(done.values()),
            "lost": sum(shown[word] == 0 for word in words),
            "doubled": sum(shown[word] > 1 for word in words) + len(world.doubled()),
            "doubtful": settled["doubtful"],
            "run again": await asyncio.to_thread(run_again, stack),
        }

    assert (counts["lost"], counts["doubled"], counts["doubtful"], counts["run again"]) == (0, 0, 0, 0), (counts, SEED)
    assert counts["faults"] > 0


def all_settled(stack: Stack) -> dict[str, int] | None:
    """Posts by state, once none is on its way."""
    counts: Counter[str] = Counter(confirmed=0, doubtful=0)
    after = None
    with suppress(Silent, Refused):
        while True:
            page: dict[str, Any] = stack.api.get("/api/posts", limit=200, after=after)
            counts.update(post["state"] for post in page["posts"])
            after = page["next"]
            if after is None:
                return None if counts["pending"] + counts["sending"] else dict(counts) | {"failed": counts["failed"]}
    return None


def run_again(stack: Stack) -> int:
    """Deliveries with more than one run."""
    runs: Counter[int] = Counter()
    after = None
    while True:
        page: dict[str, Any] = stack.api.get("/api/runs", limit=200, after=after)
        runs.update(run["delivery"] for run in page["runs"])
        after = page["next"]
        if after is None:
            return sum(count > 1 for count in runs.values())
