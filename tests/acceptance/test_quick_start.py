"""The first hour of a new user, with nothing but the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.stack import Daemon, Stack


def test_from_an_empty_home_to_an_answer_in_a_room(new_stack: Callable[..., Stack], tmp_path: Path) -> None:
    stack = new_stack()
    stack.server.start()
    program = tmp_path / "codex"
    program.write_text('#!/bin/sh\necho "I read $(wc -c) bytes"\n')
    program.chmod(0o755)

    provisioned = stack.pal_json("console", "computers", "provision", "--name", "laptop")
    computer, key = provisioned["computer"]["id"], provisioned["api_key"]
    daemon = Daemon(stack.server.home, computer=computer, key=key, server=stack.server.url, env=stack.env, interval=500)
    stack.daemons.append(daemon)
    daemon.start()
    said = stack.pal(
        *("console", "agents", "create", "--key", "codex", "--runtime", "command"),
        *("--command", str(program), "--computer-id", computer),
    )
    assert said.returncode == 0, said.stderr
    sent = stack.pal_json("cli", "send", "--room", "general", "--mention", "codex", "hello")

    assert sent["receipts"][0]["outcome"] == "started"
    message = sent["message"]["id"]
    assert stack.wait_delivery(message)["status"] == "acked"
    answers = stack.pal_json("cli", "messages", "list", "--room", "general", "--parent", str(message))["messages"]
    assert [answer["sender"]["name"] for answer in answers] == ["codex"]
    assert answers[0]["content"].startswith("I read ")
    assert "Nothing is broken" in stack.pal("why", str(message)).stdout
