"""What a run leaves in git: the state of its folder before its program starts, and what differs from it later.

Nothing but `set_aside` writes. Git is never asked for longer than LOOK_FOR, takes no locks, and runs neither hooks nor
filters of the repository: what lies there may have been written by an agent whose sandbox ends before this process.
All of it blocks: call it in a thread.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec

LOOK_FOR = 2.0  # seconds
STASH_FOR = 30.0  # seconds; it writes every file it puts aside
PATHS = 2000  # changed paths that are remembered of a folder
REFS = 2000
SHOWN = 100  # paths, commits and pushes that are told
FILE = "git.json"  # in the run's folder

_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "log.showSignature=false",
    "diff.external=",
)
_SAFE = tuple(word for setting in _SETTINGS for word in ("-c", setting))
_SHALLOW = "--ignore-submodules=dirty"  # else git looks into them by their own configuration
_ITS_OWN = ("local", "worktree")  # scopes of configuration that lie in the repository
_CALLED = "pal"  # who puts aside, where git has no name for its user


class Change(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A path that differs from the commit: git's two letters, and how the file stood."""

    letters: str
    modified: int  # nanoseconds; 0 when it is not there
    size: int


class State(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a repository."""

    folder: str
    root: str
    head: str | None = None
    branch: str | None = None
    changes: dict[str, Change] = {}
    """By path below `root`; at most PATHS."""
    refs: dict[str, str] = {}
    """Commits of branches, ours and those of remotes; at most REFS."""


class GitFailed(Exception):
    """Git cannot tell, or cannot do it; the message is for people."""


def root_of(folder: Path) -> Path | None:
    """The checkout `folder` lies in, without asking git; None outside of one."""
    for place in (folder, *folder.parents):
        mark = place / ".git"
        if (mark / "HEAD").is_file() or mark.is_file():
            return place
    return None


def look(folder: Path) -> State | None:
    """How the repository of a folder stands now; None outside of one. Raises GitFailed."""
    folder = folder.resolve()
    root = root_of(folder)
    if root is None:
        return None
    quiet = _quiet(root)
    flags = ("--porcelain=v2", "--branch", "-z", "--untracked-files=all", _SHALLOW)
    listed = _git(root, *quiet, "status", *flags)
    branches = "%(objectname) %(refname)"
    refs = _git(root, *quiet, "for-each-ref", f"--count={REFS}", f"--format={branches}", "refs/heads", "refs/remotes")
    head, branch, letters = _parse_status(listed)
    return State(
        folder=str(folder),
        root=str(root),
        head=head,
        branch=branch,
        changes={path: _stand(root / path, letters[path]) for path in list(letters)[:PATHS]},
        refs={name: id for id, _, name in (line.partition(" ") for line in refs.splitlines()) if name},
    )


def keep(run_folder: Path, state: State | None) -> None:
    """Remember the state before the start beside the run's spool; None says that the folder is in no repository."""
    fd = os.open(run_folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "wb") as file:
        file.write(msgspec.json.encode(state))


def kept(run_folder: Path) -> State | None:
    """What `keep` remembered; None outside of a repository. Raises GitFailed when nothing is known."""
    try:
        return msgspec.json.decode((run_folder / FILE).read_bytes(), type=State | None)
    except (OSError, msgspec.MsgspecError) as error:
        raise GitFailed("how its folder was before it began is not known any more") from error


def effects_of(run_folder: Path) -> dict[str, Any]:
    """What differs in git since the run began, for people; `note` says what is not known. Never raises."""
    try:
        before = kept(run_folder)
        if before is None:
            return {"note": "its folder is in no git repository"}
        now = look(Path(before.folder))
        if now is None or now.root != before.root:
            return {"root": before.root, "note": "the repository is not there any more"}
        return _differences(before, now)
    except GitFailed as error:
        return {"note": str(error)}


def set_aside(run_folder: Path, *, run: int) -> str:
    """Put what the run changed and did not commit into a stash of its repository; a sentence about it.

    Nothing is lost: `git stash pop` brings it back. Files that were changed already when the run began stay as they
    are, because they hold somebody else's work too. Commits stay. A second time finds nothing more. Raises GitFailed.
    """
    before = kept(run_folder)
    if before is None:
        raise GitFailed("its folder is in no git repository: its files stay as they are")
    now = look(Path(before.folder))
    if now is None or now.root != before.root:
        raise GitFailed(f"the repository {before.root} is not there any more")
    changed = _changed(before, now)
    ours = [path for path in changed if path not in before.changes and "\ufffd" not in path]  # its name is not known
    shared = len(changed) - len(ours)
    also = f"; {shared} changed before it began and stay as they are" if shared else ""
    if not ours:
        return f"there is nothing to put aside{also}"
    root = Path(before.root)
    name = f"pal: run {run}"
    _git(
        root,
        *_quiet(root),
        *(() if _has_name(root) else ("-c", f"user.name={_CALLED}", "-c", f"user.email={_CALLED}@localhost")),
        "stash",
        "push",
        "--include-untracked",
        f"--message={name}",
        "--pathspec-from-file=-",
        "--pathspec-file-nul",
        given="\0".join(ours),
        within=STASH_FOR,
    )
    return f"{len(ours)} changed files lie in the stash “{name}” of {before.root}{also}"


def _differences(before: State, now: State) -> dict[str, Any]:
    changed = _changed(before, now)
    found: dict[str, Any] = {
        "root": now.root,
        "branch": now.branch,
        "head": now.head,
        "files": [{"path": path, "change": changed[path]} for path in sorted(changed)[:SHOWN]],
        "commits": _commits(before, now),
        "pushes": _pushes(before, now),
    }
    if before.branch != now.branch:
        found["branch_before"] = before.branch
    if before.head != now.head:
        found["head_before"] = before.head
    if len(changed) > SHOWN:
        found["more_files"] = len(changed) - SHOWN
    return found


def _changed(before: State, now: State) -> dict[str, str]:
    """What stands otherwise than before, not committed: path → add, edit, delete, or undone for what is clean again."""
    changed = {path: _word(one.letters) for path, one in now.changes.items() if before.changes.get(path) != one}
    undone = {path: "undone" for path in before.changes if path not in now.changes}
    return {**changed, **undone} if before.head == now.head else changed


def _commits(before: State, now: State) -> list[dict[str, str]]:
    """Those on branches of this repository that were on none before, newest first."""
    ours = [id for name, id in now.refs.items() if name.startswith("refs/heads/")]
    known = {id for id in (*before.refs.values(), before.head) if id is not None}
    wanted = {id for id in (*ours, now.head) if id is not None} - known
    if not wanted:
        return []
    given = "".join([*(f"{id}\n" for id in sorted(wanted)), *(f"^{id}\n" for id in sorted(known))])
    listed = _git(Path(now.root), *_SAFE, "log", "--stdin", "-z", "--format=%H %s", f"--max-count={SHOWN}", given=given)
    return [{"id": id, "subject": subject} for id, _, subject in (line.partition(" ") for line in _split(listed))]


def _pushes(before: State, now: State) -> list[dict[str, str]]:
    """Branches of remotes that a push moved, as git's own log of them says; a fetch moves them too and says so."""
    moved = [name for name, id in now.refs.items() if name.startswith("refs/remotes/") and before.refs.get(name) != id]
    found = []
    for name in moved[:SHOWN]:
        said = _git(Path(now.root), *_SAFE, "log", "--walk-reflogs", "--max-count=1", "--format=%gs", name, "--")
        if "push" in said:
            found.append({"ref": name.removeprefix("refs/remotes/"), "id": now.refs[name]})
    return found


def _parse_status(listed: str) -> tuple[str | None, str | None, dict[str, str]]:
    """Commit, branch and changed paths of `git status --porcelain=v2 --branch -z`."""
    head = branch = None
    letters: dict[str, str] = {}
    fields = iter(_split(listed))
    for line in fields:
        match line[:2]:
            case "# ":
                _, name, value = line.split(" ", 2)
                if name == "branch.oid" and value != "(initial)":
                    head = value
                if name == "branch.head" and value != "(detached)":
                    branch = value
            case "1 ":
                letters[line.split(" ", 8)[8]] = line[2:4]
            case "2 ":
                letters[line.split(" ", 9)[9]] = line[2:4]
                letters[next(fields)] = "D."  # where it was renamed from
            case "u ":
                letters[line.split(" ", 10)[10]] = line[2:4]
            case "? ":
                letters[line[2:]] = "??"
    return head, branch, letters


def _word(letters: str) -> str:
    if "?" in letters or "A" in letters:
        return "add"
    return "delete" if "D" in letters else "edit"


def _stand(path: Path, letters: str) -> Change:
    try:
        stat = path.lstat()
    except OSError:
        return Change(letters=letters, modified=0, size=0)
    return Change(letters=letters, modified=stat.st_mtime_ns, size=stat.st_size)


def _quiet(root: Path) -> tuple[str, ...]:
    """Flags with which git runs no program that the repository's own configuration names, that of its worktree too.
    Filters of the user's stay: without them files would look changed. Raises GitFailed for one that no flag can name.
    """
    words = ("config", "--show-scope", "--name-only", "-z", "--get-regexp", r"^filter\.")
    listed = iter(_split(_git(root, *_SAFE, *words, or_nothing=True)))
    names = {name.rpartition(".")[0] for scope, name in zip(listed, listed, strict=True) if scope in _ITS_OWN}
    if any("=" in name or "\ufffd" in name for name in names):
        raise GitFailed(f"{root} has a filter of a name that cannot be turned off")
    off = [f"{name}.{part}" for name in sorted(names) for part in ("clean=", "smudge=", "process=", "required=false")]
    return (*_SAFE, *(word for setting in off for word in ("-c", setting)))


def list_files(folder: Path, *, within: float) -> list[str]:
    """Files below `folder` that git knows or would take in, by path from there; ignored ones are left out. Raises
    GitFailed.
    """
    root = root_of(folder)
    if root is None:
        raise GitFailed("it is in no git repository")
    words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".")
    return _split(_git(root, *_SAFE, *words, within=within, at=folder))


