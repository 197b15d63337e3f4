"""`pal up`: one command from nothing to an agent that answers; kept alive; stopped without harm."""

import os
import signal
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.living import READY, Living, is_alive
from tests.support.stack import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Living]:
    """Nothing is started."""
    living = Living(tmp_path)
    yield living
    if living.process is not None:
        living.stop(signal.SIGTERM)


def mentions_answered(living: Living, text: str) -> bool:
    """Whether the demo agent said something with these words."""
    messages = living.api("/api/messages?room=general")["messages"]
    return any(m["sender"]["name"] == "demo" and text in m["content"] for m in messages)


def test_the_first_start_ends_with_a_link_and_an_agent_that_answers(own: Living) -> None:
    said = own.start()

    ready = next(line for line in said.splitlines() if line.startswith(READY))
    assert "/login?code=" in ready
    assert said.count("/login?code=") == 1
    own.pal("cli", "send", "--room", "general", "--mention", "demo", "/echo good morning")
    eventually("demo answers", lambda: mentions_answered(own, "good morning"))
    secrets = [own.home / name for name in ("owner.token", "secret.key", "daemon/token", "daemon/key")]
    assert [oct(stat.S_IMODE(file.stat().st_mode)) for file in secrets] == ["0o600"] * 4
    eventually("all is well", own.is_well)


def test_a_later_start_finds_everything_and_makes_nothing_twice(own: Living) -> None:
    own.start()
    before = own.json("console", "computers", "list")["computers"]
    own.pal("console", "agents", "delete", "--key", "demo", "--yes")
    assert own.stop() == 0

    said = own.start()

    after = own.json("console", "computers", "list")["computers"]
    assert "code=" not in said
    assert f"{READY}: http://127.0.0.1:{own.port}" in said
    assert [c["id"] for c in after] == [c["id"] for c in before]
    assert own.json("console", "agents", "list")["agents"] == []


def test_a_running_agent_goes_on_while_everything_is_stopped(own: Living) -> None:
    own.start()
    own.pal("cli", "send", "--room", "general", "--mention", "demo", "/slow 6")
    run = eventually("a run", lambda: own.api("/api/runs")["runs"])[0]

    assert own.stop() == 0
    own.start()

    eventually("the run is done", lambda: own.api("/api/runs?status=succeeded")["runs"])
    assert [one["id"] for one in own.json("cli", "runs")["runs"]] == [run["id"]]


def test_a_part_that_is_killed_comes_back(own: Living) -> None:
    own.start()
    server, daemon = sorted(own.children())
    os.kill(daemon, signal.SIGKILL)
    os.kill(server, signal.SIGKILL)

    eventually("both are told of", lambda: own.said().count("ended unexpectedly (signal SIGKILL)") == 2)

    eventually("both are back", lambda: len(own.children()) == 2)
    eventually("all is well again", own.is_well)


def test_its_children_do_not_outlive_it(own: Living) -> None:
    own.start()
    children = own.children()

    own.stop(signal.SIGKILL)

    assert len(children) == 2
    eventually("server and daemon end", lambda: not any(is_alive(pid) for pid in children))


@pytest.mark.parametrize("taken", ["port", "local port"])
def test_a_taken_port_is_one_sentence_and_the_end(taken: str, own: Living) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        number = own.port if taken == "port" else own.local_port
        other.bind(("127.0.0.1", number))
        other.listen()

        own.begin()

        assert own.end() == 4
    assert f"{number}" in own.said()
    assert READY not in own.said()


def test_a_home_in_use_is_one_sentence_and_the_end(living: Living, tmp_path: Path) -> None:
    second = Living(tmp_path / "second")
    (tmp_path / "second").mkdir()
    second.env["PAL_HOME"] = str(living.home)

    second.begin()

    assert second.end() == 3
    assert len(second.said().splitlines()) == 1
    assert str(living.home) in second.said()


def test_a_rotated_key_is_made_good_by_the_next_start(own: Living) -> None:
    own.start()
    computer = own.json("console", "computers", "list")["computers"][0]["id"]
    own.pal("console", "computers", "rotate-key", computer, "--yes")
    eventually("the daemon stays off", lambda: "stays off" in own.said())
    own.stop()

    own.start()

    computers = own.json("console", "computers", "list")["computers"]
    assert [(c["id"], c["status"], c["agents"]) for c in computers] == [(computer, "online", ["demo"])]


def test_the_server_alone(own: Living) -> None:
    own.start("--no-daemon")

    assert own.json("console", "computers", "list")["computers"] == []
    assert len(own.children()) == 1


def test_in_the_background(own: Living) -> None:
    said = own.pal("up", "--port", str(own.port), "--detach")

    assert READY in said
    pid = int(said.rpartition("kill ")[2])
    try:
        assert own.json("cli", "health")["connected"] is True
        assert stat.S_IMODE((own.home / "up.log").stat().st_mode) == 0o600

        own.pal("up", "--port", str(own.port), "--detach", code=3)
        assert READY in (own.home / "up.log").read_text("utf-8"), "what the first one said is still there"
    finally:
        os.kill(pid, signal.SIGTERM)
        eventually("it has ended", lambda: not is_alive(pid))
