"""When to try again, and how long to wait before."""

import random
from collections.abc import Callable

from pal_server.client.problems import ApiProblem, Unreachable

AGAIN = frozenset(("unavailable", "rate_limited"))


class Pauses:
    """Growing pauses in seconds, each cut short by chance so that many clients do not come back at once."""

    def __init__(
        self, *, first: float = 0.2, longest: float = 15.0, chance: Callable[[], float] = random.random
    ) -> None:
        self._first = first
        self._longest = longest
        self._next = first
        self._chance = chance

    def next(self, *, at_least: float | None = None) -> float:
        pause = self._next * (0.5 + 0.5 * self._chance())
        self._next = min(self._longest, self._next * 2)
        return max(pause, at_least or 0.0)

    def reset(self) -> None:
        """Call after a success."""
        self._next = self._first


def is_worth_repeating(error: BaseException, /) -> bool:
    """Whether the same request may succeed later. A creating request is repeated with the same `client_id` only."""
    if isinstance(error, ApiProblem):
        return error.code in AGAIN or error.status >= 500
    return isinstance(error, Unreachable)
