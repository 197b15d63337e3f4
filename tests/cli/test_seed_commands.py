"""CL-1: every command line of the seed README works with `pal` before it, and asks the API for the same."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli import answers
from tests.cli.answers import page
from tests.cli.conftest import Pal
from tests.support.fake_api import FakeApi

Expected = tuple[str, dict[str, Any]]  # "METHOD /path" and what must be in query or body

LINES: dict[str, Expected] = {
    "console agents list --json": ("GET /api/agents", {}),
    'console agents create --key codex --name "Codex Agent" --runtime codex --desc "Main coding agent"': (
        "POST /api/agents",
        {"key": "codex", "display_name": "Codex Agent", "runtime": "codex", "description": "Main coding agent"},
    ),
    'console agents onboard --key codex --name "Codex Agent" --runtime codex --computer-id machine_a': (
        "POST /api/agents/onboard",
        {"agent_key": "codex", "display_name": "Codex Agent", "runtime": "codex", "computer_id": "machine_a"},
    ),
    'console agents onboard --key codex --name "Codex Agent" --desc "Main"': (
        "POST /api/agents/onboard",
        {"agent_key": "codex", "description": "Main"},
    ),
    "console agents update --key codex --runtime neeko": ("PATCH /api/agents/codex", {"runtime": "neeko"}),
    "console agents delete --key codex --yes": ("DELETE /api/agents/codex", {}),
    "console health": ("GET /health", {}),
    "console chats --json": ("GET /api/chats", {}),
    "console messages --chat general --parent 1 --after 0 --limit 50 --q text --json": (
        "GET /api/messages",
        {"room": "general", "parent": "1", "after": "0", "limit": "50", "q": "text"},
    ),
    "console messages": ("GET /api/messages", {}),
    "console inbox --agent codex --after 0 --limit 50 --json": (
        "GET /api/inbox",
        {"agent": "codex", "after": "0", "limit": "50"},
    ),
    'console send --chat general --from alice --mention codex "hello"': (
        "POST /api/messages",
        {"room": "general", "sender": "alice", "mentions": ["codex"], "content": "hello"},
    ),
    "console runs --json": ("GET /api/runs", {}),
    "console run-action 7 kill": ("POST /api/runs/7/kill", {}),
    "console run-action 7 restart": ("POST /api/runs/7/restart", {}),
    'cli send --room general --from alice --mention codex "hello"': (
        "POST /api/messages",
        {"room": "general", "sender": "alice", "mentions": ["codex"], "content": "hello"},
    ),
    'cli send --room general --from alice --mention codex --mention reviewer "Task completed"': (
        "POST /api/messages",
        {"mentions": ["codex", "reviewer"], "content": "Task completed"},
    ),
    'cli send --room general --from codex --parent 1 "Reply content"': (
        "POST /api/messages",
        {"sender": "codex", "parent": 1, "content": "Reply content"},
    ),
    "cli send --room general --from codex --file message.txt": ("POST /api/messages", {"content": "from a file\n"}),
    "cli rooms list --json": ("GET /api/rooms", {}),
    "cli rooms members --room general --json": ("GET /api/rooms/general/members", {}),
    "cli rooms invite --room general --agent codex": ("POST /api/rooms/general/agents", {"agent": "codex"}),
    "cli rooms invite --room general --agent codex --mode periodic": (
        "POST /api/rooms/general/agents",
        {"agent": "codex", "mode": "periodic"},
    ),
    "cli rooms restart-agent --room general --agent codex --json": (
        "POST /api/rooms/general/agents/codex/restart",
        {},
    ),
    'cli topics create --room general "Investigation"': (
        "POST /api/rooms/general/topics",
        {"title": "Investigation"},
    ),
    "cli messages list --room general --topic 1 --after 0 --limit 50 --q text --json": (
        "GET /api/messages",
        {"room": "general", "topic": "1", "after": "0", "limit": "50", "q": "text"},
    ),
    "cli messages show 12 --json": ("GET /api/messages/12", {}),
    'cli debate start --chat general --a codex --b reviewer --turns 6 "Topic"': (
        "POST /api/debates",
        {"room": "general", "a": "codex", "b": "reviewer", "turns": 6, "subject": "Topic"},
    ),
    'cli http file report.html --mime text/html --title "Report"': (
        "POST /api/artifacts",
        {"name": "report.html", "mime": "text/html", "title": "Report"},
    ),
    "cli http file report.html --mime application/json --ttl 3600": (
        "POST /api/artifacts",
        {"mime": "application/json", "ttl": "3600"},
    ),
    "cli artifact put report.html": ("POST /api/artifacts", {"name": "report.html", "mime": "text/html"}),
    "cli health": ("GET /health", {}),
    "cli chats --json": ("GET /api/rooms", {}),
    "cli runs --json": ("GET /api/runs", {}),
    "cli run-action 7 kill": ("POST /api/runs/7/kill", {}),
    "cli run-action 7 restart": ("POST /api/runs/7/restart", {}),
}

KNOWN: dict[str, Any] = {
    "GET /health": {"status": "ok"},
    "GET /api/agents": page("agents", answers.AGENT),
    "POST /api/agents": {"agent": answers.AGENT},
    "POST /api/agents/onboard": {"agent": answers.AGENT},
    "PATCH /api/agents/codex": {"agent": answers.AGENT},
    "DELETE /api/agents/codex": {"ok": True},
    "GET /api/chats": page("rooms", answers.ROOM),
    "GET /api/rooms": page("rooms", answers.ROOM),
    "GET /api/messages": page("messages", answers.MESSAGE),
    "GET /api/messages/12": {"message": answers.MESSAGE},
    "POST /api/messages": answers.SENT,
    "GET /api/inbox": {"messages": [answers.MESSAGE], "items": [], "next": None},
    "GET /api/runs": page("runs", answers.RUN),
    "POST /api/runs/7/kill": {"run": answers.RUN},
    "POST /api/runs/7/restart": {"run": answers.RUN},
    "GET /api/rooms/general/members": page("members", answers.MEMBER),
    "POST /api/rooms/general/agents": {"member": answers.MEMBER},
    "POST /api/rooms/general/agents/codex/restart": {"run": answers.RUN},
    "POST /api/rooms/general/topics": {"topic": answers.TOPIC},
    "POST /api/debates": {"debate": answers.DEBATE},
    "POST /api/artifacts": {"artifact": answers.FILE},
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_seed_works(line: str, pal: Pal, api: FakeApi) -> None:
    api.answers.update(KNOWN)
    Path("message.txt").write_text("from a file\n")
    Path("report.html").write_text("<p>hi")

    outcome = pal(*shlex.split(line))

    request, given = LINES[line]
    asked = api.last()
    assert (outcome.code, f"{asked.method} {asked.path}") == (0, request), outcome.err
    carried = asked.query | (asked.body if isinstance(asked.body, dict) else {})
    assert {name: carried.get(name) for name in given} == given
    assert asked.headers["authorization"] == f"Bearer {'daemon' if line.startswith('cli') else 'owner'}-secret"


DAEMON_LINES = (
    "daemon --server http://127.0.0.1:4127 --api-key sk_machine_a",
    "daemon --server http://127.0.0.1:4127 --api-key sk_machine_a --interval 3000 --local-port 4137",
    "daemon --server http://127.0.0.1:4127 --api-key sk_machine_a --dry-run",
    "daemon --server http://127.0.0.1:4127 --api-key sk_machine_a --once",
    "daemon --agent codex --computer-id hm-media-demo --computer-secret pal-demo-computer-secret",
)


@pytest.mark.parametrize("line", DAEMON_LINES)
def test_a_daemon_line_of_the_seed_is_understood(line: str, pal: Pal) -> None:
    """A folder that does not exist is told of only after every flag was understood."""
    outcome = pal(*shlex.split(line), "--cwd", "/path/to/workspace")

    assert outcome.code == 2
    assert "--cwd /path/to/workspace" in outcome.err
    assert ("deprecated" in outcome.err) == ("--agent" in line)
