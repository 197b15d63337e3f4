"""RT-9, RT-10, RT-17: the logins of a computer, with separate homes, and keys that never leave it."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pal_daemon.account_keys import accounts_folder, read_keys, with_keys
from pal_daemon.runtimes.profile import account_of
from pal_daemon.settings import Settings
from pal_server.contract.deliveries import AgentProfile, Work
from tests.support.daemons import RunningDaemon
from tests.support.fake_bus import FakeBus
from tests.support.patience import LONG_PATIENCE

KEY = "key-7f3a9c52e1b84d60"
PROGRAM = """#!/bin/sh
case "$*" in
  --version) echo "2.1.328 (Claude Code)" ;;
  "auth status")
    if [ -n "$ANTHROPIC_API_KEY" ]; then echo '{"loggedIn": true, "authMethod": "api_key"}'
    elif [ -f "$CLAUDE_CONFIG_DIR/login" ]; then echo '{"loggedIn": true, "authMethod": "claude.ai"}'
    else echo '{"loggedIn": false}'; exit 1; fi ;;
  "auth login") mkdir -p "$CLAUDE_CONFIG_DIR" && touch "$CLAUDE_CONFIG_DIR/login" ;;
  "auth logout") rm -f "$CLAUDE_CONFIG_DIR/login" ;;
esac
"""
KEEPER = """#!/bin/sh
case "$*" in
  --version) echo "codex-cli 0.169.0" ;;
  "login status") test -s "$CODEX_HOME/auth.json" ;;
  "login --with-api-key") umask 077; cat > "$CODEX_HOME/auth.json" ;;
  logout) rm -f "$CODEX_HOME/auth.json" ;;
esac
"""
Pal = Callable[..., Awaitable["subprocess.CompletedProcess[str]"]]


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with programs that behave as the real ones do when they are asked for their login."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("claude", PROGRAM), ("codex", KEEPER)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / ".claude"))
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    return folder


@pytest.fixture
def pal(settings: Settings) -> Pal:
    """`pal` as a person at this computer says it; the daemon runs in the test's own loop."""

    async def run(daemon: RunningDaemon, *argv: str, given: str = "", code: int = 0) -> Any:
        env = {**os.environ, "PAL_HOME": str(settings.home), "PAL_DAEMON_URL": daemon.url, "SHELL": "/bin/sh"}
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "pal_cli.main", "cli", *argv],
            env=env,
            input=given,
            capture_output=True,
            text=True,
            timeout=LONG_PATIENCE,
        )
        assert done.returncode == code, done.stderr
        return done

    return run


def account(id: str = "account_work", *, runtime: str = "claude-code", **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "computer": "machine_test",
        "runtime": runtime,
        "label": id.removeprefix("account_"),
        "created_at": 1,
        "values": {},
        **more,
    }


def plain_work(agent: AgentProfile) -> Work:
    return Work(
        agent=agent, prompt="do it", content="do it", room="r", room_name="general", topic=1, message=1, session="s"
    )


def logins(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    listed = json.loads(done.stdout)["logins"]
    return {one["label"] or one["runtime"]: (one["login"], one["method"]) for one in listed}


async def test_connecting_tells_version_login_and_what_installs_it(bus, start_daemon, tmp_path):
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "login").touch()

    await start_daemon()

    told = {runtime["name"]: runtime for runtime in bus.connected["runtimes"]}
    claude, codex, gemini = told["claude-code"], told["codex"], told["gemini"]
    assert (claude["version"], claude["login"], claude["login_method"]) == ("2.1.328", "in", "subscription")
    assert (codex["login"], codex["note"].split(":")[0]) == ("out", "nobody is logged in")
    assert (gemini["available"], gemini.get("login")) == (False, None)
    assert gemini["install"] == "npm install -g @google/gemini-cli"
    assert told["demo"].get("login") is None


async def test_two_accounts_of_one_program_have_separate_homes_and_logins(bus, start_daemon, pal):
    bus.accounts = [account("account_one", home="one"), account("account_two", home="two")]
    daemon = await start_daemon()

    await pal(daemon, "auth", "login", "one")

    listed = logins(await pal(daemon, "auth", "list", "--json"))
    assert listed["one"] == ("in", "subscription")
    assert listed["two"] == ("out", "")
    assert listed["claude-code"] == ("out", "")


async def test_a_home_of_a_plain_name_is_the_daemons_own_and_nobody_elses(bus, start_daemon, pal, settings):
    bus.accounts = [account("account_one", home="one")]
    daemon = await start_daemon()

    await pal(daemon, "auth", "list")

    folder = accounts_folder(settings) / "homes" / "one"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(("home", "is_ours"), [("one", True), ("/opt/one", False), ("~/one", False), (None, False)])
def test_a_runtime_is_told_which_homes_are_the_daemons_own(home, is_ours, settings):
    profile = AgentProfile(
        key="worker",
        display_name="Worker",
        runtime="gemini",
        settings={"account": {"home": home, "is_home_ours": not is_ours}},
    )

    told = account_of(with_keys(settings, plain_work(profile)))

    assert told.is_home_ours is is_ours
    assert (told.home is None) is (home is None)


async def test_a_key_lies_in_one_file_for_its_owner_and_never_goes_to_the_server(bus, start_daemon, pal, settings):
    bus.accounts = [account()]
    daemon = await start_daemon()

    done = await pal(daemon, "auth", "set", "work", given=KEY + "\n")

    assert "ANTHROPIC_API_KEY" in done.stdout
    assert KEY not in done.stdout + done.stderr
    file = accounts_folder(settings) / "account_work" / "keys.json"
    assert json.loads(file.read_text()) == {"ANTHROPIC_API_KEY": KEY}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    listed = await pal(daemon, "auth", "list", "--json")
    assert logins(listed)["work"] == ("in", "api key")
    assert KEY not in listed.stdout
    assert KEY not in bus.everything_said()


