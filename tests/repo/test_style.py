"""Format, lint and types are part of the tests."""

import subprocess
import sys

import pytest

from tests.repo.tree import ROOT

CHECKS = {
    "format": ["-m", "ruff", "format", "--check", "--quiet", "."],
    "lint": ["-m", "ruff", "check", "--output-format", "concise", "."],
    "types": ["-m", "mypy", "--no-error-summary"],
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.timeout(600)  # types without a cache on a small machine
def test_the_tree_passes(check: str) -> None:
    done = subprocess.run([sys.executable, *CHECKS[check]], cwd=ROOT, capture_output=True, text=True, check=False)

    said = (done.stdout + done.stderr).splitlines()
    wrong = [line.strip() for line in said if check != "format" or "-->" in line]  # of a format the place is enough
    assert done.returncode == 0, "\n".join([" ".join(CHECKS[check][1:]), *wrong[:40]])
