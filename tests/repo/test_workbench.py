"""The web client: its types follow the server's contract, and its own checks pass. Node comes from a wheel."""

import json
import subprocess
import tomllib

import pytest

from pal_server.workbench.build_hook import NODE, run_npm
from tests.repo import wire
from tests.repo.tree import ROOT
from tests.support.workbench import FOLDER, with_tools


def test_its_types_are_those_of_the_contract() -> None:
    assert wire.FILE.read_text("utf-8") == wire.render(), "write them anew: uv run python -m tests.repo.wire"


def test_its_lock_names_no_registry() -> None:
    lock = json.loads((FOLDER / "package-lock.json").read_text("utf-8"))

    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


def test_its_packages_are_pinned() -> None:
    package = json.loads((FOLDER / "package.json").read_text("utf-8"))
    versions = package["dependencies"] | package["devDependencies"]

    assert [name for name, version in versions.items() if not version[0].isdigit()] == []
    assert len({version for name, version in versions.items() if name.startswith("@mantine/")}) == 1


def test_the_node_that_builds_is_the_node_that_checks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    assert NODE in project["dependency-groups"]["dev"]


@pytest.mark.timeout(600)  # what the checks need may have to be installed
@pytest.mark.parametrize("check", ["types", "lint", "test"])
def test_it_passes_its_own_checks(check: str, capfd: pytest.CaptureFixture[str]) -> None:
    try:
        run_npm(with_tools(), "run", check)
    except subprocess.CalledProcessError:
        said = "".join(capfd.readouterr())
        pytest.fail("\n".join(said.splitlines()[-60:]), pytrace=False)
