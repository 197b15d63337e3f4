"""Where a program finds what people wrote for it: skills, prompts, servers of tools. Files are looked at, never run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

LARGEST = 1 << 20  # bytes of a file that is read for its head
ENTRIES = 300  # skills or servers of one place
TEXT = 1_000  # characters of a description

Source = Literal["project", "home", "pal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """`folder` holds its SKILL.md."""

    name: str
    description: str
    source: Source
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolServer:
    """A server of tools (MCP) on standard input and output. `env` may hold secrets: it stays on this computer."""

    name: str
    source: Source
    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """`skills` and `servers` are below the folder an agent works in, the others where its account lives."""

    skills: tuple[str, ...] = ()
    home_skills: Callable[[Mapping[str, str]], tuple[Path, ...]] = lambda env: ()
    servers: tuple[str, ...] = (".mcp.json",)


@runtime_checkable
class HasShelf(Protocol):
    """A runtime whose program looks for skills."""

    @property
    def shelf(self) -> Shelf: ...


def find_skills(
    shelf: Shelf, *, folder: Path, env: Mapping[str, str], library: Path, shipped: Path | None
) -> list[Skill]:
    """Each name once: the project's win over the account's, those over the computer's `library`, and that over pal's
    own.
    """
    places: list[tuple[Source, Path]] = [("project", folder / name) for name in shelf.skills]
    places += [("home", place) for place in (*shelf.home_skills(env), library)]
    if shipped is not None:
        places.append(("pal", shipped))
    found: dict[str, Skill] = {}
    for source, place in places:
        for skill in _skills_in(place, source):
            found.setdefault(skill.name, skill)
    return [found[name] for name in sorted(found)]


def find_servers(shelf: Shelf, *, folder: Path, own: Path | None) -> list[ToolServer]:
    """Those of the project, then those of `own`, the computer's list; each name once, the computer's wins."""
    found: dict[str, ToolServer] = {}
    for name in shelf.servers:
        found |= {server.name: server for server in _servers_in(folder / name, "project")}
    if own is not None:
        found |= {server.name: server for server in _servers_in(own, "home")}
    return [found[name] for name in sorted(found)]


def _skills_in(place: Path, source: Source) -> Iterator[Skill]:
    try:
        folders = sorted(path for path in place.iterdir() if (path / "SKILL.md").is_file())
    except OSError:
        return
    for folder in folders[:ENTRIES]:
        head = _head(folder / "SKILL.md")
        name = head.get("name") or folder.name
        yield Skill(name=name[:200], description=head.get("description", "")[:TEXT], source=source, folder=folder)


def _head(file: Path) -> dict[str, str]:
    """`name: value` lines between the two `---` of a file that begins with one."""
    try:
        if file.stat().st_size > LARGEST:
            return {}
        text = file.read_text("utf-8", errors="replace")
    except OSError:
        return {}
    match = re.match(r"---\r?\n(.*?)\r?\n---", text, re.S)
    lines = match[1].splitlines() if match else []
    pairs = (line.partition(":") for line in lines if line[:1].isalpha())
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def _servers_in(file: Path, source: Source) -> Iterator[ToolServer]:
    try:
        if not file.is_file() or file.stat().st_size > LARGEST:  # who reads a pipe waits for ever
            return
        listed = json.loads(file.read_bytes())["mcpServers"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if not isinstance(listed, dict):
        return
    for name, server in list(listed.items())[:ENTRIES]:
        if isinstance(server, dict) and isinstance(server.get("command"), str) and server["command"]:
            args, env = server.get("args"), server.get("env")
            yield ToolServer(
                name=str(name)[:200],
                source=source,
                command=server["command"],
                args=tuple(str(arg) for arg in args) if isinstance(args, list) else (),
                env={str(key): str(value) for key, value in env.items()} if isinstance(env, dict) else {},
            )
