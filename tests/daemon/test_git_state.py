"""What a run leaves in git: told from two looks, and put aside when it is dropped."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pal_daemon import git_state

ENV = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@localhost",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@localhost",
}


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ("git", *words), cwd=folder, env=ENV, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A checkout with one commit and a remote, with something of somebody's in it that is not committed."""
    remote, work = tmp_path / "remote.git", tmp_path / "work with ünïcode"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(remote))
    git(tmp_path, "init", "-q", "-b", "main", str(work))
    for name in ("kept.txt", "mine.txt", "gone.txt"):
        (work / name).write_text("one\n")
    git(work, "add", ".")
    git(work, "commit", "-qm", "first")
    git(work, "remote", "add", "origin", str(remote))
    git(work, "push", "-q", "origin", "main")
    (work / "mine.txt").write_text("mine\n")
    return work


@pytest.fixture
def run(tmp_path: Path, work: Path) -> Path:
    """The folder of a run that began in `work`."""
    folder = tmp_path / "7"
    folder.mkdir()
    git_state.keep(folder, git_state.look(work))
    return folder


def test_files_commits_and_pushes_are_told(work: Path, run: Path) -> None:
    git(work, "checkout", "-qb", "side")
    (work / "made by it.txt").write_text("new\n")
    git(work, "add", "made by it.txt")
    git(work, "commit", "-qm", "half of it")
    git(work, "push", "-q", "origin", "side")
    (work / "kept.txt").write_text("two\n")
    (work / "gone.txt").unlink()
    (work / "new ünïcode.txt").write_text("new\n")

    found = git_state.effects_of(run)

    assert found["files"] == [
        {"path": "gone.txt", "change": "delete"},
        {"path": "kept.txt", "change": "edit"},
        {"path": "new ünïcode.txt", "change": "add"},
    ]
    head = git(work, "rev-parse", "HEAD")
    assert found["commits"] == [{"id": head, "subject": "half of it"}]
    assert found["pushes"] == [{"ref": "origin/side", "id": head}]
    assert (found["branch_before"], found["branch"], found["root"]) == ("main", "side", str(work))


def test_what_stood_so_before_is_not_told(run: Path) -> None:
    found = git_state.effects_of(run)

    assert (found["files"], found["commits"], found["pushes"]) == ([], [], [])


def test_a_change_of_what_was_changed_before_is_told(work: Path, run: Path) -> None:
    (work / "mine.txt").write_text("no longer mine\n")

    assert git_state.effects_of(run)["files"] == [{"path": "mine.txt", "change": "edit"}]


def test_a_fetch_is_no_push(tmp_path: Path, work: Path, run: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(tmp_path / "remote.git"), str(other))
    git(other, "commit", "-q", "--allow-empty", "-m", "theirs")
    git(other, "push", "-q", "origin", "main")
    git(work, "fetch", "-q")

    assert git_state.effects_of(run)["pushes"] == []


def test_dropping_puts_aside_what_it_changed_and_leaves_the_rest(work: Path, run: Path) -> None:
    (work / "kept.txt").write_text("two\n")
    (work / "new.txt").write_text("new\n")
    (work / "mine.txt").write_text("mine and its\n")

    said = git_state.set_aside(run, run=7)

    assert (work / "kept.txt").read_text() == "one\n"
    assert not (work / "new.txt").exists()
    assert (work / "mine.txt").read_text() == "mine and its\n"
    assert "pal: run 7" in git(work, "stash", "list")
    assert said.startswith("2 changed files")
    assert "1 changed before" in said
    assert git_state.set_aside(run, run=7).startswith("there is nothing to put aside")
    git(work, "stash", "pop", "-q")
    assert (work / "new.txt").read_text() == "new\n"


def test_outside_of_a_repository_nothing_is_known_and_nothing_put_aside(tmp_path: Path) -> None:
    folder = tmp_path / "8"
    folder.mkdir()
    git_state.keep(folder, git_state.look(tmp_path))

    assert git_state.effects_of(folder) == {"note": "its folder is in no git repository"}
    with pytest.raises(git_state.GitFailed, match="stay as they are"):
        git_state.set_aside(folder, run=8)


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"folder": 3}'])
def test_a_state_that_is_gone_or_damaged_is_not_known(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / git_state.FILE).write_bytes(content)

    assert "not known" in git_state.effects_of(tmp_path)["note"]


