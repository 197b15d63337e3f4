"""What an agent's profile gives its program beside the prompt: skills, tool servers, and a container around it.

Skills are links in a folder of the run's own, which the program is pointed to. Tool servers are started by the program
through `tool_server`, from a file of the run. Both are gone with the run.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pal_daemon.folders import shipped_skills
from pal_daemon.runtimes.base import CannotStart, Runtime
from pal_daemon.runtimes.shelf import HasShelf, Shelf, Skill, ToolServer, find_servers, find_skills
from pal_daemon.settings import Settings
from pal_server.contract.deliveries import Work

LAUNCHER = Path(__file__).with_name("tool_server.py")
SKILLS = Path(".claude", "skills")  # below the folder a program is pointed to; the others are given this one itself
OWN = "pal"
FOLDER, SCRATCH, ENV = "{folder}", "{scratch}", "{env}"  # in an isolation


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """`servers` are names and command lines. `missing` says which of the profile's things this computer has not."""

    skills: Path | None = None
    servers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def equip(
    settings: Settings, runtime: Runtime, work: Work, *, run: int, folder: Path, env: Mapping[str, str]
) -> Equipment:
    """Lay out what the run's program is to have. Raises CannotStart when the disk does not take it."""
    able = runtime.capabilities
    skills = _names(work, "skills") if able.skills else []
    servers = _names(work, "servers") if able.servers else []
    if not skills and not servers:
        return Equipment()
    shelf = runtime.shelf if isinstance(runtime, HasShelf) else Shelf()
    place = equipment_folder(settings, run)
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700, parents=True)
        known = _find_skills(settings, shelf, folder=folder, env=env)
        found = [known[name] for name in skills if name in known]
        given = _lay_out_servers(settings, shelf, servers, place=place, folder=folder, env=env)
        if found:
            _link(found, place / SKILLS)
    except OSError as error:
        raise CannotStart("spawn", f"skills and tool servers cannot be laid out: {error.strerror}") from error
    missing = [f"the skill {name}" for name in skills if name not in known]
    missing += [f"the tool server {name}" for name in servers if name not in given]
    return Equipment(skills=place if found else None, servers=given, missing=tuple(missing))


def take_back(settings: Settings, run: int) -> None:
    """The run is over."""
    shutil.rmtree(equipment_folder(settings, run), ignore_errors=True)


def take_back_all(settings: Settings, *, live: set[int]) -> None:
    """Of every run that is not in `live`: what an earlier daemon left."""
    for place in equipment_folder(settings, 0).parent.glob("*"):
        if place.name.isdecimal() and int(place.name) not in live:
            shutil.rmtree(place, ignore_errors=True)


def equipment_folder(settings: Settings, run: int) -> Path:
    return settings.folder / "equipment" / str(run)


def isolate(
    argv: Sequence[str], isolation: object, *, folder: Path, scratch: Path, env: Mapping[str, str]
) -> tuple[str, ...]:
    """The command line with the agent's isolation before it. `{folder}` and `{scratch}` stand for paths, `{env}` for
    one `--env=NAME` for each variable, which container programs take with its value. Raises CannotStart.
    """
    if not isinstance(isolation, str) or not isolation.strip():
        return tuple(argv)
    try:
        words = shlex.split(isolation)
    except ValueError as error:
        raise CannotStart("spawn", f"the agent's isolation cannot be split into words: {error}") from error
    whole: list[str] = []
    for word in words:
        if word == ENV:
            whole += [f"--env={name}" for name in sorted(env)]
        else:
            whole.append(word.replace(FOLDER, str(folder)).replace(SCRATCH, str(scratch)))
    if shutil.which(whole[0], path=env.get("PATH")) is None:
        raise CannotStart("missing_program", f"{whole[0]}, which isolates the agent, is not on this computer")
    return (*whole, *argv)


def _find_skills(settings: Settings, shelf: Shelf, *, folder: Path, env: Mapping[str, str]) -> dict[str, Skill]:
    found = find_skills(shelf, folder=folder, env=env, library=settings.home / "skills", shipped=shipped_skills())
    return {skill.name: skill for skill in found}


def _link(skills: Sequence[Skill], place: Path) -> None:
    place.mkdir(mode=0o700, parents=True)
    for number, skill in enumerate(skills):
        name = skill.folder.name if not (place / skill.folder.name).exists() else f"{skill.folder.name}-{number}"
        (place / name).symlink_to(skill.folder.absolute(), target_is_directory=True)


def _lay_out_servers(
    settings: Settings, shelf: Shelf, wanted: Sequence[str], *, place: Path, folder: Path, env: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    known = {server.name: server for server in find_servers(shelf, folder=folder, own=settings.home / "mcp.json")}
    own = _own_server(env)
    if own is not None:
        known[OWN] = own
    given = [known[name] for name in wanted if name in known]
    if not given:
        return {}
    file = place / "servers.json"
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump({server.name: asdict(server) for server in given}, out)
    return {server.name: (sys.executable, "-I", "-S", str(LAUNCHER), str(file), server.name) for server in given}


def _own_server(env: Mapping[str, str]) -> ToolServer | None:
    """`pal mcp` as the run's agent, whatever of its environment the program passes on."""
    program = shutil.which("pal", path=env.get("PATH"))
    if program is None:
        return None
    names = {name: value for name, value in env.items() if name.startswith("PAL_")}
    return ToolServer(name=OWN, source="pal", command=program, args=("mcp",), env=names)


def _names(work: Work, what: str) -> list[str]:
    names = work.agent.settings.get(what)
    return [str(name) for name in names] if isinstance(names, list) else []
