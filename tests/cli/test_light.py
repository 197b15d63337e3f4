"""The hot path loads nothing it does not need: a command of an agent is measured in milliseconds."""

import os
import subprocess
import sys

import pytest

from tests.cli.answers import SENT
from tests.support.fake_api import FakeApi
from tests.support.patience import LONG_PATIENCE

HEAVY = ("aiohttp", "typer", "rich", "asyncio", "msgspec", "mcp", "pydantic", "pal_console", "pal_daemon", "psycopg")
HEAVY += ("pal_server.api", "pal_cli.mcp_door")
SCRIPT = """
import sys
from pal_cli.main import main
code = main(sys.argv[1:])
sys.stderr.write(" ".join(sys.modules))
sys.exit(code)
"""


@pytest.mark.parametrize("command", ["send", "ask", "result"])
def test_what_agents_say_most_loads_nothing_heavy(command: str, api: FakeApi) -> None:
    api.answers["POST /api/messages"] = SENT
    where = ["--room", "general"] if command == "send" else []

    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, "cli", command, *where, "hello", "--json"],
        env={**os.environ, "PAL_RUN_TOKEN": "t", "PAL_RUN_ID": "7"},
        capture_output=True,
        text=True,
        timeout=LONG_PATIENCE,
        check=False,
    )

    loaded = set(ended.stderr.split())
    assert "pal_server.client.sync" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_help_of_the_whole_group_loads_no_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, "cli", "--help"],
        capture_output=True,
        text=True,
        timeout=LONG_PATIENCE,
        check=True,
    )

    assert [name for name in ended.stderr.split() if name.startswith("pal_cli.cli.")] == ["pal_cli.cli.commands"]
