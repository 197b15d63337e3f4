"""What pal wants of Gemini CLI's settings, and where the program takes it from.

Settings of the system win over a user's, but the program takes them only from a file that root alone can write. A
user's own settings are the user's: only a home of pal's own making is told ours, where it says nothing else. What has
to hold everywhere is therefore no setting: `SHELL` keeps keys from the commands of agents.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pal_daemon.runtimes.base import CannotStart

SETTINGS = Path(__file__).with_name("gemini_settings.json")
SHELL = Path(__file__).with_name("gemini_shell.sh")
OF_ADMINISTRATORS = (
    Path("/etc/gemini-cli/settings.json"),
    Path("/Library/Application Support/GeminiCli/settings.json"),
)
ROOTS = {0}  # user ids
WRITABLE_BY_OTHERS = 0o022


def system_settings(file: Path = SETTINGS, *, others: Iterable[Path] = OF_ADMINISTRATORS) -> dict[str, str]:
    """The variable that makes `file` the system's settings; empty where the program would not take them, or where an
    administrator has settings which that would put out of force.
    """
    if any(other.exists() for other in others):
        return {}
    whole = file.resolve()
    is_roots = all(_is_roots(path) for path in (whole, *whole.parents))
    return {"GEMINI_CLI_SYSTEM_SETTINGS_PATH": str(file)} if is_roots else {}


def settle(home: Path) -> None:
    """Tell a home of pal's own what it says nothing else about. Settings nobody can read stay as they are.

    Raises CannotStart.
    """
    file = home / ".gemini" / "settings.json"
    try:
        told = json.loads(file.read_bytes())
    except FileNotFoundError:
        told = {}
    except (OSError, ValueError):  # the program says what is wrong with it
        return
    if not isinstance(told, dict):
        return
    whole = _filled(told, json.loads(SETTINGS.read_bytes()))
    if whole == told:
        return
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_name(f".settings.{os.getpid()}")
        fresh.write_text(json.dumps(whole, indent=2) + "\n")
        os.replace(fresh, file)
    except OSError as error:
        raise CannotStart("spawn", f"the home of its account cannot be written: {error.strerror}") from error


def _filled(told: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    whole = dict(told)
    for name, wanted in ours.items():
        if name not in whole:
            whole[name] = wanted
        elif isinstance(wanted, dict) and isinstance(whole[name], dict):
            whole[name] = _filled(whole[name], wanted)
    return whole


def _is_roots(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return found.st_uid in ROOTS and not found.st_mode & WRITABLE_BY_OTHERS
