"""Repeats what failed for a reason that passes, for as long as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pal_daemon.bus import ApiProblem, is_worth_repeating
from pal_server.client.retry import Pauses

T = TypeVar("T")
FIRST_PAUSE = 0.1  # seconds
LONGEST_PAUSE = 5.0  # seconds; how long a server that is back waits for us at most


def new_pauses() -> Pauses:
    return Pauses(first=FIRST_PAUSE, longest=LONGEST_PAUSE)


async def until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer of `ask`, asked again while the server is away. Other refusals are raised at once."""
    pauses = new_pauses()
    while True:
        try:
            return await ask()
        except Exception as error:
            if not is_worth_repeating(error):
                raise
            retry_after = error.retry_after if isinstance(error, ApiProblem) else None
            await asyncio.sleep(pauses.next(at_least=retry_after))
