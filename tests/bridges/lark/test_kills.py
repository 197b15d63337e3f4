"""Bridge processes that are killed while they send and while they hear: nothing is lost, nothing is there twice."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from tests.bridges.core.scene import poll
from tests.bridges.lark.scene import LarkScene, a_scene, cards, texts

SEED = int(os.environ.get("PAL_CHAOS_SEED", "7"))
ROUNDS = int(os.environ.get("PAL_CHAOS_ROUNDS", "3"))
LEASES_OVER = 120.0  # seconds after which whatever a dead bridge held is free
WRITES = "/open-apis/im/v1/messages(/.*)?"


@asynccontextmanager
async def a_process(scene: LarkScene, token: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`pal bridge run lark`, killed without a word at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pal_server.bridges.run", "run", "lark", "--server", scene.server.url, "--token", token
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()
        scene.server.clock.advance(LEASES_OVER)


async def test_an_answer_whose_sender_was_killed_is_there_once(lark: LoopbackLark, tmp_path: Path) -> None:
    """Killed after Lark had it and before anybody knew."""
    async with a_scene(lark, tmp_path / "home") as scene:
        token = await scene.server.token("owner", kind="bridge")
        async with a_process(scene, token):
            await scene.is_listening()
            await scene.mention("go")
            await scene.until(cards, "a card")
            reply = {"path": "/open-apis/im/v1/messages/[^/]+/reply", "method": "POST"}
            await scene.lark("fault", **reply, do="hang", when="after")
            await scene.answer("here it is")
            await scene.until(texts, "it is there")
        async with a_process(scene, token):
            await poll(scene.posts, lambda posts: all(post["state"] == "confirmed" for post in posts))

        seen = await scene.posted()

    assert texts(seen) == ["here it is"]
    assert len(cards(seen)) == 1


async def test_killed_at_random_moments(lark: LoopbackLark, tmp_path: Path) -> None:
    """More rounds with `PAL_CHAOS_ROUNDS`, another order with `PAL_CHAOS_SEED`."""
    chance = random.Random(SEED)
    lark.do("schedule", after=[300] * 200)
    faults: list[dict[str, Any]] = [
        {"do": "cut", "when": "after"},
        {"do": "answer", "status": 502, "body": "<html>", "when": "after"},
        {"do": "delay", "seconds": 0.5},
        {"do": "answer", "status": 500, "body": {"code": 2200, "msg": "x"}},
    ]
    async with a_scene(lark, tmp_path / "home") as scene:
        token = await scene.server.token("owner", kind="bridge")
        for number in range(ROUNDS):
            async with a_process(scene, token):
                await asyncio.to_thread(lark.wait_for, "connected", app=scene.app, count=number + 1)
                await scene.lark("fault", path=WRITES, method="POST", times=2, **chance.choice(faults))
                await scene.mention(f"question {number}")
                if chance.random() < 0.7:
                    await scene.until(lambda seen, n=number: len(cards(seen)) > n, "its card")
        await scene.lark("calm")
        async with a_process(scene, token):
            for number in range(ROUNDS):
                await scene.answer(f"answer {number}")
            await scene.until(lambda seen: len(texts(seen)) >= ROUNDS, f"all answers, seed {SEED}")
            await poll(scene.posts, lambda posts: all(post["state"] == "confirmed" for post in posts))

        seen = await scene.posted()

    assert sorted(texts(seen)) == sorted(f"answer {number}" for number in range(ROUNDS)), f"seed {SEED}"
    assert len(cards(seen)) == ROUNDS, f"seed {SEED}"
