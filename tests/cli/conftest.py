"""The command line in this process, in an empty home, against a fake server and daemon."""

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pal_cli.main import main
from tests.cli.living import Living
from tests.support.fake_api import FakeApi, fake_api

RUN = {
    "PAL_RUN_ID": "7",
    "PAL_RUN_TOKEN": "pal_run_secret",
    "PAL_AGENT_KEY": "codex",
    "PAL_ROOM": "general",
    "PAL_TOPIC": "3",
    "PAL_MESSAGE": "12",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


Pal = Callable[..., Outcome]


@pytest.fixture(scope="session")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """`pal up` for all tests of a worker that leave it running; each has a room of its own in it."""
    living = Living(tmp_path_factory.mktemp("living"))
    living.start()
    yield living
    living.stop()


@pytest.fixture
def room(living: Living, request: pytest.FixtureRequest) -> str:
    """A new room with the demo agent in it."""
    name = f"room-{abs(hash(request.node.nodeid)) % 10**8}"
    living.api("/api/rooms", {"name": name})
    living.api(f"/api/rooms/{name}/agents", {"agent": "demo"})
    return name


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `PAL_HOME`, an empty working folder, and none of the developer's own variables."""
    import os

    for name in list(os.environ):
        if name.startswith(("PAL_", "LOCK_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("PAL_HOME", str(home))
    monkeypatch.chdir(work)
    return home


@pytest.fixture
def api(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """A fake that is both server and daemon, with credentials for both in the environment."""
    with fake_api() as fake:
        monkeypatch.setenv("PAL_SERVER", fake.url)
        monkeypatch.setenv("PAL_TOKEN", "owner-secret")
        monkeypatch.setenv("PAL_DAEMON_URL", fake.url)
        monkeypatch.setenv("PAL_DAEMON_TOKEN", "daemon-secret")
        yield fake


@pytest.fixture
def pal(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Pal:
    """Run one command line in this process."""

    def run(*argv: str, stdin: bytes | None = None) -> Outcome:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        try:
            code = main(list(argv))
        except SystemExit as end:  # argparse
            code = end.code if isinstance(end.code, int) else 1
        told = capsys.readouterr()
        return Outcome(code=code, out=told.out, err=told.err)

    return run


@pytest.fixture
def inside_run(monkeypatch: pytest.MonkeyPatch, api: FakeApi) -> None:
    """The environment of a run: its variables and the daemon's address, nothing else."""
    for name in ("PAL_SERVER", "PAL_TOKEN", "PAL_DAEMON_TOKEN"):
        monkeypatch.delenv(name)
    for name, value in RUN.items():
        monkeypatch.setenv(name, value)