def test_a_repository_that_is_gone_is_said(work: Path, run: Path) -> None:
    work.rename(work.with_name("elsewhere"))

    assert "not there any more" in git_state.effects_of(run)["note"]


def test_programs_that_the_repository_names_are_not_run(tmp_path: Path, work: Path, run: Path) -> None:
    git(work, "commit", "-q", "--allow-empty", "-m", "one more")
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "filter.x.clean", "filter.x.smudge", "filter.x.process"):
        git(work, "config", name, str(trap))
    git(work, "config", "filter.x.required", "true")
    git(work, "config", "log.showSignature", "true")
    for name in ("gpg.program", "diff.external", "diff.x.command", "diff.x.textconv", "core.pager", "core.editor"):
        git(work, "config", name, str(trap))
    (work / ".git/hooks").mkdir(exist_ok=True)
    for hook in ("post-index-change", "post-checkout", "reference-transaction"):
        (work / ".git/hooks" / hook).symlink_to(trap)
    (work / ".gitattributes").write_text("* filter=x diff=x\n")
    (work / "kept.txt").write_text("two\n")
    git_state.look(work)

    assert "kept.txt" in [file["path"] for file in git_state.effects_of(run)["files"]]
    git_state.set_aside(run, run=7)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("config", b"x"),
        ("config.worktree", b"x"),  # read by git beside the other one, and not by `git config --local`
        ("config", b"a=b"),
        ("config", b"\xff"),
    ],
)
def test_a_filter_is_not_run_wherever_it_is_and_whatever_its_name(
    tmp_path: Path, work: Path, run: Path, file: str, name: bytes
) -> None:
    git(work, "config", "extensions.worktreeConfig", "true")
    with (work / ".git" / file).open("ab") as config:
        config.write(b'[filter "%b"]\n\tclean = "touch %b; cat"\n' % (name, os.fsencode(tmp_path / "sprung")))
    (work / ".gitattributes").write_bytes(b"* filter=%b\n" % name)
    (work / "kept.txt").write_text("two\n")

    git_state.effects_of(run)

    assert not (tmp_path / "sprung").exists()


def test_a_filter_of_a_submodule_is_not_run(tmp_path: Path, work: Path, run: Path) -> None:
    git(work, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "remote.git"), "part")
    git(work, "commit", "-qm", "with a part")
    git(work, "config", "submodule.part.ignore", "none")
    git(work / "part", "config", "filter.x.clean", f"touch {tmp_path}/sprung; cat")
    (work / "part" / ".gitattributes").write_text("* filter=x\n")
    (work / "part" / "kept.txt").write_text("two\n")

    git_state.effects_of(run)

    assert not (tmp_path / "sprung").exists()


def test_a_repository_cannot_say_that_its_files_are_elsewhere(tmp_path: Path, work: Path, run: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "theirs.txt").write_text("theirs\n")
    (work / "new.txt").write_text("new\n")
    git(work, "config", "core.worktree", str(elsewhere))

    assert git_state.effects_of(run)["files"] == [{"path": "new.txt", "change": "add"}]
    git_state.set_aside(run, run=7)
    assert (elsewhere / "theirs.txt").exists()
    assert not (work / "new.txt").exists()


def test_a_git_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(git_state, "LOOK_FOR", 0.05)

    assert "did not answer" in git_state.effects_of(run)["note"]


def test_a_new_repository_without_a_commit_is_one_too(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", str(tmp_path / "new"))
    folder = tmp_path / "9"
    folder.mkdir()
    git_state.keep(folder, git_state.look(tmp_path / "new"))
    (tmp_path / "new" / "a.txt").write_text("a")

    assert git_state.effects_of(folder)["files"] == [{"path": "a.txt", "change": "add"}]
