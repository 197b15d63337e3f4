"""The environment an agent process gets: the daemon's own without what is pal's, the run's names, and `pal` on PATH."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

OURS = ("PAL_", "LOCK_")  # keys, tokens and addresses of daemon and server; an agent has its run's own


def run_environment(
    base: Mapping[str, str],
    *,
    run: int,
    token: str,
    agent: str,
    room: str,
    topic: int,
    message: int,
    daemon_url: str,
    server_url: str,
    program_folder: Path | None,
    more: Mapping[str, str],
) -> dict[str, str]:
    """Complete but for the keeper's marks. `more` is what the agent's profile adds; it cannot replace the run's own
    names.
    """
    env = {name: value for name, value in base.items() if not name.startswith(OURS)}
    env |= {name: value for name, value in more.items() if not name.startswith(OURS) and _is_usable(name, value)}
    if program_folder is not None:
        env["PATH"] = os.pathsep.join((str(program_folder), env.get("PATH", os.defpath)))
    return env | {
        "PAL_RUN_ID": str(run),
        "PAL_RUN_TOKEN": token,
        "PAL_AGENT_KEY": agent,
        "PAL_ROOM": room,
        "PAL_TOPIC": str(topic),
        "PAL_MESSAGE": str(message),
        "PAL_DAEMON_URL": daemon_url,
        "PAL_SERVER": server_url,
    }


def link_program(folder: Path) -> Path | None:
    """A folder that holds `pal` alone, for the front of PATH; None when no `pal` is found.

    Not the folder pal is installed in: that may be a virtual environment, whose `python` would hide the agent's own.
    """
    program = _find_program()
    if program is None:
        return None
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    link = folder / program.name
    if os.path.lexists(link) and os.path.realpath(link) == os.path.realpath(program):
        return folder
    fresh = folder / f".{program.name}.{os.getpid()}"
    try:
        fresh.symlink_to(program)
        os.replace(fresh, link)
    except OSError:  # no links here (Windows): the installed folder is better than no `pal`
        return program.parent
    return folder


def _find_program() -> Path | None:
    name = "pal.exe" if sys.platform == "win32" else "pal"
    started = Path(sys.argv[0])
    candidates = [Path(sys.executable).parent / name]
    if started.name == name:
        candidates.insert(0, started.absolute())
    for candidate in candidates:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which(name)
    return Path(found).absolute() if found else None


def _is_usable(name: str, value: str) -> bool:
    return bool(name) and "=" not in name and "\0" not in name and "\0" not in value
