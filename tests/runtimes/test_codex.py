"""What starts Codex: its sandbox, its approvals, and the folders a commit needs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pal_daemon.runtimes.base import Context, LaunchSpec
from pal_daemon.runtimes.codex.runtime import CodexRuntime
from pal_daemon.runtimes.git_folders import commit_folders
from pal_server.contract.deliveries import AgentProfile, Work
from tests.runtimes.driver import write_program


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    git("init", "-q", str(folder), cwd=tmp_path)
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "first", cwd=folder)
    git("worktree", "add", "-q", str(tmp_path / "linked"), cwd=folder)
    return folder


def git(*words: str, cwd: Path) -> None:
    subprocess.run(("git", *words), cwd=cwd, check=True, capture_output=True)


def given(tmp_path: Path, **settings: Any) -> tuple[AgentProfile, dict[str, str]]:
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    write_program(programs / "codex", 'echo "codex-cli 0.169.0"')
    profile = AgentProfile(key="w", display_name="W", runtime="codex", settings=settings)
    return profile, {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(tmp_path)}


def launch(folder: Path, tmp_path: Path, **settings: Any) -> LaunchSpec:
    profile, env = given(tmp_path, **settings)
    work = Work(agent=profile, prompt="p", content="c", room="r", room_name="general", topic=1, message=1, session="s")
    return CodexRuntime().launch(work, Context(run=1, folder=folder, env=env, python="python", scratch=tmp_path / "s"))


def test_a_checkout_needs_its_repository(repository):
    inside = repository / "a" / "b"
    inside.mkdir(parents=True)

    assert commit_folders(inside) == [repository / ".git"]


def test_a_linked_worktree_needs_its_part_and_what_is_shared(repository):
    git_folder = repository / ".git"

    folders = commit_folders(repository.parent / "linked")

    assert folders == [
        git_folder / "worktrees" / "linked",
        *(git_folder / name for name in ("objects", "refs", "logs")),
    ]


def test_what_an_agent_wrote_into_its_part_widens_nothing(repository, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    own = repository / ".git" / "worktrees" / "linked"
    before = commit_folders(tmp_path / "linked")
    (own / "made").mkdir()
    (own / "made" / "refs").symlink_to(elsewhere)
    (own / "commondir").write_text("made\n")

    assert commit_folders(tmp_path / "linked") == before


def test_a_mark_that_leads_to_no_repository_gives_nothing(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "HEAD").write_text("")
    for name in ("file", "link"):
        (tmp_path / name).mkdir()
    (tmp_path / "file" / ".git").write_text("gitdir: ../elsewhere\n")
    (tmp_path / "link" / ".git").symlink_to(tmp_path)

    assert [commit_folders(tmp_path / name) for name in ("file", "link")] == [[], []]


def test_an_empty_folder_of_that_name_is_no_repository(repository):
    inside = repository / "a"
    (inside / ".git").mkdir(parents=True)

    assert commit_folders(inside) == [repository / ".git"]


@pytest.mark.parametrize("text", ["", "gitdir: /nowhere", "nonsense", "\0"])
def test_a_mark_that_leads_nowhere_gives_nothing(text, tmp_path):
    (tmp_path / ".git").write_text(text)

    assert commit_folders(tmp_path) == []


@pytest.mark.parametrize(
    ("mode", "approval", "sandbox"),
    [
        ("ask", "untrusted", "workspaceWrite"),
        ("accept_edits", "untrusted", "workspaceWrite"),
        ("auto", "on-request", "workspaceWrite"),
        ("bypass", "never", "dangerFullAccess"),
        ("read_only", "never", "readOnly"),
        ("plan", "never", "readOnly"),
    ],
)
def test_a_mode_is_a_sandbox_and_an_approval_policy(mode, approval, sandbox, tmp_path):
    memo = launch(tmp_path, tmp_path, mode=mode).memo

    assert memo["turn"]["approvalPolicy"] == approval
    assert memo["turn"]["sandboxPolicy"]["type"] == sandbox
    assert memo["approved"]["sandboxPolicy"]["type"] == "workspaceWrite"


@pytest.mark.parametrize(
    ("settings", "approval", "sandbox"),
    [
        ({"mode": "ask"}, "on-request", "read-only"),  # it may only read, and asks who sits there for more
        ({"mode": "accept_edits"}, "on-request", "read-only"),  # its commands are asked, too
        ({"mode": "auto"}, "on-request", "workspace-write"),
        ({"mode": "plan"}, "never", "read-only"),
    ],
)
def test_in_a_terminal_the_same_limits_have_the_words_it_knows_there(settings, approval, sandbox, tmp_path):
    profile, env = given(tmp_path, **settings)
    record = tmp_path / ".codex/sessions/2026/11/20/rollout-x-abc-1.jsonl"
    record.parent.mkdir(parents=True)
    record.touch()
    work = Work(
        agent=profile,
        prompt="",
        content="",
        room="r",
        room_name="general",
        topic=1,
        message=0,
        session="s",
        native_session="abc-1",
    )

    words = (
        CodexRuntime()
        .interactive(work, Context(run=1, folder=tmp_path, env=env, python="python", scratch=tmp_path / "s"))
        .argv
    )

    assert words[1:3] == ("resume", "abc-1")
    assert f'approval_policy="{approval}"' in words
    assert f'sandbox_mode="{sandbox}"' in words
    assert any(word.startswith('shell_environment_policy.exclude=["*_API_KEY"') for word in words)


def test_an_agents_own_limits_count_where_its_mode_leaves_a_choice(repository, tmp_path):
    turn = launch(repository, tmp_path, sandbox="workspace-write", network=True, approval="on-request").memo["turn"]

    assert turn["approvalPolicy"] == "on-request"
    assert turn["sandboxPolicy"]["networkAccess"] is True
    assert turn["sandboxPolicy"]["writableRoots"] == [str(repository / ".git")]
    assert launch(repository, tmp_path, mode="plan", sandbox="workspace-write").memo["thread"]["sandbox"] == "read-only"


def test_more_folders_of_the_account_can_be_written_and_committed_in(repository, tmp_path):
    (tmp_path / "data").mkdir()
    args = ["--add-dir", str(tmp_path / "data"), "-c", "a=1", f"--add-dir={repository}"]
    account = {"label": "work", "env": {}, "args": args}

    spec = launch(tmp_path, tmp_path, mode="auto", account=account)
    looking = launch(tmp_path, tmp_path, mode="read_only", account=account)

    wanted = [str(tmp_path / "data"), str(repository), str(repository / ".git")]
    assert spec.memo["turn"]["sandboxPolicy"]["writableRoots"] == wanted
    assert spec.argv[-2:] == ("-c", "a=1")
    assert "--add-dir" not in " ".join(spec.argv)
    assert "writableRoots" not in looking.memo["turn"]["sandboxPolicy"]


def test_an_effort_nobody_knows_is_left_out_with_a_word(tmp_path):
    profile = AgentProfile(key="w", display_name="W", runtime="codex", effort="superhuman")
    work = Work(agent=profile, prompt="p", content="c", room="r", room_name="g", topic=1, message=1, session="s")
    program = write_program(tmp_path / "codex", "echo 0.169.0")
    env = {"PATH": f"{program.parent}:/usr/bin:/bin"}

    memo = CodexRuntime().launch(work, Context(run=1, folder=tmp_path, env=env, python="p", scratch=tmp_path)).memo

    assert memo["effort"] is None
    assert "superhuman" in memo["notices"][0]
