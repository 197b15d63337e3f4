"""What CI does: the README's test command, and nothing is skipped there without a word."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.repo.tree import ROOT
from tests.support.patience import LONG_PATIENCE

SKIPS = {
    "test_inside.py": "import pytest\n\ndef test_it():\n    pytest.skip('no such machine')\n",
    "test_marked.py": "import pytest\n\n@pytest.mark.skip(reason='no such machine')\ndef test_it():\n    pass\n",
    "test_file.py": "import pytest\n\npytest.skip('no such machine', allow_module_level=True)\n",
    "test_fine.py": "def test_it():\n    pass\n",
}


def outcome(folder: Path, *, ci: str) -> str:
    """The last line of pytest on files that skip, under our conftest, without plugins."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "conftest.py")
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, text in SKIPS.items():
        (folder / name).write_text(text)
    env = {**os.environ, "CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "--continue-on-collection-errors"]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=LONG_PATIENCE, check=False
    )
    return done.stdout.splitlines()[-1]


def test_what_is_skipped_in_ci_has_failed(tmp_path: Path) -> None:
    assert "1 failed, 1 passed, 2 errors" in outcome(tmp_path, ci="true")


def test_elsewhere_it_is_skipped(tmp_path: Path) -> None:
    assert "1 passed, 3 skipped" in outcome(tmp_path, ci="")


def test_ci_runs_the_readmes_command() -> None:
    script = ROOT / ".ci" / "run"

    assert script.read_text("utf-8").splitlines()[-1] == "pip install uv && uv run pytest"
    assert "export CI=true" in script.read_text("utf-8")
    assert script.stat().st_mode & 0o111 == 0o111
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
