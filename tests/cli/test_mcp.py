"""BX-17: `pal mcp` gives agents the verbs of `pal cli`, through a real client of the protocol and a real bus."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters, stdio_client

from tests.support.patience import LONG_PATIENCE
from tests.support.ports import free_port
from tests.support.stack import PAL, Stack, eventually

AGENT = Path(__file__).parent / "mcp_agent.py"
VERBS = {"send", "ask", "result", "inbox", "messages_list", "messages_show", "rooms_list", "rooms_members"}
VERBS |= {"topics_list", "topics_create", "tasks_list", "tasks_show", "tasks_add", "tasks_update"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("mcp")).start()
    yield stack
    stack.close()


@asynccontextmanager
async def door(stack: Stack, *flags: str, **more: str) -> AsyncIterator[ClientSession]:
    """A session with `pal mcp` as a person's agent program starts it, outside of any run."""
    env = {**stack.env, "PAL_HOME": str(stack.server.home), "PAL_DAEMON_URL": stack.daemon.url, **more}
    program = StdioServerParameters(command=PAL, args=["mcp", *flags], env=env)
    async with stdio_client(program) as streams, ClientSession(*streams) as session:
        await session.initialize()
        yield session


async def call(session: ClientSession, tool: str, **arguments: Any) -> dict[str, Any]:
    """What the tool answered; it has to succeed."""
    answer = await session.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    assert isinstance(answer.structured_content, dict)
    return answer.structured_content


async def refusal(session: ClientSession, tool: str, **arguments: Any) -> str:
    """The text of the tool's error; it has to fail."""
    answer = await session.call_tool(tool, arguments)
    assert answer.is_error, answer
    return "".join(getattr(part, "text", "") for part in answer.content)


def run_variables(stack: Stack, message: int) -> dict[str, str]:
    """What a run that is at work has in its environment from pal."""
    environ = Path(f"/proc/{stack.starts(message)[-1]['pid']}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in environ if pair.startswith("PAL_"))


async def test_every_verb_is_a_tool_that_says_what_it_does(stack: Stack) -> None:
    async with door(stack) as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}

    assert tools.keys() == VERBS
    assert all(tool.description and tool.description[0].isupper() for tool in tools.values())
    reading = {name for name, tool in tools.items() if tool.annotations and tool.annotations.read_only_hint}
    assert VERBS - reading == {"send", "ask", "result", "topics_create", "tasks_add", "tasks_update"}


async def test_a_person_talks_through_the_door(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room)

    async with door(stack) as session:
        topic = (await call(session, "topics_create", room=room, title="Investigation"))["topic"]["id"]
        sent = await call(session, "send", room=room, topic=topic, content="look", mentions=[agent], client_id="once")
        again = await call(session, "send", room=room, topic=topic, content="look", mentions=[agent], client_id="once")
        message = sent["message"]["id"]
        stack.wait_delivery(message)
        replies = (await call(session, "messages_list", room=room, parent=message))["messages"]
        shown = (await call(session, "messages_show", message=message))["message"]
        members = (await call(session, "rooms_members", room=room))["members"]
        inbox = (await call(session, "inbox", agent=agent))["messages"]
        topics = (await call(session, "topics_list", room=room))["topics"]
        rooms = (await call(session, "rooms_list"))["rooms"]
        stack.api.post("/api/projects", {"key": "door", "room": room})
        added = (await call(session, "tasks_add", project="door", title="Open it", acceptance=["it is open"]))["task"]
        moved = (await call(session, "tasks_update", task="door.T-1", status="waiting", waiting_note="no key"))["task"]
        listed = (await call(session, "tasks_list", project="door", status="waiting"))["tasks"]
        one = (await call(session, "tasks_show", task=added["id"]))["task"]

    assert again["message"]["id"] == message
    assert sent["receipts"][0]["agent"] == agent
    assert [(one["sender"]["name"], one["content"]) for one in replies] == [(agent, f"answer to {message}")]
    assert (shown["content"], shown["topic"]) == ("look", topic)
    assert agent in {one["name"] for one in members}
    assert message in {one["id"] for one in inbox}
    assert topic in {one["id"] for one in topics}
    assert room in {one["name"] for one in rooms}
    assert (added["code"], moved["waiting_note"], one["acceptance"]) == ("T-1", "no key", ["it is open"])
    assert listed == [moved] == [one]


