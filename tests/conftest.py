"""What every run of the tests shares: the order, how many workers, no hurry, and that nothing is skipped in silence."""

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Some machines forbid Python to keep what it compiled. Each of the thousands of processes that tests start would then
# compile pal and all it imports once more, and each worker all tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

TESTS = Path(__file__).parent
# The fast slice, then what starts processes. Browsers come last: Playwright leaves a running loop in its worker, in
# which no test with a loop of its own can begin.
ORDER = (
    "repo",
    "unit",
    "migrations",
    "conformance",
    "api",
    "bridges",
    "acceptance",
    "runtimes",
    "cli",
    "daemon",
    "browser",
)
BUSY = ("migrations", "conformance", "api", "bridges")
STARTING = ("bridges", "acceptance", "cli")  # what is long there waits for processes that were killed
MOST_WORKERS = 4  # beyond it the processes that tests start wait for each other
WITHOUT_WORKERS = 2  # paths on the command line up to which starting workers costs more than it saves

# How long an example takes says something about the machine only.
settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def careless() -> Iterator[None]:
    """No power is cut while this process writes, so its own SQLite stores need not wait for the disk. Servers that are
    processes do.
    """
    from pal_server.storage.engines import sqlite

    careful = sqlite.connect_writer

    def connect(path: Path) -> Connection:
        conn = careful(path)
        conn.execute("PRAGMA synchronous = OFF")
        return conn

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "connect_writer", connect)
        yield


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two more than cores for the whole run or a folder, as half of it is waiting; none for a few files."""
    named = [Path(str(argument).partition("::")[0]) for argument in config.args]
    is_small = all(path.suffix == ".py" for path in named) and len(named) <= WITHOUT_WORKERS
    cores = os.cpu_count() or 1
    return 0 if is_small or cores == 1 else min(cores + 2, MOST_WORKERS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The fast slice first: what is wrong with the text is known before anything is started. What mostly waits, and for
    long, is spread over the folders that keep the cores busy: all at once it would leave them idle.
    """
    items.sort(key=_rank)
    waiting = [item for item in items if _is_long(item) and _folder(item) in STARTING]
    others = [item for item in items if item not in waiting]
    places = [place for place, item in enumerate(others) if _folder(item) in BUSY]
    for number, item in reversed(list(enumerate(waiting if places else ()))):
        others.insert(places[number * len(places) // len(waiting)], item)
    items[:] = others if places else items


def _rank(item: pytest.Item) -> tuple[int, bool]:
    """By folder; in it those first that were given longer than the usual time."""
    folder = _folder(item)
    return (ORDER.index(folder) if folder in ORDER else len(ORDER), not _is_long(item))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""


def _is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("timeout") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI set a skipped test has failed: nothing may be missing there without a word."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _is_ci():
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where everything has to run: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that is skipped while it is read."""
    report = yield
    if report.skipped and _is_ci():
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where everything has to run: {_reason(report.longrepr)}"
    return report


def _is_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _reason(longrepr: Any) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
