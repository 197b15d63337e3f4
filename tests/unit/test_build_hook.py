"""The web client is built when its sources changed, and a build that fails ends no installation."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pal_server.workbench import build_hook
from pal_server.workbench.build_hook import WorkbenchHook, is_fresh


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pal_server" / "workbench"
    (folder / "src").mkdir(parents=True)
    (folder / "index.html").write_text("<html>")
    (folder / "package-lock.json").write_text("{}")
    (folder / "src" / "main.tsx").write_text("one")
    return folder


class Screen:
    """What the installer shows."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def display_info(self, text: str) -> None:
        self.lines.append(text)

    display_warning = display_info


def hook_of(folder: Path) -> tuple[WorkbenchHook, Screen]:
    screen = Screen()
    app: Any = screen
    root = str(folder.parents[1])
    nothing: Any = None
    return WorkbenchHook(root, {}, nothing, nothing, str(folder), "wheel", app), screen


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commands npm is given; it does nothing but make the folders it would."""
    said: list[str] = []

    def run(folder: Path, *words: str) -> None:
        said.append(words[0])
        (folder / "node_modules").mkdir(exist_ok=True)
        (folder / "dist").mkdir(exist_ok=True)

    monkeypatch.setattr(build_hook, "run_npm", run)
    monkeypatch.delenv("PAL_WORKBENCH", raising=False)
    return said


def test_it_is_built_once(folder: Path, npm: list[str]) -> None:
    hook, _ = hook_of(folder)
    assert hook.dependencies() == [build_hook.NODE]

    hook.initialize("editable", {})
    hook.initialize("editable", {})

    assert npm == ["ci", "run"]
    assert hook.dependencies() == []


def test_a_changed_source_is_built_again_without_a_new_installation(folder: Path, npm: list[str]) -> None:
    hook_of(folder)[0].initialize("editable", {})
    (folder / "src" / "main.tsx").write_text("two")

    hook_of(folder)[0].initialize("editable", {})

    assert npm == ["ci", "run", "run"]


def test_tests_are_no_sources(folder: Path, npm: list[str]) -> None:
    hook_of(folder)[0].initialize("editable", {})

    (folder / "src" / "main.test.ts").write_text("test")

    assert is_fresh(folder)


def test_a_registry_that_is_away_leaves_the_reason_and_goes_on(
    folder: Path, npm: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(folder: Path, *words: str) -> None:
        raise subprocess.CalledProcessError(1, ["npm", *words])

    monkeypatch.setattr(build_hook, "run_npm", fails)
    hook, screen = hook_of(folder)

    hook.initialize("editable", {})

    assert "could not be built" in (folder / "dist" / "why.txt").read_text()
    assert screen.lines[-1].startswith("The web client could not be built")
    assert hook.dependencies() == [build_hook.NODE], "the next installation tries again"


def test_nothing_is_built_where_that_is_said(folder: Path, npm: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAL_WORKBENCH", "skip")
    hook, _ = hook_of(folder)

    hook.initialize("editable", {})

    assert npm == []
    assert hook.dependencies() == []
