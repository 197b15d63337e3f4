"""The command line against a real server and daemon: what it prints is what the API says, inside runs and outside."""

import html
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pal_server.api.pages import plain_page
from tests.cli.living import PAL, Living
from tests.support.patience import LONG_PATIENCE
from tests.support.stack import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def said_by(living: Living, room: str, agent: str) -> list[str]:
    """What an agent said in a room."""
    messages = living.api(f"/api/messages?room={room}")["messages"]
    return [m["content"] for m in messages if m["sender"]["name"] == agent]


def test_the_command_line_prints_what_the_api_says(living: Living, room: str) -> None:
    """RM-9."""
    sent = living.json("cli", "send", "--room", room, "--mention", "demo", "/echo hi")
    eventually("an answer", lambda: said_by(living, room, "demo"))
    message = sent["message"]["id"]

    same = {
        f"cli messages show {message}": f"/api/messages/{message}",
        f"cli messages list --room {room}": f"/api/messages?room={room}",
        "cli inbox --agent demo": "/api/inbox?agent=demo",
        f"cli rooms members --room {room}": f"/api/rooms/{room}/members",
        f"cli topics list --room {room}": f"/api/rooms/{room}/topics",
        "cli runs": "/api/runs",
        f"why {message}": f"/api/messages/{message}/trace",
    }

    assert {line: living.json(*line.split()) for line in same} == {
        line: living.api(path) for line, path in same.items()
    }


def test_one_sending_across_a_restart_is_one_message(living: Living, room: str) -> None:
    """RM-4: the server is killed, the same invocation finds it again and sends once."""
    os.kill(json.loads((living.home / "server.json").read_text())["pid"], signal.SIGKILL)

    living.send_until_sent("--room", room, "only once")

    messages = living.json("cli", "messages", "list", "--room", room)["messages"]
    assert [m["content"] for m in messages] == ["only once"]


def test_listening_goes_on_across_a_restart(living: Living, room: str) -> None:
    """RM-21: what was said before, during and after the cut comes once, in order."""
    position = living.json("cli", "send", "--room", room, "before")["message"]["id"]
    listening = subprocess.Popen(
        [*PAL, "cli", "listen", "--json", "--room", room, "--after", "0", "--limit", "3"],
        env=living.env,
        stdout=subprocess.PIPE,
    )
    assert listening.stdout is not None
    first = json.loads(listening.stdout.readline())

    os.kill(json.loads((living.home / "server.json").read_text())["pid"], signal.SIGKILL)
    living.send_until_sent("--room", room, "during")
    living.send_until_sent("--room", room, "after")

    told = [first, *(json.loads(line) for line in listening.stdout)]
    assert listening.wait(LONG_PATIENCE) == 0
    assert first["id"] == position
    assert [one["content"] for one in told] == ["before", "during", "after"]


