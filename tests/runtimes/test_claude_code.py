"""How Claude Code is found and started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pal_daemon.runtimes.base import CannotStart, Context, LaunchSpec, Surroundings
from pal_daemon.runtimes.claude_code.runtime import ClaudeCodeRuntime
from pal_server.contract.deliveries import AgentProfile, Work
from tests.runtimes.driver import write_program
from tests.support.programs import need_program

NATIVE = "0d8f1a52-4f7e-4f0c-9b0e-5a3f0e1c2d3b"
NEW = 'case "$1" in auth) echo \'{"loggedIn": true}\';; *) echo "2.1.999 (Claude Code)";; esac'


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with a program that calls itself Claude Code."""
    folder = tmp_path / "bin"
    folder.mkdir()
    write_program(folder / "claude", NEW)
    return folder


@pytest.fixture
def launch(tmp_path: Path, programs: Path):
    def launch(
        *, account: dict[str, Any] | None = None, mode: str = "ask", native: str | None = None, env=(), **agent: Any
    ) -> LaunchSpec:
        settings: dict[str, Any] = {"mode": mode, **({"account": account} if account else {})}
        profile = AgentProfile(key="w", display_name="W", runtime="claude-code", settings=settings, **agent)
        work = Work(
            agent=profile,
            prompt="/do it",
            content="do it",
            room="r",
            room_name="general",
            topic=1,
            message=1,
            session="s",
            native_session=native,
            env={"GIVEN": "by the profile"},
        )
        base = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(tmp_path), "PAL_RUN_TOKEN": "t", **work.env}
        base |= {**dict(env), **(account or {}).get("env", {})}
        context = Context(run=7, folder=tmp_path, env=base, python="python3", scratch=tmp_path / "scratch")
        return ClaudeCodeRuntime().launch(work, context)

    return launch


def flag(spec: LaunchSpec, name: str) -> str | None:
    return spec.argv[spec.argv.index(name) + 1] if name in spec.argv else None


def test_it_begins_with_an_introduction_and_the_prompt_as_plain_text(launch):
    spec = launch()

    hello, prompt = (json.loads(line) for line in (spec.input or b"").splitlines())
    assert hello["request"] == {"subtype": "initialize"}
    assert (prompt["client_composed"], prompt["message"]["content"]) == (True, "/do it")
    assert not spec.close_input
    assert json.loads(json.dumps(spec.memo))["run"] == 7


