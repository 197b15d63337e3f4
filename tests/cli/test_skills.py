"""SK-1: skills come with pal and get into agents' homes; what somebody has changed stays."""

import json
import re
from pathlib import Path

import pytest

from pal_cli.cli.commands import GROUP
from pal_cli.shipped_skills import FOLDERS, SHIPPED, shipped
from tests.cli.conftest import Pal
from tests.support.fake_api import FakeApi

NAMES = {"room", "delegate", "dispatch", "relay", "workflow", "ask", "provision", "issues"}


def test_every_skill_is_listed_and_shown(pal: Pal) -> None:
    listed = json.loads(pal("cli", "skills", "list", "--json").out)["skills"]

    assert {one["name"] for one in listed} == NAMES
    for one in listed:
        told = pal("cli", "skills", "show", one["name"])
        assert (told.code, told.out) == (0, (SHIPPED / one["name"] / "SKILL.md").read_text())


@pytest.mark.parametrize("skill", shipped(), ids=lambda skill: str(skill.name))
def test_a_skill_has_the_head_that_agent_programs_read(skill: object) -> None:
    """The open standard: the name is that of the folder, the description at most 1024 characters."""
    text = (SHIPPED / skill.name / "SKILL.md").read_text()  # type: ignore[attr-defined]  # of a parameter

    head = re.fullmatch(r"---\nname: (pal-[a-z-]+)\ndescription: ([^\n:<>]+)\n---\n.*", text, re.S)

    assert head is not None
    assert head[1] == f"pal-{skill.name}"  # type: ignore[attr-defined]
    assert len(head[2]) <= 1024


@pytest.mark.parametrize("skill", shipped(), ids=lambda skill: str(skill.name))
def test_commands_in_the_text_exist(skill: object) -> None:
    """What stands in a sentence is not executed; its words and flags are those of a command."""
    text = re.sub(r"```.*?```", "", skill.text, flags=re.S)  # type: ignore[attr-defined]

    for line in re.findall(r"`pal cli ([^`]*)`", text):
        words = [word for word in line.split() if word.islower() and word.isalpha()]
        name = next(name for name in (" ".join(words[:2]), words[0]) if name in GROUP.entries)
        flags = set(re.findall(r"--[a-z-]+", line))
        assert flags <= set(re.findall(r"--[a-z-]+", GROUP.parser(name).format_help())), line


def test_install_writes_where_agent_programs_look(pal: Pal, tmp_path: Path) -> None:
    outcome = pal("cli", "skills", "install", "--to", str(tmp_path), "--json")

    written = {Path(one["path"]) for one in json.loads(outcome.out)["skills"]}
    assert outcome.code == 0
    assert written == {tmp_path / folder / f"pal-{name}" / "SKILL.md" for folder in FOLDERS for name in NAMES}
    for path in written:
        assert path.read_text() == (SHIPPED / path.parent.name.removeprefix("pal-") / "SKILL.md").read_text()


def test_install_takes_the_named_ones_alone(pal: Pal, tmp_path: Path) -> None:
    pal("cli", "skills", "install", "room", "pal-ask", "--to", str(tmp_path))

    assert {path.name for path in (tmp_path / FOLDERS[0]).iterdir()} == {"pal-room", "pal-ask"}


def test_a_changed_file_stays_without_yes_and_then_nothing_is_written(pal: Pal, tmp_path: Path) -> None:
    pal("cli", "skills", "install", "room", "--to", str(tmp_path))
    mine = tmp_path / FOLDERS[0] / "pal-room" / "SKILL.md"
    mine.write_text("my own words\n")

    refused = pal("cli", "skills", "install", "--to", str(tmp_path))
    kept, others = mine.read_text(), (mine.parent.parent / "pal-ask").exists()
    allowed = pal("cli", "skills", "install", "--to", str(tmp_path), "--yes")

    assert (refused.code, kept, others) == (2, "my own words\n", False)
    assert "--yes" in refused.err
    assert str(mine) in refused.err
    assert allowed.code == 0
    assert mine.read_text() == (SHIPPED / "room" / "SKILL.md").read_text()


def test_an_older_text_nobody_changed_is_renewed(pal: Pal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = tmp_path / "older"
    (older / "room").mkdir(parents=True)
    (older / "room" / "SKILL.md").write_text("---\nname: pal-room\ndescription: Before.\n---\nOld words.\n")
    with monkeypatch.context() as before:
        before.setattr("pal_cli.shipped_skills.SHIPPED", older)
        pal("cli", "skills", "install", "--to", str(tmp_path))
    there = tmp_path / FOLDERS[1] / "pal-room" / "SKILL.md"
    assert "Old words" in there.read_text()

    outcome = pal("cli", "skills", "install", "room", "--to", str(tmp_path))

    assert outcome.code == 0
    assert there.read_text() == (SHIPPED / "room" / "SKILL.md").read_text()


def test_a_link_is_not_followed(pal: Pal, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.md"
    elsewhere.write_text("not yours\n")
    link = tmp_path / FOLDERS[0] / "pal-room" / "SKILL.md"
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)

    refused = pal("cli", "skills", "install", "room", "--to", str(tmp_path))
    allowed = pal("cli", "skills", "install", "room", "--to", str(tmp_path), "--yes")

    assert (refused.code, allowed.code) == (2, 0)
    assert elsewhere.read_text() == "not yours\n"
    assert not link.is_symlink()


def test_a_second_time_nothing_changes(pal: Pal, tmp_path: Path) -> None:
    pal("cli", "skills", "install", "--to", str(tmp_path))

    outcome = pal("cli", "skills", "install", "--to", str(tmp_path))

    assert outcome.code == 0
    assert all(line.endswith("was there") for line in outcome.out.splitlines())


def test_without_a_place_it_is_the_homes_of_this_computers_agents(pal: Pal, api: FakeApi, home: Path) -> None:
    api.answers["GET /health"] = {"agents": ["codex", "shop"]}
    api.answers["GET /api/agents/codex"] = {"agent": {"key": "codex", "cwd": None}}
    api.answers["GET /api/agents/shop"] = {"agent": {"key": "shop", "cwd": "src/shop"}}

    outcome = pal("cli", "skills", "install")

    assert outcome.code == 0
    assert (home / "agents" / "codex" / FOLDERS[0] / "pal-room" / "SKILL.md").exists()
    assert not (home / "agents" / "shop").exists()
    assert "--to src/shop" in outcome.err


def test_one_agents_home_needs_no_daemon(pal: Pal, home: Path) -> None:
    assert pal("cli", "skills", "install", "--agent", "codex").code == 0
    assert (home / "agents" / "codex" / FOLDERS[1] / "pal-ask" / "SKILL.md").exists()


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["install", "nothing"], "There are ask, delegate"),
        (["show", "../room"], "There are ask, delegate"),
        (["install", "--agent", "../codex"], "pal cli agents"),
        (["install", "--to", "gone"], "is no folder"),
    ],
)
def test_what_cannot_be_done_is_said(argv: list[str], hint: str, pal: Pal) -> None:
    outcome = pal("cli", "skills", *argv)

    assert outcome.code == 2
    assert hint in outcome.err


@pytest.mark.usefixtures("inside_run")
def test_inside_a_run_a_place_has_to_be_named(pal: Pal) -> None:
    outcome = pal("cli", "skills", "install")

    assert outcome.code == 2
    assert "--to ." in outcome.err
