"""What an older system left in a checkout for Claude Code, and takes no answer any more: hooks and servers of Agetor.

They lie in the checkout's `.claude/settings.local.json`: a hook that asks a port nobody listens on before every tool,
and a server for questions. They are taken out; everything else in the file stays as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

SETTINGS = Path(".claude") / "settings.local.json"
LONGEST = 1 << 20  # bytes; a longer one is no settings file of anybody's

_THEIRS = re.compile(
    r"(?:^|[\s/\\'\"=])\.?agetor(?:$|[\s/\\'\".:_-])", re.IGNORECASE
)  # its folder or program in a command


def remove_leftovers(folder: Path) -> bool:
    """Clean the checkout; whether there was anything. What cannot be read or written stays as it is."""
    file = folder / SETTINGS
    try:
        if file.parent.is_symlink() or file.is_symlink() or not file.is_file() or file.stat().st_size > LONGEST:
            return False
        settings = msgspec.json.decode(file.read_bytes())
        cleaned = without_leftovers(settings) if isinstance(settings, dict) else settings
        if cleaned == settings:
            return False
        _replace(file, cleaned)
    except (OSError, msgspec.MsgspecError):
        return False
    return True


def without_leftovers(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without what is Agetor's, and without what is empty for that reason alone."""
    kept = dict(settings)
    if isinstance(kept.get("hooks"), dict):
        hooks = {event: _hooks(groups) for event, groups in kept["hooks"].items()}
        kept["hooks"] = {event: hooks[event] for event in hooks if hooks[event] or not kept["hooks"][event]}
        if not kept["hooks"] and settings["hooks"]:
            del kept["hooks"]
    if isinstance(kept.get("mcpServers"), dict):
        kept["mcpServers"] = {
            name: server
            for name, server in kept["mcpServers"].items()
            if not (name.lower() == "agetor" or _is_theirs(server))
        }
        if not kept["mcpServers"] and settings["mcpServers"]:
            del kept["mcpServers"]
    return kept


def _hooks(groups: object) -> object:
    """One event's groups of hooks; whatever has another shape than we know stays."""
    if not isinstance(groups, list):
        return groups
    kept = []
    for group in groups:
        hooks = group.get("hooks") if isinstance(group, dict) else None
        if not isinstance(hooks, list):
            kept.append(group)
            continue
        left = [hook for hook in hooks if not _is_theirs(hook)]
        if left or not hooks:
            kept.append({**group, "hooks": left})
    return kept


def _is_theirs(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    args = entry.get("args")
    words = [entry.get("command"), *(args if isinstance(args, list) else [])]
    return any(isinstance(word, str) and _THEIRS.search(word) is not None for word in words)


def _replace(file: Path, settings: Mapping[str, Any]) -> None:
    if not settings:
        file.unlink()
        return
    fresh = file.with_suffix(".pal-new")
    mode = file.stat().st_mode & 0o777
    fresh.unlink(missing_ok=True)  # an agent may have laid a link there that leads out of its checkout
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n")
        os.replace(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)
