"""What starts the agents that speak ACP: program, environment, memo."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pal_daemon.runtimes import gemini_settings
from pal_daemon.runtimes.acp import AnyAcpRuntime
from pal_daemon.runtimes.base import CannotStart, Context, LaunchSpec, Surroundings
from pal_daemon.runtimes.cursor import CursorRuntime
from pal_daemon.runtimes.gemini import GeminiRuntime
from pal_daemon.runtimes.gemini_settings import SHELL, system_settings
from pal_daemon.runtimes.opencode import OpenCodeRuntime
from pal_server.contract.deliveries import AgentProfile, Work
from tests.runtimes.driver import write_program

NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
NATIVE = "39d2b91e-f9f4-4f19-a0f6-0639fe05f465"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with programs that only tell their version."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, version in (
        ("gemini", "0.61.0"),
        ("opencode", "1.18.33"),
        ("cursor-agent", "2026.10.22"),
        ("any", "1.0"),
    ):
        write_program(folder / name, f"echo {version}")
    return folder


def work(*, native: str | None = None, settings: dict[str, Any] | None = None, **agent: Any) -> Work:
    profile = AgentProfile(key="worker", display_name="Worker", runtime="acp", settings=settings or {}, **agent)
    return Work(
        agent=profile,
        prompt="/do it",
        content="do it",
        room="r",
        room_name="general",
        topic=1,
        message=1,
        session="s",
        native_session=native,
    )


def launch(runtime: Any, given: Work, programs: Path, **env: str) -> LaunchSpec:
    context = Context(
        run=1,
        folder=Path("/w"),
        env={"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(programs.parent), "PAL_RUN_TOKEN": "t", **env},
        python="python",
        scratch=programs.parent / "scratch",
    )
    return runtime.launch(given, context)


def account(**more: Any) -> dict[str, Any]:
    return {"account": {"label": "a", "env": {}, "args": [], **more}}


def test_the_memo_says_all_the_reader_needs(programs):
    spec = launch(
        OpenCodeRuntime(), work(native="ses_1", model="a/b", effort="high", settings={"mode": "plan"}), programs
    )

    assert spec.memo == {
        "prompt": "/do it",
        "folder": "/w",
        "login": None,
        "session": "ses_1",
        "fresh_because": None,
        "model": "a/b",
        "effort": "high",
        "mode": "plan",
        "servers": [],
        "notices": [],
        "recap": "",
        "is_command": False,
        "pictures": [],
    }
    assert json.loads(spec.input or b"")["method"] == "initialize"


@pytest.mark.parametrize("runtime", [GeminiRuntime(), OpenCodeRuntime(), CursorRuntime()], ids=lambda r: r.name)
def test_a_program_gets_what_it_needs_and_no_secrets(runtime, programs):
    spec = launch(runtime, work(), programs, SOME_API_KEY="secret", LANG="C.UTF-8")

    assert spec.is_env_whole
    assert "secret" not in spec.env.values()
    assert (spec.env["PAL_RUN_TOKEN"], spec.env["LANG"]) == ("t", "C.UTF-8")
    assert spec.env["TMPDIR"] == str(programs.parent / "scratch")


@pytest.mark.parametrize("runtime", [GeminiRuntime(), OpenCodeRuntime(), CursorRuntime()], ids=lambda r: r.name)
def test_a_missing_program_is_named_with_its_remedy(runtime, tmp_path):
    with pytest.raises(CannotStart) as caught:
        launch(runtime, work(), tmp_path)

    assert caught.value.kind == "missing_program"
    assert runtime.remedy in str(caught.value)


@pytest.mark.parametrize(("runtime", "name"), [(GeminiRuntime(), "gemini"), (OpenCodeRuntime(), "opencode")])
def test_a_program_that_is_too_old_does_not_start(runtime, name, tmp_path):
    write_program(tmp_path / name, "echo 0.1.0")
    surroundings = Surroundings(env={"PATH": str(tmp_path)}, python="python", which=lambda _: str(tmp_path / name))

    with pytest.raises(CannotStart) as caught:
        launch(runtime, work(), tmp_path)

    assert caught.value.kind == "old_program"
    found = runtime.discover(surroundings)
    assert (found.is_available, found.version) == (False, "0.1.0")
    assert runtime.remedy in found.note


def test_an_older_name_of_a_program_is_found_too(tmp_path):
    write_program(tmp_path / "agent", "echo 2025.9.1")

    assert launch(CursorRuntime(), work(), tmp_path).argv[0] == str(tmp_path / "agent")


def test_gemini_is_one_process_with_its_settings_and_home(programs):
    spec = launch(GeminiRuntime(), work(model="gemini-2.5-pro", settings=account(home="/accounts/one")), programs)

    assert spec.argv[1:] == ("--acp", "-m", "gemini-2.5-pro")
    assert spec.env["GEMINI_CLI_NO_RELAUNCH"] == "true"
    assert spec.env["GEMINI_CLI_HOME"] == "/accounts/one"


def test_a_home_of_pals_own_is_told_what_gemini_is_to_leave_off(programs, tmp_path):
    file = tmp_path / ".gemini" / "settings.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"general": {"enableAutoUpdate": True}, "security": {"auth": {"selectedType": "x"}}}))

    launch(GeminiRuntime(), work(settings=account(home=str(tmp_path), is_home_ours=True)), programs)
    told = json.loads(file.read_text())
    launch(GeminiRuntime(), work(settings=account(home=str(tmp_path), is_home_ours=True)), programs)

    assert told["general"] == {
        "enableAutoUpdate": True,
        "enableAutoUpdateNotification": False,
        "sessionRetention": {"enabled": False},
    }
    assert told["privacy"] == {"usageStatisticsEnabled": False}
    assert told["security"] == {"auth": {"selectedType": "x"}}
    assert json.loads(file.read_text()) == told
    assert [path.name for path in file.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("text", ["{} // a comment", "[]"])
def test_settings_of_a_home_that_cannot_be_read_stay_as_they_are(text, programs, tmp_path):
    file = tmp_path / ".gemini" / "settings.json"
    file.parent.mkdir()
    file.write_text(text)

    launch(GeminiRuntime(), work(settings=account(home=str(tmp_path), is_home_ours=True)), programs)

    assert file.read_text() == text


def test_a_home_of_somebody_is_left_alone(programs, tmp_path):
    launch(GeminiRuntime(), work(settings=account(home=str(tmp_path / "home"))), programs)

    assert not (tmp_path / "home").exists()


def test_settings_win_only_where_root_alone_writes_them_and_no_administrator_has_any(tmp_path, monkeypatch):
    own = tmp_path / "settings.json"
    own.write_text("{}")
    tmp_path.chmod(0o777)
    by_others = system_settings(own, others=())
    monkeypatch.setattr(gemini_settings, "WRITABLE_BY_OTHERS", 0)
    monkeypatch.setattr(gemini_settings, "ROOTS", {path.stat().st_uid for path in (own, *own.parents)})

    assert by_others == {}
    assert system_settings(own, others=()) == {"GEMINI_CLI_SYSTEM_SETTINGS_PATH": str(own)}
    assert system_settings(own, others=[own]) == {}


@pytest.mark.parametrize("mark", ["GEMINI_CLI", "GEMINI_PROJECT_DIR"])
def test_geminis_shells_have_no_keys_and_its_launcher_keeps_them(mark):
    secrets = {"GEMINI_API_KEY": "secret-1", "some_token": "secret-2", "GEMINI_CLI_CUSTOM_HEADERS": "secret-3"}
    needed = {
        "PAL_RUN_TOKEN": "needed-1",
        "GIT_CONFIG_KEY_0": "needed-2",
        "SSH_AUTH_SOCK": "needed-3",
        "PLACE": "needed-4",
    }
    env = {"PATH": "/usr/bin:/bin", "BASH_ENV": str(SHELL), **secrets, **needed}

    def inherited(**more: str) -> str:
        line = ["bash", "-c", "case KEY in key) echo bent;; esac; MY_KEY=own-5 bash -c env"]
        return subprocess.run(line, env=env | more, capture_output=True, text=True, check=True).stdout

    by_command, by_launcher = inherited(**{mark: "1"}), inherited()

    assert [word for word in ("secret-", "bent", "pal_name", "BASH_ENV") if word in by_command] == []
    assert [value for value in (*needed.values(), "own-5") if value not in by_command] == []
    assert [value for value in secrets.values() if value not in by_launcher] == []


def test_geminis_shells_have_the_runs_token_also_where_the_program_keeps_tokens_back(programs):
    spec = launch(GeminiRuntime(), work(), programs, PAL_AGENT_KEY="worker")
    kept_back = {name: value for name, value in spec.env.items() if "KEY" not in name and name != "PAL_RUN_TOKEN"}

    line = ["bash", "-c", "env"]
    seen = subprocess.run(line, env={**kept_back, "GEMINI_CLI": "1"}, capture_output=True, text=True, check=True)

    given = [
        one for one in seen.stdout.splitlines() if one.startswith(("PAL_RUN_TOKEN", "PAL_AGENT", "GEMINI_CLI_PAL"))
    ]
    assert sorted(given) == ["PAL_AGENT_KEY=worker", "PAL_RUN_TOKEN=t"]


@pytest.mark.parametrize(("minute", "kept"), [("12-04", "12-04"), ("12-05", "12-04")])
def test_gemini_loads_a_session_without_harm_to_its_record(minute, kept, programs):
    chats = programs.parent / ".gemini" / "tmp" / "w" / "chats"
    chats.mkdir(parents=True)
    for name in (minute, "12-06"):
        (chats / f"session-2026-11-20T{name}-{NATIVE[:8]}.jsonl").write_text(name)

    spec = launch(GeminiRuntime(now=lambda: NOW), work(native=NATIVE), programs)

    assert (spec.memo["session"], spec.memo["fresh_because"]) == (NATIVE, None)
    assert (chats / f"session-2026-11-20T{kept}-{NATIVE[:8]}.jsonl").read_text() == minute


def test_what_loading_left_behind_is_gone_before_geminis_own_clean_up_sees_it(programs):
    chats = programs.parent / ".gemini" / "tmp" / "w" / "chats"
    chats.mkdir(parents=True)
    began, said = '{"sessionId":"s"}\n{"$set":{"messages":[{"id":"0"}]}}\n', '{"id":"1","type":"user"}\n'
    whole = '{"$set":{"messages":[{"id":"0"},{"id":"1"}]}}\n'
    records = {
        f"session-2026-11-20T12-01-{NATIVE[:8]}.jsonl": began + said,
        f"session-2026-11-20T12-02-{NATIVE[:8]}.jsonl": began,
        "session-2026-11-20T12-01-deadbeef.jsonl": began + said,
        "session-2026-11-20T12-09-deadbeef.jsonl": began,
        "session-2026-11-20T12-03-0badcafe.jsonl": began,  # nothing that it could take with it
        "session-2026-11-20T12-01-feedbeef.jsonl": began + said,
        "session-2026-11-20T12-04-feedbeef.jsonl": began + whole,
    }
    for name, text in records.items():
        (chats / name).write_text(text)

    launch(GeminiRuntime(now=lambda: NOW), work(), programs)

    left = sorted(path.name for path in chats.iterdir())
    assert left == sorted(name for name, text in records.items() if said in text or whole in text or "0badcafe" in name)


@pytest.mark.parametrize("native", [NATIVE, "../../etc", "*"])
def test_gemini_begins_afresh_without_a_record(native, programs):
    spec = launch(GeminiRuntime(), work(native=native), programs)

    assert spec.memo["session"] is None
    assert spec.memo["fresh_because"]


@pytest.mark.parametrize(("chosen", "method"), [({}, "gemini-api-key"), ({"selectedType": "oauth-personal"}, None)])
def test_gemini_is_told_to_use_a_key_unless_somebody_chose(chosen, method, programs):
    home = programs.parent / ".gemini"
    home.mkdir()
    (home / "settings.json").write_text(json.dumps({"security": {"auth": chosen}}))

    spec = launch(GeminiRuntime(), work(), programs, GEMINI_API_KEY="k")

    assert spec.memo["login"] == method


def test_opencode_asks_and_goes_on_after_a_refusal(programs):
    given = json.dumps({"model": "a/b", "permission": {"webfetch": "ask"}})
    settings = account(home="/accounts/one", env={"OPENCODE_CONFIG_CONTENT": given})

    spec = launch(OpenCodeRuntime(), work(settings=settings), programs)

    config = json.loads(spec.env["OPENCODE_CONFIG_CONTENT"])
    assert config["permission"] == {"webfetch": "ask", "bash": "ask", "edit": "ask"}
    assert config["experimental"] == {"continue_loop_on_deny": True}
    assert config["model"] == "a/b"
    assert spec.env["XDG_DATA_HOME"] == "/accounts/one/data"
    assert "OPENCODE_ENABLE_QUESTION_TOOL" not in spec.env


@pytest.mark.parametrize(("model", "is_barred"), [(None, True), ("a/b", True), ("opencode/free", False)])
def test_opencode_sends_nothing_to_its_maker_unasked(model, is_barred, programs):
    spec = launch(OpenCodeRuntime(), work(model=model), programs)

    config = json.loads(spec.env["OPENCODE_CONFIG_CONTENT"])
    assert ("opencode" in config.get("disabled_providers", [])) is is_barred


@pytest.mark.parametrize("mode", ["plan", "read_only"])
def test_opencode_may_change_nothing_where_nothing_may_be_changed(mode, programs):
    spec = launch(OpenCodeRuntime(), work(settings={"mode": mode}), programs)

    assert json.loads(spec.env["OPENCODE_CONFIG_CONTENT"])["permission"] == {"bash": "deny", "edit": "deny"}


def test_any_agent_is_the_accounts_program_with_its_arguments(programs):
    settings = account(bin=str(programs / "any"), args=["--acp"])

    assert launch(AnyAcpRuntime(), work(settings=settings), programs).argv == (str(programs / "any"), "--acp")


def test_a_command_is_an_agent_where_an_administrator_allows_it(programs):
    spec = launch(AnyAcpRuntime(), work(command="any --acp 'a b'", command_allowed=True), programs)

    assert spec.argv == (str(programs / "any"), "--acp", "a b")


@pytest.mark.parametrize(
    ("command", "is_allowed", "kind"),
    [
        ("any --acp", False, "spawn"),
        ("'open", True, "spawn"),
        (None, True, "missing_program"),
        ("nobody", True, "missing_program"),
    ],
)
def test_an_agent_without_a_program_does_not_start(command, is_allowed, kind, programs):
    with pytest.raises(CannotStart) as caught:
        launch(AnyAcpRuntime(), work(command=command, command_allowed=is_allowed), programs)

    assert caught.value.kind == kind
