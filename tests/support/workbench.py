"""The web client's tools and its build, for the tests that need them; one worker at a time makes them."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pal_server.workbench.build_hook import build, install, is_fresh, is_installed, run_npm
from tests.repo.tree import ROOT

FOLDER = ROOT / "pal_server" / "workbench"


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time, however many workers there are."""
    with (FOLDER / "package.json").open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def with_tools() -> Path:
    """The client's folder, with everything its checks need installed."""
    with _alone():
        if not is_installed(FOLDER):
            install(FOLDER)
        elif not (FOLDER / "node_modules" / "vitest").is_dir():
            # What the build needs is there already, so only the rest comes, in the versions of the lock.
            run_npm(FOLDER, "install", "--no-save", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund")
    return FOLDER


def with_build() -> Path:
    """The client's folder, built from the sources as they are."""
    with _alone():
        if not is_fresh(FOLDER):
            build(FOLDER)
    return FOLDER


def packed(address: str) -> int:
    """Bytes that a file of the build takes with gzip; one too small to be packed is sent as it is."""
    plain = FOLDER / "dist" / "assets" / address.rsplit("/", 1)[-1]
    gzip = plain.with_name(f"{plain.name}.gz")
    return (gzip if gzip.is_file() else plain).stat().st_size
