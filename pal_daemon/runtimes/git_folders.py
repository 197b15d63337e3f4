"""Which folders of a repository a commit writes to: what a sandboxed agent has to be allowed."""

from __future__ import annotations

from pathlib import Path

SHARED = ("objects", "refs", "logs")  # of the main repository; its config, hooks and packed refs stay untouched


def commit_folders(folder: Path) -> list[Path]:
    """Of the checkout `folder` lies in; empty outside of one.

    A linked worktree gets its own part of the repository and the shared folders a commit needs, not the rest: a hook
    written there would run outside of the sandbox later.
    """
    mark = next((place / ".git" for place in (folder, *folder.parents) if _is_mark(place / ".git")), None)
    if mark is None:
        return []
    if mark.is_dir():
        return [mark]
    own = _follow(mark, mark.parent, prefix="gitdir:")
    if own is None:
        return []
    common = _follow(own / "commondir", own) or own
    return [own, *(common / name for name in SHARED if (common / name).is_dir())]


def _is_mark(place: Path) -> bool:
    """A repository or what leads to one; an empty folder of that name is neither, as a killed sandbox leaves it."""
    return (place / "HEAD").is_file() or place.is_file()


def _follow(file: Path, base: Path, *, prefix: str = "") -> Path | None:
    """The folder a file of git names; None when it does not."""
    try:
        text = file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not text.startswith(prefix):
        return None
    found = (base / text.removeprefix(prefix).strip()).resolve()
    return found if found.is_dir() else None
