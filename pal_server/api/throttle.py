"""Wrong log-ins are slowed down, per name and per address. In memory and bounded: a restart forgives."""

from collections.abc import Callable

from pal_server.errors import RateLimited

WINDOW = 60_000  # milliseconds in which wrong tries add up
PER_NAME = 5
PER_ADDRESS = 20  # several people may share one address, and pages try old cookies
KEPT = 10_000  # names and addresses remembered


class Throttle:
    """Counts tries under keys until they turn out to be right. A right log-in forgives its name."""

    def __init__(self, *, clock: Callable[[], int], kept: int = KEPT) -> None:
        self._clock = clock
        self._kept = kept
        self._failures: dict[str, tuple[int, int]] = {}  # key → failures, end of the window

    def refusal(self, *, name: str | None, address: str) -> RateLimited | None:
        """Why nobody may guess now: either failed too often. Asked before a password is looked at."""
        now = self._clock()
        for key, most in self._keys(name, address):
            failures, until = self._failures.get(key, (0, 0))
            if failures >= most and now < until:
                return RateLimited("Too many wrong log-ins; try again later.", retry_after=(until - now) / 1000)
        return None

    def tried(self, *, name: str | None, address: str) -> None:
        """Counted before the password is looked at: tries made at the same time are as many as one after the other."""
        now = self._clock()
        for key, _ in self._keys(name, address):
            failures, until = self._failures.pop(key, (0, 0))
            self._failures[key] = (failures + 1, until) if now < until else (1, now + WINDOW)
        while len(self._failures) > self._kept:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, *, name: str | None, address: str) -> None:
        """The try was right: take it back, and for its name all before it."""
        for key, _ in self._keys(name, address):
            failures, until = self._failures.pop(key, (0, 0))
            if failures > 1 and key.startswith("address "):
                self._failures[key] = (failures - 1, until)

    def _keys(self, name: str | None, address: str) -> list[tuple[str, int]]:
        keys = [(f"address {address}", PER_ADDRESS)]
        return keys if name is None else [(f"name {name[:64]}", PER_NAME), *keys]
