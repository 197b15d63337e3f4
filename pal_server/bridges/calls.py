"""Calls to the server that are said again until it answers, for what must not be lost."""

import asyncio
from collections.abc import Awaitable, Callable
from time import time
from typing import TypeVar

from pal_server.client.aio import ApiProblem, Client, Unreachable
from pal_server.client.retry import Pauses, is_worth_repeating
from pal_server.contract.base import Request

T = TypeVar("T")
ASIDE = 60_000  # milliseconds; what clocks, and the way of an answer, may differ by


async def insist(client: Client, path: str, *, body: Request, answer: type[T], within: float) -> T:
    """The answer, however often it takes, for `within` seconds at most; a refusal is raised at once.

    Only for what may be said twice.
    """
    return await persist(lambda: client.call("POST", path, body=body, answer=answer), within=within)


async def persist(call: Callable[[], Awaitable[T]], *, within: float) -> T:
    """The same for any call."""
    pauses = Pauses(longest=5.0)
    end = asyncio.get_running_loop().time() + within
    while True:
        try:
            return await call()
        except (ApiProblem, Unreachable) as error:
            if not is_worth_repeating(error) or asyncio.get_running_loop().time() >= end:
                raise
            after = error.retry_after if isinstance(error, ApiProblem) else None
        await asyncio.sleep(pauses.next(at_least=after))


def ahead_of_us(now: int) -> int:
    """How many milliseconds the server's clock, of which `now` was just told, is ahead of this computer's; 0 of few.

    It never goes back, so it is ahead for days where this computer's was and was set right. A platform that is asked
    for what was said or posted since a moment of the server's would be asked for the future.
    """
    ahead = now - int(time() * 1000)
    return ahead if ahead > ASIDE else 0