@pytest.mark.parametrize(
    ("mode", "word"),
    [
        ("ask", "default"),
        ("accept_edits", "acceptEdits"),
        ("auto", "auto"),
        ("bypass", "bypassPermissions"),
        ("read_only", "default"),
        ("plan", "plan"),
        ("a-word-of-later", "default"),
    ],
)
def test_what_it_may_do_unasked_is_the_agents_mode(launch, mode, word, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    spec = launch(mode=mode)

    assert flag(spec, "--permission-mode") == word
    assert ("--disallowedTools" in spec.argv) is (mode == "read_only")


def test_as_root_it_asks_for_nothing_only_where_that_is_said_to_be_safe(launch, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    safe = {"IS_SANDBOX": "1"}

    with pytest.raises(CannotStart, match="as root"):
        launch(mode="bypass")

    for spec in (launch(mode="bypass", account={"env": safe}), launch(mode="bypass", env=safe)):
        assert (flag(spec, "--permission-mode"), spec.env["IS_SANDBOX"]) == ("bypassPermissions", "1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert flag(launch(mode="bypass"), "--permission-mode") == "bypassPermissions"


def test_its_environment_has_what_was_given_and_nothing_else(launch):
    spec = launch(env={"DAEMON_SECRET": "x", "LC_ALL": "C", "ANTHROPIC_API_KEY": "the daemon's own"})

    assert spec.is_env_whole
    assert "DAEMON_SECRET" not in spec.env
    assert (spec.env["LC_ALL"], spec.env["GIVEN"], spec.env["PAL_RUN_TOKEN"]) == ("C", "by the profile", "t")
    assert spec.env["ANTHROPIC_API_KEY"] == "the daemon's own"
    assert spec.env["TMPDIR"].endswith("scratch")
    assert spec.env["DISABLE_TELEMETRY"] == spec.env["DISABLE_AUTOUPDATER"] == "1"


def test_an_account_has_a_home_of_its_own_and_no_login_of_the_daemons(launch, tmp_path):
    account = {"label": "work", "home": str(tmp_path / "work"), "env": {"MINE": "1"}, "args": ["--add-dir", "/data"]}

    spec = launch(account=account, env={"ANTHROPIC_API_KEY": "the daemon's own"})

    assert spec.env["CLAUDE_CONFIG_DIR"] == str(tmp_path / "work")
    assert spec.env["MINE"] == "1"
    assert "ANTHROPIC_API_KEY" not in spec.env
    assert spec.argv[-2:] == ("--add-dir", "/data")


def test_a_key_that_is_kept_here_is_asked_for_and_not_handed_to_its_tools(launch, tmp_path):
    file = tmp_path / "its keys.json"
    file.write_text('{"ANTHROPIC_API_KEY": "sk-kept"}')
    account = {"env": {"ANTHROPIC_API_KEY": "sk-kept"}, "key_file": str(file), "key_names": ["ANTHROPIC_API_KEY"]}

    spec = launch(account=account)
    inside = launch(account=account | {"key_file": None, "key_names": []})

    settings = json.loads(flag(spec, "--settings") or "")
    told = subprocess.run(settings["apiKeyHelper"], shell=True, capture_output=True, text=True, check=True)
    assert told.stdout == "sk-kept\n"
    assert "sk-kept" not in f"{spec.argv}{spec.env}{spec.memo}"
    assert inside.env["ANTHROPIC_API_KEY"] == "sk-kept"


def test_an_account_may_name_another_program(launch, tmp_path):
    other = write_program(tmp_path / "other", NEW)

    assert launch(account={"bin": str(other)}).argv[0] == str(other)


def test_a_session_is_resumed_while_its_transcript_is_there(launch, tmp_path):
    folder = tmp_path / ".claude" / "projects" / "-work"
    folder.mkdir(parents=True)
    (folder / f"{NATIVE}.jsonl").write_text(
        '{"type":"mode"}\n{"type":"user","message":{"role":"user","content":"hi"}}\n'
    )

    spec = launch(native=NATIVE)

    assert flag(spec, "--resume") == NATIVE
    assert flag(spec, "--session-id") is None
    assert (spec.memo["notices"], spec.memo["lost"]) == ([], None)


@pytest.mark.parametrize("content", [b"", b'{"type":"mode"}\n', b"\x00\xff no json\n[[[\n", b'{"type":"us'])
def test_a_transcript_in_which_the_program_finds_no_conversation_is_none(launch, tmp_path, content):
    folder = tmp_path / ".claude" / "projects" / "-work"
    folder.mkdir(parents=True)
    (folder / f"{NATIVE}.jsonl").write_bytes(content)

    spec = launch(native=NATIVE)

    assert flag(spec, "--resume") is None
    assert spec.memo["lost"] is not None


@pytest.mark.parametrize("native", [NATIVE, "not a uuid", "../../etc"])
def test_a_session_that_is_gone_is_begun_afresh_with_a_word_about_it(launch, native):
    spec = launch(native=native)

    assert flag(spec, "--resume") is None
    assert flag(spec, "--session-id") not in (None, native)
    assert b"fresh one" in (spec.input or b"")
    assert spec.memo["lost"] == {"reason": "it is gone from this computer", "recap": False}


def test_model_and_effort_are_the_agents(launch):
    spec = launch(model="a-model-nobody-knows", effort="high")

    assert (flag(spec, "--model"), flag(spec, "--effort")) == ("a-model-nobody-knows", "high")


def test_a_missing_program_says_how_to_install_it(launch, programs):
    (programs / "claude").unlink()

    with pytest.raises(CannotStart, match="npm install -g @anthropic-ai/claude-code") as refused:
        launch()

    assert refused.value.kind == "missing_program"


def test_an_old_program_is_refused_until_it_is_replaced(launch, programs):
    write_program(programs / "claude", 'echo "2.1.197 (Claude Code)"')

    with pytest.raises(CannotStart, match=r"2\.1\.197") as refused:
        launch()
    write_program(programs / "claude", NEW)

    assert refused.value.kind == "old_program"
    assert launch().argv[0] == str(programs / "claude")


def discover(path: str, **env: str):
    surroundings = Surroundings(
        env={"PATH": path, **env}, python="python3", which=lambda name: shutil.which(name, path=path)
    )
    return ClaudeCodeRuntime().discover(surroundings)


def test_nothing_is_found_where_nothing_is(tmp_path):
    found = discover(str(tmp_path))

    assert not found.is_available
    assert "npm install" in found.note


def test_an_old_program_is_found_and_not_available(programs):
    write_program(programs / "claude", 'echo "2.0.5 (Claude Code)"')

    found = discover(f"{programs}:/bin")

    assert (found.is_available, found.version) == (False, "2.0.5")
    assert "npm install" in found.note


def test_the_real_program_tells_its_version(tmp_path):
    program = need_program("claude")

    found = discover(f"{program.parent}:/usr/bin:/bin", HOME=str(tmp_path))

    assert (found.is_available, found.version) == (True, "2.1.328")
