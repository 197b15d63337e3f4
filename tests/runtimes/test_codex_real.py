"""What only Codex does, with the real program."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.runtimes.desk import Desk, approve_all, of_kind, open_desk
from tests.runtimes.drivers.codex import DRIVER
from tests.runtimes.lifeline import Lifeline
from tests.support.models.server import Text

WHO = ("-c", "user.name=worker", "-c", "user.email=worker@example.org")


@pytest.fixture
async def desk(bus, settings, start_daemon, tmp_path) -> AsyncIterator[Desk]:
    async with open_desk(DRIVER, bus=bus, settings=settings, start=start_daemon, root=tmp_path) as opened:
        yield opened


def git(*words: str, cwd: Path) -> str:
    return subprocess.run(("git", *words), cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder the sandbox does not let it write to: /tmp is one it does."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


def given_worktree(desk: Desk, main: Path) -> None:
    """The agent's folder as a linked worktree of a new repository."""
    git("init", "-q", cwd=main)
    git(*WHO, "commit", "-q", "--allow-empty", "-m", "first", cwd=main)
    git("worktree", "add", "-q", "-b", "work", str(desk.folder), cwd=main)


async def test_it_commits_in_a_linked_worktree_and_reaches_no_hook(desk, elsewhere):
    main = elsewhere
    given_worktree(desk, main)
    commit = f"echo new > new.txt && git add new.txt && git {' '.join(WHO)} commit -q -m 'from the agent'"
    hook = f"echo evil > {main}/.git/hooks/post-commit"
    desk.model.script(DRIVER.command(commit), DRIVER.command(hook), Text(text="Committed."))

    run = await desk.given("commit it", settings={"mode": "auto"})
    end = await approve_all(desk, run)

    assert (end["status"], run.asks) == ("succeeded", [])
    assert git("log", "-1", "--format=%s", "work", cwd=main).strip() == "from the agent"
    assert not (main / ".git" / "hooks" / "post-commit").exists()


async def test_a_plan_that_is_refused_with_a_reason_is_made_again(desk):
    desk.model.script(*DRIVER.plan("1. All of it."), *DRIVER.plan("1. Half of it."), Text(text="Half is done."))

    run = await desk.given("plan it", settings={"mode": "plan"})
    await desk.answer(run, await desk.asked(run), decision="deny", reason="only half of it")
    second = await desk.asked(run, 2)
    await desk.answer(run, second, decision="approve")
    end = await desk.end(run)

    assert "only half of it" in desk.model.questions[1].text
    assert "1. Half of it." in second["body"]
    assert (end["status"], end["text"]) == ("succeeded", "Half is done.")


async def test_a_stop_ends_the_command_that_runs_too(desk):
    child = Lifeline(desk.folder / "alive")
    desk.model.script(DRIVER.command(child.command))

    run = await desk.given("go")
    await desk.answer(run, await desk.asked(run), decision="approve")
    await child.begun()
    await desk.bus.given_command("stop", run.id)
    end = await desk.end(run)
    await child.gone()

    assert (end["status"], end["error_kind"]) == ("cancelled", "stopped")
    assert [event["data"]["status"] for event in of_kind(run, "tool_result")] == ["aborted"]


async def test_what_its_sandbox_forbids_is_not_done_whatever_is_approved(desk, elsewhere):
    outside = elsewhere / "outside.txt"
    desk.model.script(DRIVER.command(f"echo x > {outside}"), Text(text="It did not work."))

    run = await desk.given("write there", settings={"mode": "read_only"})
    end = await desk.end(run)

    assert end["status"] == "succeeded"
    assert run.asks == []
    assert not outside.exists()
