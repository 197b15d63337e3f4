"""How real programs say that somebody is logged in, and what pal makes of their files."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from pal_daemon.runtimes.claude_code.runtime import ClaudeCodeRuntime
from pal_daemon.runtimes.codex.runtime import CodexRuntime
from pal_daemon.runtimes.gemini import GeminiRuntime
from pal_daemon.runtimes.opencode import OpenCodeRuntime
from pal_daemon.runtimes.registry import load_registry
from pal_daemon.runtimes.way_in import LogsIn, Seen, WayIn
from tests.support.programs import need_program, node_path

KEY = "key-0123456789abcdef"


def seen(way_in: WayIn, program: Path | None, home: Path, **env: str) -> tuple[str, str]:
    given = {"HOME": str(home), "PATH": node_path(os.defpath), **(way_in.quiet or {}), **way_in.home(str(home)), **env}
    found: Seen = way_in.look(program, given)
    return found.login.value, found.method


def test_claude_code_says_it(tmp_path):
    program = need_program("claude")
    way_in = ClaudeCodeRuntime.way_in

    assert seen(way_in, program, tmp_path) == ("out", "")
    assert seen(way_in, program, tmp_path, ANTHROPIC_API_KEY=KEY) == ("in", "api key")


def test_codex_takes_a_key_into_its_home_and_forgets_it(tmp_path):
    program = need_program("codex")
    way_in = CodexRuntime.way_in
    env = {"PATH": node_path(os.defpath), "HOME": str(tmp_path), **way_in.home(str(tmp_path))}
    assert seen(way_in, program, tmp_path) == ("out", "")

    subprocess.run((program, *way_in.keep_key), env=env, input=KEY.encode(), check=True, capture_output=True)
    assert seen(way_in, program, tmp_path) == ("in", "api key")
    assert (tmp_path / "auth.json").stat().st_mode & 0o777 == 0o600

    subprocess.run((program, *way_in.end), env=env, check=True, capture_output=True)
    assert seen(way_in, program, tmp_path) == ("out", "")


def test_gemini_is_seen_by_its_files(tmp_path):
    way_in = GeminiRuntime.way_in
    folder = tmp_path / ".gemini"
    folder.mkdir()
    assert seen(way_in, None, tmp_path) == ("out", "")
    assert seen(way_in, None, tmp_path, GEMINI_API_KEY=KEY) == ("in", "api key")

    (folder / "oauth_creds.json").write_text("{}")

    assert seen(way_in, None, tmp_path) == ("in", "subscription")


def test_opencode_is_seen_by_the_file_its_logins_are_in(tmp_path):
    way_in = OpenCodeRuntime.way_in
    file = tmp_path / "data" / "opencode" / "auth.json"
    assert seen(way_in, None, tmp_path) == ("out", "")
    assert seen(way_in, None, tmp_path, OPENCODE_CONFIG_CONTENT='{"provider": {"x": {}}}') == ("in", "configuration")

    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"openrouter": {"type": "api", "key": KEY}}))

    assert seen(way_in, None, tmp_path) == ("in", "openrouter")


@pytest.mark.parametrize("runtime", [one for one in load_registry() if isinstance(one, LogsIn)], ids=lambda r: r.name)
def test_a_program_that_says_nothing_is_not_known_or_out(runtime, tmp_path):
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\nexit 3\n")
    mute.chmod(0o755)

    assert seen(runtime.way_in, mute, tmp_path)[0] in ("unknown", "out")
    assert seen(runtime.way_in, tmp_path / "gone", tmp_path)[0] in ("unknown", "out")
