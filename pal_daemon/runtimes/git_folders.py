"""Which folders of a repository a commit writes to: what a sandboxed agent has to be allowed."""

from __future__ import annotations

from pathlib import Path

PREFIX = "gitdir:"
SHARED = ("objects", "refs", "logs")  # of the main repository; its config, hooks and packed refs stay untouched


def commit_folders(folder: Path) -> list[Path]:
    """Of the checkout `folder` lies in; empty outside of one.

    A linked worktree gets its own part of the repository and the shared folders a commit needs, not the rest: a hook
    written there would run outside of the sandbox later. Where those are says the place of its own part, and no file
    in it: that is where an earlier run of the agent could write, and lead the next one's sandbox to any folder.
    """
    mark = next((place / ".git" for place in (folder, *folder.parents) if _is_mark(place / ".git")), None)
    if mark is None:
        return []
    if mark.is_dir():
        return [mark]
    own = _follow(mark)
    if own is None:
        return []
    common = own.parent.parent if own.parent.name == "worktrees" else own
    if not (_is_repository(common) and (own / "HEAD").is_file()):
        return []
    shared = (common / name for name in SHARED)
    return [own, *(place for place in shared if place.is_dir() and not place.is_symlink())]


def _is_mark(place: Path) -> bool:
    """A repository or what leads to one; an empty folder of that name is neither, as a killed sandbox leaves it."""
    return not place.is_symlink() and ((place / "HEAD").is_file() or place.is_file())


def _is_repository(place: Path) -> bool:
    return (place / "HEAD").is_file() and (place / "objects").is_dir() and (place / "refs").is_dir()


def _follow(mark: Path) -> Path | None:
    """The folder that the file `.git` of a linked worktree or submodule names; None when it does not."""
    try:
        text = mark.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not text.startswith(PREFIX):
        return None
    try:
        found = (mark.parent / text.removeprefix(PREFIX).strip()).resolve()
    except (OSError, ValueError):
        return None
    return found if found.is_dir() else None
