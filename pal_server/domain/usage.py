"""What runs used: tokens, money and time, counted at their ends."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pal_server.errors import Invalid

DAY = 24 * 60 * 60 * 1000  # milliseconds
DAYS = 30  # looked at when nobody says since when
OFFSET_MAX = 14 * 60  # minutes from UTC


class By(StrEnum):
    """What is added up to one row."""

    AGENT = "agent"
    ROOM = "room"
    PROJECT = "project"  # that the room belongs to now
    DAY = "day"  # of the end, where the day begins as the reader says


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Sums over ended runs. Tokens and money of runs that did not say are missing in them, hence the counts beside."""

    key: str  # agent, room, project (empty: none) or number of the day since 1970
    name: str
    runs: int
    failed: int  # and interrupted
    input_tokens: int
    output_tokens: int
    with_tokens: int  # runs that said how many
    cost_micros: int
    with_cost: int  # runs that said how much
    duration: int  # milliseconds

    def fact(self) -> dict[str, Any]:
        """The row as others see it."""
        return {
            "key": self.key,
            "name": self.name,
            "runs": self.runs,
            "failed": self.failed,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "with_tokens": self.with_tokens,
            "cost_usd": self.cost_micros / 1_000_000,
            "with_cost": self.with_cost,
            "duration_ms": self.duration,
        }


def cost_in_micros(usage: dict[str, Any] | None) -> int | None:
    """Millionths of a dollar, so that sums are exact; None when the program did not say, or said what cannot be."""
    cost = None if usage is None else usage.get("cost_usd")
    if not isinstance(cost, int | float) or not 0 <= cost < 1e9:
        return None
    return round(cost * 1_000_000)


def tokens_in(usage: dict[str, Any] | None, name: str) -> int | None:
    count = None if usage is None else usage.get(name)
    return count if isinstance(count, int) and 0 <= count < 2**53 else None


def parse_by(by: str) -> By:
    try:
        return By(by)
    except ValueError:
        raise Invalid(f"by is one of {', '.join(By)}", field="by", value=by[:64]) from None


def parse_offset(minutes: int) -> int:
    """Minutes a reader's clock is ahead of UTC, in milliseconds, or `Invalid`."""
    if not -OFFSET_MAX <= minutes <= OFFSET_MAX:
        raise Invalid(f"utc_offset lies between {-OFFSET_MAX} and {OFFSET_MAX} minutes", field="utc_offset")
    return minutes * 60_000


def date_of(day: str) -> str:
    """The date of a day by its number since 1970, as 2026-11-20."""
    return datetime.fromtimestamp(int(day) * DAY / 1000, UTC).date().isoformat()
