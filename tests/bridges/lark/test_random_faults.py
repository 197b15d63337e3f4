"""Faults at random on both sides of the connection: nothing said is lost, nothing posted is there twice.

The test plays the core: it stores each event once by its name, and sends each post with its key until it is sent.
`PAL_CHAOS_SEED` chooses another order; a failure names the seed.
"""

import asyncio
import json
import os
import random
from typing import Any

from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from pal_server.bridges.outbound import Doubtful, Limited, Outcome, PostText, Refused, Sent, Unsent
from tests.bridges.lark.bot import Bot, a_bot

Json = dict[str, Any]
SEED = int(os.environ.get("PAL_CHAOS_SEED", "7"))
MESSAGES = 30
POSTS = 30
MOST_TRIES = 40
SENDS = "/open-apis/im/v1/messages(/.*)?"
SLOW = {"status": 429, "body": {"code": 99991400, "msg": "slow"}, "headers": {"x-ogw-ratelimit-reset": "0.1"}}


def http_fault(chance: random.Random) -> Json:
    return {
        "path": SENDS,
        "method": "POST",
        **chance.choice(
            [
                {"do": "cut"},
                {"do": "cut", "when": "after"},
                {"do": "answer", "status": 500, "body": {"code": 2200, "msg": "x"}},
                {"do": "answer", "status": 502, "when": "after", "body": "<html>"},
                {"do": "answer", **SLOW},
                {"do": "delay", "seconds": 0.1},
            ]
        ),
    }


async def disturb(bot: Bot, chance: random.Random) -> None:
    """Something goes wrong somewhere."""
    match chance.randrange(6):
        case 0 | 1 | 2:
            await bot.lark("fault", **http_fault(chance))
        case 3:
            await bot.lark("sockets", app=bot.app, do=chance.choice(["cut", "close", "deaf"]))
        case 4:
            await bot.lark("lose_acks", app=bot.app, times=1)
            bot.ears.refuses += 1
        case _:
            await bot.lark("tokens", app=bot.app)


async def post(bot: Bot, out: PostText) -> Outcome:
    """Until it is sent, always with the same key."""
    for _ in range(MOST_TRIES):
        outcome = await bot.connection.send(out)
        match outcome:
            case Sent() | Refused():
                return outcome
            case Limited():
                await asyncio.sleep(outcome.after)
            case Doubtful() | Unsent():
                await asyncio.sleep(0.02)
    return outcome


async def test_nothing_is_lost_and_nothing_is_twice(lark: LoopbackLark) -> None:
    chance = random.Random(SEED)
    lark.do("schedule", after=[150] * 100)
    lark.do("limits", on=False)
    async with a_bot(lark, quiet_for=0.7) as bot:
        outs = [bot.text(f"answer {number}") for number in range(POSTS)]

        posting = asyncio.create_task(_all(bot, outs))
        for number in range(MESSAGES):
            await disturb(bot, chance)
            await bot.mention(f"question {number}")
        outcomes = await posting
        await bot.lark("calm")
        bot.ears.refuses = 0
        await bot.ears.until(lambda: len(set(bot.ears.texts())) == MESSAGES, f"all of them, seed {SEED}")

        shown = [json.loads(one["content"])["zh_cn"]["content"][0][0]["text"] for one in await bot.posted()]
    named = {event.event for event in bot.ears.heard}
    assert len(named) == MESSAGES, f"each has one name, seed {SEED}"
    assert [type(outcome) for outcome in outcomes] == [Sent] * POSTS, f"seed {SEED}"
    assert sorted(shown) == sorted(out.text for out in outs), f"seed {SEED}"


async def _all(bot: Bot, outs: list[PostText]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for start in range(0, len(outs), 4):
        outcomes += await asyncio.gather(*(post(bot, out) for out in outs[start : start + 4]))
    return outcomes