async def test_inside_a_run_it_speaks_as_the_runs_agent(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, command=shlex.join([sys.executable, str(AGENT), str(stack.marks)]))
    message = stack.mention(room, agent)
    run = int(eventually("there is a run", lambda: stack.delivery(message)["run"]))
    asked = stack.interaction(run)

    stack.api.post(f"/api/interactions/{asked['id']}/answer", {"answer": "release"})
    outcomes = stack.report(f"mcp-{message}")

    said = {one["tool"]: one for one in reversed(outcomes)}
    assert [one["tool"] for one in outcomes if one["failed"]] == ["send"], outcomes
    sent = said["send"]["data"]["message"]
    assert (sent["sender"]["name"], sent["room_name"], sent["parent"]) == (agent, room, message)
    assert said["messages_show"]["data"]["message"]["id"] == message
    assert message in {one["id"] for one in said["messages_list"]["data"]["messages"]}
    assert message in {one["id"] for one in said["inbox"]["data"]["messages"]}
    assert said["ask"]["data"]["interaction"]["answer"]["answer"] == "release"
    assert stack.wait_run(message)["result"]["summary"] == "all is well"
    assert "elsewhere" in outcomes[-1]["text"]


async def test_a_question_nobody_answers_ends_the_wait_and_is_not_asked_twice(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, "wait")
    message = stack.mention(room, agent)
    stack.wait_started(message)
    run = stack.wait_run(message, "running")["id"]
    variables = run_variables(stack, message)

    async with door(stack, **variables) as session:
        first = await call(session, "ask", question="Which branch?", wait_for=0)
        stack.api.post(f"/api/interactions/{first['interaction']['id']}/answer", {"answer": "main"})
        second = await call(session, "ask", question="Which branch?", wait_for=20, client_id=first["client_id"])
    stack.let_go(message)

    assert first["interaction"]["status"] == "pending"
    assert second["interaction"]["id"] == first["interaction"]["id"]
    assert second["interaction"]["answer"]["answer"] == "main"
    assert len(stack.api.get("/api/interactions", run=run)["interactions"]) == 1


REFUSED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("send", {"content": "hello"}, "room is missing. Name a room; the tool rooms_list lists them"),
    ("send", {"content": " ", "room": "general"}, "content is empty"),
    ("send", {"content": "hello", "room": "nowhere"}, "nowhere"),
    ("send", {"content": "hello", "room": "general", "mention": "a"}, "send takes no mention"),
    ("send", {"content": "hello", "room": "general", "attach": ["gone.txt"]}, "there is no such file"),
    ("ask", {"question": "Why?", "wait_for": -1}, "Give 0 to 3600 seconds"),
    ("result", {"summary": "done"}, "run is missing"),
    ("inbox", {}, "agent is missing"),
    ("messages_show", {"message": 999_999}, "999999"),
    ("messages_show", {"message": "x"}, "message"),
)


async def test_what_cannot_be_done_is_a_tool_error_with_a_remedy(stack: Stack) -> None:
    async with door(stack) as session:
        said = [await refusal(session, tool, **arguments) for tool, arguments, _ in REFUSED]

    assert [text for text, (_, _, sentence) in zip(said, REFUSED, strict=True) if sentence not in text] == []


async def test_a_daemon_that_is_away_is_named_and_the_door_stays_open(stack: Stack) -> None:
    async with door(stack, "--daemon", f"http://127.0.0.1:{free_port()}", "--token", "t") as session:
        first = await refusal(session, "rooms_list")
        second = await refusal(session, "rooms_list")

    assert first == second
    assert "does not answer" in first
    assert "`pal up`" in first


def test_an_address_that_is_none_ends_it_before_a_word_is_spoken(stack: Stack) -> None:
    ended = subprocess.run(
        [PAL, "mcp", "--daemon", "nonsense"],
        env={**stack.env, "PAL_HOME": str(stack.folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONG_PATIENCE,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "is not a server's address" in ended.stderr


def test_it_ends_when_the_agent_program_does(stack: Stack) -> None:
    ended = subprocess.run(
        [PAL, "mcp"],
        env={**stack.env, "PAL_HOME": str(stack.server.home), "LANG": os.environ.get("LANG", "C")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LONG_PATIENCE,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (0, b"")
