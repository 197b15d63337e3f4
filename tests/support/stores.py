"""Stores for tests, on both engines, with the real schema."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pal_server.storage.statements import STATEMENTS
from pal_server.storage.store import Event, Store, open_store
from tests.support.migrated import place_migrated
from tests.support.postgres import Postgres, postgres

__all__ = ["Clock", "Heard", "clock", "engine", "heard", "open_test_store", "postgres", "store", "where"]

TEST_STATEMENTS = Path(__file__).parent / "sql"  # statements only tests need


class Clock:
    """UTC milliseconds that move by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * 1000)


@dataclass(slots=True)
class Heard:
    """What a store said after its commits."""

    wakes: list[set[str]] = field(default_factory=list)
    events: list[list[Event]] = field(default_factory=list)


async def open_test_store(where: str | Path, *, clock: Callable[[], int], heard: Heard, **more: Any) -> Store:
    """Open a store with ids that count (`room_1`), jitter of nothing and the statements of the tests."""
    numbers = itertools.count(1)
    return await open_store(
        where,
        clock=clock,
        new_id=lambda prefix: f"{prefix}_{next(numbers)}",
        hub_wake=heard.wakes.append,
        on_events=heard.events.append,
        chance=lambda: 0.1,
        statements=(STATEMENTS, TEST_STATEMENTS),
        **more,
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    """Every test that uses it, or `store`, runs once on each."""
    return str(request.param)


@pytest.fixture
def where(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str | Path]:
    """A database of this test's own: a path, or a URL."""
    if engine == "sqlite":
        yield tmp_path / "home" / "lock.sqlite"
        return
    server: Postgres = request.getfixturevalue("postgres")  # started only when a test needs it
    url = server.lend()
    monkeypatch.setattr("pal_server.storage.engines.postgres.ConnectionPool", server.pools_of(url).make)
    yield url
    server.take_back(url)


@pytest.fixture
async def store(where: str | Path, clock: Clock, heard: Heard) -> AsyncIterator[Store]:
    if isinstance(where, Path):
        place_migrated(where)
    opened = await open_test_store(where, clock=clock, heard=heard)
    yield opened
    await opened.close()
