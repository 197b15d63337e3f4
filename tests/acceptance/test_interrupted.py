"""BX-4 by real processes: what an interrupted run had done is on its card, and dropping it puts its files aside."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.faults import keeper_of, kill
from tests.support.stack import Json, Stack, eventually


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=person", "-c", "user.email=person@localhost")
    return subprocess.run(("git", *who, *words), cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    git(folder, "commit", "-q", "--allow-empty", "-m", "before")
    (folder / "mine.txt").write_text("of a person")
    return folder


def break_off(stack: Stack, checkout: Path) -> tuple[str, int, Json]:
    """Room, message and run of an agent whose keeper and daemon were killed in the middle of its work."""
    room = stack.room()
    message = stack.mention(room, stack.agent(room, "tinker", cwd=str(checkout)))
    stack.report(f"tinkered-{message}")
    run = stack.wait_run(message, "running")
    stack.daemon.kill()
    kill(eventually("the keeper is there", lambda: keeper_of(stack.daemon.run_folder(run["id"]))))
    stack.daemon.start()
    return room, message, stack.wait_run(message, "interrupted")


def card_of(stack: Stack, room: str, run: Json) -> Json:
    cards = [m["card"] for m in stack.messages(room) if m["card"] and m["card"].get("type") == "interrupted"]
    return next(card for card in cards if card["run"] == run["id"])


def test_what_it_had_done_is_listed_and_put_aside_when_dropped(stack: Stack, checkout: Path) -> None:
    room, message, run = break_off(stack, checkout)

    effects = card_of(stack, room, run)["effects"]
    assert [file["path"] for file in effects["files"]] == ["left.txt"]
    assert [commit["subject"] for commit in effects["commits"]] == ["half of the work"]
    assert (effects["root"], effects["branch"]) == (str(checkout), "main")

    chosen = stack.pal("cli", "choose", str(run["id"]), "drop")

    assert chosen.returncode == 0, chosen.stderr

    eventually("it is put aside", lambda: card_of(stack, room, run)["set_aside"]["state"] == "done")
    assert not (checkout / "left.txt").exists()
    assert (checkout / "mine.txt").read_text() == "of a person"
    assert (checkout / "committed.txt").exists()
    assert f"pal: run {run['id']}" in git(checkout, "stash", "list")
    assert stack.delivery(message)["status"] == "cancelled"
    assert len(stack.runs(message)) == 1


def test_files_are_kept_when_a_person_says_so(stack: Stack, checkout: Path) -> None:
    room, message, run = break_off(stack, checkout)

    chosen = stack.pal("cli", "choose", str(run["id"]), "keep-files")

    assert stack.delivery(message)["status"] == "cancelled"
    assert (checkout / "left.txt").exists()
    assert "set_aside" not in card_of(stack, room, run)
    assert [chosen.returncode, stack.pal("cli", "choose", str(run["id"]), "resume").returncode] == [0, 3]