async def test_the_accounts_program_gets_the_key_and_nobody_hears_it(bus, start_daemon, pal):
    bus.accounts = [account(runtime="command")]
    daemon = await start_daemon()
    await pal(daemon, "auth", "set", "work", "--variable", "SHOP_CODE", given=KEY)
    command = "sh -c 'printf %s $SHOP_CODE | rev; echo; echo $SHOP_CODE'"
    agent = {"runtime": "command", "command": command, "command_allowed": True, "account": "account_work"}

    run = await bus.end_of(
        await bus.given_delivery(**agent, settings={"account": {"id": "account_work", "label": "work", "env": {}}})
    )

    assert run.finish["text"] == f"{KEY[::-1]}\n[redacted]"
    assert KEY not in bus.everything_said()


async def test_a_later_daemon_knows_what_is_not_to_be_told(bus, start_daemon, pal, tmp_path):
    bus.accounts = [account(runtime="command")]
    first = await start_daemon()
    await pal(first, "auth", "set", "work", "--variable", "SHOP_CODE", given=KEY)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    agent = {
        "runtime": "command",
        "command": f"sh -c 'read go < {gate}; echo $SHOP_CODE'",
        "command_allowed": True,
        "account": "account_work",
        "settings": {"account": {"id": "account_work", "label": "work", "env": {}}},
    }
    delivery = await bus.given_delivery(**agent)
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.pid)
    await first.leave()

    await start_daemon()
    await asyncio.to_thread(gate.write_text, "go\n")

    assert (await bus.end_of(delivery)).finish["text"] == "[redacted]"


async def test_clear_forgets_the_key_and_logs_the_home_out(bus, start_daemon, pal, settings):
    bus.accounts = [account(home="one")]
    daemon = await start_daemon()
    await pal(daemon, "auth", "login", "work")
    await pal(daemon, "auth", "set", "work", given=KEY)

    assert (await pal(daemon, "auth", "clear", "work", code=2)).stdout == ""
    await pal(daemon, "auth", "clear", "work", "--yes")

    assert read_keys(settings, "account_work") == {}
    assert logins(await pal(daemon, "auth", "list", "--json"))["work"] == ("out", "")


async def test_a_program_that_keeps_keys_itself_is_given_it_and_pal_keeps_none(bus, start_daemon, pal, settings):
    bus.accounts = [account(runtime="codex", home="one"), account("account_homeless", runtime="codex")]
    daemon = await start_daemon()

    await pal(daemon, "auth", "set", "work", given=KEY)
    refused = await pal(daemon, "auth", "set", "homeless", given=KEY, code=3)

    kept = accounts_folder(settings) / "homes" / "one" / "auth.json"
    assert kept.read_text() == KEY
    assert read_keys(settings, "account_work") == {}
    assert "--home" in refused.stderr
    await pal(daemon, "auth", "set", "work", "--subscription")
    assert not kept.exists()


async def test_a_shell_has_the_accounts_environment_and_not_the_usual_login(bus, start_daemon, pal, settings):
    bus.accounts = [account(home="/opt/one", values={"HTTPS_PROXY": "http://proxy:1"})]
    daemon = await start_daemon()
    await pal(daemon, "auth", "set", "work", given=KEY)

    asked = "echo $CLAUDE_CONFIG_DIR $ANTHROPIC_API_KEY $HTTPS_PROXY $PAL_LOGIN"
    done = await pal(daemon, "auth", "shell", "work", given=asked)

    assert done.stdout.split() == ["/opt/one", KEY, "http://proxy:1", "work"]


@pytest.mark.parametrize(
    ("argv", "given", "code"),
    [
        (("set", "nobody"), KEY, 3),
        (("set", "work"), "", 2),
        (("set", "work"), "short", 3),
        (("set", "work"), "two words of it", 3),
        (("set", "work", "--variable", "PAL_TOKEN"), KEY, 3),
        (("set", "claude-code"), KEY, 3),
        (("clear", "claude-code", "--yes"), "", 3),
        (("login", "plain"), "", 2),
    ],
)
async def test_what_cannot_be_done_is_said(bus, start_daemon, pal, argv, given, code):
    bus.accounts = [account(), account("account_plain", runtime="command")]
    daemon = await start_daemon()

    done = await pal(daemon, "auth", *argv, given=given, code=code)

    assert done.stderr.strip()


async def test_a_run_may_not_see_or_change_logins(bus: FakeBus, start_daemon):
    bus.accounts = [account("account_one")]
    daemon = await start_daemon()
    run = await bus.run_of(await bus.given_delivery(content="/ask may I?"))
    await bus.until(lambda: run.interactions)
    headers = {"Authorization": f"Bearer {run.token}"}

    async with aiohttp.ClientSession(headers=headers) as session:
        for method, path in (("GET", ""), ("PUT", "/one/key"), ("DELETE", "/one"), ("GET", "/one/shell")):
            async with session.request(method, f"{daemon.url}/logins{path}") as answer:
                assert (answer.status, (await answer.json())["error"]["code"]) == (403, "forbidden")
    async with aiohttp.ClientSession() as session, session.get(f"{daemon.url}/logins") as answer:
        assert answer.status == 401


async def test_with_the_server_away_nothing_is_changed(bus, start_daemon, pal, settings):
    bus.accounts = [account()]
    daemon = await start_daemon()
    bus.is_away = True

    done = await pal(daemon, "auth", "set", "work", given=KEY, code=4)

    assert "server" in done.stderr
    assert read_keys(settings, "account_work") == {}
