"""What a person does with the client, in their words."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.support.patience import LONG_PATIENCE

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
SOON = LONG_PATIENCE * 1000  # milliseconds
A_SECOND = 1_000  # milliseconds
TRIES = 10
expect.set_options(timeout=SOON)


class Person:
    """Somebody in front of one page. Whatever is looked for is waited for."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def go(self, path: str) -> Person:
        """Load the client at this address."""
        self.page.goto(path)
        return self

    def turn_to(self, path: str, heading: str | re.Pattern[str], shown: str) -> Person:
        """Where a link of the client leads, which loads nothing anew; then it has this heading, and this on it."""
        self.page.evaluate("(path) => history.pushState(null, '', path)", path)
        expect(self.page.get_by_role("heading", name=heading, exact=True).first).to_be_visible(timeout=SOON)
        expect(self.page.locator(shown).first).to_be_visible(timeout=SOON)
        return self

    def enter(self, room: str) -> Person:
        """Open a room's first topic, ready to write."""
        self.go(f"/r/{room}")
        expect(self.composer).to_be_visible(timeout=SOON)
        return self

    @property
    def composer(self) -> Locator:
        return self.page.locator("[data-composer]")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    def say(self, text: str) -> None:
        self.composer.fill(text)
        self.page.keyboard.press("Control+Enter")

    def sees(self, text: str | re.Pattern[str], *, where: Locator | None = None, times: int | None = None) -> Locator:
        found = (where or self.page.locator("body")).get_by_text(text)
        if times is None:
            expect(found.first).to_be_visible(timeout=SOON)
        else:
            expect(found).to_have_count(times, timeout=SOON)
        return found.first

    def misses(self, text: str | re.Pattern[str], *, where: Locator | None = None) -> None:
        expect((where or self.page.locator("body")).get_by_text(text)).to_have_count(0, timeout=SOON)

    def press(self, keys: str) -> None:
        """One after the other, as `g i`."""
        for key in keys.split():
            self.page.keyboard.press(key)

    def goes(self, keys: str, place: str) -> None:
        """A sequence that leads somewhere; on a busy machine its keys may lie too far apart, so it is pressed again."""
        heading = self.page.get_by_role("heading").get_by_text(place).first
        for _ in range(TRIES):
            self.press(keys)
            with suppress(AssertionError):
                return expect(heading).to_be_visible(timeout=SOON / TRIES)
        raise AssertionError(f"{keys} leads to no {place}")

    def click(self, name: str | re.Pattern[str], *, role: Any = "button") -> None:
        self.page.get_by_role(role, name=name).first.click()

    def leaves_fields(self) -> None:
        """Focus on nothing one can write in, so that single keys act."""
        self.page.evaluate("document.activeElement?.blur()")


def within_a_second(act: Callable[[int], None], check: Callable[[int, float], None]) -> None:
    """What `act(number)` does has the effect `check(number, milliseconds)` within a second.

    At the first try, unless the machine is busy: then it has to come all the same, and the next try has a second again.
    """
    for number in range(1, TRIES + 1):
        act(number)
        try:
            return check(number, A_SECOND)
        except AssertionError:
            check(number, SOON)
    raise AssertionError(f"it took longer than a second, {TRIES} times")
