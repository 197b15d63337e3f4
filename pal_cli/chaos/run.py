"""Break a pal through its chat platforms, and say what came of it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass

from pal_cli.chaos.chats import Pal, chat_platforms, connect, storm
from pal_cli.chaos.counting import count, settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    said: int
    faults: Counter[str]
    counts: dict[str, int]


def break_chats(pal: Pal, *, seconds: float, faults: int, seed: int) -> Outcome:
    """At least as long, and until that many things went wrong, if they do in a while more. Platforms end then."""
    return asyncio.run(_break(pal, seconds=seconds, faults=faults, chance=random.Random(seed)))


async def _break(pal: Pal, *, seconds: float, faults: int, chance: random.Random) -> Outcome:
    async with chat_platforms() as sides:
        await connect(pal, sides)
        broken = await storm(pal, sides, seconds=seconds, faults=faults, chance=chance)
        seen = await settle(pal, broken)
        return Outcome(said=len(broken.words), faults=broken.faults, counts=count(broken, seen))
