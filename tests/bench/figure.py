"""What a figure is, and what one measurement of it says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

Fact: TypeAlias = float | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A promise that can be measured. `limit` is in `unit`; what is worse than it is not met."""

    name: str
    what: str
    unit: str
    limit: float
    is_least: bool = False  # the limit is the least that is allowed, not the most

    def is_met(self, value: float) -> bool:
        return value >= self.limit if self.is_least else value <= self.limit

    def ratio(self, value: float) -> float:
        """How much of the limit is used up, or reached: at most 1 is met for a most, at least 1 for a least."""
        return value / self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One measured value, with what it was compared with and whatever explains it."""

    figure: Figure
    value: float
    facts: dict[str, Fact] = field(default_factory=dict)

    @property
    def is_met(self) -> bool:
        return self.figure.is_met(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a measurement works with. `folder` is removed when the run ends."""

    folder: Path
    is_quick: bool
    many: Callable[[], Path]  # the database with very many messages, built on the first call
    note: Callable[[str], None]  # progress, for who waits

    def pick(self, whole: int, *, quick: int) -> int:
        """How often, how many or how long: less when the run is to be quick."""
        return quick if self.is_quick else whole


Measure: TypeAlias = Callable[[Bench], Iterable[Seen]]
