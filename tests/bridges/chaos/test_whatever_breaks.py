"""BX-1: `pal chaos --chats`, the command anybody can run, with Lark, Slack and DingTalk and their SDKs.

PAL_CHAOS_SECONDS, PAL_CHAOS_FAULTS and PAL_CHAOS_SEED make it longer or another; with CI set it is run in full.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.living import PAL

IS_CI = bool(os.environ.get("CI"))  # where the slow part is run in full; elsewhere it is a sample
SECONDS = os.environ.get("PAL_CHAOS_SECONDS", "40" if IS_CI else "12")
FAULTS = os.environ.get("PAL_CHAOS_FAULTS", "2000" if IS_CI else "120")
SEED = os.environ.get("PAL_CHAOS_SEED", "7")
LONGEST = float(SECONDS) + int(FAULTS) * 0.5 + 2000.0  # seconds; only a defect reaches it, on a busy machine too


@pytest.mark.timeout(LONGEST + 60)
def test_whatever_breaks_each_mention_is_answered_once(tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path), "PAL_HOME": str(tmp_path / "mine")}
    line = ["chaos", "--chats", "--seconds", SECONDS, "--faults", FAULTS, "--seed", SEED, "--json"]

    ended = subprocess.run([*PAL, *line], env=env, capture_output=True, timeout=LONGEST, check=False)

    told = json.loads(ended.stdout)
    sys.stdout.write(f"\n{told}\n")
    assert (told["lost"], told["doubled"], told["silent_reruns"], told["unsettled"]) == (0, 0, 0, 0), told
    assert (told["doubtful_unmarked"], told["marked_without_doubt"], told["interrupted_silently"]) == (0, 0, 0), told
    assert told["sent"] > 5
    assert told["faults"] >= int(FAULTS), told
    assert (ended.returncode, told["ok"]) == (0, True), told
