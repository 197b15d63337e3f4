"""Where people sit: a context of the browser with one page in it, logged in, used by one test after the other.

A new context has compiled nothing and keeps nothing of the client, so a seat of its own for each test costs twice what
the test does. A test finds its seat as if nobody had sat there: the page loads the client anew, and what the last one
left in the browser is gone. What is said and done on the server is in rooms of the test's own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage

from tests.browser.person import DESKTOP, SOON

# What the browser says of a network that a test took away.
EXPECTED = ("net::ERR_", "WebSocket connection to", "the server responded with a status of 4", "It could not be loaded")
EMPTY = "/assets/pal.svg"  # something of the same origin that runs nothing
FORGET = "() => { localStorage.clear(); sessionStorage.clear(); }"


class Seat:
    """One page for one person. What it says of an error fails the test, whatever else that checks."""

    def __init__(self, browser: Browser, url: str, token: str, more: Mapping[str, Any]) -> None:
        given = {"viewport": DESKTOP, "reduced_motion": "reduce", **more}
        self.context = browser.new_context(base_url=url, **given)
        self.context.set_default_timeout(SOON)
        self.context.request.post("/api/login", data={"token": token})
        self.errors: list[str] = []
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._hear)

    def leave(self) -> list[str]:
        """Take everything along; what the page said of itself."""
        self.page.evaluate("0")  # by its answer everything has come that was said before
        said = list(self.errors)
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        self.page.unroute_all(behavior="wait")
        self.page.goto(EMPTY)
        self.page.evaluate(FORGET)
        self.context.clear_cookies(name="pal_scheme")
        self.errors.clear()  # what a page says while it is taken away is about nothing
        return said

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error" and not any(one in said.text for one in EXPECTED):
            self.errors.append(said.text)


class Seats:
    """All seats of a browser, by whose they are and what they look like. `token_of` knows who may log in."""

    def __init__(self, browser: Browser, *, token_of: Callable[[str | None], str]) -> None:
        self._browser = browser
        self._token_of = token_of
        self._free: dict[str, list[Seat]] = {}
        self._taken: list[tuple[str, Seat]] = []

    def take(self, name: str | None, url: str, more: Mapping[str, Any]) -> Seat:
        """One that nobody sits on. `more` is as for `Browser.new_context`."""
        kind = repr((name, url, sorted(more.items())))
        free = self._free.setdefault(kind, [])
        seat = free.pop() if free else Seat(self._browser, url, self._token_of(name), more)
        self._taken.append((kind, seat))
        return seat

    def leave(self) -> list[str]:
        """All get up; what their pages said of themselves."""
        said: list[str] = []
        while self._taken:
            kind, seat = self._taken.pop()
            said += seat.leave()
            self._free[kind].append(seat)
        return said

    def abandon(self, *, pictures_as: str) -> None:
        """After a test that failed nobody sits there again; the folder `TEST_PICTURES` gets a picture of the first."""
        if self._taken and (folder := os.environ.get("TEST_PICTURES")):
            self._taken[0][1].page.screenshot(path=Path(folder) / f"{pictures_as}.png")
        while self._taken:
            self._taken.pop()[1].context.close()

    def close(self) -> None:
        for seat in [seat for free in self._free.values() for seat in free]:
            seat.context.close()
