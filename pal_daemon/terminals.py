"""The terminals of this computer: opened by order, brought to the server, found again after the daemon's death.

Promises: an order to open has opened one terminal however often it comes; what a keeper has kept is brought from the
position the server lacks; a terminal the server no longer wants is ended; a folder goes only when its end is stored
there or nobody there wants it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
from pathlib import Path

from pal_daemon.house import House
from pal_daemon.keeper_client import KeeperFailed, KeeperGone, KeeperUsed, attach, launch
from pal_daemon.runtimes.base import CannotStart
from pal_daemon.spool import Stream, parse_exit, parse_memo, read_spool
from pal_daemon.terminal_bringing import Bringing
from pal_daemon.terminal_plans import Order, plan_terminal
from pal_server.client.aio import Client

CLOSE_WITHIN = 30.0  # seconds an end may take, with everything that ran in it

log = logging.getLogger(__name__)


class CannotOpen(Exception):
    """The message is for the person who wanted it."""


class Terminals:
    """One task for each terminal."""

    def __init__(self, house: House, client: Client) -> None:
        self._house = house
        self._client = client
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def take_up(self) -> None:
        """Go on with what an earlier daemon left."""
        for folder in self._folders():
            told = _memo(folder)
            if told is None:  # nothing was started in it
                shutil.rmtree(folder, ignore_errors=True)
            else:
                self._bring(told[0], folder=folder, works_in=told[1])

    async def open(self, order: Order) -> str:
        """Start it, or go on with it. Raises CannotOpen."""
        folder = self._folder(order.terminal)
        if order.terminal in self._tasks:
            return "it is open"
        try:
            spec = await asyncio.to_thread(plan_terminal, self._house, order)
            keeper = await launch(folder, spec)
        except KeeperUsed:
            self._bring(order.terminal, folder=folder, works_in="")
            return "it is open"
        except (CannotStart, KeeperFailed, OSError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise CannotOpen(str(error)) from error
        if keeper.agent is None:
            why = _why_not_started(folder)
            shutil.rmtree(folder, ignore_errors=True)
            raise CannotOpen(why)
        log.info("terminal opened", extra={"action": "terminal.open", "terminal": order.terminal})
        self._bring(order.terminal, folder=folder, works_in=spec.cwd)
        return "opened"

    async def close(self, id: str) -> str:
        """End it with all that runs in it; returns when the server knows. Raises CannotOpen when it is not here."""
        task = self._tasks.get(id)
        if task is None:
            raise CannotOpen("it is not on this computer any more")
        await end(self._folder(id))
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await asyncio.shield(asyncio.wait([task]))
        except TimeoutError:
            raise CannotOpen("it did not end in time") from None
        return "closed"

    async def end_all(self) -> None:
        """Nobody may have them any more: this computer was taken over, or its key is void."""
        await asyncio.gather(*(end(folder) for folder in self._folders()))

    async def leave(self) -> None:
        """Let go of them; their keepers go on."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _bring(self, id: str, *, folder: Path, works_in: str) -> None:
        bringing = Bringing(self._house, self._client, id=id, folder=folder, works_in=works_in)
        self._tasks[id] = asyncio.create_task(self._carry(bringing), name=f"terminal {id}")

    async def _carry(self, bringing: Bringing) -> None:
        try:
            is_wanted = await bringing.run()
            if not is_wanted:
                await end(bringing.folder)
            shutil.rmtree(bringing.folder, ignore_errors=True)
        except Exception:  # an edge: one terminal's defect must not end the daemon
            log.exception("a terminal failed", extra={"action": "terminal", "terminal": bringing.id})
        finally:
            del self._tasks[bringing.id]

    def _folders(self) -> list[Path]:
        try:
            return sorted(path for path in self._root.iterdir() if path.is_dir())
        except OSError:
            return []

    def _folder(self, id: str) -> Path:
        """A name of our own: what a server calls a terminal is never part of a path."""
        return self._root / hashlib.sha256(id.encode("utf-8", "replace")).hexdigest()[:32]

    @property
    def _root(self) -> Path:
        return self._house.settings.folder / "terminals"


async def end(folder: Path) -> None:
    """Ask the keeper to end its program and all below it; returns when that is done, or after CLOSE_WITHIN."""
    keeper = await attach(folder)
    if keeper is None:
        return
    try:
        await keeper.stop()
        async with asyncio.timeout(CLOSE_WITHIN), keeper.watch() as watch:
            while await watch.wait(beyond=2**62):
                pass
    except KeeperGone:
        return
    except TimeoutError:
        log.warning("a terminal does not end", extra={"action": "terminal.close"})


def _memo(folder: Path) -> tuple[str, str] | None:
    """The terminal's id, and where it works."""
    first = next(read_spool(folder / "spool"), None)
    if first is None or first.stream is not Stream.MEMO:
        return None
    memo = parse_memo(first)
    return str(memo.get("terminal")), str(memo.get("folder", ""))


def _why_not_started(folder: Path) -> str:
    for record in read_spool(folder / "spool"):
        if record.stream is Stream.EXIT:
            return parse_exit(record).detail or "it could not be started"
    return "it could not be started"
