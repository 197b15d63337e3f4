"""The docs say what the code does: tables, links, commands, variables, words."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from pal_console.main import app
from pal_daemon.runtimes.base import EVENT_KINDS
from pal_server.bridges.registry import load
from pal_server.contract.platforms import PLATFORMS
from tests.repo.tables import DOCS, TABLES, written
from tests.repo.tree import ROOT, kept_files, name_of, sources

README = ROOT / "README.md"
PAGES = sorted(path for path in kept_files() if path.suffix == ".md" and (path.parent != ROOT or path == README))
START = "pip install uv && uv run pal up"
TEST = "pip install uv && uv run pytest"
USAGE_ERROR = typer.BadParameter.__bases__[0]  # Typer shows its subclass alone
NOT_VARIABLES = {"LOCK_EX", "LOCK_NB", "LOCK_FILE"}  # of fcntl, and a constant of ours


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_docs_is_what_the_code_says(name: str) -> None:
    assert written(name) == TABLES[name][1](), "write it anew: uv run python -m tests.repo.tables"


def links(page: Path) -> Iterator[tuple[str, str]]:
    """(target, anchor) of every link on a page that stays in the repository."""
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text("utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)|src(?:set)?=\"([^\"]+)\"", text):
        link = target[0] or target[1]
        if not re.match(r"[a-z]+:", link):
            yield link.partition("#")[0], link.partition("#")[2]


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere() -> None:
    broken = []
    for page in PAGES:
        for target, anchor in links(page):
            there = (page.parent / target).resolve() if target else page
            if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
                broken.append(f"{name_of(page)}: {target}#{anchor}")

    assert broken == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        there = [(page.parent / target).resolve() for target, _ in links(page) if target.endswith(".md")]
        waiting += [path for path in there if path.exists() and path not in reached]

    assert [name_of(page) for page in PAGES if page not in reached] == []


def test_files_the_docs_name_are_there() -> None:
    """A path in backticks that begins with one of our folders is a file or folder of the tree."""
    wanted = re.compile(r"`((?:pal_(?:server|daemon|cli|console)|tests|docs)/[\w./*{},-]+)`")
    missing = [
        f"{name_of(page)}: {path}"
        for page in PAGES
        for path in wanted.findall(page.read_text("utf-8"))
        if not any(ROOT.glob(option.rstrip("/")) for option in _options(path))
    ]

    assert missing == []


def _options(path: str) -> list[str]:
    """`a/{b,c}.py` → `a/b.py`, `a/c.py`."""
    match = re.search(r"\{([^}]*)\}", path)
    return [path] if match is None else [path.replace(match[0], word) for word in match[1].split(",")]


def test_functions_the_walk_names_are_there() -> None:
    """`file.py:name` in a page is a function, class or method of that file."""
    missing = []
    for page in PAGES:
        for file, name in re.findall(r"`(pal_\w+/[\w/]+\.py):([\w.]+)`", page.read_text("utf-8")):
            path = ROOT / file
            if not path.exists() or name.split(".")[-1] not in _names_in(path):
                missing.append(f"{name_of(page)}: {file}:{name}")

    assert missing == []


def _names_in(path: Path) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    tree = ast.walk(ast.parse(path.read_text("utf-8")))
    return {node.name for node in tree if isinstance(node, kinds)}


def test_every_variable_is_documented() -> None:
    code = "\n".join(path.read_text("utf-8") for path in sources())
    used = set(re.findall(r"[\"'`$ {](\b(?:PAL|LOCK)_[A-Z_]*[A-Z]\b)", code)) - NOT_VARIABLES

    known = set(re.findall(r"\b(?:PAL|LOCK)_[A-Z_]*[A-Z]\b", (DOCS / "operations.md").read_text("utf-8")))

    assert used - known == set()


def test_every_event_of_the_log_is_documented() -> None:
    code = "\n".join(path.read_text("utf-8") for path in sources() if "/actions/" in name_of(path))
    kinds = set(re.findall(r"(?:emit|_emit|_tell|changed)\(\s*(?:tx,\s*)?\"([a-z]+\.[a-z_]+)\"", code))

    page = (DOCS / "protocol.md").read_text("utf-8")

    assert len(kinds) > 5
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in page] == []


def test_every_run_event_is_documented() -> None:
    page = (DOCS / "protocol.md").read_text("utf-8")

    assert [kind for kind in sorted(EVENT_KINDS) if f"`{kind}`" not in page] == []


def test_every_dependency_has_its_bounds_and_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    needed = {re.split(r"[\[<>=; ]", text)[0]: re.sub(r"\[.*?\]|;.*", "", text).strip() for text in wanted}

    rows = re.findall(r"^\| `([\w.-]+)` \| `([^`]+)` \| (.+) \|$", (DOCS / "dependencies.md").read_text("utf-8"), re.M)
    listed = {name: f"{name}{bounds}" for name, bounds, reason in rows if len(reason) > 10}

    assert listed == needed
    assert all("<" in text for text in needed.values()), "a dependency without an upper bound"


def test_every_dependency_is_used() -> None:
    """`argon2-cffi` is imported as `argon2`, `markdown-it-py` as `markdown_it`; the others go by their names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    names = [
        re.split(r"[\[<>=; ]", text)[0].removesuffix("-cffi").removesuffix("-py").replace("-", "_")
        for text in project["project"]["dependencies"]
    ]
    code = "\n".join(path.read_text("utf-8") for path in sources())

    assert [name for name in names if not re.search(rf"^\s*(?:import|from) {name}\b", code, re.M)] == []


def console_lines() -> Iterator[tuple[str, str]]:
    """(where, line) of each `pal console` command line that people are told to type."""
    told = [(page.name, page.read_text("utf-8")) for page in PAGES if page.name != "commands.md"]
    told += [(f"pal bridge guide {name}", load(name).guide()) for name in PLATFORMS]
    for where, text in told:
        for line in re.findall(r"(?:^[ $]*|`)(pal console [^`\n]+)", text, re.M):
            if not re.search(r"(?:^|\s)(?:…|\|)|[<\[]", line):
                yield where, line.rstrip("\\ ")


def test_command_lines_for_the_console_are_understood() -> None:
    """Flags and arguments, not their values: those are placeholders."""
    wrong = []
    root: Any = typer.main.get_command(app)
    for where, line in console_lines():
        command = root
        words = shlex.split(line, comments=True)[2:]
        while words and words[0] in (known := getattr(command, "commands", {})):
            command = known[words.pop(0)]
        if hasattr(command, "commands") and not words:
            continue  # a group, spoken of
        try:
            command.make_context(command.name, words)
        except typer.BadParameter:
            continue
        except USAGE_ERROR as error:
            if re.search("no such option|unexpected extra", str(error), re.I):
                wrong.append(f"{where}: {line}: {error}")

    assert wrong == []


def test_the_readme_has_its_two_commands() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text("utf-8"), re.S)
    lines = [line for block in blocks for line in block.splitlines()]

    assert lines.count(START) == 1
    assert lines.count(TEST) == 1
    assert lines[0] == START
