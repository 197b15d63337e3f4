"""Files of an agent's folder, found by a few letters; and nothing that lies outside of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pal_daemon.folder_index import is_told, list_paths
from pal_daemon.path_ranking import Listed, rank
from pal_daemon.path_search import PathSearch
from pal_daemon.settings import Settings
from pal_server.contract.events import Find, Found

PATHS = Listed.of(
    [
        "docs/parser.md",
        "src/Parser.py",
        "src/parser_table.py",
        "src/parsers/rules.py",
        "src/old_parser.py",
        "src/pal/reader.py",
        "tests/test_parser.py",
    ]
)


def test_names_come_before_beginnings_before_parts_before_folders() -> None:
    assert rank(PATHS, "parser", limit=9) == [
        "src/Parser.py",
        "docs/parser.md",
        "src/parser_table.py",
        "src/old_parser.py",
        "tests/test_parser.py",
        "src/parsers/rules.py",
    ]


def test_all_words_have_to_be_there_in_any_order() -> None:
    assert rank(PATHS, "rules src", limit=9) == ["src/parsers/rules.py"]
    assert rank(PATHS, "tests parser", limit=9) == ["tests/test_parser.py"]


def test_letters_in_order_are_found_when_nothing_else_is() -> None:
    assert rank(PATHS, "srcrd", limit=9) == ["src/pal/reader.py"]
    assert rank(PATHS, "zzz", limit=9) == []
    assert rank(PATHS, "", limit=2) == ["docs/parser.md", "src/Parser.py"]


def test_signs_of_patterns_are_letters_like_others() -> None:
    odd = Listed.of(["a(b.py", "a[b].py", "a^b-c.py"])

    assert rank(odd, "a(.py", limit=9) == ["a(b.py"]
    assert rank(odd, "a^c", limit=9) == ["a^b-c.py"]
    assert rank(odd, "]", limit=9) == ["a[b].py"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("src/app.py", True),
        (".env", False),
        ("deploy/.env.production", False),
        (".env.example", True),
        ("certs/server.pem", False),
        ("home/.ssh/config", False),
        ("id_ed25519", False),
        ("keyboard.py", True),
        ("../other", False),
        ("/etc/passwd", False),
    ],
)
def test_what_looks_like_a_secret_or_lies_outside_is_not_told(path: str, told: bool) -> None:
    assert is_told(path) is told


def git(folder: Path, *words: str) -> None:
    subprocess.run(("git", "-C", str(folder), *words), check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One with files git knows, new ones and ignored ones, and links that lead in and out."""
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    (tmp_path / "outside.txt").write_text("theirs")
    for name in ("src/app.py", "src/new 文.py", "ignored.log", ".env"):
        (folder / name).write_text("x")
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "out.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "in.txt").symlink_to("src/app.py")
    git(folder, "init", "-q")
    git(folder, "add", "src/app.py", ".gitignore", "out.txt", "in.txt")
    return folder


def test_a_repository_tells_what_git_knows_and_would_take_in(repository: Path) -> None:
    assert list_paths(repository) == (".gitignore", "in.txt", "out.txt", "src/app.py", "src/new 文.py")
    assert list_paths(repository / "src") == ("app.py", "new 文.py")


def test_another_folder_is_walked_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "a" / "node_modules").mkdir(parents=True)
    (tmp_path / "a" / "node_modules" / "left.js").write_text("x")
    (tmp_path / "a" / "here.py").write_text("x")
    (tmp_path / "a" / "up").symlink_to(tmp_path)

    assert list_paths(tmp_path / "a") == ("here.py",)


async def ask(tmp_path: Path, cwd: Path | None, q: str = "") -> Found:
    settings = Settings(home=tmp_path / "home", server="http://127.0.0.1:1", key="sk_machine_1")
    search = PathSearch(settings)
    try:
        return await search.answer(Find(ask=7, agent="kai", cwd=None if cwd is None else str(cwd), q=q, limit=20))
    finally:
        await search.close()


async def test_a_link_that_leads_out_of_the_folder_is_not_told(tmp_path: Path, repository: Path) -> None:
    found = await ask(tmp_path, repository)

    assert (found.ask, found.error, found.total) == (7, "", 5)
    assert found.paths == [".gitignore", "in.txt", "src/app.py", "src/new 文.py"]
    assert (await ask(tmp_path, repository, "out")).paths == []
    assert (await ask(tmp_path, repository, "app")).paths == ["src/app.py"]


async def test_a_folder_that_is_none_is_said_and_an_agent_without_one_has_its_own(tmp_path: Path) -> None:
    assert "does not exist" in (await ask(tmp_path, tmp_path / "missing")).error
    assert "absolute" in (await ask(tmp_path, Path("../../etc"))).error
    assert (await ask(tmp_path, None)).paths == []
    assert (tmp_path / "home" / "agents" / "kai").is_dir()


async def test_a_list_is_kept_and_a_deleted_file_is_not_told(tmp_path: Path, repository: Path) -> None:
    search = PathSearch(Settings(home=tmp_path / "home", server="http://127.0.0.1:1", key="sk_machine_1"))
    asked = Find(ask=1, agent="kai", cwd=str(repository), q="app", limit=20)
    assert (await search.answer(asked)).paths == ["src/app.py"]

    (repository / "src" / "app.py").unlink()

    assert (await search.answer(asked)).paths == []
    await search.close()
