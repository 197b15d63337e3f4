"""`pal server` as a person types it, and what it does not load."""

import json
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Pal
from tests.support.patience import LONG_PATIENCE

IDLE = """
import sys
import pal_server.app, pal_server.cli
print(" ".join(sys.modules))
"""
NEVER = ("typer", "pydantic", "rich", "lark_oapi", "slack_sdk", "dingtalk_stream", "pal_server.client", "psycopg")


def test_what_an_idle_server_keeps_in_memory_is_its_own() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", IDLE], capture_output=True, text=True, timeout=LONG_PATIENCE, check=True
    )

    loaded = set(ended.stdout.split())
    assert "pal_server.api.routes" in loaded
    assert [name for name in NEVER if name in loaded] == []


def test_flags_stand_before_the_word_or_behind_it(pal: Pal, tmp_path: Path) -> None:
    made = pal("server", "--home", str(tmp_path), "migrate")
    checked = pal("server", "check", "--home", str(tmp_path))

    assert (made.code, checked.code) == (0, 0)
    assert f"{tmp_path}/lock.sqlite is well" in checked.err


def test_a_check_is_one_document(pal: Pal, tmp_path: Path) -> None:
    pal("server", "migrate", "--home", str(tmp_path))
    well = pal("server", "check", "--home", str(tmp_path), "--json")
    with open(tmp_path / "lock.sqlite", "r+b") as file:
        file.write(b"no database at all, whatever its name says")
    damaged = pal("server", "check", "--home", str(tmp_path), "--json")

    assert (well.code, json.loads(well.out)) == (0, {"database": f"{tmp_path}/lock.sqlite", "problems": []})
    assert damaged.code == 1
    assert len(json.loads(damaged.out)["problems"]) == 1


def test_wrong_words_are_named(pal: Pal, tmp_path: Path) -> None:
    assert [pal("server", *words).code for words in (["rum"], ["--port", "many"], ["backup"])] == [2, 2, 2]
    assert "'many' is not a whole number" in pal("server", "run", "--port", "many").err
    assert "between 0 and 65535" in pal("server", "run", "--home", str(tmp_path), "--port", "99999").err


def test_help_of_each_word(pal: Pal) -> None:
    for word in ("run", "migrate", "backup", "restore", "check"):
        asked = pal("server", word, "--help")
        assert (asked.code, asked.err) == (0, "")
        assert asked.out.startswith(f"usage: pal server {word}")
