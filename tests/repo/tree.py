"""The repository as its tests see it: the files that are kept, and the folder they are in."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("pal_server", "pal_daemon", "pal_cli", "pal_console")
_LEFT_OUT = {".git", ".venv", "__pycache__", "node_modules", "dist", ".bench", ".hypothesis"}
_LEFT_OUT |= {".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache"}
_TEXT = {".py", ".sql", ".md", ".toml", ".txt", ".svg", ".json", ".css", ".js", ".ts", ".html", ".sh", ".yml"}
_TEXT_NAMES = {"LICENSE", ".gitignore", "run"}


@cache
def kept_files() -> tuple[Path, ...]:
    """Every file git keeps or would keep; without git, as in an unpacked archive, whatever is there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        files = [ROOT / name for name in listed]
    except (OSError, subprocess.CalledProcessError):
        files = [path for path in ROOT.rglob("*") if not _LEFT_OUT & set(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in files if path.is_file() and path.name != "uv.lock"))


def text_files() -> tuple[Path, ...]:
    return tuple(path for path in kept_files() if path.suffix in _TEXT or path.name in _TEXT_NAMES)


def sources() -> tuple[Path, ...]:
    """The Python files of the packages, without the tests."""
    return tuple(path for path in kept_files() if path.suffix == ".py" and name_of(path).split("/")[0] in PACKAGES)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
