"""Which repositories runs of this computer have worked in, and which branch each is on now.

Known from the folders of runs that are still kept (`git_state.keep`); git itself is not asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pal_daemon import git_state
from pal_daemon.storable import storable_text
from pal_server.contract.agents import CheckoutIn

MOST = 50
HEAD_BYTES = 1_000  # of a file that names a branch


class Checkouts:
    """Blocks: for a thread, one call at a time."""

    def __init__(self, runs_folder: Path) -> None:
        self._runs = runs_folder
        self._seen: set[str] = set()  # runs whose folder was looked at
        self._used: dict[str, int] = {}  # root → when a run began there last, UTC ms

    def knows(self, runs: Iterable[int]) -> bool:
        """Whether all of these have been looked at; one that is just beginning has not told its folder yet."""
        return all(str(run) in self._seen for run in runs)

    def look(self) -> list[CheckoutIn]:
        """Those used last come first; what is no repository any more is left out."""
        for run in self._new_runs():
            try:
                state = git_state.kept(run)
                began = int((run / git_state.FILE).stat().st_mtime * 1000)
            except (git_state.GitFailed, OSError):
                continue  # it has not begun, or is on its way out: looked at again while it is there
            self._seen.add(run.name)
            if state is not None:
                self._used[state.root] = max(began, self._used.get(state.root, 0))
        roots = sorted(self._used, key=lambda root: (-self._used[root], root))
        self._used = {root: self._used[root] for root in roots if git_state.root_of(Path(root)) == Path(root)}
        return [
            CheckoutIn(root=root, branch=_branch(Path(root)), used_at=used)
            for root, used in list(self._used.items())[:MOST]
        ]

    def _new_runs(self) -> list[Path]:
        try:
            folders = {folder.name: folder for folder in self._runs.iterdir()}
        except OSError:
            return []
        self._seen &= folders.keys()
        return [folders[name] for name in folders.keys() - self._seen]


def _branch(root: Path) -> str | None:
    """None while no branch is checked out, or when that cannot be read."""
    mark = root / ".git"
    try:
        if mark.is_file():  # of a linked worktree or a submodule: where its own files are
            mark = root / _beginning(mark).partition("gitdir:")[2].strip()
        head = _beginning(mark / "HEAD").strip()
    except (OSError, ValueError):  # ValueError: no path, as with a NUL in it
        return None
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else None


def _beginning(file: Path) -> str:
    """Agents write there: nothing of what is no file, as a pipe may have no end, and nothing a server cannot store."""
    if not file.is_file():
        return ""
    with file.open("rb") as opened:
        return storable_text(opened.read(HEAD_BYTES).decode("utf-8", "replace"))
