"""One loopback Lark for each file of tests; every test has apps, people and chats of its own in it."""

import itertools
from collections.abc import Iterator

import pytest

from pal_cli.chaos.platforms.lark.lark import LoopbackLark

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def lark() -> Iterator[LoopbackLark]:
    with LoopbackLark() as platform:
        yield platform


@pytest.fixture
def app(lark: LoopbackLark) -> Iterator[str]:
    """A new app; what was ordered to go wrong is over after the test."""
    number = next(_numbers)
    yield lark.app(f"cli_{number:04d}", name=f"Bot {number}")
    lark.do("calm")


@pytest.fixture
def ann(lark: LoopbackLark) -> str:
    return lark.person("Ann")
