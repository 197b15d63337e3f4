"""SK-3: an agent hands work to another one on another computer and gets the result as a message."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from tests.support.stack import Daemon, Stack, eventually, new_name

PROGRAM = Path(__file__).parent / "delegating_agent.py"


def test_work_goes_to_another_computer_and_its_result_comes_back(stack: Stack, box: Daemon) -> None:
    box.start()
    room, asking = stack.room(), new_name("asking")
    program = [sys.executable, "-I", "-S", str(PROGRAM), str(stack.marks)]
    stack.agent(room, key=asking, command=shlex.join([*program, "asks"]))
    other = stack.agent(room, key=f"{asking}-b", command=shlex.join([*program, "answers"]), computer=box.computer)

    message = stack.mention(room, asking, "How much are 17 and 25?")

    said = eventually("the result was told", lambda: stack.said_by(room, asking)[1:] and stack.messages(room))
    assert [(one["sender"]["name"], one["content"]) for one in said[1:] if one["kind"] == "text"] == [
        (asking, "Add these: 17 25"),
        (other, "42"),
        (asking, "The sum is 42."),
    ]
    work, result = said[1], next(one for one in said if one["sender"]["name"] == other)
    assert result["parent"] == work["id"]
    runs = {one["message"]: one for one in stack.api.get("/api/runs", room=room)["runs"]}
    assert runs.keys() == {message, work["id"], result["id"]}
    assert (runs[message]["computer"], runs[work["id"]]["computer"]) == (stack.daemon.computer, box.computer)
    again = runs[result["id"]]
    assert (again["agent"], stack.wait_run(result["id"])["result"]["summary"]) == (asking, "the sum is 42")
    assert stack.report(f"received-{again['id']}")["content"] == "42"
