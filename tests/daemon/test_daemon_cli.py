"""`pal daemon` as a person starts it: flags, sentences and exit codes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pal_daemon.settings import DEFAULT_LOCAL_PORT, BadSettings, resolve_settings
from tests.support.fake_bus import KEY, FakeBus
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]


@dataclass
class Ended:
    code: int
    stderr: str


async def start(
    bus: FakeBus, home: Path, *flags: str, key: str = KEY, more: Mapping[str, str] = {}
) -> asyncio.subprocess.Process:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PAL_", "LOCK_"))}
    argv = [sys.executable, "-m", "pal_daemon.cli", "--server", bus.url, "--local-port", "0", *flags]
    given = {**env, "PAL_HOME": str(home), **({"PAL_API_KEY": key} if key else {}), **more}
    return await asyncio.create_subprocess_exec(*argv, env=given, cwd=ROOT, stderr=asyncio.subprocess.PIPE)


async def end(process: asyncio.subprocess.Process) -> Ended:
    async with asyncio.timeout(PATIENCE):
        _, stderr = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, stderr.decode())


async def run(bus: FakeBus, home: Path, *flags: str, key: str = KEY) -> Ended:
    return await end(await start(bus, home, *flags, key=key))


async def test_once_with_nothing_to_do_ends_with_0(bus, tmp_path):
    assert (await run(bus, tmp_path, "--once")).code == 0


async def test_a_wrong_key_ends_with_3_and_is_not_repeated_aloud(bus, tmp_path):
    ended = await run(bus, tmp_path, key="sk_machine_wrong_key_123456")

    assert ended.code == 3
    assert "does not accept this key" in ended.stderr
    assert "wrong_key" not in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_without_a_key_nothing_is_started(bus, tmp_path):
    ended = await run(bus, tmp_path, key="")

    assert ended.code == 2
    assert "--api-key" in ended.stderr


@pytest.mark.parametrize("flags", [("--interval", "0"), ("--local-port", "x"), ("--cwd", "/no/such"), ("--nonsense",)])
async def test_wrong_flags_end_with_2(bus, tmp_path, flags):
    assert (await run(bus, tmp_path, *flags)).code == 2


@pytest.mark.parametrize("form", ["flags", "variables"])
async def test_the_legacy_form_works_and_says_it_is_deprecated(bus, tmp_path, form):
    await bus.given_delivery(content="/echo hi", look=False)
    flags = ["--agent", "worker", "--computer-id", "c", "--computer-secret", KEY]
    variables = {"PAL_AGENT": "worker", "PAL_COMPUTER_ID": "c", "PAL_COMPUTER_SECRET": KEY}

    if form == "flags":
        ended = await run(bus, tmp_path, *flags, "--once", key="")
    else:
        ended = await end(await start(bus, tmp_path, "--once", key="", more=variables))

    assert ended.code == 0
    assert "deprecated" in ended.stderr
    assert bus.runs[1].finish["text"] == "hi"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_ends_the_daemon_and_leaves_its_agents(bus, tmp_path, number):
    process = await start(bus, tmp_path)
    delivery = await bus.given_delivery(content="/slow 300")
    found = await bus.run_of(delivery)
    await bus.until(lambda: found.events)

    process.send_signal(number)

    assert (await end(process)).code == 0
    os.kill(found.pid, 0)
    from pal_daemon.keeper_client import attach

    keeper = await attach(tmp_path / "daemon" / "runs" / str(found.id))
    await keeper.kill()


async def test_a_home_that_cannot_be_written_is_told(bus, tmp_path):
    (tmp_path / "file").write_text("")

    ended = await run(bus, tmp_path / "file" / "home", "--once")

    assert ended.code == 3
    assert "cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr


# Settings


def resolved(tmp_path: Path, env: dict[str, str] | None = None, **flags: object):
    given = {"PAL_HOME": str(tmp_path / "home"), "PAL_API_KEY": "sk_machine_env", **(env or {})}
    return resolve_settings(env=given, here=tmp_path, **flags)


def test_flags_beat_variables_beat_files(tmp_path):
    (tmp_path / ".pal.toml").write_text('server = "http://project:1"')

    assert resolved(tmp_path).server == "http://project:1"
    assert resolved(tmp_path, {"PAL_SERVER": "http://env:2"}).server == "http://env:2"
    both = {"PAL_SERVER": "http://env:2", "LOCK_SERVER_URL": "http://lock:3"}
    assert resolved(tmp_path, both).server == "http://lock:3"
    assert resolved(tmp_path, both, server="http://flag:4").server == "http://flag:4"
    assert resolved(tmp_path, api_key="sk_machine_flag").key == "sk_machine_flag"


def test_the_local_port_is_where_the_command_line_looks(tmp_path):
    assert resolved(tmp_path).local_port == DEFAULT_LOCAL_PORT
    assert resolved(tmp_path, {"PAL_DAEMON_URL": "http://127.0.0.1:5000"}).local_port == 5000
    assert resolved(tmp_path, {"LOCK_DAEMON_URL": "http://127.0.0.1:6000"}).local_port == 6000
    assert resolved(tmp_path, local_port=7000).local_port == 7000


@pytest.mark.parametrize("server", ["ftp://x", "not an address", "http://", "http://u:p@host"])
def test_an_address_that_is_none_is_refused(tmp_path, server):
    with pytest.raises(BadSettings):
        resolved(tmp_path, server=server)


@pytest.mark.parametrize("key", ["with space", "zeile\n", "ключ"])
def test_a_key_that_cannot_be_one_is_refused(tmp_path, key):
    with pytest.raises(BadSettings, match="key"):
        resolved(tmp_path, api_key=key)
