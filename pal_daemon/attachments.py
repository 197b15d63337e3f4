"""Files that were attached to what an agent is told: brought into the run's folder before it starts, with a label in
the prompt.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from pal_daemon.bus import ApiProblem, Bus
from pal_daemon.patience import until_answered
from pal_server.contract.deliveries import Work

FOLDER = "files"  # in the run's folder
GONE = "is not offered any more"

log = logging.getLogger(__name__)


async def fetch_attachments(bus: Bus, work: Work, folder: Path) -> Work:
    """The work with a `path` in each of its files, and the labels of all in its prompt.

    A file that has ended meanwhile, or that we may not have, is named as missing: the run goes on without it. A server
    that is away is waited for. Raises OSError when the disk takes no more.
    """
    if not work.files:
        return work
    place = folder / FOLDER
    await asyncio.to_thread(place.mkdir, mode=0o700, parents=True, exist_ok=True)
    found: list[dict[str, Any]] = []
    for number, file in enumerate(_each_once(work.files), 1):
        path = place / f"{number}-{_plain(str(file['name']))}"
        found.append({**file, "path": str(path) if await _fetch(bus, str(file["id"]), path) else None})
    return msgspec.structs.replace(work, files=found, prompt=f"{work.prompt.rstrip()}\n\n{_labels(found)}\n")


async def _fetch(bus: Bus, id: str, path: Path) -> bool:
    async def get() -> None:
        with await asyncio.to_thread(_create, path) as file:
            await bus.download(id, file)

    try:
        await until_answered(get)
    except ApiProblem as error:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        log.warning("an attached file cannot be had: %s", error, extra={"action": "attachment", "file": id})
        return False
    return True


def _create(path: Path) -> BinaryIO:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _each_once(files: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A burst may carry one file several times."""
    return list({str(file["id"]): file for file in files}.values())


def _plain(name: str) -> str:
    """The server made the name safe; on this disk nothing but its last part counts all the same."""
    last = name.replace("\\", "/").rpartition("/")[2].replace("\0", "").strip()
    return last.encode()[:200].decode(errors="ignore") or "file"


def _labels(files: Sequence[dict[str, Any]]) -> str:
    """Names come from others, so paths are quoted and stay on one line."""
    lines = [
        f"[{number}] "
        + (
            f"{json.dumps(file['path'], ensure_ascii=False)} ({file['mime']}, {file['size']} bytes)"
            if file["path"]
            else f"{json.dumps(file['name'], ensure_ascii=False)} {GONE}"
        )
        for number, file in enumerate(files, 1)
    ]
    return "The attached files are on this computer:\n" + "\n".join(lines)
