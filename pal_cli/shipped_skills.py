"""The skills that come with pal: text files that tell an agent how to use it, and how they get into an agent's home.

A skill is a folder `pal-<name>` with a `SKILL.md`, as agent programs look for it below `.agents/skills` and
`.claude/skills` of the folder they work in. Beside each installed file the hash of what was written is kept, so that a
newer text replaces an older one by itself and never one that somebody has changed.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SHIPPED = Path(__file__).parent / "skills"
FOLDERS = (".agents/skills", ".claude/skills")  # between them every agent program that knows skills finds one
PREFIX = "pal-"  # a skill of somebody else with the same name is neither hidden nor replaced
_TEXT, _MARK = "SKILL.md", ".installed"

State = Literal["missing", "current", "older", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """One shipped skill: `description` says to an agent when to use it, `text` is the whole file."""

    name: str
    description: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Where one skill goes in one home, and what is there now."""

    skill: Skill
    path: Path
    state: State


def shipped() -> list[Skill]:
    """All of them by name."""
    return [_read(path.parent.name) for path in sorted(SHIPPED.glob(f"*/{_TEXT}"))]


def shipped_skill(name: str) -> Skill | None:
    """The one of that name, with or without the prefix it is installed under."""
    short = name.removeprefix(PREFIX)
    return next((skill for skill in shipped() if skill.name == short), None)


def copies(skills: Sequence[Skill], *, homes: Sequence[Path]) -> Iterator[Copy]:
    """Every file that installing these in those homes would write, and what is there now."""
    for home in homes:
        for folder in FOLDERS:
            for skill in skills:
                path = home / folder / f"{PREFIX}{skill.name}" / _TEXT
                yield Copy(skill=skill, path=path, state=_state(path, skill))


def write(copy: Copy) -> None:
    """Put the shipped text there, whole or not at all. What was there is gone; a link is replaced, not followed."""
    folder = copy.path.parent
    folder.mkdir(parents=True, exist_ok=True)
    data = copy.skill.text.encode()
    # The mark first: after a crash between the two the old text counts as changed, which only asks once more.
    _replace(folder / _MARK, (_hash(data) + "\n").encode())
    _replace(copy.path, data)


def _state(path: Path, skill: Skill) -> State:
    try:
        there = path.read_bytes()
    except FileNotFoundError:
        return "changed" if path.is_symlink() else "missing"
    except OSError:
        return "changed"
    if there == skill.text.encode():
        return "current"
    with suppress(OSError):
        if (path.parent / _MARK).read_text("utf-8").strip() == _hash(there) and not path.is_symlink():
            return "older"
    return "changed"


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(data)
    os.replace(part, path)


def _read(name: str) -> Skill:
    text = (SHIPPED / name / _TEXT).read_text("utf-8")
    head = text.split("---\n", 2)[1]
    description = next(line for line in head.splitlines() if line.startswith("description: "))
    return Skill(name=name, description=description.removeprefix("description: "), text=text)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
