"""TM-2 with the real programs: a person takes a conversation over in a terminal, and the agent goes on with it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from pal_daemon.settings import Settings
from pal_server.client.aio import Client
from tests.runtimes.driver import Driver
from tests.runtimes.drivers import claude_code, codex, gemini
from tests.support.faults import end_processes_of
from tests.support.models.server import Model, Text, serve
from tests.support.patience import LONG_PATIENCE
from tests.support.server import MovableClock, ProvisionedComputer, ServerUnderTest, expect, start_server

# OpenCode does it too, for 20 seconds of CPU.
DRIVERS = {module.DRIVER.runtime: module.DRIVER for module in (claude_code, codex, gemini)}
CONTROLS = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_=>78]")
SOON = 1.0  # seconds a program is given to take what was typed
PAUSES = (SOON, 25.0)  # after words and after Enter: a program that was not ready hears nothing, a slow one would twice
# Codex asks first whether to change to a newer model, where it knows one.
MODELS = {"codex": "of-nobody"}
LOOKS = {"gemini": gemini.DRIVER.command("env > seen.txt")}  # what it does there that its runs do in another way


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerUnderTest]:
    async with start_server(tmp_path / "server", clock=MovableClock(), with_loops=True) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """A terminal outlives its daemon, so also the one of a test that failed."""
    yield
    end_processes_of(tmp_path)


@pytest.fixture
async def computer(server: ServerUnderTest) -> ProvisionedComputer:
    return await server.provision()


@pytest.fixture
def settings(tmp_path: Path, server: ServerUnderTest, computer: ProvisionedComputer) -> Settings:
    return Settings(home=tmp_path / "home", server=server.url, key=computer.key, interval=0.3, local_port=0)


@dataclass
class Screen:
    """What the program showed so far, without colours and moves. Words that came in pieces are drawn in pieces."""

    socket: aiohttp.ClientWebSocketResponse
    shown: bytes = b""

    async def until(self, is_there: Callable[[], bool], *, typing: tuple[bytes, ...] = ()) -> None:
        """Read on until it is so; what is typed is typed again and again until then."""
        begun = time.monotonic()
        turn = begun + SOON
        keys = itertools.cycle(zip(typing, PAUSES, strict=bool(typing)))
        while not is_there():
            now = time.monotonic()
            assert now - begun < LONG_PATIENCE, self.words[-2000:]
            if typing and now > turn:
                text, pause = next(keys)
                await self.socket.send_bytes(text)
                turn = now + pause
            with contextlib.suppress(TimeoutError):
                message = await self.socket.receive(timeout=SOON)
                assert message.type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED), self.words[-2000:]
                if message.type is aiohttp.WSMsgType.BINARY:
                    self.shown += message.data

    @property
    def words(self) -> bytes:
        return CONTROLS.sub(b"", self.shown)


async def finished(server: ServerUnderTest, run: int) -> dict[str, Any]:
    async with Client(server.url, server.owner) as client, asyncio.timeout(LONG_PATIENCE):
        async for event in client.events(after=0):
            if event.kind == "run.finished" and event.data["id"] == run:
                return event.data
    raise AssertionError("the stream ended")


def as_people_left_it(driver: Driver, *, home: Path, folder: Path) -> None:
    """A home in which somebody has answered the program's first questions before."""
    if driver.runtime == "claude-code":
        file = home / ".claude" / ".claude.json"
        known = {"hasCompletedOnboarding": True, "theme": "dark", "customApiKeyResponses": {"approved": ["sk-test"]}}
        trusted = {"projects": {str(folder.resolve()): {"hasTrustDialogAccepted": True}}}
        file.write_bytes(msgspec.json.encode({**msgspec.json.decode(file.read_bytes()), **known, **trusted}))


def heard_in(question: Any) -> list[str]:
    said = msgspec.json.encode(question.body).decode()
    return [word for word in ("Pelican", "in-the-terminal", "Ostrich", "from-outside") if word in said]


async def begun(
    driver: Driver, server: ServerUnderTest, computer: ProvisionedComputer, *, model: Model, home: Path, folder: Path
) -> None:
    account = driver.account(url=model.url, home=home)
    body = {"computer": computer.id, "runtime": driver.runtime, **account}
    made = expect(await server.post("/api/accounts", body), 201)["account"]
    profile: dict[str, Any] = {
        "model": MODELS.get(driver.runtime, driver.model),
        **driver.agent_at(model.url),
        "account": made["id"],
    }
    await server.agent("coder", computer=computer, runtime=driver.runtime, cwd=str(folder), **profile)


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
async def test_a_person_goes_on_in_a_terminal_and_then_the_agent_does(
    driver: Driver, server: ServerUnderTest, computer: ProvisionedComputer, start_daemon: Any, tmp_path: Path
) -> None:
    folder, home = tmp_path / "work", tmp_path / "agent-home"
    driver.program()
    folder.mkdir()
    home.mkdir()
    place = {"room": "general", "topic": 1, "agent": "coder", "computer": computer.id}
    async with serve(*driver.dialects) as model:
        await begun(driver, server, computer, model=model, home=home, folder=folder)
        await start_daemon()
        look = LOOKS.get(driver.runtime)
        spoken = [Text(text=word, pieces=1) for word in ("Pelican.", "Ostrich.", "Heron.")]
        model.script(spoken[0], *([look] if look else []), *spoken[1:])
        await server.send("@coder say the first word")
        first = await finished(server, 1)
        as_people_left_it(driver, home=home, folder=folder)

        opened = expect(await server.post("/api/terminals", {**place, "kind": "agent", "cols": 120, "rows": 40}), 201)
        url = f"{server.url}/api/terminals/{opened['terminal']['id']}"
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {server.owner}"}) as session,
            session.ws_connect(f"{url}/ws", max_msg_size=0) as socket,
        ):
            screen = Screen(socket)
            await screen.until(lambda: b"Pelican" in screen.words)
            await screen.until(lambda: len(model.questions) == 2, typing=(b"in-the-terminal ", b"\r"))
            if look:
                await screen.until(lambda: len(model.questions) == 3, typing=(b"\r", b"\r"))  # yes, it may
            await screen.until(lambda: b"Ostrich" in screen.words)
            sent = await server.send("@coder from-outside")
            expect(await server.post(f"/api/terminals/{opened['terminal']['id']}/close", {}), 200)
        last = await finished(server, 2)

    assert (first["status"], last["status"]) == ("succeeded", "succeeded")
    assert sent["receipts"][0]["outcome"] == "queued"
    assert "terminal" in sent["receipts"][0]["text"]
    assert [heard_in(question) for question in model.questions] == [
        [],
        ["Pelican", "in-the-terminal"],
        *([["Pelican", "in-the-terminal"]] if look else []),
        ["Pelican", "in-the-terminal", "Ostrich", "from-outside"],
    ]
    assert look is None or gemini.KEY not in (folder / "seen.txt").read_text()
