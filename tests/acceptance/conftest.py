"""Stacks of real processes: one that tests of a worker share, and fresh ones for those that break theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.faults import end_processes_of
from tests.support.ports import free_port
from tests.support.postgres import postgres
from tests.support.proxy import Proxy
from tests.support.stack import Daemon, Stack

__all__ = ["postgres"]

_shared: list[Stack] = []
_rigs: list[tuple[Stack, Proxy]] = []


@pytest.fixture(scope="session")
def _closes_shared() -> Iterator[None]:
    yield
    _close_stacks()
    _close_rigs()


def _close_stacks() -> None:
    while _shared:
        _shared.pop().close()


def _close_rigs() -> None:
    while _rigs:
        stack, proxy = _rigs.pop()
        stack.close()
        proxy.__exit__(None, None, None)


def _has_failed(request: pytest.FixtureRequest) -> bool:
    report = getattr(request.node, "report_of_call", None)
    return report is None or bool(report.failed)


@pytest.fixture
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _closes_shared: None
) -> Iterator[Stack]:
    """A server with one daemon in its home. Shared: a test makes rooms and agents of its own, and leaves both running.

    After a failed test the next one gets a fresh one.
    """
    if not _shared:
        _shared.append(Stack(tmp_path_factory.mktemp("shared")).start())
    yield _shared[0]
    if _has_failed(request):
        _close_stacks()


@pytest.fixture
def rig(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _closes_shared: None
) -> Iterator[tuple[Stack, Proxy]]:
    """A stack whose daemon reaches the server through a proxy. Shared as `stack` is: parts that a test kills are
    started again before it ends, and the proxy is left as it was.
    """
    if not _rigs:
        stack = Stack(tmp_path_factory.mktemp("rig"))
        stack.server.start()
        proxy = Proxy(port=free_port(), target=stack.server.port).__enter__()
        _rigs.append((stack, proxy))
        stack.add_daemon(server=proxy.url).start()
        stack.daemon.wait_socket()
    yield _rigs[0]
    if _has_failed(request):
        _close_rigs()
    else:
        _rigs[0][1].forget()


@pytest.fixture
def box(stack: Stack) -> Iterator[Daemon]:
    """A daemon more, for a computer of its own; not started. Gone with everything it runs when the test ends."""
    daemon = stack.add_daemon()
    known = len(stack.daemons)
    yield daemon
    for one in (daemon, *stack.daemons[known:]):
        if one.is_running:
            one.kill()
        end_processes_of(one.home)
    stack.daemons[:] = [one for one in stack.daemons[:known] if one is not daemon]


@pytest.fixture
def new_stack(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Stack]]:
    """Stacks that are the test's own; nothing is started."""
    made: list[Stack] = []
    request.node.stacks = made  # for the report of a failure

    def make(db: str | None = None) -> Stack:
        made.append(Stack(tmp_path / f"stack-{len(made)}", db=db))
        return made[-1]

    yield make
    for stack in made:
        stack.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """With the end of a failed test come the ends of all logs."""
    report = yield
    if call.when == "call":
        item.report_of_call = report  # type: ignore[attr-defined]  # read by the fixture above
        if report.failed:
            for stack in _stacks_of(item):
                report.sections.append(("logs of the parts", stack.logs()))
    return report


def _stacks_of(item: pytest.Item) -> list[Stack]:
    values = getattr(item, "funcargs", {})
    found = list(getattr(item, "stacks", ()))
    if "stack" in values:
        found.append(values["stack"])
    if "rig" in values:
        found.append(values["rig"][0])
    return found