def _has_name(root: Path) -> bool:
    try:
        return bool(_git(root, *_SAFE, "config", "user.email").strip())
    except GitFailed:
        return False


def _git(
    root: Path,
    *words: str,
    given: str | None = None,
    within: float | None = None,
    at: Path | None = None,
    or_nothing: bool = False,
) -> str:
    """What git says in the checkout `root`, whatever folder its configuration names as the place of its files.

    `at` is the folder below it that git is asked in. `or_nothing`: exit 1 says that there is nothing of what was asked
    for. Raises GitFailed.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch what it lacks, by a program of its own
        "LC_ALL": "C",
    }
    within = LOOK_FOR if within is None else within
    try:
        done = subprocess.run(
            ("git", "-C", str(root if at is None else at), f"--work-tree={root}", "--no-pager", *words),
            input=None if given is None else given.encode(),
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            env=env,
            timeout=within,
            check=False,
        )
    except FileNotFoundError as error:
        raise GitFailed("git is not installed on this computer") from error
    except subprocess.TimeoutExpired as error:
        raise GitFailed(f"git did not answer within {within:g} seconds") from error
    except (OSError, ValueError) as error:
        raise GitFailed(f"git could not be asked: {error}") from error
    if or_nothing and done.returncode == 1:
        return ""
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitFailed(f"git could not tell: {said[-1] if said else f'exit {done.returncode}'}")
    return done.stdout.decode("utf-8", "replace")


def _split(listed: str) -> list[str]:
    return [field for field in listed.split("\0") if field]
