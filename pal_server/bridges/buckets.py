"""One bucket for each limit of a platform: a send waits until all it counts against have room, then takes from all.

Pure but for the clock it is given. Buckets belong to the process, so bots that share a limit share its bucket.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .platform import Charge

KEPT = 10_000  # buckets; the fullest ones are forgotten first, which loses nothing


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    per_second: float
    burst: float
    blocked_until: float = 0.0


class Buckets:
    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, charges: Iterable[Charge]) -> float:
        """0 and everything is taken; else the seconds until it may be asked again, and nothing is taken."""
        now = self._clock()
        buckets = [self._filled(charge, now=now) for charge in charges]
        pause = max((_pause(bucket, now=now) for bucket in buckets), default=0.0)
        if pause > 0:
            return pause
        for bucket in buckets:
            bucket.tokens -= 1
        return 0.0

    def block(self, charges: Iterable[Charge], *, seconds: float, only: str = "") -> None:
        """The platform said too fast: nothing counts against these, or against `only` one of them, for a while."""
        now = self._clock()
        for charge in charges:
            if only in ("", charge.bucket):
                bucket = self._filled(charge, now=now)
                bucket.tokens = min(bucket.tokens, 1.0)
                bucket.blocked_until = max(bucket.blocked_until, now + seconds)

    def _filled(self, charge: Charge, *, now: float) -> _Bucket:
        bucket = self._buckets.get(charge.bucket)
        if bucket is None:
            self._make_room(now)
            bucket = _Bucket(tokens=charge.burst, at=now, per_second=charge.per_second, burst=charge.burst)
            self._buckets[charge.bucket] = bucket
        bucket.tokens = min(bucket.burst, bucket.tokens + (now - bucket.at) * bucket.per_second)
        bucket.at = now
        return bucket

    def _make_room(self, now: float) -> None:
        if len(self._buckets) < KEPT:
            return
        for name, bucket in list(self._buckets.items()):
            idle = bucket.tokens + (now - bucket.at) * bucket.per_second
            if idle >= bucket.burst and bucket.blocked_until <= now:
                del self._buckets[name]


def _pause(bucket: _Bucket, *, now: float) -> float:
    missing = 1.0 - bucket.tokens
    wait = missing / bucket.per_second if missing > 1e-9 else 0.0
    return max(wait, bucket.blocked_until - now)