def test_inside_a_run_nothing_is_configured(living: Living, room: str, tmp_path: Path) -> None:
    """CL-9: with an empty home and only the run's variables everything an agent needs works; the rest exits 3."""
    empty = tmp_path / "empty"
    empty.mkdir()
    works = (
        "send --json 'from inside'",
        "rooms list --json",
        "rooms members --json",
        "topics list --json",
        "messages list --json",
        "inbox --json",
        "health --json",
        "ask --json 'Which one?' --option a",
        "result --json --status done 'all is well'",
    )
    refused = ("rooms create mine", "messages list --room general-of-others")
    script = tmp_path / "agent.sh"
    keep = 'env -i PATH="$PATH" PAL_RUN_ID="$PAL_RUN_ID" PAL_RUN_TOKEN="$PAL_RUN_TOKEN" PAL_AGENT_KEY="$PAL_AGENT_KEY" '
    keep += 'PAL_ROOM="$PAL_ROOM" PAL_TOPIC="$PAL_TOPIC" PAL_MESSAGE="$PAL_MESSAGE" PAL_DAEMON_URL="$PAL_DAEMON_URL" '
    keep += f"HOME={shlex.quote(str(empty))} pal cli "
    lines = [f"{keep}{command} > {tmp_path}/out 2> {tmp_path}/err; echo $? $(cat {tmp_path}/err)" for command in works]
    lines += [f"{keep}{command} 2> /dev/null; echo $?" for command in refused]
    script.write_text("\n".join(lines) + "\n")
    computer = living.json("console", "computers", "list")["computers"][0]["id"]
    living.pal("console", "agents", "onboard", "--key", "shell", "--name", "Shell", "--runtime", "command",
               "--command", f"sh {script}", "--computer-id", computer)  # fmt: skip
    living.pal("cli", "rooms", "invite", "--room", room, "--agent", "shell")

    sent = living.json("cli", "send", "--room", room, "--mention", "shell", "go")

    def ended_run() -> Any:
        runs = living.api(f"/api/runs?agent=shell&room={room}")["runs"]
        return runs[0] if runs and runs[0]["ended_at"] else None

    run = eventually("the run has ended", ended_run)
    assert living.pal("logs", str(run["id"])).splitlines() == ["0"] * len(works) + ["3"] * len(refused)
    inside = [
        m for m in living.json("cli", "messages", "list", "--room", room)["messages"] if m["content"] == "from inside"
    ]
    assert [(m["sender"]["name"], m["parent"]) for m in inside] == [("shell", sent["message"]["id"])]
    assert living.json("cli", "runs", "--agent", "shell")["runs"][0]["result"]["summary"] == "all is well"
    assert list(empty.iterdir()) == []


def test_a_question_is_answered_from_the_command_line(living: Living, room: str) -> None:
    living.pal("cli", "send", "--room", room, "--mention", "demo", "/ask which colour?")

    def waiting() -> Any:
        found = living.api("/api/interactions?status=pending")["interactions"]
        return [one for one in found if one["agent"] == "demo"]

    question = eventually("a question", waiting)[0]
    living.pal("cli", "answer", str(question["id"]), "blue")

    assert eventually("an answer", lambda: [text for text in said_by(living, room, "demo") if "blue" in text])
    living.pal("cli", "answer", str(question["id"]), "red", code=3)


def test_the_beginning_of_an_id_is_enough(living: Living, room: str) -> None:
    """CL-5."""
    whole = next(
        one["id"] for one in living.json("cli", "rooms", "list", "--limit", "200")["rooms"] if one["name"] == room
    )

    by_beginning = living.json("cli", "rooms", "members", "--room", whole[:16])

    assert by_beginning == living.json("cli", "rooms", "members", "--room", room)
    living.pal("cli", "rooms", "members", "--room", "room_0000", code=3)


def test_attach_follows_a_run_to_its_end(living: Living, room: str) -> None:
    living.pal("cli", "send", "--room", room, "--mention", "demo", "/slow 2")
    run = eventually("a run", lambda: living.api(f"/api/runs?room={room}")["runs"])[0]

    living.pal("attach", str(run["id"]))

    assert living.json("cli", "runs", "--room", room)["runs"][0]["status"] == "succeeded"


def test_the_seed_s_legacy_agent_command_line_is_refused_kindly(living: Living) -> None:
    """A wrong key exits 3 with a sentence, whichever form it came in."""
    wrong = ["daemon", "--server", f"http://127.0.0.1:{living.port}", "--local-port", "0", "--api-key", "sk_machine_no"]
    other_home = living.env | {"PAL_HOME": str(living.home.parent / "other")}

    living.pal(*wrong, code=3, env=other_home)


def test_the_plain_page_names_commands_that_work(living: Living) -> None:
    page = plain_page("index.html", {"why": ""}).text
    assert page is not None
    commands = [html.unescape(found) for found in re.findall(r"<code>pal (.*?)</code>", page)]
    ready = [command.replace("MESSAGE", "1").replace("laptop", "page") for command in commands]

    said = [living.pal(*shlex.split(command)) for command in ready]

    assert len(said) == 5
