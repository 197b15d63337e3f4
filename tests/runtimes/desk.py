"""A program at work: its model service is scripted, and a daemon drives it for a fake bus."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pal_daemon.runtimes.base import Out
from pal_daemon.runtimes.registry import load_registry
from pal_daemon.settings import Settings
from pal_daemon.spool import Stream, read_spool
from tests.runtimes.driver import Driver
from tests.support.daemons import RunningDaemon
from tests.support.fake_bus import FakeBus, FakeDelivery, FakeRun
from tests.support.models.server import Model, serve
from tests.support.patience import PATIENCE

IN_PIECES = ("message", "reasoning", "output", "log", "plan")


class Daemons:
    """The daemons of one test, one after the other."""

    def __init__(self, start: Callable[..., Awaitable[RunningDaemon]]) -> None:
        self._start = start
        self.newest: RunningDaemon

    async def start(self, **changes: Any) -> None:
        self.newest = await self._start(**changes)


@dataclass
class Desk:
    """One program with its model, at one fake bus."""

    driver: Driver
    model: Model
    bus: FakeBus
    folder: Path
    home: Path
    runs_folder: Path
    daemons: Daemons
    attending: list[asyncio.Task[None]] = field(default_factory=list)

    async def given(self, text: str, *, native: str | None = None, **more: Any) -> FakeRun:
        """A run that has begun."""
        run = await self.bus.run_of(await self.delivered(text, native=native, **more))
        self.attending.append(asyncio.create_task(self.driver.attend(self, run), name=f"attend run {run.id}"))
        return run

    async def at_work(self, run: FakeRun, *, asked: int = 1) -> None:
        """Return once its first words are there, or, where they come at the end alone, its model was asked."""
        if self.driver.streams:
            await self.bus.until(lambda: self.said(run), within=self.driver.patience)
        else:
            await self.model.asked(asked)

    def said(self, run: FakeRun) -> str:
        return run.text(self.driver.words)

    async def delivered(
        self,
        text: str,
        *,
        native: str | None = None,
        recap: str = "",
        slash: str | None = None,
        prompt: str | None = None,
        **agent: Any,
    ) -> FakeDelivery:
        settings = {"account": self.driver.account(url=self.model.url, home=self.home), **agent.pop("settings", {})}
        delivery = await self.bus.given_delivery(
            content=text,
            look=False,
            runtime=self.driver.runtime,
            cwd=str(self.folder),
            settings=settings,
            **{**self.driver.agent(), **self.driver.agent_at(self.model.url), **agent},
        )
        if native is not None:
            delivery.work |= {"native_session": native, "recap": recap}
        if prompt is not None:
            delivery.work["prompt"] = prompt
        if slash is not None:
            delivery.work["slash"] = slash
        await self.bus.say_look("deliveries")
        return delivery

    async def end(self, run: FakeRun) -> dict[str, Any]:
        """How it ended; its events are on the run."""
        delivery = self.bus.deliveries[run.delivery]
        await self.bus.end_of(delivery, within=self.driver.patience)
        assert run.finish is not None
        return run.finish

    async def asked(self, run: FakeRun, number: int = 1) -> dict[str, Any]:
        """The card of this number, once it is there."""
        await self.bus.until(lambda: len(run.asks) >= number or run.finish, within=self.driver.patience)
        assert len(run.asks) >= number, f"the run ended without asking: {run.finish}"
        return run.asks[number - 1]

    async def answer(self, run: FakeRun, ask: dict[str, Any], **said: Any) -> None:
        id = run.interactions[ask["key"]]
        await self.bus.given_command("answer", run.id, interaction=id, key=ask["key"], kind=ask["kind"], **said)

    async def order_done(self, number: int) -> dict[str, Any]:
        await self.bus.until(lambda: number in self.bus.commands_done, within=self.driver.patience)
        return self.bus.commands_done[number]

    def reread(self, run: FakeRun, *, size: int | None = None) -> list[Out]:
        """What a reader makes of the run's spool; `size` cuts each record's output into pieces."""
        runtime = load_registry().get(self.driver.runtime)
        assert runtime is not None
        reader = runtime.reader()
        outs: list[Out] = []
        for record in read_spool(self.runs_folder / str(run.id) / "spool"):
            if size is None or record.stream is not Stream.STDOUT:
                outs += reader.feed(record)
                continue
            for at in range(0, len(record.data), size):
                outs += reader.feed(replace(record, data=record.data[at : at + size]))
        return outs


@contextlib.asynccontextmanager
async def open_desk(
    driver: Driver, *, bus: FakeBus, settings: Settings, start: Callable[..., Awaitable[RunningDaemon]], root: Path
) -> AsyncIterator[Desk]:
    """Skips the test where the program cannot be had. Everything it writes is below `root`."""
    driver.program()
    home, folder = root / "agent-home", root / "work"
    home.mkdir()
    folder.mkdir()
    async with serve(*driver.dialects) as model:
        daemons = Daemons(start)
        await daemons.start()
        desk = Desk(driver, model, bus, folder, home, settings.runs_folder, daemons)
        yield desk
        for task in desk.attending:
            task.cancel()
        for ended in await asyncio.gather(*desk.attending, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


def of_kind(run: FakeRun, kind: str) -> list[dict[str, Any]]:
    return [event for event in run.events if event["kind"] == kind]


def joined(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events with each text whole, where its first piece stood: how a program streams is nobody's promise.

    Pieces that have a name are told by it, others follow each other; the daemon joins only those that wait together.
    """
    whole: list[dict[str, Any]] = []
    for event in events:
        before = whole if event.get("data") else whole[-1:]
        first = next((one for one in before if event["kind"] in IN_PIECES and _named(one) == _named(event)), None)
        if first is None:
            whole.append(dict(event))
        else:
            first["text"] = f"{first['text'] or ''}{event['text'] or ''}"
    return whole


def _named(event: dict[str, Any]) -> tuple[object, ...]:
    return tuple(event.get(name) for name in ("kind", "lane", "data"))


async def approve_all(desk: Desk, run: FakeRun) -> dict[str, Any]:
    """Say yes to everything until the run ends."""
    answered = 0
    while run.finish is None:
        await desk.bus.until(functools.partial(_has_moved, run, answered), within=desk.driver.patience)
        for ask in run.asks[answered:]:
            await desk.answer(run, ask, decision="approve")
        answered = len(run.asks)
    return run.finish


def _has_moved(run: FakeRun, answered: int) -> bool:
    return len(run.asks) > answered or run.finish is not None


async def told(fifo: Path) -> str:
    """What another process writes into the pipe first."""
    fd = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(fd, readable.set)
    try:
        async with asyncio.timeout(PATIENCE):
            await readable.wait()
        return os.read(fd, 100).decode()
    finally:
        loop.remove_reader(fd)
        os.close(fd)
