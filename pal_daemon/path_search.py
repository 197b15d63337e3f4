"""Answers which files lie in an agent's folder, quickly: a list is kept for a while, and renewed while it is used.

Promise: nothing outside of the agent's folder is told, whatever is asked and whatever links lie there. Which agent
works here and in which folder the server says, as it does with work.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from pal_daemon.folder_index import GitFailed, is_within, list_paths
from pal_daemon.folders import working_folder
from pal_daemon.path_ranking import Listed, rank
from pal_daemon.runtimes.base import CannotStart
from pal_daemon.settings import Settings
from pal_server.contract.events import Find, Found

FRESH_FOR = 3.0  # seconds a list is taken as it is
KEPT_FOR = 300.0  # seconds after which a list that nobody asked for is forgotten
FOLDERS = 8  # lists that are kept
MOST = 100  # paths in one answer
BYTES = 24_000  # of them together

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kept:
    listed: Listed
    made_at: float
    used_at: float
    renewing: asyncio.Task[None] | None = None


class PathSearch:
    """Belongs to the daemon's loop; looking and ranking run in threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: dict[Path, _Kept] = {}
        self._making: dict[Path, asyncio.Task[Listed]] = {}

    async def answer(self, asked: Find) -> Found:
        """Never raises for what is asked: a refusal is an answer too."""
        try:
            folder = working_folder(self._settings, agent=asked.agent, cwd=asked.cwd)
            listed = await self._listed(folder)
        except (CannotStart, GitFailed, OSError) as error:
            return Found(ask=asked.ask, error=str(error))
        limit = min(max(asked.limit, 1), MOST)
        paths = await asyncio.to_thread(_found, folder, listed, asked.q, limit)
        return Found(ask=asked.ask, paths=paths, total=len(listed.paths))

    async def close(self) -> None:
        tasks = [*self._making.values(), *(one.renewing for one in self._kept.values() if one.renewing is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listed(self, folder: Path) -> Listed:
        """What is kept, which is renewed behind the answer when it is not fresh; else a first look."""
        now = monotonic()
        for place in [place for place, one in self._kept.items() if now - one.used_at > KEPT_FOR]:
            del self._kept[place]
        kept = self._kept.get(folder)
        if kept is None:
            return await self._first_look(folder)
        kept.used_at = now
        if now - kept.made_at > FRESH_FOR and kept.renewing is None:
            kept.renewing = asyncio.create_task(self._renew(folder, kept), name="list of a folder")
        return kept.listed

    async def _first_look(self, folder: Path) -> Listed:
        """One look for all who ask meanwhile; it goes on when they go."""
        task = self._making.get(folder)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(_look, folder), name="first list of a folder")
            self._making[folder] = task
            task.add_done_callback(lambda _: self._making.pop(folder, None))
        listed = await asyncio.shield(task)
        now = monotonic()
        while len(self._kept) >= FOLDERS:
            del self._kept[min(self._kept, key=lambda place: self._kept[place].used_at)]
        self._kept[folder] = _Kept(listed, made_at=now, used_at=now)
        return listed

    async def _renew(self, folder: Path, kept: _Kept) -> None:
        try:
            kept.listed = await asyncio.to_thread(_look, folder)
        except (GitFailed, OSError) as error:
            log.info("%s cannot be listed anew: %s", folder, error, extra={"action": "paths"})
        finally:
            kept.made_at, kept.renewing = monotonic(), None


def _look(folder: Path) -> Listed:
    return Listed.of(list_paths(folder))


def _found(folder: Path, listed: Listed, q: str, limit: int) -> list[str]:
    """What is there now and stays below the folder, up to what an answer may hold."""
    found: list[str] = []
    room = BYTES
    for path in rank(listed, q, limit=limit * 2):
        room -= len(path.encode("utf-8", "replace")) + 4
        if len(found) == limit or room < 0:
            break
        if is_within(folder, path):
            found.append(path)
    return found
