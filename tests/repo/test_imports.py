"""Who imports whom, and that importing does nothing else. The rules themselves are in pyproject.toml."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.repo.tree import PACKAGES, ROOT, module_of, name_of, sources

SHARED_BY_RUNTIMES = {
    "afresh",
    "__init__",
    "acp_client",
    "base",
    "capping",
    "git_folders",
    "jsonrpc",
    "lean_environment",
    "lines",
    "offer",
    "pictures",
    "profile",
    "program_lines",
    "program_probe",
    "questions",
    "transcripts",
    "registry",
    "shelf",
    "way_in",
}
PROGRAMS = {"pal_cli.__main__", "pal_server.__main__"}  # modules that are commands: loading them runs them

# Runs in a process of its own: loads every module named in argv, then tells what that left behind.
LOAD_ALL = """
import importlib, os, sys, threading, asyncio
made = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        made.append(f"opened {arguments[0]} to write")
    elif event in ("socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.fork", "os.mkdir"):
        made.append(f"{event} {arguments!r}")
sys.dont_write_bytecode = True
sys.addaudithook(watch)
for name in sys.argv[1:]:
    before = len(made)
    importlib.import_module(name)
    made[before:] = [f"{name}: {what}" for what in made[before:]]
made += [f"thread {thread.name}" for thread in threading.enumerate() if thread is not threading.main_thread()]
print("\\n".join(made))
"""


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, wherever it does so, but for types alone."""
    found: set[str] = set()
    tree = ast.parse(path.read_text("utf-8"))
    for_types = {
        id(node) for test in ast.walk(tree) if _is_for_types(test) for node in ast.walk(ast.Module(test.body, []))
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
        elif isinstance(node, ast.ImportFrom):
            found.add(".".join(module_of(path).split(".")[: -node.level] + ([node.module] if node.module else [])))
    return found


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def contracts() -> dict[str, dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    return {contract["id"]: contract for contract in settings["contracts"]}


def test_everybody_imports_only_whom_he_may() -> None:
    lint = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-logo"]

    done = subprocess.run(lint, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_name_every_part_of_the_server() -> None:
    here = {
        name_of(path).split("/")[1].removesuffix(".py") for path in sources() if name_of(path)[:11] == "pal_server/"
    }
    parts = {f"pal_server.{name}" for name in here - {"__init__", "__main__", "workbench"}}  # no package: a web client

    named = set(contracts()["outside"]["forbidden_modules"])

    assert parts - named == {"pal_server.bridges", "pal_server.client", "pal_server.contract"}


def test_the_rules_name_every_runtime() -> None:
    folder = ROOT / "pal_daemon" / "runtimes"
    runtimes = {path.stem for path in folder.glob("*.py")} | {path.name for path in folder.iterdir() if path.is_dir()}

    named = {name.rpartition(".")[2] for name in contracts()["runtimes"]["modules"]}

    parts = {name for name in runtimes - named if name.partition("_")[0] in named}  # codex_reader is codex's
    assert runtimes - SHARED_BY_RUNTIMES - parts - {"__pycache__"} == named


def test_the_keeper_needs_nothing_but_the_standard_library() -> None:
    keeper = [path for path in sources() if module_of(path).startswith(("pal_daemon.keeper", "pal_daemon.keeping"))]
    keeper = [path for path in keeper if module_of(path) != "pal_daemon.keeper_client"]

    foreign = [
        f"{name_of(path)} imports {name}"
        for path in keeper
        for name in imports_of(path)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("pal_daemon.keeping")
    ]

    assert len(keeper) > 5
    assert foreign == []


def test_nobody_imports_web_servers_into_the_command_line() -> None:
    heavy = {"aiohttp", "psycopg", "aiosqlite", "aiosql", "rich"}
    quick = [path for path in sources() if name_of(path).startswith("pal_cli/cli/")]

    found = [f"{name_of(path)}: {heavy & imports_of(path)}" for path in quick if heavy & imports_of(path)]

    assert quick
    assert found == []


def test_pal_cli_loads_little() -> None:
    """Loading decides how quick `pal cli send` is, so the great ones must stay away from it."""
    show = "import sys, pal_cli.main as m; m.main(['cli', '--help']); sys.stderr.write(' '.join(sys.modules))"

    done = subprocess.run([sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True)

    assert not {"aiohttp", "typer", "asyncio", "msgspec", "pal_server.app", "sqlite3"} & set(done.stderr.split())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_itself_is_empty(package: str) -> None:
    """So that who needs one module of it loads no other."""
    body = ast.parse((ROOT / package / "__init__.py").read_text("utf-8")).body

    assert [node for node in body if not isinstance(node, ast.Expr)] == []


def test_importing_a_module_starts_nothing() -> None:
    modules = [module_of(path) for path in sources()]
    modules = [name for name in modules if name not in PROGRAMS and not name.endswith("_program")]

    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALL, *modules], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, "", "")
