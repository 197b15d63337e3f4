"""CD-10: the repositories in which runs of a computer work."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from pal_daemon import git_state
from pal_daemon.checkouts import MOST, Checkouts


def repository(folder: Path, *, branch: str = "main") -> Path:
    (folder / ".git" / "refs").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
    return folder


def worked(runs: Path, number: int, root: Path | None, *, at: int | None = None) -> None:
    """A run's folder; `at` is UTC seconds."""
    folder = runs / str(number)
    folder.mkdir(parents=True)
    git_state.keep(folder, None if root is None else git_state.State(folder=str(root), root=str(root)))
    os.utime(folder / git_state.FILE, None if at is None else (at, at))


def test_repositories_are_told_with_the_branch_they_are_on_now(tmp_path: Path) -> None:
    runs, shop = tmp_path / "runs", repository(tmp_path / "shop", branch="payments/new")
    worked(runs, 1, shop, at=1)
    worked(runs, 2, None)
    worked(runs, 3, repository(tmp_path / "site"), at=2)
    checkouts = Checkouts(runs)

    first = checkouts.look()
    worked(runs, 4, shop, at=3)
    (shop / ".git" / "HEAD").write_text("4b825dc642cb6eb9a060e54bf8d69288fbee4904\n")
    then = checkouts.look()
    shutil.rmtree(tmp_path / "site")

    assert [(one.root, one.branch, one.used_at) for one in first] == [
        (str(tmp_path / "site"), "main", 2_000),
        (str(shop), "payments/new", 1_000),
    ]
    assert [(one.root, one.branch) for one in then] == [(str(shop), None), (str(tmp_path / "site"), "main")]
    assert [one.root for one in checkouts.look()] == [str(shop)]


def test_a_run_that_has_not_told_its_folder_is_looked_at_again(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    (runs / "7").mkdir(parents=True)
    checkouts = Checkouts(runs)

    before = checkouts.look()
    was_known = checkouts.knows([7])
    git_state.keep(runs / "7", git_state.State(folder="x", root=str(repository(tmp_path / "shop"))))

    assert (before, was_known) == ([], False)
    assert [one.root for one in checkouts.look()] == [str(tmp_path / "shop")]
    assert checkouts.knows([7])


def test_what_an_agent_writes_there_breaks_nothing(tmp_path: Path) -> None:
    pipe, named, linked = (repository(tmp_path / name) for name in ("pipe", "named", "linked"))
    (named / ".git" / "HEAD").write_bytes(b"ref: refs/heads/a\0b\n" + b" " * 2_000)
    for root, where in ((pipe, str(tmp_path)), (linked, "/x\0y")):
        shutil.rmtree(root / ".git")
        (root / ".git").write_text(f"gitdir: {where}\n")
    os.mkfifo(tmp_path / "HEAD")
    for number, root in enumerate((linked, named, pipe), start=1):
        worked(tmp_path / "runs", number, root, at=number)

    told = Checkouts(tmp_path / "runs").look()

    assert {Path(one.root).name: one.branch for one in told} == {"pipe": None, "named": "a\ufffdb", "linked": None}


def test_there_are_not_too_many(tmp_path: Path) -> None:
    for number in range(MOST + 2):
        worked(tmp_path / "runs", number, repository(tmp_path / f"r{number}"), at=number)

    told = Checkouts(tmp_path / "runs").look()

    assert [one.used_at for one in told] == [number * 1_000 for number in range(MOST + 1, 1, -1)]


def linked_worktree(folder: Path) -> Path:
    main, tree = folder / "main", folder / "tree"
    who = ("-c", "user.name=x", "-c", "user.email=x@x")
    for words in (
        ("init", "-q", "-b", "main", main),
        ("-C", main, *who, "commit", "-q", "--allow-empty", "-m", "x"),
        ("-C", main, "worktree", "add", "-q", "-b", "side", tree),
    ):
        subprocess.run(("git", *map(str, words)), check=True, capture_output=True)
    return tree


async def test_a_daemon_tells_them_once(bus, start_daemon, tmp_path):
    tree = linked_worktree(tmp_path)
    await start_daemon()

    await bus.end_of(await bus.given_delivery(content="/echo hi", cwd=str(tree)))
    await bus.until(lambda: any(beat.get("checkouts") for beat in bus.heartbeats))

    told = [beat["checkouts"] for beat in bus.heartbeats if beat.get("checkouts")]
    assert [(one["root"], one["branch"]) for one in told[0]] == [(str(tree), "side")]
    assert told.count(told[-1]) == 1
