"""The README's first steps, done as it says: its lines, in a shell, in an empty home."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.repo.tree import ROOT
from tests.support.patience import LONG_PATIENCE
from tests.support.ports import free_port

PAL = Path(sys.executable).with_name("pal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where a new user types: a shell in an empty home."""

    folder: Path
    env: dict[str, str]

    def type(self, line: str) -> "subprocess.CompletedProcess[str]":
        """One line of the README. `uv run` is left out: the test command has made the environment."""
        said = line.replace("uv run pal", f"'{PAL}'")
        return subprocess.run(
            ["sh", "-c", said],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=LONG_PATIENCE,
            check=False,
        )

    def type_until(self, line: str, wanted: str) -> str:
        """Type it again until the output has what is wanted, as a person would who waits for an answer."""
        until = time.monotonic() + LONG_PATIENCE
        while True:
            done = self.type(line)
            if wanted in done.stdout or time.monotonic() > until:
                return done.stdout


def lines_under(heading: str) -> list[str]:
    """The commands of a section of the README."""
    section = (ROOT / "README.md").read_text("utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    blocks = "".join(re.findall(r"```sh\n(.*?)```", section, re.S))
    return blocks.replace("\\\n", " ").splitlines()


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    server, local = free_port(), free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAL_", "LOCK_"))}
    places = {"PAL_PORT": str(server), "PAL_DAEMON_URL": f"http://127.0.0.1:{local}"}
    env = {**kept, **places, "PAL_SERVER": f"http://127.0.0.1:{server}", "HOME": str(tmp_path)}
    return Terminal(folder=tmp_path, env=env)


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A running `pal up` and the file it prints to."""

    process: "subprocess.Popen[bytes]"
    printed: Path


@pytest.fixture
def up(terminal: Terminal) -> Iterator[Up]:
    """`pal up` as the README starts it; stopped as by Ctrl-C."""
    command, printed = lines_under("Start")[0].partition(" && ")[2], terminal.folder / "up.txt"
    with printed.open("wb") as out:
        process = subprocess.Popen(
            ["sh", "-c", "exec " + command.replace("uv run pal", f"'{PAL}'")],
            cwd=terminal.folder,
            env={**terminal.env, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + LONG_PATIENCE
        while "pal is ready" not in printed.read_text() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)  # the file has no signal
        yield Up(process=process, printed=printed)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(LONG_PATIENCE)


def test_the_first_steps_lead_where_the_readme_says(terminal: Terminal, up: Up) -> None:
    said = up.printed.read_text()
    assert re.search(r"pal is ready.*https?://\S+/login\?code=\S+", said), said

    for line in lines_under("First steps"):
        if "messages list" in line:
            assert "Hello, I am Demo" in terminal.type_until(line, "Hello, I am Demo")
        done = terminal.type(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}\n{up.printed.read_text()}"

    answers = terminal.type_until("uv run pal cli messages list --room general", "count →")
    assert re.search(r"count → 3: \d+", answers), answers


def test_ctrl_c_stops_server_and_daemon(terminal: Terminal, up: Up) -> None:
    home = terminal.folder / ".pal"
    assert (home / "server.json").exists(), up.printed.read_text()

    up.process.send_signal(signal.SIGINT)

    assert up.process.wait(LONG_PATIENCE) == 0
    assert not (home / "server.json").exists()
    assert terminal.type("uv run pal cli health").returncode == 4
